/*
 * Fuzz target: base64 and the messages it carries.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "base64.h"
#include "foreign.h"
#include "sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The parts of a message are its bytes, apart from the two that divide them. */
static void
check_plain(struct bytes message)
{
	struct sasl_plain p;

	if (sasl_plain(message, &p) < 0)
		return;
	if (p.authzid.n + p.authcid.n + p.password.n + 2 != message.n
	    || p.authcid.n == 0 || p.password.n == 0
	    || p.password.p + p.password.n != message.p + message.n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned char *out = malloc(BASE64_DECODED_MAX(n) + 1);
	unsigned char *name = malloc(n + 1);
	ssize_t length;

	if (out == NULL || name == NULL)
		abort();
	(void)foreign_protocol(bytes_make(p, n));
	check_plain(bytes_make(p, n));
	length = base64_decode(bytes_make(p, n), out);
	if (length > (ssize_t)BASE64_DECODED_MAX(n))
		abort();
	if (length >= 0)
		check_plain(bytes_make(out, (size_t)length));
	if (n > 0)
		memcpy(name, p, n);
	if (sasl_prepare(name, n) > (ssize_t)n)
		abort();
	free(name);
	free(out);
	return 0;
}
