/*
 * Content-Type and Content-Disposition: tokens and parameters.
 * Runs as: the mailbox owner.
 */
#include "charset.h"
#include "param.h"
#include "scan.h"
#include "words.h"

/* One attribute=value as it stands in the field. */
struct raw {
	struct bytes name;		/* without the marks */
	struct bytes value;
	int section;			/* name*0; -1: the value is whole */
	bool extended;			/* name* or name*0* */
	bool used;
};

struct raws {
	size_t n;
	struct raw v[PARAM_MAX];
};

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* token of RFC 2045, with 8-bit bytes let through. */
static bool
is_token(unsigned char c)
{
	static const bool not[256] = {
		['('] = true, [')'] = true, ['<'] = true, ['>'] = true, ['@'] = true,
		[','] = true, [';'] = true, [':'] = true, ['\\'] = true,
		['"'] = true, ['/'] = true, ['['] = true, [']'] = true,
		['?'] = true, ['='] = true, [0x7f] = true,
	};

	return c > ' ' && !not[c];
}

static struct bytes
skip_space(struct bytes b)
{
	while (b.n > 0 && (is_space(b.p[0]) || b.p[0] == '('))
		b = bytes_from(b, b.p[0] != '(' ? 1 :
		    scan_or_all(scan_comment(b), b));
	return b;
}

static struct bytes
take_token(struct bytes *rest)
{
	struct bytes token;
	size_t n = 0;

	while (n < rest->n && is_token(rest->p[n]))
		n++;
	token = bytes_first(*rest, n);
	*rest = bytes_from(*rest, n);
	return token;
}

struct bytes
content_token(struct bytes value)
{
	value = skip_space(value);
	return take_token(&value);
}

/* Where the comments and white space at the end begin: "(" in a URI may be its own. */
static size_t
uri_end(struct bytes value)
{
	size_t i = 0;

	while (i < value.n) {
		struct bytes rest;

		if (!is_space(value.p[i])) {
			i++;
			continue;
		}
		rest = skip_space(bytes_from(value, i));
		if (rest.n == 0)
			break;
		i = value.n - rest.n;
	}
	return i;
}

struct bytes
content_uri(struct bytes value)
{
	value = skip_space(value);
	if (value.n == 0 || value.p[0] != '"')
		return bytes_first(value, uri_end(value));
	value = bytes_from(value, 1);
	return bytes_split(&value, '"');
}

/* The inside of the quoted string that *rest begins with, copied; it may have no end. */
static int
take_quoted(struct bytes *rest, struct arena *a, struct bytes *out)
{
	unsigned char *to;
	size_t i, n = 0, end = 1;

	while (end < rest->n && rest->p[end] != '"')
		end += rest->p[end] == '\\' ? 2 : 1;
	end = end < rest->n ? end : rest->n;
	to = arena_alloc(a, end);
	if (to == NULL)
		return -1;
	for (i = 1; i < end; i++) {
		if (rest->p[i] == '\\' && i + 1 < end)
			i++;
		if (rest->p[i] != '\0' && rest->p[i] != '\r' &&
		    rest->p[i] != '\n')
			to[n++] = rest->p[i];
	}
	*out = bytes_make(to, n);
	*rest = bytes_from(*rest, end + 1);
	return 0;
}

/* White space that a comment or, its semicolon forgotten, a parameter follows. */
static bool
ends_value(struct bytes rest)
{
	struct bytes token;

	if (!is_space(rest.p[0]))
		return false;
	rest = bytes_from(rest, 1);
	if (rest.n > 0 && rest.p[0] == '(')
		return true;
	token = take_token(&rest);
	return token.n > 0 && rest.n > 0 && rest.p[0] == '=';
}

/*
 * A value without quotes ends at a semicolon; many write names of files with
 * spaces or slashes so.
 */
static int
take_bare(struct bytes *rest, struct arena *a, struct bytes *out)
{
	struct bytes raw;
	unsigned char *to;
	size_t n = 0, i;

	while (n < rest->n && rest->p[n] != ';' &&
	    !ends_value(bytes_from(*rest, n)))
		n++;
	raw = bytes_trim(bytes_first(*rest, n));
	*rest = bytes_from(*rest, n);
	to = arena_alloc(a, raw.n);
	if (to == NULL)
		return -1;
	for (i = n = 0; i < raw.n; i++)
		if (raw.p[i] != '\0' && raw.p[i] != '\r' && raw.p[i] != '\n')
			to[n++] = raw.p[i];
	*out = bytes_make(to, n);
	return 0;
}

/* name, name*, name*3, name*3* (RFC 2231 section 3 and 4). */
static void
read_marks(struct raw *r)
{
	struct bytes name = r->name, digits;
	ssize_t star;
	uint64_t section;

	r->section = -1;
	star = bytes_find(name, '*');
	if (star <= 0)
		return;
	digits = bytes_from(name, (size_t)star + 1);
	if (digits.n > 0 && digits.p[digits.n - 1] == '*') {
		r->extended = true;
		digits.n--;
	} else if (digits.n == 0) {
		r->extended = true;
		r->name.n = (size_t)star;
		return;
	}
	if (bytes_number(digits, PARAM_MAX, &section) < 0) {
		r->extended = false;
		return;
	}
	r->section = (int)section;
	r->name.n = (size_t)star;
}

