/*
 * Signatures that were made, as digests.
 * Runs as: _mailreeve (signer, verifiers).
 */
#include <openssl/evp.h>

#include "witness.h"

static bool
add(EVP_MD_CTX *c, const void *p, size_t n)
{
	uint32_t size = (uint32_t)n;

	return EVP_DigestUpdate(c, &size, sizeof size) == 1
	    && EVP_DigestUpdate(c, p, n) == 1;
}

int
witness_make(uint32_t scheme, struct bytes input, struct bytes signature,
    unsigned char out[WITNESS_SIZE])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1
	    && add(c, &scheme, sizeof scheme) && add(c, input.p, input.n)
	    && add(c, signature.p, signature.n)
	    && EVP_DigestFinal_ex(c, out, NULL) == 1;

	EVP_MD_CTX_free(c);
	return good ? 0 : -1;
}
