/*
 * Lines of a user's app passwords.
 * Runs as: root (conn), the user.
 *
 * Keys are compared as text, so that nothing has to be decoded. A secret has
 * 120 random bits: one round of a digest with a salt is all it needs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "apppass.h"
#include "digest.h"

#define SALT 32				/* hexadecimal digits */

static const char letters[33] = "abcdefghijkmnpqrstuvwxyz23456789";
static const char hex[17] = "0123456789abcdef";

bool
apppass_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alpha(name.p[i]) && !ascii_digit(name.p[i])
		    && (i == 0 || memchr("._-", name.p[i], 3) == NULL))
			return false;
	return name.n > 0 && name.n <= APPPASS_NAME_MAX
	    && !bytes_equal(name, BYTES("main-password"));
}

unsigned
apppass_services(struct bytes text)
{
	static const char *const sets[] = {
		[APPPASS_IMAP] = "imap", [APPPASS_POP3] = "pop3",
		[APPPASS_IMAP | APPPASS_POP3] = "imap,pop3",
	};

	for (unsigned i = 1; i < sizeof sets / sizeof sets[0]; i++)
		if (bytes_equal(text, bytes_of(sets[i])))
			return i;
	return 0;
}

bool
apppass_day(struct bytes day)
{
	static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30,
	    31, 30, 31 };
	struct bytes rest = day;
	struct bytes y = bytes_split(&rest, '-'), m = bytes_split(&rest, '-');
	uint64_t year, month, last;

	return y.n == 4 && m.n == 2 && rest.n == 2 && day.n == APPPASS_DATE
	    && bytes_number(y, 9999, &year) == 0
	    && bytes_number(m, 12, &month) == 0 && month > 0
	    && bytes_number(rest, days[month - 1], &last) == 0 && last > 0
	    && (month != 2 || last < 29
	    || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)));
}

static bool
is_networks(struct bytes text)
{
	struct buf why = BUF_INIT(256);
	bool good = text.n > 0 && (bytes_equal(text, BYTES("-"))
	    || netaddr_networks_check(text, &why) == 0);

	buf_free(&why);
	return good;
}

static bool
is_key(struct bytes key)
{
	for (size_t i = 0; i < key.n; i++)
		if (i == SALT ? key.p[i] != '$'
		    : memchr(hex, key.p[i], sizeof hex - 1) == NULL)
			return false;
	return key.n == APPPASS_KEY;
}

static bool
parse(struct bytes line, struct apppass *out)
{
	out->name = bytes_split(&line, ' ');
	out->services = apppass_services(bytes_split(&line, ' '));
	out->networks = bytes_split(&line, ' ');
	out->until = bytes_split(&line, ' ');
	out->key = bytes_split(&line, ' ');
	out->used = line;
	return apppass_name(out->name) && out->services != 0
	    && is_networks(out->networks)
	    && (bytes_equal(out->until, BYTES("-")) || apppass_day(out->until))
	    && is_key(out->key);
}

static bool
bars_main(struct bytes line)
{
	return bytes_equal(bytes_trim(line), BYTES("main-password no"));
}

int
apppass_next(struct bytes *text, struct apppass *out)
{
	while (text->n > 0) {
		struct bytes line = bytes_split(text, '\n');

		if (line.n > 0 && line.p[0] != '#' && !bars_main(line))
			return parse(line, out) ? 1 : -1;
	}
	return 0;
}

bool
apppass_main_barred(struct bytes text)
{
	while (text.n > 0)
		if (bars_main(bytes_split(&text, '\n')))
			return true;
	return false;
}

/* ---- secrets ---- */

/* The letters of a secret without what parts them; false: it can be none. */
static bool
plain(struct bytes secret, char out[APPPASS_SECRET])
{
	size_t n = 0;

	for (size_t i = 0; i < secret.n; i++) {
		unsigned char c = ascii_lower(secret.p[i]);

		if (c == '-' || c == ' ')
			continue;
		if (n == APPPASS_SECRET || c == '\0' || strchr(letters, c) == NULL)
			return false;
		out[n++] = (char)c;
	}
	return n == APPPASS_SECRET;
}

