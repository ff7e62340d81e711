/*
 * Inside of TLS: the files tls*.c.
 */
#ifndef LOGIN_TLS_PRIVATE_H
#define LOGIN_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "buf.h"
#include "tls.h"

struct tls {
	SSL *ssl;
	const char *alpn;
	short wants;
	unsigned fruitless;		/* calls that read all they may, and no data */
	unsigned char end_point[TLS_BINDING_MAX];	/* tls-server-end-point */
	int end_point_size;		/* 0, -1: there is none */
	bool bound;			/* it is of this handshake's certificate */
	bool client_unknown;		/* its certificate is none of ours */
	int client_error;		/* X509_V_ERR_*: the first thing wrong with it */
	struct buf handshake;		/* where clients' certificates count: all its messages */
};

/* The handshake is over: it is kept if somebody may ask for it. */
void tls_client_done(struct tls *t);

/* Finds out what binds to the certificate, unless a ticket said so. */
void tls_bind(struct tls *t);

/*
 * tls_chain.c: asks the signer for its certificates and makes contexts of them.
 * 0, or -1 with one line in *why, NULL when there is no signer.
 */
int chain_load(int link, SSL_CTX *(*make)(const char *minimum),
    const char *minimum, const char **why);

/* All of them: NULL behind the last. */
SSL_CTX *chain_nth(size_t i);

/* The one for a host, NULL: not told which; NULL when there are none. */
SSL_CTX *chain_context(const char *host);

/* tls_tickets.c: 0, or -1. */
int tickets_offer(SSL_CTX *c);
/* What the tickets of one connection are made with, asked for ahead. */
void tickets_ask(void);
void tickets_forget(void);

/* Why the last call of OpenSSL failed; valid until the next time. */
const char *tls_why(void);

#endif
