/*
 * Message identifiers, in one spelling each (RFC 5256 section 3, RFC 5322
 * section 3.6.4).
 * Runs as: the mailbox owner.
 */
#include "subject.h"

static size_t
quoted_length(struct bytes b)
{
	size_t n = 1;

	while (n < b.n && b.p[n] != '"')
		n += b.p[n] == '\\' ? 2 : 1;
	return n < b.n ? n + 1 : b.n;
}

static size_t
comment_length(struct bytes b)
{
	size_t depth = 0;

	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '(')
			depth++;
		else if (b.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return b.n;
}

/* Moves to the next "<" outside quotes and comments; false at the end. */
static bool
find_angle(struct bytes *rest)
{
	while (rest->n > 0 && rest->p[0] != '<') {
		size_t n = rest->p[0] == '"' ? quoted_length(*rest) :
		    rest->p[0] == '(' ? comment_length(*rest) : 1;

		*rest = bytes_from(*rest, n);
	}
	return rest->n > 0;
}

static int
put_unquoted(struct bytes quoted, struct buf *out)
{
	for (size_t i = 1; i < quoted.n && quoted.p[i] != '"'; i++) {
		if (quoted.p[i] == '\\' && i + 1 < quoted.n)
			i++;
		if (buf_byte(out, quoted.p[i]) < 0)
			return -1;
	}
	return 0;
}

/* One thing within the angle: how long it was, or -1. */
static ssize_t
take_inside(struct bytes rest, bool *has_at, struct buf *out)
{
	unsigned char c = rest.p[0];
	size_t n = 1;

	if (c == '"') {
		n = quoted_length(rest);
		return put_unquoted(bytes_first(rest, n), out) < 0 ? -1 :
		    (ssize_t)n;
	}
	if (c == '(')
		return (ssize_t)comment_length(rest);
	if (c <= ' ')
		return 1;
	*has_at |= c == '@';
	return buf_byte(out, c) < 0 ? -1 : (ssize_t)n;
}

/* What stands between the angles: 1 and appended, 0 when it is no identifier. */
static int
take_id(struct bytes *rest, struct buf *out)
{
	size_t from = out->len;
	bool has_at = false, closed = false;

	*rest = bytes_from(*rest, 1);
	while (rest->n > 0 && rest->p[0] != '<' && !closed) {
		ssize_t n = 1;

		closed = rest->p[0] == '>';
		if (!closed)
			n = take_inside(*rest, &has_at, out);
		if (n < 0)
			return -1;
		*rest = bytes_from(*rest, (size_t)n);
	}
	if (closed && has_at && out->len > from + 1)
		return 1;
	out->len = from;
	return 0;
}

int
msgid_next(struct bytes *rest, struct buf *out)
{
	while (find_angle(rest)) {
		int rc = take_id(rest, out);

		if (rc != 0)
			return rc;
	}
	return 0;
}
