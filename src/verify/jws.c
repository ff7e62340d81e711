/*
 * Signatures of JOSE, by libcrypto.
 * Runs as: _mailreeve.
 */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "jws.h"

#define RSA_BITS_MIN 2048		/* RFC 7518 section 3.3 */
#define RSA_BITS_MAX 8192		/* what one verification may cost */
#define NUMBER_MAX ((size_t)1024)	/* bytes of the largest modulus */
#define EC_HALF_MAX 66			/* P-521 */
#define ED25519_SIZE 32

static const struct jws_algorithm algorithms[] = {
	{ "RS256", "RSA", NULL, EVP_sha256, false, 0 },
	{ "RS384", "RSA", NULL, EVP_sha384, false, 0 },
	{ "RS512", "RSA", NULL, EVP_sha512, false, 0 },
	{ "PS256", "RSA", NULL, EVP_sha256, true, 0 },
	{ "PS384", "RSA", NULL, EVP_sha384, true, 0 },
	{ "PS512", "RSA", NULL, EVP_sha512, true, 0 },
	{ "ES256", "EC", "P-256", EVP_sha256, false, 32 },
	{ "ES384", "EC", "P-384", EVP_sha384, false, 48 },
	{ "ES512", "EC", "P-521", EVP_sha512, false, EC_HALF_MAX },
	{ "EdDSA", "OKP", "Ed25519", NULL, false, 0 },
};

const struct jws_algorithm *
jws_algorithm(struct bytes name)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (bytes_equal(name, bytes_of(algorithms[i].name)))
			return &algorithms[i];
	return NULL;
}

/* --- keys --- */

/* A number of a key; its length, or 0. */
static size_t
number(const json_t *jwk, const char *name, unsigned char out[NUMBER_MAX + 2])
{
	struct bytes text = json_text(jwk, name);
	ssize_t n;

	if (BASE64URL_DECODED_MAX(text.n) > NUMBER_MAX + 2)
		return 0;
	n = base64url_decode(text, out);
	return n > 0 ? (size_t)n : 0;
}

static EVP_PKEY *
build(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0
	    || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *
rsa_key(const struct jws_algorithm *a, const json_t *jwk)
{
	unsigned char bytes[NUMBER_MAX + 2];
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	size_t size_n = number(jwk, "n", bytes);
	BIGNUM *n = BN_bin2bn(bytes, (int)size_n, NULL);
	size_t size_e = number(jwk, "e", bytes);
	BIGNUM *e = BN_bin2bn(bytes, (int)size_e, NULL);
	EVP_PKEY *key = NULL;

	(void)a;
	/* An e of 1 would make every signature its own text. */
	if (b != NULL && n != NULL && e != NULL && size_e > 0 && size_e <= 8
	    && BN_is_odd(e) && !BN_is_one(e)
	    && BN_num_bits(n) >= RSA_BITS_MIN && BN_num_bits(n) <= RSA_BITS_MAX
	    && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) == 1
	    && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = build("RSA", b);
	OSSL_PARAM_BLD_free(b);
	BN_free(n);
	BN_free(e);
	return key;
}

/*
 * RFC 7518 section 6.2.1 wants coordinates of full length; libraries in use
 * leave zeroes at their beginning out.
 */
static bool
coordinate(const json_t *jwk, const char *name, unsigned char *to, size_t size)
{
	unsigned char bytes[NUMBER_MAX + 2];
	size_t n = number(jwk, name, bytes);

	if (n == 0 || n > size)
		return false;
	memcpy(to + size - n, bytes, n);
	return true;
}

static EVP_PKEY *
ec_key(const struct jws_algorithm *a, const json_t *jwk)
{
	unsigned char point[1 + 2 * EC_HALF_MAX] = { 4 };
	OSSL_PARAM_BLD *b;
	EVP_PKEY *key = NULL;

	if (!coordinate(jwk, "x", point + 1, a->half)
	    || !coordinate(jwk, "y", point + 1 + a->half, a->half))
		return NULL;
	b = OSSL_PARAM_BLD_new();
	if (b != NULL && OSSL_PARAM_BLD_push_utf8_string(b,
	    OSSL_PKEY_PARAM_GROUP_NAME, a->crv, 0) == 1
	    && OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY,
	    point, 1 + 2 * a->half) == 1)
		key = build("EC", b);		/* fails when it is not on the curve */
	OSSL_PARAM_BLD_free(b);
	return key;
}

static EVP_PKEY *
ed25519_key(const struct jws_algorithm *a, const json_t *jwk)
{
	unsigned char bytes[NUMBER_MAX + 2];

	(void)a;
	if (number(jwk, "x", bytes) != ED25519_SIZE)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes,
	    ED25519_SIZE);
}

static const struct {
	const char *kty;
	EVP_PKEY *(*make)(const struct jws_algorithm *, const json_t *);
} kinds[] = {
	{ "RSA", rsa_key }, { "EC", ec_key }, { "OKP", ed25519_key },
};

/* RFC 7517 section 4.2 to 4.4: what else the key says of its use. */
static bool
is_for(const struct jws_algorithm *a, const json_t *jwk)
{
	return json_has(jwk, "kty", a->kty)
	    && (a->crv == NULL || json_has(jwk, "crv", a->crv))
	    && (json_object_get(jwk, "alg") == NULL || json_has(jwk, "alg", a->name))
	    && (json_object_get(jwk, "use") == NULL || json_has(jwk, "use", "sig"))
	    && (json_object_get(jwk, "key_ops") == NULL
	    || json_has(jwk, "key_ops", "verify"));
}

EVP_PKEY *
jws_key(const struct jws_algorithm *a, const json_t *jwk)
{
	if (!is_for(a, jwk))
		return NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].kty, a->kty) == 0)
			return kinds[i].make(a, jwk);
	return NULL;
}

/* --- signatures --- */

/* r and s side by side (RFC 7518 section 3.4) become DER; its length, or -1. */
static int
ecdsa_der(struct bytes signature, size_t half, unsigned char **der)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r, *t;
	int n = -1;

	*der = NULL;
	if (signature.n == 2 * half && s != NULL) {
		r = BN_bin2bn(signature.p, (int)half, NULL);
		t = BN_bin2bn(signature.p + half, (int)half, NULL);
		if (r != NULL && t != NULL && ECDSA_SIG_set0(s, r, t) == 1) {
			n = i2d_ECDSA_SIG(s, der);
		} else {
			BN_free(r);
			BN_free(t);
		}
	}
	ECDSA_SIG_free(s);
	return n;
}

static bool
check(const struct jws_algorithm *a, EVP_PKEY *key, struct bytes text,
    struct bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;
	bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, &p,
	    a->digest == NULL ? NULL : a->digest(), NULL, key) == 1;

	/* RFC 7518 section 3.5: the salt is as long as the digest. */
	if (good && a->pss)
		good = EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1
		    && EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST)
		    == 1;
	good = good && EVP_DigestVerify(ctx, signature.p, signature.n, text.p,
	    text.n) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

bool
jws_verify(const struct jws_algorithm *a, EVP_PKEY *key, struct bytes text,
    struct bytes signature)
{
	unsigned char *der;
	bool good;
	int n;

	if (a->half == 0)
		return check(a, key, text, signature);
	n = ecdsa_der(signature, a->half, &der);
	good = n > 0 && check(a, key, text, bytes_make(der, (size_t)n));
	OPENSSL_free(der);
	return good;
}
