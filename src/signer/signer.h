/*
 * signer: keys, what is done with them, and for whom.
 */
#ifndef SIGNER_H
#define SIGNER_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "config.h"
#include "sign.h"

/*
 * memory.c: all that OpenSSL allocates lies in pages that no other process, root
 * included, can read, where the kernel has such, and that are never swapped.
 * Before any other call of OpenSSL: 0, or -1 with errno.
 */
int memory_prepare(void);

/* keys.c */
#define PAIRS_MAX 64

struct pair {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) *chain;		/* the issuers that stand behind it */
};

struct keys {
	struct pair v[PAIRS_MAX];
	size_t n;
	bool wanted;			/* that there are none is worth a line */
};

/* Reads what the configuration names: 0, or -1 after a line in the log. */
int keys_read(const struct config *conf, struct keys *k);

/* Days until the first of them expires; 0 when one has. */
uint32_t keys_days(const struct keys *k);

/* A sealed descriptor with the certificates (sign.h), or -1 with errno. */
int keys_publish(const struct keys *k, size_t *size);

/* One line a pair: days left, names. */
void keys_print(const struct keys *k);

/* sign.c: 0, or -1: it is not for TLS, or no such key or scheme. */
int sign(const struct keys *k, const struct sign_req *q, struct sign_rep *rep);

/* tickets.c: reads the keys of tickets that all share, or makes a new one. */
void tickets_read(const char *run_dir);
int tickets_derive(const struct sign_req *q, struct sign_rep *rep);

/* serve.c: until nobody can ask any more. */
void serve(const struct keys *k, int chain, size_t chain_size);

#endif
