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
#include "each.h"
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

static int
one_mailbox(void *arg, struct folder *f)
{
	struct check *c = arg;

	c->mailboxes++;
	return f->mbox != NULL ? check_mbox(c, f) : check_folder(c, f);
}

static int
look(const struct config *conf, const struct subject *who, struct check *c)
{
	struct store *store;
	size_t failed;

	if ((who->mbox != NULL
	    ? mbox_store_open(conf, who->maildir, who->mbox, &store)
	    : store_open(conf, &maildir_ops, who->maildir, &store)) < 0
	    || each_mailbox(store, one_mailbox, c, &failed) < 0) {
		warn("%s", who->maildir);
		return EX_NOINPUT;
	}
	c->found += failed;
	store_close(store);
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
