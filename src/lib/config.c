/*
 * The configuration file: one table of keywords.
 * Runs as: root (mailreeved, conn), the mailbox owner (sessions).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "mechanisms.h"
#include "netaddr.h"

/* All but those that need the password itself to be stored. */
#define MECHANISMS_DEFAULT "PLAIN LOGIN SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 " \
	"EXTERNAL ANONYMOUS OAUTHBEARER XOAUTH2 GSSAPI"

#define FILE_MAX ((size_t)65536)

enum kind { TEXT, COUNT, SECONDS, SIZE, FLAG, CHOICE };

struct choice {
	const char *name;
	int value;
};

static const struct choice yes_local_no[] = {
	{ "no", TRI_NO }, { "local", TRI_LOCAL }, { "yes", TRI_YES }, { 0 },
};
static const struct choice formats[] = {
	{ "auto", FORMAT_AUTO }, { "maildir", FORMAT_MAILDIR },
	{ "mbox", FORMAT_MBOX }, { 0 },
};
static const struct choice levels[] = {
	{ "error", LOG_ERR }, { "warning", LOG_WARNING }, { "info", LOG_INFO },
	{ "debug", LOG_DEBUG }, { 0 },
};
static const struct choice tls_versions[] = { { "1.2", 2 }, { "1.3", 3 }, { 0 } };

struct keyword {
	const char *name;
	enum kind kind;
	size_t at;			/* offset in struct config */
	const char *def;
	uint64_t min, max;
	const struct choice *choices;	/* CHOICE, and TEXT that must be one of these */
	int (*check)(struct bytes, struct buf *why);	/* of a TEXT */
};

static int
check_listen(struct bytes v, struct buf *why)
{
	struct netaddr places[NETADDR_LISTEN_MAX];

	return netaddr_listen(v, places, why) < 0 ? -1 : 0;
}

#define AT(field) offsetof(struct config, field)
#define T(name, field, def)	{ name, TEXT, AT(field), def, 0, 0, NULL, NULL }
#define K(name, field, def, check) { name, TEXT, AT(field), def, 0, 0, NULL, check }
#define W(name, field, def, set) { name, TEXT, AT(field), def, 0, 0, set, NULL }
#define N(name, field, def, lo, hi) { name, COUNT, AT(field), def, lo, hi, NULL, NULL }
#define S(name, field, def, lo, hi) { name, SECONDS, AT(field), def, lo, hi, NULL, NULL }
#define Z(name, field, def, lo, hi) { name, SIZE, AT(field), def, lo, hi, NULL, NULL }
#define F(name, field, def)	{ name, FLAG, AT(field), def, 0, 0, NULL, NULL }
#define C(name, field, def, set) { name, CHOICE, AT(field), def, 0, 0, set, NULL }

