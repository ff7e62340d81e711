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

TEST_MAIN(TEST(converts), TEST(counts_long_runs), TEST(finds_8bit))
