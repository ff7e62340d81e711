/*
 * mailreeve app-password: passwords for mail alone, each with a name.
 * Runs as: the user; root becomes the user.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "apppass.h"
#include "tool.h"

#define NETWORKS_MAX 512

struct request {
	const char *user;		/* NULL: the caller */
	const char *word;		/* a name; of `main` yes or no */
	unsigned services;
	char networks[NETWORKS_MAX + 1];
	const char *until;
	struct edit file;
	struct buf old, new;
	unsigned found;
};

/* ---- what is in the file ---- */

static void
add_line(struct buf *out, struct bytes line)
{
	(void)buf_bytes(out, line);
	(void)buf_byte(out, '\n');
}

/* Copies the lines that are not meant; comments and mistakes stay. */
static void
keep_others(struct request *r, bool (*is_meant)(const struct request *,
    struct bytes line))
{
	struct bytes rest = buf_contents(&r->old);

	while (rest.n > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		if (is_meant(r, line))
			r->found++;
		else
			add_line(&r->new, line);
	}
}

static bool
has_name(const struct request *r, struct bytes line)
{
	struct apppass a;

	return apppass_next(&line, &a) > 0 && bytes_equal(a.name, bytes_of(r->word));
}

static bool
is_about_main(const struct request *r, struct bytes line)
{
	(void)r;
	return apppass_main_barred(line);
}

/* A failure stays in r->new.error. */
static int
replace(struct request *r)
{
	if (r->new.error == 0 && edit_replace(&r->file, buf_contents(&r->new)) < 0)
		r->new.error = errno;
	return r->new.error == 0 ? 0 : -1;
}

/* ---- the subcommands; they change r->new, or say why not ---- */

static int
add(struct request *r)
{
	static const char *const services[] = { "imap,pop3", "imap", "pop3",
	    "imap,pop3" };
	char shown[APPPASS_SHOWN], key[APPPASS_KEY + 1], used[APPPASS_USED + 1];

	keep_others(r, has_name);
	if (r->found > 0) {
		warnx("%s: there is one of this name: revoke it first", r->word);
		return TOOL_FOUND;
	}
	apppass_make(shown, key);
	apppass_used(used, 0, NULL, "-");
	(void)buf_printf(&r->new, "%s %s %s %s %s %s\n", r->word,
	    services[r->services], r->networks, r->until, key, used);
	if (replace(r) == 0)
		printf("%s\n", shown);
	explicit_bzero(shown, sizeof shown);
	return EX_OK;
}

static int
take_away(struct request *r)
{
	keep_others(r, has_name);
	if (r->found > 0) {
		(void)replace(r);
		return EX_OK;
	}
	warnx("%s: there is no app password of this name", r->word);
	return TOOL_FOUND;
}

static int
set_main(struct request *r)
{
	struct bytes rest = buf_contents(&r->old);
	struct apppass a;
	bool bar = strcmp(r->word, "no") == 0;

	if (bar && apppass_next(&rest, &a) == 0)
		warnx("there is no app password: nobody can log in with a password "
		    "until one is added");
	if (bar)
		(void)buf_text(&r->new, "main-password no\n");
	keep_others(r, is_about_main);
	(void)replace(r);
	return EX_OK;
}

static int
list(struct request *r)
{
	struct bytes rest = buf_contents(&r->old);
	struct apppass a;
	int got;

	if (apppass_main_barred(rest))
		printf("main-password no\n");
	while ((got = apppass_next(&rest, &a)) != 0) {
		struct bytes used;

		if (got < 0) {
			warnx("%s: a line is no app password: see "
			    "mailreeve-app-passwords(5)", r->file.path);
			continue;
		}
		used = bytes_trim(a.used);
		printf("%.*s %.*s\n", (int)(a.key.p - a.name.p - 1),
		    (const char *)a.name.p, (int)used.n, (const char *)used.p);
	}
	return EX_OK;
}

/* ---- the command line ---- */

static int
take_services(struct request *r, const char *text)
{
	unsigned s = apppass_services(bytes_of(text));

	r->services |= s;
	return s == 0 ? -1 : 0;
}

static int
take_networks(struct request *r, const char *text)
{
	struct buf why = BUF_INIT(256);
	int good = strlen(text) <= NETWORKS_MAX
	    && netaddr_networks_check(bytes_of(text), &why) == 0;

	buf_free(&why);
	snprintf(r->networks, sizeof r->networks, "%s", text);
	for (char *p = r->networks; *p != '\0'; p++)
		if (*p == ' ' || *p == '\t')
			*p = ',';
	return good && text[0] != '\0' ? 0 : -1;
}