static const struct keyword keywords[] = {
	K("imap-listen", imap_listen, "*:143", check_listen),
	K("imaps-listen", imaps_listen, "*:993", check_listen),
	K("pop3-listen", pop3_listen, "*:110", check_listen),
	K("pop3s-listen", pop3s_listen, "*:995", check_listen),
	T("pid-file", pid_file, "/run/mailreeved.pid"),
	N("max-connections", max_connections, "1000", 1, 1000000),
	N("max-connections-per-address", max_per_address, "100", 1, 1000000),
	N("max-connections-per-user", max_per_user, "50", 1, 1000000),
	N("spare-connections", spare_connections, "2", 0, 100),
	S("drain-timeout", drain_timeout, "10s", 0, 86400),
	T("service-user", service_user, "_mailreeve"),
	T("login-root", login_root, LIBEXECDIR "/empty"),
	T("pam-service-imap", pam_imap, "imap"),
	T("pam-service-pop3", pam_pop3, "pop3"),
	F("pam-session", pam_session, "no"),
	S("pam-timeout", pam_timeout, "30s", 1, 600),
	N("minimum-uid", minimum_uid, "1000", 1, UINT32_MAX - 1),
	S("failure-delay", failure_delay, "2s", 0, 60),
	N("max-failures", max_failures, "3", 1, 20),
	K("mechanisms", mechanisms, MECHANISMS_DEFAULT, mechanisms_check),
	T("administrators", administrators, ""),
	T("anonymous-user", anonymous_user, ""),
	C("cleartext-login", cleartext_login, "local", yes_local_no),
	T("secrets", secrets, SYSCONFDIR "/mailreeve/secrets"),
	T("oauth-keys", oauth_keys, ""),
	T("oauth-issuer", oauth_issuer, ""),
	T("oauth-audience", oauth_audience, ""),
	T("gssapi-keytab", gssapi_keytab, ""),
	K("trusted-proxies", trusted_proxies, "", netaddr_networks_check),
	K("trusted-xclient", trusted_xclient, "", netaddr_networks_check),
	T("tls-certificate", tls_certificate, SYSCONFDIR "/mailreeve/tls.crt"),
	T("tls-key", tls_key, SYSCONFDIR "/mailreeve/tls.key"),
	T("tls-client-ca", tls_client_ca, ""),
	W("tls-minimum", tls_minimum, "1.2", tls_versions),
	S("login-timeout", login_timeout, "60s", 1, 3600),
	S("imap-timeout", imap_timeout, "30m", 1, 604800),
	S("pop3-timeout", pop3_timeout, "10m", 1, 604800),
	S("write-timeout", write_timeout, "5m", 1, 86400),
	C("mail-format", mail_format, "auto", formats),
	T("maildir", maildir, "Maildir"),
	T("mbox-inbox", mbox_inbox, "/var/mail"),
	T("mbox-folders", mbox_folders, "mail"),
	T("index-directory", index_directory, ""),
	F("special-folders", special_folders, "yes"),
	Z("append-limit", append_limit, "256M", 1024, UINT32_MAX),
	N("message-limit", message_limit, "0", 0, UINT32_MAX),
	Z("quota-storage", quota_storage, "0", 0, INT64_MAX),
	N("quota-messages", quota_messages, "0", 0, UINT32_MAX),
	W("log-level", log_level, "info", levels),
};

#undef AT
#undef T
#undef K
#undef W
#undef N
#undef S
#undef Z
#undef F
#undef C

#define KEYWORDS (sizeof keywords / sizeof keywords[0])
_Static_assert(KEYWORDS <= CONFIG_KEYWORDS_MAX, "too many keywords");

static const struct choice *
find_choice(const struct choice *set, struct bytes value)
{
	for (; set->name != NULL; set++)
		if (bytes_equal(bytes_of(set->name), value))
			return set;
	return NULL;
}

/* A number with one of the given unit letters behind it, or none. */
static int
number_with_unit(struct bytes v, const char *letters, const uint64_t *factors,
    uint64_t *out)
{
	uint64_t factor = 1;
	const char *unit;

	if (v.n > 0 && v.p[v.n - 1] != '\0' &&
	    (unit = strchr(letters, v.p[v.n - 1])) != NULL) {
		factor = factors[unit - letters];
		v.n--;
	}
	if (bytes_number(v, UINT64_MAX / factor, out) < 0)
		return -1;
	*out *= factor;
	return 0;
}

static int
parse_number(enum kind kind, struct bytes v, uint64_t *out)
{
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	static const uint64_t sizes[] = { 1 << 10, 1 << 20, 1 << 30 };

	switch (kind) {
	case SECONDS:
		return number_with_unit(v, "smhd", seconds, out);
	case SIZE:
		return number_with_unit(v, "KMG", sizes, out);
	default:
		return bytes_number(v, UINT64_MAX, out);
	}
}

static void
list_choices(const struct choice *set, struct buf *why)
{
	buf_text(why, "give one of");
	for (; set->name != NULL; set++)
		buf_printf(why, " %s", set->name);
}

static int
set_text(const struct keyword *k, void *to, struct bytes v, struct buf *why)
{
	char *copy;

	if (k->choices != NULL && find_choice(k->choices, v) == NULL) {
		list_choices(k->choices, why);
		return -1;
	}
	if (k->check != NULL && k->check(v, why) < 0)
		return -1;
	copy = strndup((const char *)v.p, v.n);
	if (copy == NULL) {
		buf_text(why, "out of memory");
		return -1;
	}
	free(*(char **)to);
	*(char **)to = copy;
	return 0;
}

