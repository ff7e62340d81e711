/*
 * Header fields out of a block of bytes.
 * Runs as: the mailbox owner.
 */
#include "header.h"

/* The line at the beginning of b, with its LF; all of b when there is none. */
static size_t
line_length(struct bytes b)
{
	ssize_t lf = bytes_find(b, '\n');

	return lf < 0 ? b.n : (size_t)lf + 1;
}

static bool
is_empty_line(struct bytes b)
{
	return b.n > 0 && (b.p[0] == '\n' ||
	    (b.n > 1 && b.p[0] == '\r' && b.p[1] == '\n'));
}

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static struct bytes
without_line_end(struct bytes b)
{
	if (b.n > 0 && b.p[b.n - 1] == '\n')
		b.n--;
	if (b.n > 0 && b.p[b.n - 1] == '\r')
		b.n--;
	return b;
}

/* A line and those folded onto it. */
static size_t
field_length(struct bytes b)
{
	size_t n = line_length(b);

	while (n < b.n && is_blank(b.p[n]))
		n += line_length(bytes_from(b, n));
	return n;
}

/*
 * A name ends at its colon and has no white space in it (RFC 5322 section
 * 2.2; section 4.5 allows some before the colon).
 */
static size_t
name_length(struct bytes field, size_t *colon)
{
	size_t n = 0, end;

	while (n < field.n && field.p[n] > ' ' && field.p[n] != ':')
		n++;
	for (end = n; end < field.n && is_blank(field.p[end]);)
		end++;
	if (end == field.n || field.p[end] != ':')
		return 0;
	*colon = end;
	return n;
}

bool
header_next(struct header_cursor *c, struct header_field *out)
{
	struct bytes rest = bytes_from(c->block, c->at);
	size_t n, colon = 0;

	if (rest.n == 0 || is_empty_line(rest))
		return false;
	n = field_length(rest);
	out->whole = bytes_first(rest, n);
	out->offset = c->at;
	out->value = without_line_end(out->whole);
	out->name = bytes_first(out->value, name_length(out->value, &colon));
	if (out->name.n > 0)
		out->value = bytes_from(out->value, colon + 1);
	c->at += n;
	return true;
}

static bool
begins_with(unsigned char c, uint32_t letters)
{
	unsigned place = (unsigned)(ascii_lower(c) - 'a');

	return place < 26 && (letters >> place & 1);
}

bool
header_next_lettered(struct header_cursor *c, uint32_t letters,
    struct header_field *out)
{
	struct bytes rest = bytes_from(c->block, c->at);

	while (rest.n > 0 && !is_empty_line(rest) &&
	    !begins_with(rest.p[0], letters)) {
		c->at += field_length(rest);
		rest = bytes_from(c->block, c->at);
	}
	return header_next(c, out);
}

/* A field of this name, by its first letter, its last one and what follows it. */
static bool
could_be(struct bytes rest, struct bytes name)
{
	return rest.n > name.n && (rest.p[name.n] == ':' || is_blank(rest.p[name.n])) &&
	    ascii_lower(rest.p[0]) == ascii_lower(name.p[0]) &&
	    ascii_lower(rest.p[name.n - 1]) == ascii_lower(name.p[name.n - 1]);
}

/* Most of a header. */
static void
pass_others(struct header_cursor *c, struct bytes name)
{
	struct bytes rest = bytes_from(c->block, c->at);

	while (name.n > 0 && rest.n > 0 && !is_empty_line(rest) &&
	    !could_be(rest, name)) {
		c->at += field_length(rest);
		rest = bytes_from(c->block, c->at);
	}
}

bool
header_next_named(struct header_cursor *c, struct bytes name,
    struct header_field *out)
{
	do {
		pass_others(c, name);
		if (!header_next(c, out))
			return false;
	} while (!bytes_case_equal(out->name, name));
	return true;
}

bool
header_find(struct bytes block, const char *name, struct bytes *value)
{
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field field;

	if (!header_next_named(&c, bytes_of(name), &field))
		return false;
	*value = field.value;
	return true;
}

size_t
header_length(struct bytes block, bool *complete)
{
	struct bytes rest = block;

	while (rest.n > 0 && !is_empty_line(rest))
		rest = bytes_from(rest, line_length(rest));
	if (complete != NULL)
		*complete = rest.n > 0;
	if (rest.n > 0)
		rest = bytes_from(rest, line_length(rest));
	return block.n - rest.n;
}

/* How much of v at its beginning is a line end or a NUL. */
static size_t
dropped(struct bytes v)
{
	if (v.p[0] == '\n' || v.p[0] == '\0')
		return 1;
	return v.p[0] == '\r' && v.n > 1 && v.p[1] == '\n' ? 2 : 0;
}

int
header_unfold(struct bytes value, struct buf *out)
{
	struct bytes v = bytes_trim(value);
	size_t start = 0;

	if (v.n == 0)	/* v.p may be NULL */
		return 0;
	for (size_t i = 0; i < v.n;) {
		size_t skip = dropped(bytes_from(v, i));

		if (skip == 0) {
			i++;
			continue;
		}
		if (buf_add(out, v.p + start, i - start) < 0)
			return -1;
		i += skip;
		start = i;
	}
	return buf_bytes(out, bytes_from(v, start));
}
