/*
 * Signs what a TLS server signs in its handshake, and nothing else.
 * Runs as: _mailreeve.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "bytes.h"
#include "schemes.h"
#include "signer.h"

#define RANDOMS_SIZE 64			/* client's and server's */
#define CURVE_HEAD_SIZE 4		/* type, named curve, length of the point */
#define NAMED_CURVE 3
#define PAD_SIZE 64
#define HASH_MIN 32
#define HASH_MAX 64

/* RFC 8446 section 4.4.3, with the NUL behind the context. */
static const char context[] = "TLS 1.3, server CertificateVerify";

static bool
is_certificate_verify(struct bytes b)
{
	size_t head = PAD_SIZE + sizeof context;

	if (b.n < head + HASH_MIN || b.n > head + HASH_MAX)
		return false;
	for (size_t i = 0; i < PAD_SIZE; i++)
		if (b.p[i] != ' ')
			return false;
	return memcmp(b.p + PAD_SIZE, context, sizeof context) == 0;
}

/* RFC 8422 section 5.4: randoms and ECDHE parameters. */
static bool
is_server_key_exchange(struct bytes b)
{
	return b.n > RANDOMS_SIZE + CURVE_HEAD_SIZE
	    && b.p[RANDOMS_SIZE] == NAMED_CURVE
	    && b.n == RANDOMS_SIZE + CURVE_HEAD_SIZE + (size_t)b.p[RANDOMS_SIZE + 3];
}

static const struct scheme *
find(const struct keys *k, const struct sign_req *q)
{
	for (size_t i = 0; q->key < k->n && i < SCHEMES_MAX; i++)
		if (schemes[i].number == q->scheme
		    && EVP_PKEY_is_a(k->v[q->key].key, schemes[i].type))
			return &schemes[i];
	return NULL;
}

static int
digest_sign(EVP_MD_CTX *md, EVP_PKEY *key, const struct scheme *s,
    struct bytes input, struct sign_rep *rep)
{
	size_t n = sizeof rep->p;
	EVP_PKEY_CTX *c;

	if (EVP_DigestSignInit_ex(md, &c, s->digest[0] == '\0' ? NULL : s->digest,
	    NULL, NULL, key, NULL) != 1)
		return -1;
	if (s->pss && (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) != 1
	    || EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) != 1))
		return -1;
	if (EVP_DigestSign(md, rep->p, &n, input.p, input.n) != 1)
		return -1;
	rep->n = (uint32_t)n;
	return 0;
}

int
sign(const struct keys *k, const struct sign_req *q, struct sign_rep *rep)
{
	struct bytes input = bytes_make(q->p, q->n);
	const struct scheme *s;
	EVP_MD_CTX *md;
	int r;

	if (q->n > sizeof q->p || (s = find(k, q)) == NULL
	    || (!is_certificate_verify(input) && !is_server_key_exchange(input)))
		return -1;
	md = EVP_MD_CTX_new();
	r = md == NULL ? -1 : digest_sign(md, k->v[q->key].key, s, input, rep);
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return r;
}
