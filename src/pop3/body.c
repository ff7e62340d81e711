/*
 * A message on its way to the client.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "body.h"
#include "limits.h"
#include "surrogate.h"

size_t
stuff_end(const struct stuffing *s, unsigned char *out)
{
	struct bytes end = s->inside ? BYTES("\r\n.\r\n") : BYTES(".\r\n");

	memcpy(out, end.p, end.n);
	return end.n;
}

/* One whole line of the header or body has passed. */
static void
line_passed(struct top *t, bool empty)
{
	if (t->body)
		t->lines--;
	else if (empty)
		t->body = true;
}

bool
top_done(const struct top *t)
{
	return t->body && t->lines == 0;
}

struct bytes
top_part(struct top *t, struct bytes piece)
{
	struct bytes rest = piece;

	while (rest.n > 0 && !top_done(t)) {
		ssize_t end = bytes_find(rest, '\n');
		struct bytes line = bytes_first(rest,
		    end < 0 ? rest.n : (size_t)end);

		if (end >= 0) {
			bool cr_only = line.n == 1 && line.p[0] == '\r';

			line_passed(t, (line.n == 0 && (!t->inside || t->cr))
			    || (cr_only && !t->inside));
			t->inside = t->cr = false;
		} else {
			t->cr = !t->inside && line.n == 1 && line.p[0] == '\r';
			t->inside = true;
		}
		rest = bytes_from(rest, line.n + (end >= 0));
	}
	return bytes_first(piece, piece.n - rest.n);
}

/* One piece and, when it is the last one, the end of the answer. */
static int
send_piece(struct stream *out, struct stuffing *s, struct bytes piece, bool last)
{
	unsigned char *room = stream_room(out, 2 * piece.n + STUFFING_END_MAX);
	size_t n;

	if (room == NULL)
		return -1;
	n = crlf_stuff(&s->crlf, &s->inside, piece, room);
	if (last)
		n += stuff_end(s, room + n);
	return stream_put(out, n);
}

/* The same for a piece with header, so much at a time as fits when it has grown. */
#define SURROGATE_PIECE ((size_t)1024)

static int
send_surrogate(struct stream *out, struct stuffing *s, struct surrogate *g,
    struct bytes piece, bool last)
{
	unsigned char grown[SURROGATE_ROOM(SURROGATE_PIECE)];

	do {
		struct bytes now = bytes_first(piece, SURROGATE_PIECE);
		bool ends = last && now.n == piece.n;
		size_t n = surrogate(g, now, grown);

		if (ends)
			n += surrogate_end(g, grown + n);
		if (send_piece(out, s, bytes_make(grown, n), ends) < 0)
			return -1;
		piece = bytes_from(piece, now.n);
	} while (piece.n > 0 && !g->body);
	return piece.n > 0 ? send_piece(out, s, piece, last) : 0;
}

int
body_send(struct stream *out, const struct message *msg, struct top *top,
    bool ascii)
{
	unsigned char piece[PIECE_MAX];
	struct stuffing s = { 0 };
	struct surrogate g = { .body = !ascii };
	uint64_t offset = 0;
	bool last;
	int r;

	do {
		uint64_t left = msg->size - offset;
		ssize_t got = message_read(msg, offset, piece,
		    left < PIECE_MAX ? (size_t)left : PIECE_MAX);
		struct bytes part;

		if (got == 0 && left > 0)
			errno = EIO;	/* it became shorter under our hands */
		if (got < 0 || (got == 0 && left > 0))
			return -1;
		offset += (uint64_t)got;
		part = bytes_make(piece, (size_t)got);
		if (top != NULL)
			part = top_part(top, part);
		last = offset == msg->size || (top != NULL && top_done(top));
		if (offset == (uint64_t)got)
			surrogate_begin(&g, part);
		r = g.body ? send_piece(out, &s, part, last)
		    : send_surrogate(out, &s, &g, part, last);
		if (r < 0)
			return -1;
	} while (!last);
	return 0;
}
