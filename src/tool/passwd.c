/*
 * mailreeve passwd: passwords that Mailreeve itself checks (SCRAM).
 * Runs as: the administrator.
 */
#include <bsd/readpassphrase.h>

#include <err.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "secrets.h"
#include "tool.h"
#include "utf8.h"

#define PASSWORD_MAX 1024
#define SALT_SIZE 16
#define ITERATIONS 10000		/* the client makes as many at each login */

struct order {
	struct bytes user;
	unsigned mechanisms;		/* bits of enum digest */
	bool delete, list;
	unsigned changed;		/* lines */
};

/* --- what is in it --- */

static bool
is_meant(const struct order *o, const struct secret *s)
{
	return bytes_equal(s->user, o->user)
	    && (o->mechanisms & 1U << s->digest) != 0;
}

/* Everything but what the order is about; comments and mistakes stay. */
static void
keep_others(struct order *o, struct bytes text, struct buf *out)
{
	struct secret s;

	while (text.n > 0) {
		struct bytes line = bytes_split(&text, '\n');

		if (secrets_parse(line, &s) == 0 && is_meant(o, &s)) {
			o->changed++;
			continue;
		}
		(void)buf_bytes(out, line);
		(void)buf_byte(out, '\n');
	}
	explicit_bzero(&s, sizeof s);
}

static void
add_secrets(struct order *o, struct bytes password, struct buf *out)
{
	struct secret s;

	for (unsigned d = 0; d < DIGESTS; d++) {
		if ((o->mechanisms & 1U << d) == 0)
			continue;
		s = (struct secret){ .user = o->user, .digest = (enum digest)d,
		    .iterations = ITERATIONS, .salt_n = SALT_SIZE };
		arc4random_buf(s.salt, s.salt_n);
		secrets_derive(&s, password);
		(void)secrets_print(&s, out);
		o->changed++;
	}
	explicit_bzero(&s, sizeof s);
}

static int
change(const struct edit *p, struct order *o, struct bytes password)
{
	struct buf old = BUF_INIT(SECRETS_FILE_MAX + 4096);
	struct buf new = BUF_INIT(SECRETS_FILE_MAX);
	int r = edit_read(p, &old);

	if (r == 0) {
		keep_others(o, buf_contents(&old), &new);
		if (!o->delete)
			add_secrets(o, password, &new);
		errno = new.error;
		r = new.error != 0 ? -1 : 0;
	}
	if (r == 0 && o->changed > 0)
		r = edit_replace(p, buf_contents(&new));
	buf_wipe(&old);
	buf_wipe(&new);
	return r;
}

static int
list(const struct edit *p, const struct order *o)
{
	struct buf text = BUF_INIT(SECRETS_FILE_MAX + 4096);
	struct bytes rest;
	struct secret s;
	int r;

	if (edit_read(p, &text) < 0) {
		warn("%s", p->path);
		buf_wipe(&text);
		return EX_NOINPUT;
	}
	rest = buf_contents(&text);
	while ((r = secrets_next(&rest, &s)) != 0)
		if (r < 0)
			warnx("%s: a line is no secret: see mailreeve-secrets(5)",
			    p->path);
		else if (o->user.n == 0 || is_meant(o, &s))
			printf("%.*s %s\n", (int)s.user.n, (const char *)s.user.p,
			    secrets_mechanism_name(s.digest));
	explicit_bzero(&s, sizeof s);
	buf_wipe(&text);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* --- the password --- */

/* UTF-8 without control characters. */
static bool
is_text(struct bytes b)
{
	uint32_t c = 0;
	size_t n;

	while ((n = utf8_char(b, &c)) > 0 && c >= ' '
	    && (c < 0x7f || c >= 0xa0))
		b = bytes_from(b, n);
	return b.n == 0;
}

/* The first line of standard input. */
static int
read_line(char *to, size_t room)
{
	size_t n = 0;
	ssize_t r = 0;

	while (n < room - 1 && (r = read(STDIN_FILENO, to + n, 1)) == 1
	    && to[n] != '\n')
		n++;
	to[n] = '\0';
	return r < 0 || n == room - 1 ? -1 : 0;
}

static int
ask_twice(char *to, size_t room)
{
	char again[PASSWORD_MAX + 2];
	bool same = readpassphrase("New password: ", to, room, 0) != NULL
	    && readpassphrase("Once more: ", again, sizeof again, 0) != NULL
	    && strcmp(to, again) == 0;

	explicit_bzero(again, sizeof again);
	if (!same)
		warnx("that was not the same twice");
	return same ? 0 : -1;
}

static int
get_password(char *to, size_t room)
{
	int r = isatty(STDIN_FILENO) == 1 ? ask_twice(to, room)
	    : read_line(to, room);

	if (r == 0 && to[0] != '\0' && is_text(bytes_of(to)))
		return 0;
	warnx("give a password of 1 to %d bytes, UTF-8 without control characters",
	    PASSWORD_MAX);
	return -1;
}

/* --- the command --- */

static int
parse(struct order *o, int argc, char **argv)
{
	int i = 0, m;

	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		if (strcmp(argv[i], "-d") == 0) {
			o->delete = true;
		} else if (strcmp(argv[i], "-l") == 0) {
			o->list = true;
		} else if (strcmp(argv[i], "-m") == 0 && i + 1 < argc
		    && (m = secrets_mechanism(bytes_of(argv[i + 1]))) >= 0) {
			o->mechanisms |= 1U << m;
			i++;
		} else {
			return -1;
		}
	}
	if (o->mechanisms == 0)
		o->mechanisms = (1U << DIGESTS) - 1;
	if (i < argc)
		o->user = bytes_of(argv[i++]);
	return i < argc || (o->delete && o->list)
	    || (o->user.n == 0 && !o->list) ? -1 : 0;
}

static int
set_or_delete(struct edit *p, struct order *o)
{
	char password[PASSWORD_MAX + 2] = "";
	int r;

	if (!o->delete && get_password(password, sizeof password) < 0) {
		explicit_bzero(password, sizeof password);
		return EX_DATAERR;
	}
	r = edit_lock(p);
	if (r == 0)
		r = change(p, o, bytes_of(password));
	explicit_bzero(password, sizeof password);
	if (r < 0) {
		warn("%s", p->path);
		return EX_CANTCREAT;
	}
	if (o->changed > 0)
		return EX_OK;
	warnx("%.*s has no such secret", (int)o->user.n,
	    (const char *)o->user.p);
	return TOOL_FOUND;
}

/* A new secret is somebody's, and has the account's own name. */
static int
look_at_user(struct order *o)
{
	const char *name = (const char *)o->user.p;
	const struct passwd *pw = NULL;

	if (o->user.n == 0)
		return EX_OK;
	if (!o->delete && !o->list && (pw = getpwnam(name)) != NULL)
		o->user = bytes_of(pw->pw_name);
	if (secrets_name(o->user) && (o->delete || o->list || pw != NULL))
		return EX_OK;
	warnx("%s: no such account", name);
	return EX_NOUSER;
}

int
passwd_main(const struct config *conf, int argc, char **argv)
{
	struct order o = { 0 };
	struct edit p;
	int rc;

	if (parse(&o, argc, argv) < 0)
		return tool_usage("passwd");
	rc = look_at_user(&o);
	if (rc != EX_OK)
		return rc;
	if (edit_open(&p, conf->secrets, 0755) < 0) {
		warn("%s", conf->secrets);
		return EX_CANTCREAT;
	}
	rc = o.list ? list(&p, &o) : set_or_delete(&p, &o);
	edit_close(&p);
	return rc;
}
