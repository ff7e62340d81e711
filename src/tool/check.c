/*
 * mailreeve check: looks at every mailbox of a user.
 * Runs as: the mailbox owner.
 */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../store/mbox.h"
#include "check.h"
#include "tool.h"

void
tool_print(const char *text)
{
	for (; *text != '\0'; text++)
		putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

static void __attribute__((format(printf, 3, 0)))
say(struct check *c, enum cure cure, const char *fmt, va_list ap)
{
	printf(": ");
	vprintf(fmt, ap);
	c->found++;
	c->fixed += cure == CURE_HERE && c->fix;
	printf("%s\n", cure == CURE_VISIT ? " (the next session sets it right)"
	    : cure == CURE_HERE && c->fix ? " (fixed)" : "");
}

void
check_say(struct check *c, const struct folder *f, const char *name,
    enum cure cure, const char *fmt, ...)
{
	va_list ap;

	tool_print(f->path);
	putchar('/');
	tool_print(name);
	va_start(ap, fmt);
	say(c, cure, fmt, ap);
	va_end(ap);
}

void
check_say_path(struct check *c, const char *path, enum cure cure,
    const char *fmt, ...)
{
	va_list ap;

	tool_print(path);
	va_start(ap, fmt);
	say(c, cure, fmt, ap);
	va_end(ap);
}

struct round {
	struct check *check;
	struct store *store;
};

static int
one_mailbox(void *arg, struct bytes name, bool arrivals)
{
	struct round *r = arg;
	struct folder *f;
	int rc;

	(void)arrivals;
	if (folder_get(r->store, name, &f) < 0) {
		warn("mailbox %.*s", (int)name.n, (const char *)name.p);
		r->check->found++;
		return 0;
	}
	r->check->mailboxes++;
	rc = f->mbox != NULL ? check_mbox(r->check, f) : check_folder(r->check, f);
	if (rc < 0)
		warn("%s", f->path);
	r->check->found += rc < 0;
	folder_put(f);
	return 0;
}

static int
look(const struct config *conf, const struct subject *who, struct check *c)
{
	struct round r = { .check = c };

	if ((who->mbox != NULL
	    ? mbox_store_open(conf, who->maildir, who->mbox, &r.store)
	    : store_open(conf, &maildir_ops, who->maildir, &r.store)) < 0
	    || r.store->ops->list(r.store, one_mailbox, &r) < 0) {
		warn("%s", who->maildir);
		return EX_NOINPUT;
	}
	store_close(r.store);
	printf("%s: %llu messages in %llu mailboxes, %llu findings, %llu fixed\n",
	    who->maildir, (unsigned long long)c->messages,
	    (unsigned long long)c->mailboxes, (unsigned long long)c->found,
	    (unsigned long long)c->fixed);
	if (fflush(stdout) != 0)
		return EX_IOERR;
	return c->found > c->fixed ? TOOL_FOUND : TOOL_CLEAN;
}

int
check_main(const struct config *conf, int argc, char **argv)
{
	struct check c = { 0 };
	struct subject who = { 0 };
	int rc;

	if (argc > 0 && strcmp(argv[0], "--fix") == 0) {
		c.fix = true;
		argc--;
		argv++;
	}
	if (argc > 1 || (argc == 1 && argv[0][0] == '-'))
		return tool_usage("check");
	rc = subject_enter(conf, argc == 1 ? argv[0] : NULL, true, &who);
	if (rc == 0)
		rc = look(conf, &who, &c);
	subject_free(&who);
	return rc;
}
