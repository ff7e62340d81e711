/*
 * A table from 64-bit hashes to 32-bit numbers.
 *
 * Keys are hashes that a sender of mail could choose, so a secret of the
 * process decides their places.
 */
#ifndef HASHES_H
#define HASHES_H

#include "bytes.h"

#define HASHES_NONE UINT32_MAX

struct hashes {
	struct hashes_slot *slot;
	size_t used;
	unsigned bits;		/* there are 2^bits slots */
	uint64_t secret;
};

/* Room for about n keys; it grows. 0, or -1 with errno. */
int hashes_init(struct hashes *h, size_t n);
void hashes_free(struct hashes *h);

/*
 * Where the number of key stands, made as HASHES_NONE when it was not there.
 * key is not 0. NULL with errno; valid until the next call.
 */
uint32_t *hashes_at(struct hashes *h, uint64_t key);

/*
 * The hash of a text, never 0. It is kept in columns: another function would
 * need another version of them.
 */
uint64_t hash_bytes(struct bytes b);

#endif
