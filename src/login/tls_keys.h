/*
 * Inside of TLS: tls.c, tls_keys.c, tls_why.c.
 */
#ifndef LOGIN_TLS_KEYS_H
#define LOGIN_TLS_KEYS_H

#include <openssl/ssl.h>

#include "bytes.h"

/*
 * Gives certificates and keys from PEM text to a connection, which alone
 * keeps them. 0, or -1 with one line in *why.
 */
int tls_keys(SSL *ssl, struct bytes pem, const char **why);

/* Why the last call of OpenSSL failed; valid until the next time. */
const char *tls_why(void);

#endif
