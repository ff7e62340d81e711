/*
 * Which boundary a line is (RFC 2046 section 5.1.1).
 * Runs as: the mailbox owner.
 */
#include "boundary.h"

#define LINE_NEED 2		/* to know an empty line */

struct frame *
frames_top(struct frames *f)
{
	return f->n == 0 ? NULL : &f->v[f->n - 1];
}

void
frames_push(struct frames *f, uint32_t part, struct bytes boundary)
{
	size_t below = frames_need(f), need = BOUNDARY_NEED(boundary.n);
	struct frame *top = &f->v[f->n++];

	top->part = part;
	top->last = MIME_NONE;
	top->need = need > below ? need : below;
	top->boundary_n = boundary.n;
	memcpy(top->boundary, boundary.p, boundary.n);
}

size_t
frames_need(const struct frames *f)
{
	return f->n == 0 ? LINE_NEED : f->v[f->n - 1].need;
}

/*
 * bcharsnospace: such a byte makes it another boundary, so that of "a" and "ab"
 * only one is met. Other bytes may follow: it is enough that the boundary
 * appears in its entirety.
 */
static bool
continues_boundary(unsigned char c)
{
	return ascii_alpha(c) || ascii_digit(c) ||
	    (c != '\0' && strchr("'()+_,-./:=?", c) != NULL);
}

static bool
ends_there(struct bytes rest)
{
	return rest.n == 0 || !continues_boundary(rest.p[0]);
}

static bool
is_boundary(const struct frame *f, struct bytes line, bool *closing)
{
	struct bytes rest = bytes_from(line, f->boundary_n + 2);

	if (!bytes_starts(line, BYTES("--")) ||
	    !bytes_starts(bytes_from(line, 2),
	    bytes_make(f->boundary, f->boundary_n)))
		return false;
	*closing = bytes_starts(rest, BYTES("--")) &&
	    ends_there(bytes_from(rest, 2));
	return *closing || ends_there(rest);
}

struct frame *
frames_find(struct frames *f, struct bytes line, bool *closing)
{
	struct frame *best = NULL;
	bool closes;

	for (size_t i = f->n; i-- > 0;) {
		struct frame *one = &f->v[i];

		if ((best == NULL || one->boundary_n > best->boundary_n) &&
		    is_boundary(one, line, &closes)) {
			best = one;
			*closing = closes;
		}
	}
	return best;
}