static int
take_day(struct request *r, const char *text)
{
	char today[APPPASS_DATE + 1];
	time_t now = time(NULL);
	struct tm tm;

	r->until = text;
	return apppass_day(bytes_of(text)) && localtime_r(&now, &tm) != NULL
	    && strftime(today, sizeof today, "%Y-%m-%d", &tm) > 0
	    && strcmp(text, today) >= 0 ? 0 : -1;
}

static int
take_user(struct request *r, const char *text)
{
	r->user = text;
	return 0;
}

static const struct option {
	char letter;
	bool only_add;
	int (*take)(struct request *, const char *);
	const char *wanted;
} options[] = {
	{ 'e', true, take_day, "a day from today on, as 2027-01-31" },
	{ 'n', true, take_networks, "networks, as 192.0.2.0/24,2001:db8::/32" },
	{ 's', true, take_services, "imap, pop3 or imap,pop3" },
	{ 'u', false, take_user, NULL },
};

static const struct command {
	const char *name;
	int (*run)(struct request *);
	bool changes;
	bool has_word;
} commands[] = {
	{ "add", add, true, true },
	{ "list", list, false, false },
	{ "revoke", take_away, true, true },
	{ "main", set_main, true, true },
};

static const struct option *
find_option(const char *word, bool adding)
{
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (word[0] == '-' && word[1] == options[i].letter
		    && word[2] == '\0' && (adding || !options[i].only_add))
			return &options[i];
	return NULL;
}

/* 0, 1 when an option's value is no good (said), or -1. */
static int
parse(struct request *r, const struct command *c, int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		const struct option *o = find_option(argv[i], c->run == add);

		if (o == NULL)
			return -1;
		if (o->take(r, argv[i + 1]) < 0) {
			warnx("%s %s: give %s", argv[i], argv[i + 1], o->wanted);
			return 1;
		}
	}
	if (i + (c->has_word ? 1 : 0) != argc)
		return -1;
	r->word = c->has_word ? argv[i] : NULL;
	if (c->run == set_main)
		return strcmp(r->word, "yes") == 0 || strcmp(r->word, "no") == 0
		    ? 0 : -1;
	if (c->has_word && !apppass_name(bytes_of(r->word))) {
		warnx("%s: a name has 1 to %d letters, digits, and then also "
		    "\".\", \"_\", \"-\"", r->word, APPPASS_NAME_MAX);
		return 1;
	}
	return 0;
}

static int
open_file(struct request *r, const struct command *c)
{
	struct subject who = { 0 };
	char *path = NULL;
	int rc = subject_become(r->user, &who);

	if (rc != EX_OK)
		return rc;
	if (asprintf(&path, "%s/" APPPASS_PATH, who.home) < 0)
		rc = EX_OSERR;
	else if (edit_open(&r->file, path, 0700) < 0) {
		warn("%s", path);
		rc = EX_CANTCREAT;
	} else if ((c->changes && edit_lock(&r->file) < 0)
	    || edit_read(&r->file, &r->old) < 0) {
		warn("%s", path);
		edit_close(&r->file);
		rc = EX_NOINPUT;
	}
	free(path);
	subject_free(&who);
	return rc;
}

static int
run(struct request *r, const struct command *c)
{
	int rc = open_file(r, c);

	if (rc != EX_OK)
		return rc;
	rc = c->run(r);
	if (rc == EX_OK && r->new.error != 0) {
		errno = r->new.error;
		warn("%s", r->file.path);
		rc = EX_CANTCREAT;
	}
	edit_close(&r->file);
	buf_free(&r->old);
	buf_free(&r->new);
	return fflush(stdout) == 0 ? rc : EX_IOERR;
}

int
app_password_main(const struct config *conf, int argc, char **argv)
{
	struct request r = { .networks = "-", .until = "-",
	    .old = BUF_INIT(2 * APPPASS_FILE_MAX), .new = BUF_INIT(APPPASS_FILE_MAX) };
	int bad;

	(void)conf;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (argc > 0 && strcmp(argv[0], commands[i].name) == 0) {
			bad = parse(&r, &commands[i], argc, argv);
			return bad < 0 ? tool_usage("app-password")
			    : bad > 0 ? EX_USAGE : run(&r, &commands[i]);
		}
	return tool_usage("app-password");
}
