/*
 * What RETR and TOP send: byte-stuffing, line ends and the final dot at every
 * border between pieces.
 * Runs as: the person who builds.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/pop3/body.h"
#include "../../src/pop3/limits.h"
#include "test.h"

/* A message in memory instead of storage. */
static struct bytes stored;

ssize_t
message_read(const struct message *msg, uint64_t offset, void *p, size_t n)
{
	struct bytes part = bytes_first(bytes_from(stored, (size_t)offset), n);

	(void)msg;
	memcpy(p, part.p, part.n);
	return (ssize_t)part.n;
}

static const struct {
	struct bytes message, wire;
} bodies[] = {
	{ { (const unsigned char *)"", 0 }, BYTES(".\r\n") },
	{ BYTES("a"), BYTES("a\r\n.\r\n") },
	{ BYTES("."), BYTES("..\r\n.\r\n") },
	{ BYTES("\n"), BYTES("\r\n.\r\n") },
	{ BYTES("a\nb\n"), BYTES("a\r\nb\r\n.\r\n") },
	{ BYTES("a\r\nb\r\n"), BYTES("a\r\nb\r\n.\r\n") },
	{ BYTES(".a\n..\n\n."), BYTES("..a\r\n...\r\n\r\n..\r\n.\r\n") },
	{ BYTES("a.\n.\r\n.\r\n"), BYTES("a.\r\n..\r\n..\r\n.\r\n") },
	{ BYTES("a\r.b\r\r\n.c"), BYTES("a\r.b\r\r\n..c\r\n.\r\n") },
	{ BYTES("a\r"), BYTES("a\r\r\n.\r\n") },
	{ BYTES("x\0y\n.\xff\n"), BYTES("x\0y\r\n..\xff\r\n.\r\n") },
};

#define BODIES (sizeof bodies / sizeof bodies[0])

static struct bytes
stuffed(struct bytes message, size_t cut1, size_t cut2, unsigned char *out)
{
	struct stuffing s = { 0 };
	struct bytes piece[] = {
		bytes_first(message, cut1),
		bytes_make(message.p + cut1, cut2 - cut1),
		bytes_from(message, cut2),
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++)
		n += crlf_stuff(&s.crlf, &s.inside, piece[i], out + n);
	n += stuff_end(&s, out + n);
	return bytes_make(out, n);
}

static void
stuffing_does_not_see_borders(void)
{
	unsigned char out[256];

	for (size_t i = 0; i < BODIES; i++)
		for (size_t a = 0; a <= bodies[i].message.n; a++)
			for (size_t b = a; b <= bodies[i].message.n; b++)
				CHECK_EQ_BYTES(stuffed(bodies[i].message, a, b, out),
				    bodies[i].wire);
}

/* The same, written in the plainest way. */
static size_t
plain_stuff(struct bytes m, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < m.n; i++) {
		if (m.p[i] == '.' && (i == 0 || m.p[i - 1] == '\n'))
			out[n++] = '.';
		if (m.p[i] == '\n' && (i == 0 || m.p[i - 1] != '\r'))
			out[n++] = '\r';
		out[n++] = m.p[i];
	}
	if (m.n > 0 && m.p[m.n - 1] != '\n') {
		out[n++] = '\r';
		out[n++] = '\n';
	}
	memcpy(out + n, ".\r\n", 3);
	return n + 3;
}

/* Bytes from few kinds, so that dots, CR and LF meet often. */
static void
scribble(unsigned char *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (unsigned char)"aaaaaaaaaaaaa.\r\n"[seed >> 28];
	}
}

static void
stuffing_agrees_with_the_plain_way(void)
{
	unsigned char m[700], want[2 * sizeof m + 5], got[2 * sizeof m + 5];

	for (uint32_t round = 0; round < 3000; round++) {
		struct bytes message = { m, round % sizeof m };
		size_t n, cut = round * 7 % (message.n + 1);

		scribble(m, message.n, round);
		n = plain_stuff(message, want);
		if (!CHECK_EQ_BYTES(stuffed(message, cut, message.n, got),
		    bytes_make(want, n)))
			return;
	}
}

