/*
 * Base64 as SASL exchanges use it (RFC 4648 section 4): no line ends, no
 * blanks, padding where it belongs and nowhere else.
 */
#ifndef BASE64_H
#define BASE64_H

#include "bytes.h"

/* The value of a character, or -1; the last two of the alphabet differ by its kind. */
static inline int
base64_value(unsigned char c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_digit(c))
		return c - '0' + 52;
	return c == (unsigned char)last[0] ? 62 : c == (unsigned char)last[1] ? 63 : -1;
}

/* Room that base64_decode() needs for n characters. */
#define BASE64_DECODED_MAX(n) ((n) / 4 * 3)

/*
 * Decodes all of in; out has BASE64_DECODED_MAX(in.n) bytes and may be in.p.
 * How many bytes it wrote, or -1 with errno EINVAL.
 */
ssize_t base64_decode(struct bytes in, unsigned char *out);

/* Characters that n bytes become. */
#define BASE64_ENCODED(n) (((n) + 2) / 3 * 4)

/* Encodes all of in to out, which has BASE64_ENCODED(in.n) bytes. */
void base64_encode(struct bytes in, unsigned char *out);

#endif
