/*
 * Signatures and public keys of JOSE: RFC 7515, 7517, 7518, 8037.
 */
#ifndef VERIFY_JWS_H
#define VERIFY_JWS_H

#include <openssl/evp.h>

#include "json.h"

/*
 * An algorithm that tokens may be signed with. The list is all there is:
 * `none` and those with a shared secret are not on it.
 */
struct jws_algorithm {
	const char *name;
	const char *kty;
	const char *crv;		/* NULL: RSA has none */
	const EVP_MD *(*digest)(void);	/* NULL: the algorithm has its own */
	bool pss;
	size_t half;			/* of ECDSA: bytes of r, and of s */
};

const struct jws_algorithm *jws_algorithm(struct bytes name);

/* The key that jwk describes, if a has that kind of keys; else NULL. */
EVP_PKEY *jws_key(const struct jws_algorithm *a, const json_t *jwk);

bool jws_verify(const struct jws_algorithm *a, EVP_PKEY *key,
    struct bytes text, struct bytes signature);

#endif
