/*
 * Fuzz target: a handshake of TLS as login tells it. None is believed without
 * the signer's witness of it; certificates print as lines that fit.
 * Runs as: the person who builds.
 */
#include <openssl/err.h>

#include <stdlib.h>

#include "../../src/verify/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
look_at_names(const uint8_t *p, size_t n)
{
	struct buf names = BUF_INIT(CHAN_TEXT_MAX);
	X509 *x = d2i_X509(NULL, &p, (long)n);
	struct bytes rest;

	if (x != NULL) {
		x509_names(x, &names);
		rest = buf_contents(&names);
		if (names.error != 0 || rest.n < 72 || rest.p[rest.n - 1] != '\n')
			abort();
		while (rest.n > 0)
			if (bytes_split(&rest, '\n').n > 256)
				abort();
	}
	X509_free(x);
	buf_free(&names);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const unsigned char witness[WITNESS_SIZE] = { 1 };
	STACK_OF(X509) *chain = NULL;

	if (x509_proof(bytes_make(p, n), witness, &chain) == NULL)
		abort();
	sk_X509_pop_free(chain, X509_free);
	look_at_names(p, n);
	ERR_clear_error();
	return 0;
}
