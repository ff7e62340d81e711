/*
 * DEFLATE between a stream's buffers and its descriptor.
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "deflate.h"

/*
 * Ours to choose: 8 KB of window and 16 K of tables find what repeats in IMAP's
 * answers, in 96 KB of memory (zconf.h has the sum). The peer's window is not.
 */
#define WINDOW_BITS	13
#define MEM_LEVEL	7
#define LEVEL		3
#define PEER_WINDOW_BITS 15

/* What one call of decode() answers at most. */
#define PIECE STREAM_DECODE_ROOM

/* What one turn of deflate() is given room for. */
#define ROOM ((size_t)8192)

struct deflate {
	struct filter filter;
	z_stream in, out;
	bool in_open, out_open;		/* their memory is there */
	bool ended;			/* the peer closed its stream */
	struct buf raw;			/* read and not yet decoded */
	struct buf window;		/* the peer's, while in is not open */
};

/* ---- from the peer ---- */

/* 0, or -1 with errno ENOMEM. */
static int
open_in(struct deflate *d)
{
	if (d->in_open)
		return 0;
	memset(&d->in, 0, sizeof(d->in));
	if (inflateInit2(&d->in, -PEER_WINDOW_BITS) != Z_OK) {
		errno = ENOMEM;
		return -1;
	}
	d->in_open = true;
	if (d->window.len > 0 && inflateSetDictionary(&d->in, d->window.data,
	    (uInt)d->window.len) != Z_OK) {
		errno = ENOMEM;
		return -1;
	}
	buf_free(&d->window);
	return 0;
}

/* Inflates what waits into room; how much came, or -1. */
static ssize_t
inflate_piece(struct deflate *d, unsigned char *room, size_t size)
{
	size_t had = d->raw.len;
	int r;

	d->in.next_in = d->raw.data;
	d->in.avail_in = (uInt)had;
	d->in.next_out = room;
	d->in.avail_out = (uInt)size;
	r = inflate(&d->in, Z_SYNC_FLUSH);
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
		errno = r == Z_MEM_ERROR ? ENOMEM : EPROTO;
		return -1;
	}
	buf_consume(&d->raw, had - d->in.avail_in);
	d->ended = r == Z_STREAM_END;
	return (ssize_t)(size - d->in.avail_out);
}

static int
decode(struct filter *f, struct buf *out, const void *p, size_t n)
{
	struct deflate *d = (struct deflate *)f;
	unsigned char *room;
	ssize_t got;

	if (d->ended && n > 0) {
		errno = EPROTO;		/* nothing can follow its last block */
		return -1;
	}
	if (buf_add(&d->raw, p, n) < 0 || open_in(d) < 0
	    || (room = buf_room(out, PIECE)) == NULL)
		return -1;
	got = inflate_piece(d, room, PIECE);
	if (got < 0)
		return -1;
	out->len += (size_t)got;
	/* A full piece may have been cut: zlib can hold more than raw does. */
	f->more = !d->ended && (d->raw.len > 0 || (size_t)got == PIECE);
	if (d->ended && d->raw.len > 0) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

/* ---- to the peer ---- */

static int
open_out(struct deflate *d)
{
	if (d->out_open)
		return 0;
	memset(&d->out, 0, sizeof(d->out));
	if (deflateInit2(&d->out, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEM_LEVEL,
	    Z_DEFAULT_STRATEGY) != Z_OK) {
		errno = ENOMEM;
		return -1;
	}
	d->out_open = true;
	return 0;
}

static int
encode(struct filter *f, struct buf *out, const void *p, size_t n, bool flush)
{
	struct deflate *d = (struct deflate *)f;

	if (open_out(d) < 0)
		return -1;
	/* zlib's declarations know no const; it does not write there. */
	d->out.next_in = (Bytef *)(uintptr_t)p;
	d->out.avail_in = (uInt)n;
	do {
		unsigned char *room = buf_room(out, ROOM);

		if (room == NULL)
			return -1;
		d->out.next_out = room;
		d->out.avail_out = (uInt)ROOM;
		deflate(&d->out, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH);
		out->len += ROOM - d->out.avail_out;
	} while (d->out.avail_out == 0);
	return 0;
}

/* ---- memory ---- */

/*
 * Between two blocks and on the border of an octet, what was inflated last is all that
 * matters of the state (zlib.h, inflate(), data_type).
 */
static void
shrink_in(struct deflate *d)
{
	unsigned char *room = NULL;
	uInt n = 0;

	if (!d->in_open || d->filter.more || d->in.data_type != 128)
		return;
	if (inflateGetDictionary(&d->in, NULL, &n) != Z_OK)
		return;
	if (n > 0) {
		if ((room = buf_room(&d->window, n)) == NULL)
			return;
		inflateGetDictionary(&d->in, room, &n);
		d->window.len = n;
	}
	inflateEnd(&d->in);
	d->in_open = false;
}

/* A stream may begin anew behind a flush: then it refers to nothing before. */
static void
shrink_out(struct deflate *d)
{
	if (d->out_open)
		deflateEnd(&d->out);
	d->out_open = false;
}

static void
shrink(struct filter *f, bool flushed)
{
	struct deflate *d = (struct deflate *)f;

	if (d->raw.len == 0)
		buf_free(&d->raw);
	shrink_in(d);
	if (flushed)
		shrink_out(d);
}

static void
deflate_free(struct filter *f)
{
	struct deflate *d = (struct deflate *)f;

	if (d->in_open)
		inflateEnd(&d->in);
	shrink_out(d);
	buf_wipe(&d->raw);
	buf_wipe(&d->window);
	free(d);
}

struct filter *
deflate_filter(void)
{
	struct deflate *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->filter = (struct filter){ .decode = decode, .encode = encode,
	    .shrink = shrink, .free = deflate_free };
	d->raw = BUF_INIT(2 * STREAM_IN_MAX);
	d->window = BUF_INIT((size_t)1 << PEER_WINDOW_BITS);
	return &d->filter;
}
