/*
 * SASL messages with passwords.
 * Runs as: login.
 */
#include <errno.h>

#include "sasl.h"
#include "utf8.h"

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

/*
 * ASCII names come out as they are, as they do from SASLprep (RFC 4013); so
 * far other names do too.
 */
ssize_t
sasl_prepare(unsigned char *p, size_t n)
{
	struct bytes rest = bytes_make(p, n);

	do {
		uint32_t c = 0;
		size_t length = utf8_char(rest, &c);

		if (length == 0 || c < ' ' || (c >= 0x7f && c < 0xa0)) {
			errno = EILSEQ;
			return -1;
		}
		rest = bytes_from(rest, length);
	} while (rest.n > 0);
	return (ssize_t)n;
}
