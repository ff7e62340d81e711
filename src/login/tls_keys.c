/*
 * Certificates and private keys from PEM text.
 * Runs as: _mailreeve.
 *
 * The text may hold several keys, each with its certificate and that one's
 * issuers, in the order of certificates: leaf, issuers, next leaf, issuers.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls_keys.h"

#define PAIRS_MAX 4			/* ECDSA and RSA, and room to change them */
#define CERTIFICATES_MAX 32

struct pair {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) *chain;		/* the issuers that stand behind it */
};

struct pairs {
	struct pair v[PAIRS_MAX];
	size_t n;
};

/* A key under a pass phrase cannot be used; nobody is there to ask. */
static int
no_phrase(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return -1;
}

static int
read_keys(struct pairs *s, struct bytes pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key;

	while (in != NULL && s->n < PAIRS_MAX
	    && (key = PEM_read_bio_PrivateKey(in, NULL, no_phrase, NULL)) != NULL)
		s->v[s->n++].key = key;
	BIO_free(in);
	return s->n > 0 ? 0 : -1;
}

/* The pair whose key belongs to the certificate, or NULL. */
static struct pair *
pair_of(struct pairs *s, X509 *x)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].certificate == NULL
		    && X509_check_private_key(x, s->v[i].key) == 1)
			return &s->v[i];
	return NULL;
}

/* Takes x over. A certificate of none of the keys is an issuer. */
static int
place(struct pairs *s, struct pair **now, X509 *x)
{
	struct pair *leaf = pair_of(s, x);

	if (leaf != NULL) {
		leaf->certificate = x;
		*now = leaf;
		return 0;
	}
	if (*now != NULL && (*now)->chain == NULL)
		(*now)->chain = sk_X509_new_null();
	if (*now == NULL || (*now)->chain == NULL
	    || sk_X509_push((*now)->chain, x) == 0) {
		X509_free(x);
		return -1;
	}
	return 0;
}

static int
read_certificates(struct pairs *s, struct bytes pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	struct pair *now = NULL;
	X509 *x;
	int r = 0;

	for (int i = 0; in != NULL && r == 0 && i < CERTIFICATES_MAX; i++) {
		x = PEM_read_bio_X509(in, NULL, no_phrase, NULL);
		if (x == NULL)
			break;
		r = place(s, &now, x);
	}
	BIO_free(in);
	return now != NULL ? r : -1;
}

/* A key without a certificate is of no use; it is left out. */
static void
drop_lonely(struct pairs *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].certificate != NULL)
			s->v[n++] = s->v[i];
		else
			EVP_PKEY_free(s->v[i].key);
	s->n = n;
}

static void
free_pairs(struct pairs *s)
{
	for (size_t i = 0; i < s->n; i++) {
		EVP_PKEY_free(s->v[i].key);
		X509_free(s->v[i].certificate);
		sk_X509_pop_free(s->v[i].chain, X509_free);
	}
}

static int
use_pairs(const struct pairs *s, SSL *ssl)
{
	for (size_t i = 0; i < s->n; i++)
		if (SSL_use_cert_and_key(ssl, s->v[i].certificate, s->v[i].key,
		    s->v[i].chain, 1) != 1)
			return -1;
	return 0;
}

int
tls_keys(SSL *ssl, struct bytes pem, const char **why)
{
	struct pairs s = { 0 };

	*why = NULL;
	if (read_keys(&s, pem) < 0)
		*why = "no private key in tls-key, or one under a pass phrase";
	else if (read_certificates(&s, pem) < 0)
		*why = "the first certificate in tls-certificate is not the key's";
	/* The end of the text is an error to PEM_read_bio(). */
	ERR_clear_error();
	drop_lonely(&s);
	if (*why == NULL && use_pairs(&s, ssl) < 0)
		*why = tls_why();
	free_pairs(&s);
	return *why == NULL ? 0 : -1;
}
