/*
 * A strict reader of envelope and body.
 * Runs as: the person who builds.
 */
#include "grammar.h"
#include "utf8.h"

#define DEPTH_MAX 300

struct reader {
	struct bytes rest;
	bool utf8;			/* quoted strings may hold it */
	bool extended;
	unsigned depth;
};

static bool
literally(struct reader *r, const char *text)
{
	if (!bytes_starts(r->rest, bytes_of(text)))
		return false;
	r->rest = bytes_from(r->rest, strlen(text));
	return true;
}

static bool
at(const struct reader *r, const char *text)
{
	return bytes_starts(r->rest, bytes_of(text));
}

/* number without leading zeros */
static bool
number(struct reader *r)
{
	size_t n = 0;

	while (n < r->rest.n && ascii_digit(r->rest.p[n]))
		n++;
	if (n == 0 || n > 20 || (n > 1 && r->rest.p[0] == '0'))
		return false;
	r->rest = bytes_from(r->rest, n);
	return true;
}

static bool
quoted(struct reader *r)
{
	struct bytes all;
	size_t n = 1;

	if (r->rest.n == 0 || r->rest.p[0] != '"')
		return false;
	for (; n < r->rest.n && r->rest.p[n] != '"'; n++) {
		unsigned char c = r->rest.p[n];

		if (c == '\0' || c == '\r' || c == '\n' ||
		    (c >= 0x80 && !r->utf8))
			return false;
		if (c == '\\' && (++n == r->rest.n ||
		    (r->rest.p[n] != '"' && r->rest.p[n] != '\\')))
			return false;
	}
	if (n >= r->rest.n)
		return false;
	all = bytes_first(r->rest, n + 1);
	r->rest = bytes_from(r->rest, n + 1);
	return utf8_valid(all);
}

/* {n} CRLF and that many of CHAR8 */
static bool
literal(struct reader *r)
{
	struct bytes digits;
	uint64_t n;

	if (!literally(r, "{"))
		return false;
	digits = r->rest;
	if (!number(r))
		return false;
	digits.n -= r->rest.n;
	if (bytes_number(digits, UINT32_MAX, &n) < 0 ||
	    !literally(r, "}\r\n") || r->rest.n < n ||
	    bytes_find(bytes_first(r->rest, n), '\0') >= 0)
		return false;
	r->rest = bytes_from(r->rest, n);
	return true;
}

static bool
string(struct reader *r)
{
	return at(r, "{") ? literal(r) : quoted(r);
}

static bool
nstring(struct reader *r)
{
	return literally(r, "NIL") || string(r);
}

static bool
nstring_sp(struct reader *r)
{
	return nstring(r) && literally(r, " ");
}

/*
 * "(" 1*address ")" / nil, where what has no host begins or ends a group, and
 * groups do not nest.
 */
static bool
address(struct reader *r, bool *in_group)
{
	bool named, nil_mailbox, nil_host;

	if (!literally(r, "("))
		return false;
	named = !at(r, "NIL");
	if (!nstring_sp(r))
		return false;
	named |= !at(r, "NIL");
	if (!nstring_sp(r))
		return false;
	nil_mailbox = at(r, "NIL");
	if (!nstring_sp(r))
		return false;
	nil_host = at(r, "NIL");
	if (!nstring(r) || (nil_mailbox && !nil_host))
		return false;
	if (nil_host) {
		if (named || *in_group != nil_mailbox)
			return false;
		*in_group = !nil_mailbox;
	}
	return literally(r, ")");
}

static bool
addresses(struct reader *r)
{
	bool in_group = false;

	if (literally(r, "NIL"))
		return true;
	if (!literally(r, "(") || !at(r, "("))
		return false;
	while (at(r, "("))
		if (!address(r, &in_group))
			return false;
	return !in_group && literally(r, ")");
}

static bool
envelope(struct reader *r)
{
	if (!literally(r, "(") || !nstring_sp(r) || !nstring_sp(r))
		return false;
	for (int i = 0; i < 6; i++)
		if (!addresses(r) || !literally(r, " "))
			return false;
	return nstring_sp(r) && nstring(r) && literally(r, ")");
}

/* "(" string SP string *(SP string SP string) ")" / nil */
static bool
params(struct reader *r)
{
	if (literally(r, "NIL"))
		return true;
	if (!literally(r, "("))
		return false;
	do {
		if (!string(r) || !literally(r, " ") || !string(r))
			return false;
	} while (literally(r, " "));
	return literally(r, ")");
}

static bool
disposition(struct reader *r)
{
	if (literally(r, "NIL"))
		return true;
	return literally(r, "(") && string(r) && literally(r, " ") &&
	    params(r) && literally(r, ")");
}

static bool
language(struct reader *r)
{
	if (!literally(r, "("))
		return nstring(r);
	do {
		if (!string(r))
			return false;
	} while (literally(r, " "));
	return literally(r, ")");
}

static bool
extension(struct reader *r)
{
	return literally(r, " ") && disposition(r) && literally(r, " ") &&
	    language(r) && literally(r, " ") && nstring(r);
}

/* body-fld-param SP id SP desc SP enc SP octets */
static bool
fields(struct reader *r)
{
	return literally(r, " ") && params(r) && literally(r, " ") &&
	    nstring_sp(r) && nstring_sp(r) && string(r) &&
	    literally(r, " ") && number(r);
}

static bool body(struct reader *r);

static bool
multipart(struct reader *r)
{
	while (at(r, "("))
		if (!body(r))
			return false;
	if (!literally(r, " ") || !string(r))
		return false;
	return !r->extended ||
	    (literally(r, " ") && params(r) && extension(r));
}

/* Types that the grammar wants as quoted strings are looked for as such. */
static bool
media(struct reader *r, bool *text, bool *message)
{
	static const char *const messages[] = {
		"\"MESSAGE\" \"RFC822\" ", "\"MESSAGE\" \"GLOBAL\" ",
	};

	*text = at(r, "\"TEXT\" ");
	*message = at(r, messages[0]) || (r->utf8 && at(r, messages[1]));
	return string(r) && literally(r, " ") && string(r);
}

static bool
single(struct reader *r)
{
	bool text, message;

	if (!media(r, &text, &message) || !fields(r))
		return false;
	if (message && (!literally(r, " ") || !envelope(r) ||
	    !literally(r, " ") || !body(r)))
		return false;
	if ((message || text) && (!literally(r, " ") || !number(r)))
		return false;
	return !r->extended ||
	    (literally(r, " ") && nstring(r) && extension(r));
}

static bool
body(struct reader *r)
{
	bool good;

	if (++r->depth > DEPTH_MAX || !literally(r, "("))
		return false;
	good = at(r, "(") ? multipart(r) : single(r);
	r->depth--;
	return good && literally(r, ")");
}

bool
grammar_envelope(struct bytes text, bool utf8)
{
	struct reader r = { .rest = text, .utf8 = utf8 };

	return envelope(&r) && r.rest.n == 0;
}

bool
grammar_body(struct bytes text, bool utf8, bool extended)
{
	struct reader r = { .rest = text, .utf8 = utf8, .extended = extended };

	return body(&r) && r.rest.n == 0;
}
