/*
 * Reading the tokens of an IMAP command.
 * Runs as: the mailbox owner; login.
 */
#include "lex.h"
#include "utf8.h"

/* ATOM-CHAR: any CHAR except atom-specials (RFC 9051 section 9). */
bool
lex_atom_char(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("(){%*\"\\]", c) == NULL;
}

bool
lex_astring_char(unsigned char c)
{
	return lex_atom_char(c) || c == ']';
}

static bool
tag_char(unsigned char c)
{
	return lex_astring_char(c) && c != '+';
}

static bool
list_char(unsigned char c)
{
	return lex_astring_char(c) || c == '%' || c == '*';
}

bool
lex_is_atom(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!lex_atom_char(b.p[i]))
			return false;
	return b.n > 0;
}

int
lex_peek(const struct lex *x)
{
	return x->rest.n == 0 ? 0 : x->rest.p[0];
}

int
lex_char(struct lex *x, unsigned char c)
{
	if (x->rest.n == 0 || x->rest.p[0] != c)
		return lex_fail(x, EINVAL, "Another character was expected");
	x->rest = bytes_from(x->rest, 1);
	return 0;
}

int
lex_space(struct lex *x)
{
	if (lex_char(x, ' ') < 0)
		return lex_fail(x, EINVAL, "A space and another argument were expected");
	return 0;
}

int
lex_end(struct lex *x)
{
	if (x->rest.n != 0)
		return lex_fail(x, EINVAL, "The end of the command was expected");
	return 0;
}

/* The longest prefix whose bytes are all of a class; empty is a failure. */
static int
take_class(struct lex *x, bool (*in_class)(unsigned char), const char *error,
    struct bytes *out)
{
	size_t n = 0;

	while (n < x->rest.n && in_class(x->rest.p[n]))
		n++;
	if (n == 0)
		return lex_fail(x, EINVAL, error);
	*out = bytes_first(x->rest, n);
	x->rest = bytes_from(x->rest, n);
	return 0;
}

int
lex_tag(struct lex *x, struct bytes *out)
{
	struct bytes before = x->rest, tag;

	if (take_class(x, tag_char, "A command begins with a tag", &tag) < 0)
		return -1;
	if (tag.n > LEX_TAG_MAX) {
		x->rest = before;
		return lex_fail(x, E2BIG, "Tag too long");
	}
	*out = tag;
	return 0;
}

int
lex_atom(struct lex *x, struct bytes *out)
{
	return take_class(x, lex_atom_char, "An atom was expected", out);
}

/* The inside of a quoted string without its backslashes, in the arena. */
static int
unescape(struct lex *x, struct bytes raw, struct bytes *out)
{
	unsigned char *to = arena_alloc(x->arena, raw.n);
	size_t n = 0;

	if (to == NULL)
		return lex_fail(x, errno, "Command too large");
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		to[n++] = raw.p[i];
	}
	*out = bytes_make(to, n);
	return 0;
}

/*
 * Offset of the closing quote of a quoted string that x->rest begins with, or
 * 0. Only `"` and `\` may be escaped.
 */
static size_t
closing_quote(const struct lex *x, bool *escapes)
{
	const unsigned char *p = x->rest.p;

	*escapes = false;
	for (size_t i = 1; i < x->rest.n; i++) {
		if (p[i] == '"')
			return i;
		if (p[i] == '\0' || p[i] == '\r' || p[i] == '\n')
			return 0;
		if (p[i] != '\\')
			continue;
		*escapes = true;
		if (++i >= x->rest.n || (p[i] != '"' && p[i] != '\\'))
			return 0;
	}
	return 0;
}

static int
take_quoted(struct lex *x, struct bytes *out)
{
	bool escapes;
	size_t end = closing_quote(x, &escapes);
	struct bytes raw;

	if (end == 0)
		return lex_fail(x, EINVAL, "Bad quoted string");
	raw = bytes_make(x->rest.p + 1, end - 1);
	if (!utf8_valid(raw))
		return lex_fail(x, EINVAL, "Quoted string is not UTF-8");
	if (!escapes)
		*out = raw;
	else if (unescape(x, raw, out) < 0)
		return -1;
	x->rest = bytes_from(x->rest, end + 1);
	return 0;
}

