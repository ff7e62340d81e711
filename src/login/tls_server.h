/*
 * Inside of tls.c and tls_keys.c.
 */
#ifndef LOGIN_TLS_SERVER_H
#define LOGIN_TLS_SERVER_H

#include <openssl/ssl.h>

#include "tls.h"

#define TLS_PAIRS_MAX 4			/* ECDSA and RSA, and room to change them */

struct tls_pair {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) *chain;		/* the issuers that stand behind it */
};

struct tls_server {
	SSL_CTX *context;
	struct tls_pair pair[TLS_PAIRS_MAX];
	size_t pairs;
};

/* Fills s->pair from PEM text: 0, or -1 with one line in *why. */
int tls_keys_read(struct tls_server *s, struct bytes pem, const char **why);

/* Gives them to one connection. 0, or -1. */
int tls_keys_use(const struct tls_server *s, SSL *ssl);

void tls_keys_free(struct tls_server *s);

/* Why the last call of OpenSSL failed; valid until the next time. tls_why.c */
const char *tls_why(void);

#endif
