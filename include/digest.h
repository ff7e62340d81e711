/*
 * Digests and keyed digests (RFC 2104), for processes that hold no TLS library.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "bytes.h"

#define DIGEST_MAX 64
#define DIGEST_BLOCK_MAX 128

enum digest { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGESTS };

size_t digest_size(enum digest d);

/* The digest of all of text; digest_size(d) bytes. */
void digest_of(enum digest d, struct bytes text, unsigned char out[DIGEST_MAX]);

/* HMAC with this key of a and what follows it, b; wipes what it kept. */
void digest_hmac(enum digest d, struct bytes key, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_MAX]);

#endif
