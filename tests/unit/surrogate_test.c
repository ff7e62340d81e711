/*
 * Surrogates of headers: the same however a message is cut, ASCII in the header,
 * and never longer than the room for it.
 * Runs as: the person who builds.
 */
#include "../../src/pop3/surrogate.h"
#include "test.h"

static const char message[] =
	"From: J\303\274rgen Gro\303\237 <j\303\274@example.org>\r\n"
	"Subject: \303\274 \303\274 a \303\274\t\377\376 =?us-ascii?q?x?=\r\n"
	"X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\303\274\303\274\303\274\303\274"
	"\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274b\r\n"
	"X-Bytes: \200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200\200"
	"\200\200\200\200\200\200\200\200\200\200\200\200\200\r\n\r\n\303\274\r\n";

static size_t
convert(struct bytes in, size_t cut, unsigned char *out)
{
	struct surrogate s = { .body = false };
	size_t n = surrogate(&s, bytes_first(in, cut), out);

	n += surrogate(&s, bytes_from(in, cut), out + n);
	return n + surrogate_end(&s, out + n);
}

static void
any_cut(void)
{
	static unsigned char want[SURROGATE_ROOM(sizeof message)];
	static unsigned char got[SURROGATE_ROOM(sizeof message)];
	struct bytes in = bytes_of(message);
	size_t n = convert(in, 0, want);

	for (size_t cut = 0; cut <= in.n; cut++)
		CHECK_EQ_BYTES(bytes_make(got, convert(in, cut, got)),
		    bytes_make(want, n));
	for (size_t i = 0; i + 4 < n; i++)
		if (!CHECK(want[i] < 0x80))
			break;
	CHECK_EQ_BYTES(bytes_make(want + n - 4, 4), BYTES("\303\274\r\n"));
}

/* RFC 2047 section 2: an encoded word has at most 75 characters. */
static void
short_words(void)
{
	static unsigned char out[SURROGATE_ROOM(sizeof message)];
	size_t n = convert(bytes_of(message), 7, out), begin = 0;

	for (size_t i = 0; i + 1 < n; i++) {
		if (out[i] == '=' && out[i + 1] == '?' && out[i + 2] != '=')
			begin = i;
		if (out[i] == '?' && out[i + 1] == '=')
			CHECK(i + 2 - begin <= 75);
	}
}

static void
ascii_stays(void)
{
	struct bytes in = BYTES("A: b  c \"d\" =?x?=\n e\n\n\377\n");
	unsigned char out[SURROGATE_ROOM(64)];

	CHECK_EQ_BYTES(bytes_make(out, convert(in, 3, out)), in);
}

/* What can be told from the first piece: nothing needs to be done. */
static void
nothing_to_do(void)
{
	static const struct { struct bytes in; bool body; } rows[] = {
		{ BYTES("A: b\n\n\377"), true }, { BYTES("A: b\r\n\r\n"), true },
		{ BYTES("\n\377"), true }, { BYTES("\r\nx"), true },
		{ BYTES("A: b\n"), false }, { BYTES("A: \377\n\n"), false },
		{ BYTES(""), false }, { BYTES("A: b\n\r"), false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct surrogate s = { .body = false };

		surrogate_begin(&s, rows[i].in);
		CHECK_EQ_INT(s.body, rows[i].body);
	}
}

/* One byte and a delimiter in turn is what grows most. */
static void
room(void)
{
	unsigned char in[64], out[SURROGATE_ROOM(sizeof in)];

	for (size_t i = 0; i < sizeof in; i++)
		in[i] = i % 2 == 0 ? 0xff : ' ';
	CHECK(convert(bytes_make(in, sizeof in), 9, out) <= sizeof out);
}

TEST_MAIN(TEST(any_cut), TEST(short_words), TEST(ascii_stays), TEST(nothing_to_do),
    TEST(room))
