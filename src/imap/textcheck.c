/*
 * Looking at IMAP text that comes out of a column before it is sent: 64 bytes at
 * a time, as far as no backslash or literal is met, then one by one.
 *
 * Runs as: the mailbox owner (imap).
 */
#include "lanes.h"
#include "textcheck.h"

#define DEPTH_MAX 1000
#define BLOCK 64		/* bytes looked at at once */

/* What a byte means outside of strings, and whether it is plain inside of quotes. */
enum { PLAIN = 0, WRONG = 1, SPECIAL = 2, NOT_QUOTED = 4 };

static const unsigned char meaning[256] = {
	[0 ... ' ' - 1] = WRONG | NOT_QUOTED,
	[0x7f ... 0xff] = WRONG | NOT_QUOTED,
	['('] = SPECIAL, [')'] = SPECIAL, ['{'] = SPECIAL,
	['"'] = SPECIAL | NOT_QUOTED, ['\\'] = NOT_QUOTED,
};

/* Behind an opening quote: offset behind the closing one, or 0. */
static size_t
skip_quoted(struct bytes b, size_t i)
{
	for (;; i++) {
		while (i < b.n && (meaning[b.p[i]] & NOT_QUOTED) == 0)
			i++;
		if (i == b.n)
			return 0;
		if (b.p[i] == '"')
			return i + 1;
		if (b.p[i] != '\\' || ++i == b.n || (b.p[i] != '"' && b.p[i] != '\\'))
			return 0;
	}
}

/* Behind "{": offset behind the literal, or 0. */
static size_t
skip_literal(struct bytes b, size_t i)
{
	size_t size = 0, digits = i;

	for (; i < b.n && ascii_digit(b.p[i]) && i - digits < 10; i++)
		size = size * 10 + (size_t)(b.p[i] - '0');
	if (i == digits || b.n - i < 3 || memcmp(b.p + i, "}\r\n", 3) != 0)
		return 0;
	i += 3;
	if (size > b.n - i || memchr(b.p + i, 0, size) != NULL)
		return 0;
	return i + size;
}

/* How far a look has come. */
struct look {
	size_t at;
	unsigned depth;
	bool quoted;
};

/* The rest of a list but for its last parenthesis. */
static bool
one_by_one(struct bytes b, struct look l)
{
	size_t i = l.at;

	if (l.quoted && (i = skip_quoted(b, i)) == 0)
		return false;
	for (;;) {
		while (i < b.n && (meaning[b.p[i]] & (WRONG | SPECIAL)) == 0)
			i++;
		if (i == b.n)
			return l.depth == 1;
		switch (b.p[i++]) {
		case '"':
			i = skip_quoted(b, i);
			break;
		case '{':
			i = skip_literal(b, i);
			break;
		case '(':
			if (++l.depth > DEPTH_MAX)
				return false;
			break;
		case ')':
			if (--l.depth == 0)
				return false;
			break;
		default:
			return false;
		}
		if (i == 0)
			return false;
	}
}

/* A bit for each of 64 bytes; false when one of them takes more than this to judge. */
static bool
find_marks(const unsigned char *p, uint64_t *quotes, uint64_t *parens)
{
	lanes odd = { 0 };

	*quotes = *parens = 0;
	for (unsigned i = 0; i < BLOCK; i += LANES) {
		lanes v = lanes_load(p + i);

		/* What lies behind "{" is rare. */
		odd |= (lanes)(v - ' ' >= '{' - ' ') | (lanes)(v == '\\');
		*quotes |= (uint64_t)lanes_bits((lanes)(v == '"')) << i;
		*parens |= (uint64_t)lanes_bits((lanes)((v | 1) == ')')) << i;
	}
	return !lanes_any(odd);
}

/* For each bit, whether the bits up to and with it are odd in number. */
static uint64_t
parity(uint64_t bits)
{
	for (unsigned n = 1; n < 64; n *= 2)
		bits ^= bits << n;
	return bits;
}

static bool
nest(struct look *l, const unsigned char *p, uint64_t parens)
{
	for (; parens != 0; parens &= parens - 1) {
		if (p[__builtin_ctzll(parens)] == ')')
			l->depth--;
		else
			l->depth++;
		if (l->depth == 0 || l->depth > DEPTH_MAX)
			return false;
	}
	return true;
}

bool
textcheck_list(struct bytes b)
{
	struct look l = { 0 };

	if (b.n < 2 || b.p[0] != '(' || b.p[--b.n] != ')')
		return false;
	for (; l.at < b.n; l.at += BLOCK) {
		const unsigned char *p = b.p + l.at;
		unsigned char last[BLOCK];
		uint64_t quotes, parens, inside;

		if (b.n - l.at < BLOCK) {
			memset(last, ' ', sizeof last);
			p = memcpy(last, p, b.n - l.at);
		}
		if (!find_marks(p, &quotes, &parens))
			return one_by_one(b, l);
		inside = parity(quotes) ^ (l.quoted ? UINT64_MAX : 0);
		if (!nest(&l, p, parens & ~inside))
			return false;
		l.quoted = inside >> 63;
	}
	return l.depth == 1 && !l.quoted;
}
