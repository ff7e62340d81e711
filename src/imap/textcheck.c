/*
 * Looking at IMAP text that comes out of a column before it is sent.
 *
 * Runs as: the mailbox owner (imap).
 */
#include "textcheck.h"

#define DEPTH_MAX 1000

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

bool
textcheck_list(struct bytes b)
{
	unsigned depth = 0;
	size_t i = 0;

	if (b.n < 2 || b.p[0] != '(')
		return false;
	for (;;) {
		while (i < b.n && (meaning[b.p[i]] & (WRONG | SPECIAL)) == 0)
			i++;
		if (i == b.n)
			return false;
		switch (b.p[i++]) {
		case '"':
			i = skip_quoted(b, i);
			break;
		case '{':
			i = skip_literal(b, i);
			break;
		case '(':
			if (++depth > DEPTH_MAX)
				return false;
			break;
		case ')':
			if (--depth == 0)
				return i == b.n;
			break;
		default:
			return false;
		}
		if (i == 0)
			return false;
	}
}
