/*
 * Base64url of tokens and keys.
 * Runs as: _mailreeve.
 */
#include <errno.h>

#include "base64.h"
#include "base64url.h"

ssize_t
base64url_decode(struct bytes in, unsigned char *out)
{
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		int v = base64_value(in.p[i], "-_");

		if (v < 0) {
			errno = EINVAL;
			return -1;
		}
		bits = (bits << 6 | (unsigned)v) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	/* Six bits are no byte; what is left over must be nothing. */
	if (in.n % 4 == 1 || (bits & ((1u << have) - 1)) != 0) {
		errno = EINVAL;
		return -1;
	}
	return (ssize_t)n;
}
