/*
 * Line ends, in one piece and cut at every place.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "crlf.h"
#include "test.h"

static const struct { const char *in, *out; } cases[] = {
	{ "", "" },
	{ "a", "a" },
	{ "a\n", "a\r\n" },
	{ "a\r\n", "a\r\n" },
	{ "\n\n", "\r\n\r\n" },
	{ "\r\r\n", "\r\r\n" },
	{ "a\rb\n", "a\rb\r\n" },
	{ "a\r", "a\r" },
	{ "\n\r\n\r\n\n\r", "\r\n\r\n\r\n\r\n\r" },
	{ "0123456789abcdef\n0123456789abcde\r\n0123456789abcdef",
	  "0123456789abcdef\r\n0123456789abcde\r\n0123456789abcdef" },
};

static void
check_cut(struct bytes in, size_t at, const char *want)
{
	unsigned char out[256];
	struct crlf c = { 0 }, s = { 0 };
	uint64_t size;
	size_t n;

	n = crlf_convert(&c, bytes_first(in, at), out);
	n += crlf_convert(&c, bytes_from(in, at), out + n);
	CHECK_EQ_BYTES(bytes_make(out, n), bytes_of(want));
	size = crlf_size(&s, bytes_first(in, at));
	size += crlf_size(&s, bytes_from(in, at));
	CHECK_EQ_INT(size, n);
	CHECK(s.cr == c.cr);
}

static void
converts(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bytes in = bytes_of(cases[i].in);

		for (size_t at = 0; at <= in.n; at++)
			check_cut(in, at, cases[i].out);
	}
}

/* What crlf.h says, byte by byte. */
static size_t
plainly(struct bytes in, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
			out[n++] = '\r';
		out[n++] = in.p[i];
	}
	return n;
}

static void
check_counts(struct bytes in, size_t at, size_t octets)
{
	struct crlf size = { 0 }, count = { 0 };
	uint64_t lines[2], want = 0;

	for (size_t i = 0; i < in.n; i++)
		want += in.p[i] == '\n';
	CHECK_EQ_INT(crlf_size(&size, bytes_first(in, at)) +
	    crlf_size(&size, bytes_from(in, at)), octets);
	CHECK_EQ_INT(crlf_count(&count, bytes_first(in, at), &lines[0]) +
	    crlf_count(&count, bytes_from(in, at), &lines[1]), octets);
	CHECK_EQ_INT(lines[0] + lines[1], want);
	CHECK_EQ_INT(crlf_lines(in), want);
	CHECK(size.cr == count.cr);
}

/* Line ends at every distance from the borders of blocks, and cut anywhere. */
static void
converts_any_text(void)
{
	static const char *const letters[] = { "\r\nabcdefghijklmn",
	    "o\nabcdefghijklmn", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\r." };
	unsigned char in[300], want[600], out[600 + 1];

	for (unsigned seed = 1; seed <= 2000; seed++) {
		size_t n = seed % sizeof in, at = seed % (n + 1), made;
		struct crlf c = { 0 };
		unsigned next = seed;

		for (size_t i = 0; i < n; i++, next = next * 1103515245 + 12345)
			in[i] = (unsigned char)letters[seed % 3][next >> 16 & 15];
		out[2 * n] = 0x55;
		made = crlf_convert(&c, bytes_make(in, at), out);
		made += crlf_convert(&c, bytes_make(in + at, n - at), out + made);
		CHECK_EQ_BYTES(bytes_make(out, made),
		    bytes_make(want, plainly(bytes_make(in, n), want)));
		CHECK_EQ_INT(out[2 * n], 0x55);
		check_counts(bytes_make(in, n), at, made);
	}
}

/* Long enough for the lanes' counters to be emptied on the way. */
static void
counts_long_runs(void)
{
	size_t n = 100003;
	unsigned char *p = malloc(n);
	struct crlf c = { 0 };
	uint64_t lines;

	if (!CHECK(p != NULL))
		return;
	memset(p, '\n', n);
	CHECK_EQ_INT(crlf_lines(bytes_make(p, n)), n);
	CHECK_EQ_INT(crlf_count(&c, bytes_make(p, n), &lines), 2 * n);
	CHECK_EQ_INT(lines, n);
	free(p);
}

static void
finds_8bit(void)
{
	unsigned char p[40];

	memset(p, 'a', sizeof p);
	CHECK(crlf_is_7bit(bytes_make(p, sizeof p)));
	for (size_t i = 0; i < sizeof p; i++) {
		p[i] = 0x80;
		CHECK(!crlf_is_7bit(bytes_make(p, sizeof p)));
		p[i] = 0x7f;
	}
	CHECK(crlf_is_7bit(bytes_make(p, 0)));
}

TEST_MAIN(TEST(converts), TEST(converts_any_text), TEST(counts_long_runs), TEST(finds_8bit))
