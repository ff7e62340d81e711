/*
 * Private keys that the signer has: to OpenSSL they look like any other.
 */
#ifndef LOGIN_TLS_REMOTE_H
#define LOGIN_TLS_REMOTE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "bytes.h"
#include "sign.h"

/* 0, or -1 when OpenSSL takes no provider. */
int remote_prepare(void);

/* Which link is asked from now on, -1: none. */
void remote_link(int fd);

/* The key of the certificate, which the signer knows by this number; or NULL. */
EVP_PKEY *remote_key(X509 *certificate, uint32_t number);

/* One request on the link: 0, or -1: no answer, or no good one. */
int remote_ask(struct sign_req *q, struct sign_rep *rep);

/* Did the last request of this link get no answer at all? */
bool remote_silent(void);

/*
 * Asks without waiting: rep has the answer after remote_hear_ahead() or the next
 * remote_ask(), or n 0 when there is no good one.
 */
void remote_ask_ahead(const struct sign_req *q, struct sign_rep *rep);
void remote_hear_ahead(void);

/* The certificates, mapped: none on failure. */
struct bytes remote_chain(int link);

#endif