/* {n} or {n+}, CRLF, n octets, in place. */
static int
take_literal(struct lex *x, struct bytes *out)
{
	static const char error[] = "Bad literal";
	struct bytes rest = x->rest;
	ssize_t eol = bytes_find(rest, '\n');
	struct literal_mark mark;
	size_t head;
	struct bytes line;

	if (eol < 1 || rest.p[eol - 1] != '\r')
		return lex_fail(x, EINVAL, error);
	line = bytes_first(rest, (size_t)eol - 1);
	if (!lex_literal_mark(line, &mark, &head) || head != line.n)
		return lex_fail(x, EINVAL, error);
	rest = bytes_from(rest, (size_t)eol + 1);
	if (mark.size > rest.n)
		return lex_fail(x, EINVAL, error);
	*out = bytes_first(rest, (size_t)mark.size);
	x->rest = bytes_from(rest, (size_t)mark.size);
	return 0;
}

int
lex_string(struct lex *x, struct bytes *out)
{
	struct lex before = *x;

	if (lex_peek(x) == '"')
		return take_quoted(x, out);
	if (lex_peek(x) != '{')
		return lex_fail(x, EINVAL, "A string was expected");
	if (take_literal(x, out) < 0)
		return -1;
	if (bytes_find(*out, '\0') >= 0) {
		x->rest = before.rest;
		return lex_fail(x, EINVAL, "NUL in a literal");
	}
	return 0;
}

int
lex_literal8(struct lex *x, struct bytes *out)
{
	if (lex_peek(x) != '~')
		return lex_fail(x, EINVAL, "A literal8 was expected");
	return take_literal(x, out);
}

static bool
string_next(const struct lex *x)
{
	return lex_peek(x) == '"' || lex_peek(x) == '{';
}

int
lex_astring(struct lex *x, struct bytes *out)
{
	return string_next(x) ? lex_string(x, out)
	    : take_class(x, lex_astring_char, "A string was expected", out);
}

int
lex_list_mailbox(struct lex *x, struct bytes *out)
{
	return string_next(x) ? lex_string(x, out)
	    : take_class(x, list_char, "A mailbox pattern was expected", out);
}

int
lex_nstring(struct lex *x, struct bytes *out, bool *nil)
{
	*nil = !string_next(x) && lex_word(x, "NIL");
	if (!*nil)
		return lex_string(x, out);
	*out = (struct bytes){ 0 };
	return 0;
}

bool
lex_prefix(struct lex *x, const char *prefix)
{
	struct bytes word = bytes_of(prefix);

	if (!bytes_case_starts(x->rest, word))
		return false;
	x->rest = bytes_from(x->rest, word.n);
	return true;
}

bool
lex_word(struct lex *x, const char *word)
{
	struct bytes rest = x->rest;

	if (!lex_prefix(x, word))
		return false;
	if (x->rest.n == 0 || !lex_atom_char(x->rest.p[0]))
		return true;
	x->rest = rest;
	return false;
}

int
lex_number(struct lex *x, uint64_t max, uint64_t *out)
{
	struct bytes digits;
	size_t n = 0;

	while (n < x->rest.n && ascii_digit(x->rest.p[n]))
		n++;
	digits = bytes_first(x->rest, n);
	if (bytes_number(digits, max, out) < 0)
		return lex_fail(x, EINVAL, n == 0 ? "A number was expected"
		    : "Number out of range");
	x->rest = bytes_from(x->rest, n);
	return 0;
}

int
lex_nz_number(struct lex *x, uint64_t max, uint64_t *out)
{
	if (lex_peek(x) == '0')
		return lex_fail(x, EINVAL, "A number from 1 was expected");
	return lex_number(x, max, out);
}

bool
lex_literal_mark(struct bytes line, struct literal_mark *out, size_t *head)
{
	struct bytes digits;
	size_t end = line.n, at;

	if (end == 0 || line.p[--end] != '}')
		return false;
	out->sync = end == 0 || line.p[end - 1] != '+';
	if (!out->sync)
		end--;
	at = end;
	while (at > 0 && ascii_digit(line.p[at - 1]))
		at--;
	digits = bytes_make(line.p + at, end - at);
	/* number64, RFC 9051 section 9. */
	if (at == 0 || line.p[at - 1] != '{'
	    || bytes_number(digits, INT64_MAX, &out->size) < 0)
		return false;
	at--;
	out->binary = at > 0 && line.p[at - 1] == '~';
	*head = line.n - at + out->binary;
	return true;
}
