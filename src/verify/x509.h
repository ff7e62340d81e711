/*
 * x509: the verifier of EXTERNAL, by clients' certificates.
 */
#ifndef VERIFY_X509_H
#define VERIFY_X509_H

#include <openssl/x509.h>

#include "buf.h"
#include "verifier.h"
#include "witness.h"

#define X509_ISSUERS_MAX 100
#define X509_CHAIN_MAX 10		/* certificates that a client sends */

extern const struct verify_program x509_verifier;

/*
 * Did a client prove in this handshake of TLS 1.3, its messages one behind the
 * other, that its certificate is its own? And was it a handshake with us: the
 * server's signature in it is the one whose witness that is. NULL, and then the
 * certificates are in *chain, the client's own first; or why not.
 */
const char *x509_proof(struct bytes handshake,
    const unsigned char witness[WITNESS_SIZE], STACK_OF(X509) **chain);

/*
 * What a certificate says of its owner, a line each: "sha256:" and its digest,
 * "subject:", any number of "email:". A line that no secret could be, or that
 * has no room in out, is left out.
 */
void x509_names(const X509 *x, struct buf *out);

#endif
