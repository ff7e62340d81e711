/*
 * Inside of TLS: tls.c, tls_keys.c, tls_binding.c, tls_client.c, tls_why.c.
 */
#ifndef LOGIN_TLS_KEYS_H
#define LOGIN_TLS_KEYS_H

#include <openssl/ssl.h>

#include "tls.h"

struct tls {
	SSL *ssl;
	const char *alpn;
	short wants;
	unsigned char end_point[TLS_BINDING_MAX];	/* tls-server-end-point */
	int end_point_size;		/* or -1 */
	bool client_unknown;		/* its certificate is none of ours */
};

/* Keeps what binds to the certificate, as long as that is there. */
void tls_bind(struct tls *t);

/*
 * Gives certificates and keys from PEM text to a connection, which alone
 * keeps them. 0, or -1 with one line in *why.
 */
int tls_keys(SSL *ssl, struct bytes pem, const char **why);

/* Why the last call of OpenSSL failed; valid until the next time. */
const char *tls_why(void);

#endif
