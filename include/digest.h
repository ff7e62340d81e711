/*
 * Digests and keyed digests (RFC 2104), for processes that hold no TLS library.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "bytes.h"

#define DIGEST_MAX 64
#define DIGEST_BLOCK_MAX 128

/* DIGESTS are fit to keep keys with; MD5 is for CRAM-MD5 and APOP only. */
enum digest { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGESTS,
    DIGEST_MD5 = DIGESTS };

size_t digest_size(enum digest d);

/* The digest of a and what follows it, b; digest_size(d) bytes. */
void digest_of(enum digest d, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_MAX]);

/* Equality of digests; how long it takes tells nothing of where they differ. */
bool digest_equal(struct bytes a, struct bytes b);

/* HMAC with this key of a and what follows it, b; wipes what it kept. */
void digest_hmac(enum digest d, struct bytes key, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_MAX]);

#endif
