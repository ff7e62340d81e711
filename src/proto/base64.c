/*
 * Base64 of SASL exchanges.
 * Runs as: login.
 */
#include <errno.h>

#include "base64.h"

/* How many of the last four characters are padding: 0, 1 or 2. */
static size_t
padding(struct bytes in)
{
	if (in.n == 0 || in.p[in.n - 1] != '=')
		return 0;
	return in.p[in.n - 2] == '=' ? 2 : 1;
}

ssize_t
base64_decode(struct bytes in, unsigned char *out)
{
	size_t pad, n = 0;
	uint32_t bits = 0;

	if (in.n % 4 != 0) {
		errno = EINVAL;
		return -1;
	}
	pad = padding(in);
	for (size_t i = 0; i < in.n - pad; i++) {
		int v = base64_value(in.p[i], "+/");

		if (v < 0) {
			errno = EINVAL;
			return -1;
		}
		bits = bits << 6 | (uint32_t)v;
		/* The first character of four does not fill a byte. */
		if (i % 4 != 0)
			out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return (ssize_t)n;
}

void
base64_encode(struct bytes in, unsigned char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t bits = (uint32_t)in.p[i] << 16
		    | (left > 1 ? (uint32_t)in.p[i + 1] << 8 : 0)
		    | (left > 2 ? in.p[i + 2] : 0);

		*out++ = (unsigned char)alphabet[bits >> 18];
		*out++ = (unsigned char)alphabet[bits >> 12 & 63];
		*out++ = left > 1 ? (unsigned char)alphabet[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? (unsigned char)alphabet[bits & 63] : '=';
	}
}
