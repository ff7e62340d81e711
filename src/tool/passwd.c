/*
 * mailreeve passwd: what Mailreeve itself checks, in the secrets file; of users,
 * for themselves, in a file of their own.
 * Runs as: the administrator, or a user.
 */
#include <bsd/readpassphrase.h>

#include <err.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "saslprep.h"
#include "secrets.h"
#include "tool.h"

#define PASSWORD_MAX 1024
#define PREPARED_MAX (PASSWORD_MAX * 18)	/* one character may become 18 */
#define SCRAM_KINDS ((1U << DIGESTS) - 1)
#define USER_KINDS ((1U << SECRET_HOST) - 1)
#define OWN_KIND (1U << SECRET_OWN)

struct order {
	struct bytes user;
	unsigned kinds;			/* bits of enum secret_kind */
	struct bytes identity;		/* of EXTERNAL: the one that is meant */
	struct bytes own;		/* may users have secrets of their own? yes or no */
	bool delete, list;
	bool mine;			/* it is a user's own file */
	unsigned changed;		/* lines */
};

/* --- what is in it --- */

static bool
is_meant(const struct order *o, const struct secret *s)
{
	if (o->identity.n > 0 && !bytes_equal(o->identity,
	    bytes_make(s->value, s->value_n)))
		return false;
	return bytes_equal(s->user, o->user) && (o->kinds & 1U << s->kind) != 0;
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
fill(struct secret *s, const struct order *o, struct bytes password)
{
	struct bytes value = s->kind == SECRET_EXTERNAL ? o->identity
	    : s->kind == SECRET_OWN ? o->own : password;

	if (s->kind <= SECRET_SCRAM_SHA_512) {
		s->iterations = SECRETS_ITERATIONS;
		s->salt_n = SECRETS_SALT_SIZE;
		arc4random_buf(s->salt, s->salt_n);
		secrets_derive(s, password);
		return;
	}
	s->value_n = value.n;	/* fits: get_password(), secrets_identity() */
	memcpy(s->value, value.p, value.n);
}

static void
add_secrets(struct order *o, struct bytes password, struct buf *out)
{
	struct secret s;

	for (unsigned k = 0; k < SECRETS; k++) {
		if ((o->kinds & 1U << k) == 0)
			continue;
		s = (struct secret){ .user = o->user, .kind = (enum secret_kind)k };
		fill(&s, o, password);
		(void)secrets_print(&s, out);
		o->changed++;
	}
	explicit_bzero(&s, sizeof s);
}

/* The host's own, once: what salts of strangers are made of. */
static void
add_host(struct bytes text, struct buf *out)
{
	struct secret s;

	if (secrets_find(text, BYTES("*"), SECRET_HOST, &s))
		return;
	s = (struct secret){ .user = BYTES("*"), .kind = SECRET_HOST,
	    .value_n = SECRETS_HOST_SIZE };
	arc4random_buf(s.value, s.value_n);
	(void)secrets_print(&s, out);
	explicit_bzero(&s, sizeof s);
}

static int
change(const struct edit *p, struct order *o, struct bytes password)
{
	struct buf old = BUF_INIT(SECRETS_FILE_MAX + 4096);
	struct buf new = BUF_INIT(o->mine ? SECRETS_OWN_MAX : SECRETS_FILE_MAX);
	int r = edit_read(p, &old);

	if (r == 0) {
		keep_others(o, buf_contents(&old), &new);
		if (!o->delete && !o->mine)
			add_host(buf_contents(&old), &new);
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

/* Who, by what; an identity is no secret, nor is an answer. */
static void
print_secret(const struct secret *s)
{
	bool told = s->kind == SECRET_EXTERNAL || s->kind == SECRET_OWN;

	printf("%.*s %s%s%.*s\n", (int)s->user.n, (const char *)s->user.p,
	    secrets_kind_name(s->kind), told ? " " : "",
	    told ? (int)s->value_n : 0, (const char *)s->value);
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
		else if (s.kind != SECRET_HOST && (o->user.n == 0 || is_meant(o, &s)))
			print_secret(&s);
	explicit_bzero(&s, sizeof s);
	buf_wipe(&text);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* --- the password --- */

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

/* Asks for it, and prepares it as clients do. */
static int
get_password(const struct order *o, struct buf *out)
{
	char line[PASSWORD_MAX + 2];
	int r = isatty(STDIN_FILENO) == 1 ? ask_twice(line, sizeof line)
	    : read_line(line, sizeof line);

	if (r == 0)
		r = saslprep(bytes_of(line), out);
	explicit_bzero(line, sizeof line);
	if (r == 0 && (o->kinds & 1U << SECRET_CRAM_MD5) != 0
	    && out->len > SECRETS_PASSWORD_MAX) {
		warnx("give a password of at most %d bytes to CRAM-MD5",
		    SECRETS_PASSWORD_MAX);
		return -1;
	}
	if (r < 0)
		warnx("give a password of 1 to %d bytes, UTF-8 without characters "
		    "that SASLprep (RFC 4013) prohibits", PASSWORD_MAX);
	return r;
}

/* --- the command --- */

static int
parse_option(struct order *o, const char *option, const char *value)
{
	int k;

	if (strcmp(option, "-m") == 0 && value != NULL
	    && (k = secrets_kind(bytes_of(value))) >= 0 && k != SECRET_HOST) {
		o->kinds |= 1U << k;
		return 2;
	}
	if (strcmp(option, "-e") == 0 && value != NULL
	    && secrets_identity(bytes_of(value))) {
		o->identity = bytes_of(value);
		return 2;
	}
	if (strcmp(option, "-o") == 0 && value != NULL
	    && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
		o->own = bytes_of(value);
		return 2;
	}
	if (strcmp(option, "-d") == 0)
		o->delete = true;
	else if (strcmp(option, "-l") == 0)
		o->list = true;
	else
		return -1;
	return 1;
}

/* What is set by a word on the command line is a kind of its own, and the only one. */
static int
settle_kinds(struct order *o)
{
	const unsigned words = 1U << SECRET_EXTERNAL | OWN_KIND;
	unsigned given = (o->identity.n > 0 ? 1U << SECRET_EXTERNAL : 0)
	    | (o->own.n > 0 ? OWN_KIND : 0);
	bool set = !o->delete && !o->list;

	if (given == words || (given != 0 ? o->kinds != 0
	    : set && (o->kinds & words) != 0) || (o->own.n > 0 && !set))
		return -1;
	if (given != 0)
		o->kinds = given;
	else if (o->kinds == 0)
		o->kinds = set ? SCRAM_KINDS : o->list ? USER_KINDS | OWN_KIND
		    : USER_KINDS;
	return 0;
}

/* Users are their own; whether they may is said of all, or of one. */
static int
settle(struct order *o)
{
	if (settle_kinds(o) < 0 || (o->delete && o->list))
		return -1;
	if (o->mine)
		return 0;
	if (o->user.n == 0 && o->kinds == OWN_KIND)
		o->user = BYTES("*");
	return o->user.n == 0 && !o->list ? -1 : 0;
}

static int
parse(struct order *o, int argc, char **argv)
{
	int i = 0, n = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i += n) {
		n = parse_option(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (n < 0)
			return -1;
	}
	if (i < argc)
		o->user = bytes_of(argv[i++]);
	return i < argc ? -1 : settle(o);
}

static int
set_or_delete(struct edit *p, struct order *o)
{
	struct buf password = BUF_INIT(PREPARED_MAX);
	int r;

	/* In one piece, so that growing leaves no copies behind. */
	if (!o->delete && o->identity.n == 0 && o->own.n == 0
	    && (buf_room(&password, PREPARED_MAX) == NULL
	    || get_password(o, &password) < 0)) {
		buf_wipe(&password);
		return EX_DATAERR;
	}
	r = edit_lock(p);
	if (r == 0)
		r = change(p, o, buf_contents(&password));
	buf_wipe(&password);
	if (r < 0) {
		warn("%s", p->path);
		return EX_CANTCREAT;
	}
	if (!o->delete && (o->kinds & 1U << SECRET_CRAM_MD5) != 0)
		warnx("%s now has the password itself: who reads it can log in",
		    p->path);
	if (!o->delete && o->mine && isatty(STDERR_FILENO) == 1)
		warnx("it is good where the administrator lets users have secrets "
		    "of their own: see mailreeve-secrets(5)");
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

	if (o->user.n == 0 || (o->kinds == OWN_KIND && bytes_equal(o->user,
	    BYTES("*"))))
		return EX_OK;
	if (!o->delete && !o->list && (pw = getpwnam(name)) != NULL)
		o->user = bytes_of(pw->pw_name);
	if (secrets_name(o->user) && (o->delete || o->list || pw != NULL))
		return EX_OK;
	warnx("%s: no such account", name);
	return EX_NOUSER;
}

/* Users have SCRAM, under their own name. */
static int
look_at_caller(struct order *o, const struct subject *who)
{
	struct bytes name = bytes_of(who->name);

	if (o->user.n > 0 && !bytes_equal(o->user, name)) {
		warnx("%s: only root gives others secrets", (const char *)o->user.p);
		return EX_NOPERM;
	}
	o->user = name;
	if (o->delete || o->list)
		o->kinds &= SCRAM_KINDS;
	if (secrets_name(name) && (o->kinds & ~SCRAM_KINDS) == 0 && o->kinds != 0)
		return EX_OK;
	warnx("of one's own one can have SCRAM only");
	return EX_NOPERM;
}

static int
run(const char *path, mode_t dir_mode, struct order *o)
{
	struct edit p;
	int rc;

	if (edit_open(&p, path, dir_mode) < 0) {
		warn("%s", path);
		return EX_CANTCREAT;
	}
	rc = o->list ? list(&p, o) : set_or_delete(&p, o);
	edit_close(&p);
	return rc;
}

static int
run_own(struct order *o)
{
	struct subject who = { 0 };
	char *path = NULL;
	int rc = subject_become(NULL, &who);

	if (rc == EX_OK)
		rc = look_at_caller(o, &who);
	if (rc == EX_OK && asprintf(&path, "%s/" SECRETS_OWN_PATH, who.home) < 0)
		rc = EX_OSERR;
	if (rc == EX_OK)
		rc = run(path, 0700, o);
	free(path);
	subject_free(&who);
	return rc;
}

int
passwd_main(const struct config *conf, int argc, char **argv)
{
	struct order o = { .mine = geteuid() != 0 };
	int rc;

	if (parse(&o, argc, argv) < 0)
		return tool_usage("passwd");
	if (o.mine)
		return run_own(&o);
	rc = look_at_user(&o);
	return rc != EX_OK ? rc : run(conf->secrets, 0755, &o);
}
