/*
 * Keys and signatures of JOSE, made for tests.
 * Runs as: the person who builds.
 */
#ifndef JOSE_H
#define JOSE_H

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>

#include "../../src/verify/jws.h"
#include "buf.h"

static inline void
jose_encode(struct buf *out, struct bytes in)
{
	unsigned char *text = malloc(in.n / 3 * 4 + 5);
	int n = EVP_EncodeBlock(text, in.p, (int)in.n);

	while (n > 0 && text[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++)
		(void)buf_byte(out, text[i] == '+' ? '-' : text[i] == '/' ? '_'
		    : text[i]);
	free(text);
}

/* A member whose value is a number of the key. */
static inline void
jose_number(struct buf *out, const EVP_PKEY *key, const char *param,
    const char *member, int size)
{
	unsigned char bytes[1024];
	BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(key, param, &n) != 1)
		abort();
	size = size > 0 ? size : BN_num_bytes(n);
	BN_bn2binpad(n, bytes, size);
	(void)buf_printf(out, ",\"%s\":\"", member);
	jose_encode(out, bytes_make(bytes, (size_t)size));
	(void)buf_byte(out, '"');
	BN_free(n);
}

/* The public half of key, for a, as a JWK with this kid (NULL: none). */
static inline void
jose_jwk(struct buf *out, const struct jws_algorithm *a, const EVP_PKEY *key,
    const char *kid)
{
	unsigned char raw[32];
	size_t n = sizeof raw;

	(void)buf_printf(out, "{\"kty\":\"%s\"", a->kty);
	if (kid != NULL)
		(void)buf_printf(out, ",\"kid\":\"%s\"", kid);
	if (a->crv != NULL)
		(void)buf_printf(out, ",\"crv\":\"%s\"", a->crv);
	if (a->crv == NULL) {
		jose_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
		jose_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
	} else if (a->half > 0) {
		jose_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", (int)a->half);
		jose_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", (int)a->half);
	} else {
		if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
			abort();
		(void)buf_text(out, ",\"x\":\"");
		jose_encode(out, bytes_make(raw, n));
		(void)buf_byte(out, '"');
	}
	(void)buf_byte(out, '}');
}

static inline EVP_PKEY *
jose_generate(const struct jws_algorithm *a)
{
	if (a->crv == NULL)
		return EVP_RSA_gen(2048);
	return a->half > 0 ? EVP_EC_gen(a->crv) : EVP_PKEY_Q_keygen(NULL, NULL,
	    "ED25519");
}

/* ECDSA's DER as r and s side by side. */
static inline size_t
jose_flat(unsigned char *p, size_t n, size_t half)
{
	const unsigned char *from = p;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &from, (long)n);

	if (s == NULL)
		abort();
	BN_bn2binpad(ECDSA_SIG_get0_r(s), p, (int)half);
	BN_bn2binpad(ECDSA_SIG_get0_s(s), p + half, (int)half);
	ECDSA_SIG_free(s);
	return 2 * half;
}

/* Appends the signature of text. */
static inline void
jose_sign(struct buf *out, const struct jws_algorithm *a, EVP_PKEY *key,
    struct bytes text)
{
	unsigned char *to = buf_room(out, 1024);
	size_t n = 1024;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;

	if (to == NULL || EVP_DigestSignInit(ctx, &p, a->digest == NULL ? NULL
	    : a->digest(), NULL, key) != 1
	    || (a->pss && (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING)
	    != 1 || EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST)
	    != 1))
	    || EVP_DigestSign(ctx, to, &n, text.p, text.n) != 1)
		abort();
	out->len += a->half > 0 ? jose_flat(to, n, a->half) : n;
	EVP_MD_CTX_free(ctx);
}

/* header and claims as a token in out. */
static inline void
jose_token(struct buf *out, const struct jws_algorithm *a, EVP_PKEY *key,
    const char *header, const char *claims)
{
	struct buf signature = BUF_INIT(4096);

	jose_encode(out, bytes_of(header));
	(void)buf_byte(out, '.');
	jose_encode(out, bytes_of(claims));
	jose_sign(&signature, a, key, buf_contents(out));
	(void)buf_byte(out, '.');
	jose_encode(out, buf_contents(&signature));
	buf_free(&signature);
}

#endif