/* The next attribute=value of *rest: 1, 0 when there is none here, -1. */
static int
take_param(struct bytes *rest, struct arena *a, struct raw *r)
{
	*r = (struct raw){ .name = take_token(rest) };
	if (r->name.n == 0) {
		*rest = bytes_from(*rest, 1);
		return 0;
	}
	*rest = skip_space(*rest);
	if (rest->n == 0 || rest->p[0] != '=')
		return 0;
	*rest = skip_space(bytes_from(*rest, 1));
	read_marks(r);
	if (rest->n > 0 && rest->p[0] == '"')
		return take_quoted(rest, a, &r->value) < 0 ? -1 : 1;
	return take_bare(rest, a, &r->value) < 0 ? -1 : 1;
}

static int
read_params(struct bytes rest, struct arena *a, struct raws *all)
{
	int rc = 0;

	for (;;) {
		rest = skip_space(rest);
		if (rest.n == 0 || all->n == PARAM_MAX)
			return 0;
		rc = take_param(&rest, a, &all->v[all->n]);
		if (rc < 0)
			return -1;
		all->n += (size_t)rc;
	}
}

static struct raw *
find_section(struct raws *all, struct bytes name, int section)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->v[i].used && all->v[i].section == section &&
		    bytes_case_equal(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

/* attribute-char of RFC 2231 section 7. */
static bool
is_attribute_char(unsigned char c)
{
	return is_token(c) && c < 0x80 && c != '*' && c != '\'' && c != '%';
}

static unsigned char *
put_encoded(unsigned char *to, struct bytes plain)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < plain.n; i++) {
		if (is_attribute_char(plain.p[i])) {
			*to++ = plain.p[i];
			continue;
		}
		*to++ = '%';
		*to++ = (unsigned char)hex[plain.p[i] >> 4];
		*to++ = (unsigned char)hex[plain.p[i] & 15];
	}
	return to;
}

static unsigned char *
put_bytes(unsigned char *to, struct bytes b)
{
	return b.n == 0 ? to : (unsigned char *)mempcpy(to, b.p, b.n);
}

/*
 * Joins name*0, name*1, ... up to the first that is missing. When one of them
 * is percent-encoded, all become so.
 */
static int
join(struct raws *all, struct bytes name, struct arena *a, struct param *out)
{
	struct raw *part[PARAM_MAX + 1];
	size_t n = 0, size = 2;
	unsigned char *to, *start;

	while (n <= PARAM_MAX &&
	    (part[n] = find_section(all, name, (int)n)) != NULL) {
		part[n]->used = true;
		out->extended |= part[n]->extended;
		size += part[n++]->value.n * 3;
	}
	start = to = arena_alloc(a, size);
	if (to == NULL)
		return -1;
	if (out->extended && !part[0]->extended)
		to = put_bytes(to, BYTES("''"));
	for (size_t i = 0; i < n; i++)
		to = out->extended && !part[i]->extended ?
		    put_encoded(to, part[i]->value) :
		    put_bytes(to, part[i]->value);
	out->value = bytes_make(start, (size_t)(to - start));
	return 0;
}

static bool
known(const struct content *c, const struct param *p)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->params[i].extended == p->extended &&
		    bytes_case_equal(c->params[i].name, p->name))
			return true;
	return false;
}

static int
combine(struct raws *all, struct arena *a, struct content *out)
{
	out->params = arena_array(a, all->n, sizeof *out->params);
	if (out->params == NULL)
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		struct raw *r = &all->v[i];
		struct param p = { r->name, r->value, r->extended };

		if (r->used || (r->section >= 0 &&
		    find_section(all, r->name, 0) == NULL))
			continue;
		p.extended = r->section < 0 && r->extended;
		if (r->section >= 0 && join(all, r->name, a, &p) < 0)
			return -1;
		if (!known(out, &p))
			out->params[out->n++] = p;
	}
	return 0;
}

int
content_parse(struct bytes value, struct arena *a, struct content *out)
{
	struct bytes rest = skip_space(value);
	struct raws all;		/* large: only what is used is written */

	all.n = 0;
	*out = (struct content){ 0 };
	out->type = take_token(&rest);
	rest = skip_space(rest);
	if (rest.n > 0 && rest.p[0] == '/') {
		rest = skip_space(bytes_from(rest, 1));
		out->subtype = take_token(&rest);
	}
	if (read_params(rest, a, &all) < 0)
		return -1;
	return combine(&all, a, out);
}

const struct param *
content_param(const struct content *c, const char *name)
{
	const struct param *hit = NULL;

	for (size_t i = 0; i < c->n; i++)
		if (bytes_case_equal(c->params[i].name, bytes_of(name)) &&
		    (hit == NULL || hit->extended))
			hit = &c->params[i];
	return hit;
}

static int
put_percent_decoded(struct bytes in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		int c = bytes_escaped(bytes_from(in, i), '%');

		if (c >= 0)
			i += 2;
		else
			c = in.p[i];
		if (buf_byte(out, (unsigned char)c) < 0)
			return -1;
	}
	return 0;
}

/* charset'language'text; without the quotes all of it is text. */
int
param_decode(const struct param *p, struct buf *out)
{
	struct bytes rest = p->value, charset;
	struct buf raw = BUF_INIT(p->value.n + 1);
	int rc;

	if (!p->extended)
		return words_decode(p->value, out);
	charset = bytes_split(&rest, '\'');
	if (bytes_find(rest, '\'') < 0) {
		charset = BYTES("");
		rest = p->value;
	} else {
		bytes_split(&rest, '\'');
	}
	rc = put_percent_decoded(rest, &raw);
	if (rc == 0)
		rc = charset_convert(charset, buf_contents(&raw), out);
	buf_free(&raw);
	return rc;
}
