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

size_t
utf8_char(struct bytes in, uint32_t *code)
{
	uint32_t c;
	size_t n;

	if (in.n == 0)
		return 0;
	n = sequence_length(in.p[0], &c);
	if (n == 0 || n > in.n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((in.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (in.p[i] & 0x3fu);
	}
	if (!scalar_of_length(c, n))
		return 0;
	*code = c;
	return n;
}

int
utf8_put(struct buf *out, uint32_t code)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	unsigned char utf8[4];

	for (size_t i = n - 1; i > 0; i--) {
		utf8[i] = (unsigned char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	utf8[0] = (unsigned char)(lead[n] | code);
	return buf_add(out, utf8, n);
}

bool
utf8_valid(struct bytes in)
{
	uint32_t code;
	size_t n;

	for (; in.n > 0; in = bytes_from(in, n)) {
		n = utf8_char(in, &code);
		if (n == 0)
			return false;
	}
	return true;
}