static void
print_hex(const unsigned char *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		*out++ = hex[p[i] >> 4];
		*out++ = hex[p[i] & 15];
	}
	*out = '\0';
}

/* The digest of a secret with a salt, both as text. */
static void
digest(const unsigned char *salt, const char secret[APPPASS_SECRET],
    char out[APPPASS_KEY - SALT])
{
	unsigned char text[SALT + APPPASS_SECRET], d[DIGEST_MAX];

	memcpy(text, salt, SALT);
	memcpy(text + SALT, secret, APPPASS_SECRET);
	digest_of(DIGEST_SHA256, bytes_make(text, sizeof text), BYTES(""), d);
	print_hex(d, digest_size(DIGEST_SHA256), out);
	explicit_bzero(text, sizeof text);
}

void
apppass_make(char shown[APPPASS_SHOWN], char key[APPPASS_KEY + 1])
{
	unsigned char random[SALT / 2];
	char secret[APPPASS_SECRET];

	for (size_t i = 0; i < APPPASS_SECRET; i++) {
		secret[i] = letters[arc4random_uniform(sizeof letters - 1)];
		shown[i / 4 * 5 + i % 4] = secret[i];
		shown[i / 4 * 5 + 4] = '-';
	}
	shown[APPPASS_SHOWN - 1] = '\0';
	arc4random_buf(random, sizeof random);
	print_hex(random, sizeof random, key);
	key[SALT] = '$';
	digest((const unsigned char *)key, secret, key + SALT + 1);
	explicit_bzero(secret, sizeof secret);
}

static bool
is_secret_of(const struct apppass *a, const char secret[APPPASS_SECRET])
{
	char mine[APPPASS_KEY - SALT];
	unsigned different = 0;

	digest(a->key.p, secret, mine);
	for (size_t i = 0; i < sizeof mine - 1; i++)
		different |= (unsigned char)mine[i] ^ a->key.p[SALT + 1 + i];
	return different == 0;
}

/* As things are today, and there. */
static bool
is_allowed(const struct apppass *a, const struct apppass_try *t)
{
	return (a->services & t->service) != 0
	    && (bytes_equal(a->networks, BYTES("-"))
	    || netaddr_in(t->from, a->networks))
	    && (bytes_equal(a->until, BYTES("-"))
	    || bytes_compare(bytes_of(t->today), a->until) <= 0);
}

bool
apppass_match(struct bytes text, const struct apppass_try *t,
    struct apppass *out)
{
	char secret[APPPASS_SECRET];
	struct apppass a;
	bool found = false;
	int r;

	if (!plain(t->secret, secret))
		return false;
	while ((r = apppass_next(&text, &a)) != 0)
		if (r > 0 && is_secret_of(&a, secret) && is_allowed(&a, t)) {
			*out = a;
			found = true;
		}
	explicit_bzero(secret, sizeof secret);
	return found;
}

void
apppass_used(char out[APPPASS_USED + 1], time_t when,
    const struct netaddr *from, const char *client)
{
	char date[APPPASS_USED_TIME + 1] = "-", address[NETADDR_TEXT_MAX] = "-";
	struct tm tm;

	if (when != 0 && gmtime_r(&when, &tm) != NULL)
		(void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (from != NULL)
		netaddr_text(from, address);
	snprintf(out, APPPASS_USED + 1, "%-*.*s %-*.*s %-*.*s",
	    APPPASS_USED_TIME, APPPASS_USED_TIME, date,
	    APPPASS_USED_ADDRESS, APPPASS_USED_ADDRESS, address,
	    APPPASS_USED_CLIENT, APPPASS_USED_CLIENT, client);
}