static const struct {
	struct bytes message;
	uint64_t lines;
	struct bytes part;
} tops[] = {
	{ BYTES("A: b\n\none\ntwo\n"), 0, BYTES("A: b\n\n") },
	{ BYTES("A: b\n\none\ntwo\n"), 1, BYTES("A: b\n\none\n") },
	{ BYTES("A: b\n\none\ntwo\n"), 2, BYTES("A: b\n\none\ntwo\n") },
	{ BYTES("A: b\n\none\ntwo\n"), 9, BYTES("A: b\n\none\ntwo\n") },
	{ BYTES("A: b\r\n\r\none\r\ntwo"), 1, BYTES("A: b\r\n\r\none\r\n") },
	{ BYTES("A: b\r\n\r\none\r\ntwo"), 2, BYTES("A: b\r\n\r\none\r\ntwo") },
	{ BYTES("A: b\r\r\n\r\nx\n"), 0, BYTES("A: b\r\r\n\r\n") },
	{ BYTES("\r\r\n\r\nx\n"), 0, BYTES("\r\r\n\r\n") },
	{ BYTES("\r\nA\nB\n"), 1, BYTES("\r\nA\n") },
	{ BYTES("\n\n\nA\n"), 1, BYTES("\n\n") },
	{ BYTES("A: b\nC: d\n"), 0, BYTES("A: b\nC: d\n") },
	{ BYTES("A: b"), 3, BYTES("A: b") },
};

static size_t
top_of(struct bytes message, uint64_t lines, size_t cut)
{
	struct top t = { .lines = lines };
	size_t n = top_part(&t, bytes_first(message, cut)).n;

	if (!top_done(&t))
		n += top_part(&t, bytes_from(message, cut)).n;
	return n;
}

static void
top_does_not_see_borders(void)
{
	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++)
		for (size_t cut = 0; cut <= tops[i].message.n; cut++)
			CHECK_EQ_INT(top_of(tops[i].message, tops[i].lines, cut),
			    tops[i].part.n);
}

/* Each writing to a SEQPACKET socket arrives as a packet of its own. */
static void
send_stored(size_t *total, struct bytes *last, unsigned char *packet)
{
	struct message msg = { .fd = -1, .size = stored.n };
	struct stream out;
	int pair[2];
	ssize_t n;

	if (!CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0))
		return;
	stream_init(&out, pair[0], pair[0]);
	out.write_timeout = 10000;
	CHECK(stream_text(&out, "+OK\r\n") == 0);
	CHECK(body_send(&out, &msg, NULL, false) == 0);
	CHECK(stream_flush(&out) == 0);
	close(pair[0]);
	for (*total = 0; (n = read(pair[1], packet, 4 * STREAM_OUT_SIZE)) > 0;
	    *total += (size_t)n)
		*last = bytes_make(packet, (size_t)n);
	close(pair[1]);
	stream_free(&out);
}

static void
final_dot_comes_with_the_end_of_the_message(void)
{
	static unsigned char message[3 * PIECE_MAX + 8], packet[4 * STREAM_OUT_SIZE];
	static const size_t borders[] = { PIECE_MAX, 2 * PIECE_MAX,
	    3 * PIECE_MAX, STREAM_OUT_SIZE, STREAM_OUT_SIZE - 5 };

	memset(message, 'a', sizeof message);
	for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++) {
		for (size_t n = borders[i] - 6; n < borders[i] + 6; n++) {
			struct bytes last = { packet, 0 };
			size_t total = 0;

			stored = bytes_make(message, n);
			send_stored(&total, &last, packet);
			CHECK_EQ_INT(total, 5 + n + 5);
			CHECK(last.n > 5 && memcmp(last.p + last.n - 5,
			    "\r\n.\r\n", 5) == 0);
		}
	}
}

TEST_MAIN(TEST(stuffing_does_not_see_borders),
    TEST(stuffing_agrees_with_the_plain_way), TEST(top_does_not_see_borders),
    TEST(final_dot_comes_with_the_end_of_the_message))
