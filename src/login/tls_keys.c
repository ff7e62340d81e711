/*
 * Certificates and private keys from PEM text.
 * Runs as: _mailreeve.
 *
 * The text may hold several keys, each with its certificate and that one's
 * issuers, in the order of certificates: leaf, issuers, next leaf, issuers.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls_server.h"

#define CERTIFICATES_MAX 32

/* A key under a pass phrase cannot be used; nobody is there to ask. */
static int
no_phrase(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return -1;
}

static int
read_keys(struct tls_server *s, struct bytes pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key;

	while (in != NULL && s->pairs < TLS_PAIRS_MAX
	    && (key = PEM_read_bio_PrivateKey(in, NULL, no_phrase, NULL)) != NULL)
		s->pair[s->pairs++].key = key;
	BIO_free(in);
	return s->pairs > 0 ? 0 : -1;
}

/* The pair whose key belongs to the certificate, or NULL. */
static struct tls_pair *
pair_of(struct tls_server *s, X509 *x)
{
	for (size_t i = 0; i < s->pairs; i++)
		if (s->pair[i].certificate == NULL
		    && X509_check_private_key(x, s->pair[i].key) == 1)
			return &s->pair[i];
	return NULL;
}

/* Takes x over. A certificate of none of the keys is an issuer. */
static int
place(struct tls_server *s, struct tls_pair **now, X509 *x)
{
	struct tls_pair *leaf = pair_of(s, x);

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
read_certificates(struct tls_server *s, struct bytes pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	struct tls_pair *now = NULL;
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
drop_lonely(struct tls_server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->pairs; i++)
		if (s->pair[i].certificate != NULL)
			s->pair[n++] = s->pair[i];
		else
			EVP_PKEY_free(s->pair[i].key);
	s->pairs = n;
}

int
tls_keys_read(struct tls_server *s, struct bytes pem, const char **why)
{
	*why = NULL;
	if (read_keys(s, pem) < 0)
		*why = "no private key in tls-key, or one under a pass phrase";
	else if (read_certificates(s, pem) < 0)
		*why = "the first certificate in tls-certificate is not the key's";
	/* The end of the text is an error to PEM_read_bio(). */
	ERR_clear_error();
	drop_lonely(s);
	return *why == NULL ? 0 : -1;
}

int
tls_keys_use(const struct tls_server *s, SSL *ssl)
{
	for (size_t i = 0; i < s->pairs; i++)
		if (SSL_use_cert_and_key(ssl, s->pair[i].certificate,
		    s->pair[i].key, s->pair[i].chain, 1) != 1)
			return -1;
	return 0;
}

void
tls_keys_free(struct tls_server *s)
{
	for (size_t i = 0; i < s->pairs; i++) {
		EVP_PKEY_free(s->pair[i].key);
		X509_free(s->pair[i].certificate);
		sk_X509_pop_free(s->pair[i].chain, X509_free);
	}
	s->pairs = 0;
}
