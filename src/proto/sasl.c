/*
 * SASL messages with passwords.
 * Runs as: login.
 */
#include <errno.h>

#include "sasl.h"

int
sasl_plain(struct bytes message, struct sasl_plain *out)
{
	struct bytes rest = message;

	out->authzid = bytes_split(&rest, '\0');
	out->authcid = bytes_split(&rest, '\0');
	out->password = rest;
	if (out->authcid.n == 0 || rest.n == 0 || bytes_find(rest, '\0') >= 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* The name may have spaces; the digest is what stands behind the last one. */
int
sasl_digest(struct bytes message, struct sasl_digest *out)
{
	size_t n = message.n < 2 * SASL_DIGEST_SIZE + 2 ? 0
	    : message.n - 2 * SASL_DIGEST_SIZE - 1;
	struct bytes rest = bytes_from(message, n + 1);
	bool good = n > 0 && message.p[n] == ' ';

	out->user = bytes_first(message, n);
	for (size_t i = 0; good && i < SASL_DIGEST_SIZE; i++) {
		int high = ascii_hex(rest.p[2 * i]), low = ascii_hex(rest.p[2 * i + 1]);

		good = high >= 0 && low >= 0;
		out->digest[i] = (unsigned char)((unsigned)high << 4 | (unsigned)low);
	}
	if (good && bytes_find(out->user, '\0') < 0)
		return 0;
	errno = EINVAL;
	return -1;
}
