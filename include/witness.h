/*
 * What the signer remembers of a signature, by which a verifier knows it again.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "bytes.h"

#define WITNESS_SIZE 32

/* The digest of scheme, input and signature: 0, or -1. Needs libcrypto. */
int witness_make(uint32_t scheme, struct bytes input, struct bytes signature,
    unsigned char out[WITNESS_SIZE]);

#endif
