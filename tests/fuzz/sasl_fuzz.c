/*
 * Fuzz target: base64 and the messages it carries.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "base64.h"
#include "foreign.h"
#include "prep.h"
#include "sasl.h"
#include "saslprep.h"

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

/* What is prepared may stand in a line, and is so for good. */
static void
check_prepared(struct bytes text)
{
	struct buf once = BUF_INIT(1024), twice = BUF_INIT(1024);

	if (saslprep(text, &once) == 0) {
		if (once.len == 0 || !prep_allowed(buf_contents(&once)))
			abort();
		if (saslprep(buf_contents(&once), &twice) < 0
		    || !bytes_equal(buf_contents(&once), buf_contents(&twice)))
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned char *out = malloc(BASE64_DECODED_MAX(n) + 1);
	ssize_t length;

	if (out == NULL)
		abort();
	(void)foreign_protocol(bytes_make(p, n));
	check_plain(bytes_make(p, n));
	length = base64_decode(bytes_make(p, n), out);
	if (length > (ssize_t)BASE64_DECODED_MAX(n))
		abort();
	if (length >= 0)
		check_plain(bytes_make(out, (size_t)length));
	check_prepared(bytes_make(p, n));
	free(out);
	return 0;
}
