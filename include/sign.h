/*
 * Messages to the signer, the only process that has the private keys of TLS.
 *
 * Its door (control.h) takes one end of a SOCK_SEQPACKET pair for each
 * connection, a link, with one byte. On a link login sends one struct sign_req
 * a time, and gets one struct sign_rep; each request has a limit for the life
 * of the link, and whatever is over that, or is no request, ends it.
 *
 * At its door the signer says once, when its keys are good, how many
 * certificates it has; it ends when they are not.
 */
#ifndef SIGN_H
#define SIGN_H

#include <stdint.h>

#define SIGN_INPUT_MAX 256
#define SIGNATURE_MAX 1024		/* RSA with 8192 bits */
#define TICKET_NAME_SIZE 16
#define TICKET_KEYS_SIZE 64		/* AES-256, HMAC-SHA-256 */

enum sign_request {
	/*
	 * The answer has a descriptor, and n is the size of what is there: one
	 * record a certificate, its struct sign_certificate and its DER, in the order of pairs and,
	 * in a pair, of the chain.
	 */
	SIGN_CHAIN = 1,
	/*
	 * p is what TLS signs: the signer makes sure that it is. key is the
	 * number of the pair, scheme the SignatureScheme of TLS.
	 */
	SIGN_SIGN,
	/*
	 * The keys of the session ticket whose name is p, or, with n 0, of a new
	 * one, whose name comes behind its keys.
	 */
	SIGN_TICKET,
	/*
	 * What was signed on this link: the answer is its witness (witness.h), or
	 * not good when nothing was. A verifier asks that of the link of a login
	 * that it does not believe.
	 */
	SIGN_SIGNED,
	SIGN_REQUEST_END
};

struct sign_req {
	uint32_t type;			/* enum sign_request */
	uint32_t key;
	uint32_t scheme;
	uint32_t n;
	unsigned char p[SIGN_INPUT_MAX];
};

struct sign_rep {
	uint32_t type;			/* of the request */
	uint32_t good;			/* 0 or 1 */
	uint32_t n;
	unsigned char p[SIGNATURE_MAX];
};

struct sign_certificate {
	uint32_t pair;
	uint32_t n;			/* octets of DER that follow */
};

/* How often each may be asked on one link: a handshake needs one signature. */
#define SIGN_CHAINS_MAX 1
#define SIGN_SIGNATURES_MAX 1
#define SIGN_TICKETS_MAX 4
#define SIGN_SIGNED_MAX 64

struct sign_ready {
	uint32_t certificates;
	uint32_t days;			/* that the first to expire has left */
};

#endif