static int
set_number(const struct keyword *k, void *to, struct bytes v, struct buf *why)
{
	static const char *const forms[] = {
		[COUNT] = "a number",
		[SECONDS] = "a time such as 90s, 30m or 1h, in seconds",
		[SIZE] = "a size such as 64K or 100M, in bytes",
	};
	uint64_t n;

	if (parse_number(k->kind, v, &n) < 0 || n < k->min || n > k->max) {
		buf_printf(why, "give %s from %llu to %llu", forms[k->kind],
		    (unsigned long long)k->min, (unsigned long long)k->max);
		return -1;
	}
	*(uint64_t *)to = n;
	return 0;
}

static int
set_value(const struct keyword *k, struct config *c, struct bytes v,
    struct buf *why)
{
	void *to = (char *)c + k->at;
	const struct choice *hit;

	switch (k->kind) {
	case TEXT:
		return set_text(k, to, v, why);
	case FLAG:
		if (!bytes_equal(v, BYTES("yes")) && !bytes_equal(v, BYTES("no"))) {
			buf_text(why, "give yes or no");
			return -1;
		}
		*(bool *)to = v.p[0] == 'y';
		return 0;
	case CHOICE:
		hit = find_choice(k->choices, v);
		if (hit == NULL) {
			list_choices(k->choices, why);
			return -1;
		}
		*(unsigned *)to = (unsigned)hit->value;
		return 0;
	default:
		return set_number(k, to, v, why);
	}
}

static const struct keyword *
find_keyword(struct bytes name)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		if (bytes_equal(bytes_of(keywords[i].name), name))
			return &keywords[i];
	return NULL;
}

static size_t
word_length(struct bytes b)
{
	size_t n = 0;

	while (n < b.n && b.p[n] != ' ' && b.p[n] != '\t')
		n++;
	return n;
}

/* Tabs stand between words; any other control character is a mistake. */
static bool
has_control(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if ((b.p[i] < ' ' && b.p[i] != '\t') || b.p[i] == 0x7f)
			return true;
	return false;
}

static int
parse_line(struct config *c, unsigned number, struct bytes line, struct buf *why)
{
	struct bytes name, value = bytes_trim(line);
	const struct keyword *k;

	if (value.n == 0 || value.p[0] == '#')
		return 0;
	if (has_control(value)) {
		buf_text(why, "control character in the line: remove it");
		return -1;
	}
	name = bytes_first(value, word_length(value));
	value = bytes_trim(bytes_from(value, name.n));
	k = find_keyword(name);
	if (k == NULL) {
		buf_printf(why, "unknown keyword %.*s: see mailreeve.conf(5)",
		    (int)bytes_first(name, 64).n, (const char *)name.p);
		return -1;
	}
	if (value.n > CONFIG_VALUE_MAX) {
		buf_printf(why, "%s: value too long: give at most %d bytes",
		    k->name, CONFIG_VALUE_MAX);
		return -1;
	}
	buf_printf(why, "%s: bad value \"%.*s\": ", k->name,
	    (int)bytes_first(value, 64).n, (const char *)value.p);
	if (set_value(k, c, value, why) < 0)
		return -1;
	c->lines[k - keywords] = number;
	buf_clear(why);
	return 0;
}

static void
set_defaults(struct config *c)
{
	struct buf why = BUF_INIT(256);

	*c = (struct config){ 0 };
	for (size_t i = 0; i < KEYWORDS; i++)
		(void)set_value(&keywords[i], c, bytes_of(keywords[i].def), &why);
	buf_free(&why);
}

static int
parse_lines(struct config *c, struct bytes text, const char *name, struct buf *why)
{
	struct buf cause = BUF_INIT(1024);
	int r = 0;

	for (unsigned number = 1; text.n > 0 && r == 0; number++) {
		r = parse_line(c, number, bytes_split(&text, '\n'), &cause);
		if (r < 0)
			buf_printf(why, "%s:%u: %s", name, number,
			    buf_string(&cause));
	}
	buf_free(&cause);
	return r;
}

int
config_parse(struct config *c, struct bytes text, const char *name,
    struct buf *why)
{
	set_defaults(c);
	c->file = name;
	return parse_lines(c, text, name, why);
}

unsigned
config_line(const struct config *c, const char *keyword)
{
	const struct keyword *k = find_keyword(bytes_of(keyword));

	return k == NULL ? 0 : c->lines[k - keywords];
}

