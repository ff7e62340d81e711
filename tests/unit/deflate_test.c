/*
 * The compressing filter: small pieces from bombs, memory given back in
 * silence, and a peer that notices nothing of it.
 * Runs as: the person who builds.
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "deflate.h"
#include "test.h"

/* The peer: raw DEFLATE with zlib's own defaults. */
struct peer {
	z_stream out, in;
};

static bool
peer_begin(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	return CHECK_EQ_INT(deflateInit2(&p->out, 6, Z_DEFLATED, -15, 8,
	    Z_DEFAULT_STRATEGY), Z_OK)
	    && CHECK_EQ_INT(inflateInit2(&p->in, -15), Z_OK);
}

static void
peer_end(struct peer *p)
{
	deflateEnd(&p->out);
	inflateEnd(&p->in);
}

static struct bytes
peer_packs(struct peer *p, const void *text, size_t n, int flush, unsigned char *room,
    size_t size)
{
	p->out.next_in = (Bytef *)(uintptr_t)text;
	p->out.avail_in = (uInt)n;
	p->out.next_out = room;
	p->out.avail_out = (uInt)size;
	CHECK(deflate(&p->out, flush) >= 0);
	return bytes_make(room, size - p->out.avail_out);
}

static struct bytes
peer_unpacks(struct peer *p, struct bytes raw, unsigned char *room, size_t size)
{
	p->in.next_in = (Bytef *)(uintptr_t)raw.p;
	p->in.avail_in = (uInt)raw.n;
	p->in.next_out = room;
	p->in.avail_out = (uInt)size;
	CHECK_EQ_INT(inflate(&p->in, Z_SYNC_FLUSH), Z_OK);
	return bytes_make(room, size - p->in.avail_out);
}

static void
both_ways(void)
{
	struct filter *f = deflate_filter();
	struct buf got = BUF_INIT(STREAM_IN_MAX), sent = BUF_INIT(STREAM_IN_MAX);
	unsigned char room[1000];
	struct peer p;

	if (!CHECK(f != NULL) || !peer_begin(&p))
		return;
	for (int i = 0; i < 20; i++) {
		struct bytes packed = peer_packs(&p, "a NOOP\r\n", 8, Z_SYNC_FLUSH,
		    room, sizeof(room));

		buf_clear(&got);
		CHECK_EQ_INT(f->decode(f, &got, packed.p, packed.n), 0);
		CHECK_EQ_BYTES(buf_contents(&got), BYTES("a NOOP\r\n"));
		CHECK(!f->more);
		buf_clear(&sent);
		CHECK_EQ_INT(f->encode(f, &sent, "a OK\r\n", 6, true), 0);
		CHECK_EQ_BYTES(peer_unpacks(&p, buf_contents(&sent), room,
		    sizeof(room)), BYTES("a OK\r\n"));
		/* The peer goes on referring to what it sent before. */
		if (i % 3 == 0)
			f->shrink(f, true);
	}
	f->free(f);
	peer_end(&p);
	buf_free(&got);
	buf_free(&sent);
}

static void
a_bomb_comes_in_pieces(void)
{
	enum { SIZE = 8 << 20 };
	struct filter *f = deflate_filter();
	struct buf got = BUF_INIT(STREAM_DECODE_ROOM);
	unsigned char *zeros = calloc(1, SIZE), room[16384];
	struct bytes packed;
	size_t total = 0;
	struct peer p;

	if (!CHECK(f != NULL) || !CHECK(zeros != NULL) || !peer_begin(&p))
		return;
	packed = peer_packs(&p, zeros, SIZE, Z_SYNC_FLUSH, room, sizeof(room));
	CHECK(packed.n < sizeof(room));
	CHECK_EQ_INT(f->decode(f, &got, packed.p, packed.n), 0);
	for (total = got.len; f->more && total <= SIZE; total += got.len) {
		buf_clear(&got);
		if (!CHECK_EQ_INT(f->decode(f, &got, NULL, 0), 0))
			break;
	}
	CHECK_EQ_INT(total, SIZE);
	f->free(f);
	peer_end(&p);
	buf_free(&got);
	free(zeros);
}

static void
what_is_no_deflate_is_refused(void)
{
	struct filter *f = deflate_filter();
	struct buf got = BUF_INIT(STREAM_IN_MAX);

	if (!CHECK(f != NULL))
		return;
	CHECK_EQ_INT(f->decode(f, &got, "\377\377\377\377", 4), -1);
	CHECK_EQ_INT(errno, EPROTO);
	f->free(f);
	buf_free(&got);
}

static void
nothing_follows_the_last_block(void)
{
	struct filter *f = deflate_filter();
	struct buf got = BUF_INIT(STREAM_IN_MAX);
	unsigned char room[100];
	struct bytes packed;
	struct peer p;

	if (!CHECK(f != NULL) || !peer_begin(&p))
		return;
	packed = peer_packs(&p, "a LOGOUT\r\n", 10, Z_FINISH, room, sizeof(room));
	CHECK_EQ_INT(f->decode(f, &got, packed.p, packed.n), 0);
	CHECK_EQ_BYTES(buf_contents(&got), BYTES("a LOGOUT\r\n"));
	CHECK(!f->more);
	CHECK_EQ_INT(f->decode(f, &got, "x", 1), -1);
	CHECK_EQ_INT(errno, EPROTO);
	f->shrink(f, true);
	f->free(f);
	peer_end(&p);
	buf_free(&got);
}

TEST_MAIN(TEST(both_ways), TEST(a_bomb_comes_in_pieces),
    TEST(what_is_no_deflate_is_refused), TEST(nothing_follows_the_last_block))
