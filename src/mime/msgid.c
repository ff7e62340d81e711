/*
 * Message identifiers, in one spelling each (RFC 5256 section 3, RFC 5322
 * section 3.6.4).
 * Runs as: the mailbox owner.
 */
#include "scan.h"
#include "subject.h"

/* Moves to the next "<" outside quotes and comments; false at the end. */
static bool
find_angle(struct bytes *rest)
{
	while (rest->n > 0 && rest->p[0] != '<') {
		size_t n = rest->p[0] == '"' ? scan_quoted(*rest) :
		    rest->p[0] == '(' ? scan_comment(*rest) : 1;

		*rest = bytes_from(*rest, scan_or_all(n, *rest));
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
		n = scan_or_all(scan_quoted(rest), rest);
		return put_unquoted(bytes_first(rest, n), out) < 0 ? -1 :
		    (ssize_t)n;
	}
	if (c == '(')
		return (ssize_t)scan_or_all(scan_comment(rest), rest);
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
