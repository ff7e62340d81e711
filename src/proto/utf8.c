/*
 * UTF-8, strictly.
 * Runs as: any user.
 */
#include "utf8.h"

/* How long a character is by its first byte, and what that byte adds to it. */
static size_t
sequence_length(unsigned char first, uint32_t *bits)
{
	if (first < 0x80) {
		*bits = first;
		return 1;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*bits = first & 0x1fu;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*bits = first & 0x0fu;
		return 3;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*bits = first & 0x07u;
		return 4;
	}
	return 0;
}

static bool
scalar_of_length(uint32_t c, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

int32_t
utf8_next(struct bytes *rest)
{
	uint32_t c;
	size_t n;

	if (rest->n == 0)
		return -1;
	n = sequence_length(rest->p[0], &c);
	if (n == 0 || n > rest->n)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if ((rest->p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (rest->p[i] & 0x3fu);
	}
	if (!scalar_of_length(c, n))
		return -1;
	*rest = bytes_from(*rest, n);
	return (int32_t)c;
}

size_t
utf8_put(unsigned char out[UTF8_CHARACTER_MAX], uint32_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (unsigned char)c;
		return 1;
	}
	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (unsigned char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (unsigned char)(lead[n] | c);
	return n;
}

bool
utf8_valid(struct bytes b)
{
	while (b.n > 0)
		if (utf8_next(&b) < 0)
			return false;
	return true;
}