void
config_where(const struct config *c, const char *keyword, struct buf *out)
{
	unsigned line = config_line(c, keyword);

	if (line > 0)
		buf_printf(out, "%s:%u: ", c->file, line);
}

/* Whoever may write it decides what root does. NULL, or cause and cure. */
static const char *
what_is_wrong(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "no regular file: name another";
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "belongs to another user than root: chown root it";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write to it: chmod go-w it";
	return NULL;
}

static int
read_all(int fd, struct buf *out)
{
	for (;;) {
		unsigned char *to = buf_room(out, 4096);
		ssize_t n = to == NULL ? -1 : read(fd, to, 4096);

		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
	}
}

/* All of the file, bounded: 0, or -1 with the cause. */
static int
read_file(int fd, struct buf *out, const char **cause)
{
	*cause = fd < 0 ? strerror(errno) : what_is_wrong(fd);
	if (*cause == NULL && read_all(fd, out) < 0)
		*cause = strerror(errno);
	if (fd >= 0)
		close(fd);
	return *cause == NULL ? 0 : -1;
}

int
config_load(struct config *c, const char *path, bool optional, struct buf *why)
{
	struct buf text = BUF_INIT(FILE_MAX + 4096);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *cause;
	int r;

	if (fd < 0 && errno == ENOENT && optional) {
		set_defaults(c);
		return 0;
	}
	r = read_file(fd, &text, &cause);
	if (r == 0) {
		r = config_parse(c, buf_contents(&text), path, why);
	} else {
		buf_printf(why, "%s: cannot read: %s", path, cause);
		*c = (struct config){ 0 };
	}
	buf_free(&text);
	return r;
}

static void
print_value(const struct keyword *k, const struct config *c, struct buf *out)
{
	const void *from = (const char *)c + k->at;

	switch (k->kind) {
	case TEXT:
		buf_text(out, *(const char *const *)from);
		break;
	case FLAG:
		buf_text(out, *(const bool *)from ? "yes" : "no");
		break;
	case CHOICE:
		for (const struct choice *s = k->choices; s->name != NULL; s++)
			if ((unsigned)s->value == *(const unsigned *)from)
				buf_text(out, s->name);
		break;
	default:
		buf_number(out, *(const uint64_t *)from);
	}
}

void
config_free(struct config *c)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		if (keywords[i].kind == TEXT)
			free(*(char **)((char *)c + keywords[i].at));
	*c = (struct config){ 0 };
}

int
config_dump(const struct config *c, bool all, struct buf *out)
{
	struct config defaults;
	struct buf mine = BUF_INIT(CONFIG_VALUE_MAX + 1);
	struct buf def = BUF_INIT(CONFIG_VALUE_MAX + 1);

	set_defaults(&defaults);
	for (size_t i = 0; i < KEYWORDS; i++) {
		buf_clear(&mine);
		buf_clear(&def);
		print_value(&keywords[i], c, &mine);
		print_value(&keywords[i], &defaults, &def);
		if (!all && bytes_equal(buf_contents(&mine), buf_contents(&def)))
			continue;
		buf_printf(out, "%s ", keywords[i].name);
		buf_bytes(out, buf_contents(&mine));
		buf_byte(out, '\n');
	}
	config_free(&defaults);
	buf_free(&mine);
	buf_free(&def);
	return out->error == 0 ? 0 : -1;
}

int
config_inherit(struct config *c, struct buf *why)
{
	const char *text = getenv(CONFIG_ENV);

	if (text != NULL)
		return config_parse(c, bytes_of(text), CONFIG_ENV, why);
	return config_load(c, SYSCONFDIR "/mailreeve.conf", true, why);
}

int
config_log_priority(const struct config *c)
{
	const struct choice *hit = find_choice(levels, bytes_of(c->log_level));

	return hit == NULL ? LOG_INFO : hit->value;
}

bool
config_lists(const char *value, struct bytes word)
{
	struct bytes rest = bytes_of(value);

	while (word.n > 0 && rest.n > 0)
		if (bytes_equal(bytes_split(&rest, ' '), word))
			return true;
	return false;
}

void
config_start(struct config *c)
{
	struct buf why = BUF_INIT(4096);

	if (config_inherit(c, &why) < 0)
		log_fatal(EX_CONFIG, "%s", buf_string(&why));
	buf_free(&why);
	log_level(config_log_priority(c));
}
