/*
 * Looking at IMAP text that comes out of a column before it is sent.
 *
 * Runs as: the mailbox owner (imap).
 */
#include "textcheck.h"

#define DEPTH_MAX 1000

/* Behind an opening quote: offset behind the closing one, or 0. */
static size_t
skip_quoted(struct bytes b, size_t i)
{
	for (; i < b.n && b.p[i] != '"'; i++) {
		if (b.p[i] < ' ' || b.p[i] >= 0x7f)
			return 0;
		if (b.p[i] == '\\' && ++i < b.n && b.p[i] != '"' && b.p[i] != '\\')
			return 0;
	}
	return i < b.n ? i + 1 : 0;
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
	while (i < b.n) {
		unsigned char c = b.p[i++];

		if (c == '"')
			i = skip_quoted(b, i);
		else if (c == '{')
			i = skip_literal(b, i);
		else if (c < ' ' || c >= 0x7f)
			return false;
		else if (c == '(' && ++depth > DEPTH_MAX)
			return false;
		else if (c == ')' && --depth == 0)
			return i == b.n;
		if (i == 0)
			return false;
	}
	return false;
}
