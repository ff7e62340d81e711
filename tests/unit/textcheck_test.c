/*
 * Text of columns: what is one parenthesised list, in blocks and one by one.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/imap/textcheck.h"
#include "lanes.h"
#include "test.h"

#define DEPTH_MAX 1000

static void
examples(void)
{
	static const char *const good[] = {
		"()", "(NIL \"a\" (\"b\\\"\" 12) {3}\r\n\x80(\")", "(\"\" \"(\")", "((a)(b) \"MIXED\")",
	};
	static const char *const wrong[] = {
		"", "(", ")", "a", "(a))", "(a)b", "(\"a)", "(\"a\\x\")", "(\"a\r\nb\")",
		"({3}\r\nab)", "({3}ab)", "({99999999999}\r\na)", "({}\r\n)", "(\x80)", "(a\r\n)",
		"(a)(b)",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(textcheck_list(bytes_of(good[i])));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!CHECK(!textcheck_list(bytes_of(wrong[i]))))
			printf("#   %s\n", wrong[i]);
}

/* What textcheck.h says, byte by byte, of texts without a literal. */
static bool
plainly(struct bytes b)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < ' ' || b.p[i] > '~' || (i == 0 && b.p[i] != '('))
			return false;
		if (quoted && b.p[i] == '\\') {
			if (++i == b.n || (b.p[i] != '"' && b.p[i] != '\\'))
				return false;
		} else if (b.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && b.p[i] == '(' && ++depth > DEPTH_MAX)
			return false;
		else if (!quoted && b.p[i] == ')' && --depth == 0)
			return i == b.n - 1;
	}
	return false;
}

/* In memory of its own, for the sanitizer. */
static bool
agrees(const unsigned char *p, size_t n)
{
	unsigned char *copy = malloc(n + 1);
	bool same;

	if (copy == NULL)
		return false;
	memcpy(copy, p, n);
	same = textcheck_list(bytes_make(copy, n)) == plainly(bytes_make(copy, n));
	free(copy);
	return same;
}

/* A byte that mostly keeps a text a list. */
static unsigned char
choose(unsigned *seed, unsigned *depth, bool *quoted)
{
	static const char any[] = "()\"\\~}|a\x7f\x80\x1f\n() \"";
	unsigned r = (*seed = *seed * 1103515245 + 12345) >> 16;

	if (r % 512 == 0)
		return (unsigned char)any[r / 512 % (sizeof any - 1)];
	r %= 16;
	if (r == 0) {
		*quoted = !*quoted;
		return '"';
	}
	if (*quoted || r > 4)
		return (unsigned char)" (())!abcdefghij"[r];
	if (r > 2 && *depth > 1) {
		--*depth;
		return ')';
	}
	++*depth;
	return '(';
}

static size_t
make(unsigned char *p, size_t n, unsigned seed)
{
	unsigned depth = 1;
	bool quoted = false;
	size_t i = 1;

	p[0] = '(';
	while (i < n)
		p[i++] = choose(&seed, &depth, &quoted);
	if (quoted)
		p[i++] = '"';
	memset(p + i, ')', depth);
	return i + depth;
}

static void
random_texts(void)
{
	unsigned char p[700];
	unsigned good = 0, wrong = 0;

	for (unsigned seed = 1; seed <= 20000; seed++) {
		size_t n = make(p, 1 + seed % 300, seed);

		if (!CHECK(agrees(p, n)))
			printf("#   %.*s\n", (int)n, (const char *)p);
		*(plainly(bytes_make(p, n)) ? &good : &wrong) += 1;
	}
	CHECK(good > 1000 && wrong > 1000);
}

/* Each byte at each place of lists that end before, at and behind borders of blocks. */
static void
any_byte_anywhere(void)
{
	static const char *const fillings[] = { "aaaa", "\"a\" ", "(a) ", "\"()\"", "\"\\\"\"", "(\"\")" };
	unsigned char p[131];

	for (size_t k = 0; k < sizeof fillings / sizeof fillings[0] * 3; k++) {
		size_t n = (size_t[]){ 62, 66, 130 }[k % 3];

		p[0] = '(';
		for (size_t i = 1; i < n - 1; i++)
			p[i] = (unsigned char)fillings[k / 3][(i - 1) % 4];
		p[n - 1] = ')';
		CHECK(plainly(bytes_make(p, n)));
		for (size_t i = 0; i < n * 256; i++) {
			unsigned char was = p[i / 256];

			p[i / 256] = (unsigned char)i;
			CHECK((unsigned char)i == '{' || agrees(p, n));
			p[i / 256] = was;
		}
	}
}

/* Behind blocks without one; in quotes "{" is nothing special. */
static void
literals(void)
{
	char p[300];

	for (int n = 0; n < 140; n++) {
		snprintf(p, sizeof p, "(%0*d (\"{\" {4}\r\n\x80\"()) \"a\\\"\")", n, 0);
		CHECK(textcheck_list(bytes_of(p)));
		snprintf(p, sizeof p, "(%0*d {5}\r\na)", n, 0);
		CHECK(!textcheck_list(bytes_of(p)));
		snprintf(p, sizeof p, "(\"%0*d{5}\" \"{\")", n, 0);
		CHECK(textcheck_list(bytes_of(p)));
	}
}

static void
depth(void)
{
	unsigned char p[2 * DEPTH_MAX + 3];

	for (size_t n = DEPTH_MAX - 1; n <= DEPTH_MAX + 1; n++) {
		memset(p, '(', n);
		memset(p + n, ')', n);
		CHECK(textcheck_list(bytes_make(p, 2 * n)) == (n <= DEPTH_MAX));
		memmove(p + n + 1, p + n, n);
		p[n] = '\\';		/* one by one from this block on */
		CHECK(textcheck_list(bytes_make(p, 2 * n + 1)) == (n <= DEPTH_MAX));
	}
}

static void
bits(void)
{
	for (unsigned want = 0; want < 1 << LANES; want++) {
		lanes v;

		for (unsigned i = 0; i < LANES; i++)
			v[i] = (want >> i & 1) != 0 ? 0xff : 0;
		CHECK_EQ_INT(lanes_bits(v), want);
		CHECK_EQ_INT(lanes_bits_summed(v), want);
	}
}

TEST_MAIN(TEST(examples), TEST(random_texts), TEST(any_byte_anywhere), TEST(literals),
    TEST(depth), TEST(bits))
