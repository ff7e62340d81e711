/*
 * A table from 64-bit hashes to 32-bit numbers, with open addressing.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "hashes.h"

struct hashes_slot {
	uint64_t key;		/* 0: empty */
	uint32_t number;
};

#define HASHES_BITS_MIN 8
#define HASHES_BITS_MAX 32

static int
allocate(struct hashes *h, unsigned bits)
{
	if (bits > HASHES_BITS_MAX) {
		errno = E2BIG;
		return -1;
	}
	h->slot = calloc((size_t)1 << bits, sizeof(*h->slot));
	h->bits = bits;
	h->used = 0;
	return h->slot == NULL ? -1 : 0;
}

int
hashes_init(struct hashes *h, size_t n)
{
	unsigned bits = HASHES_BITS_MIN;

	while (bits < HASHES_BITS_MAX && (size_t)1 << bits < n + n / 2)
		bits++;
	arc4random_buf(&h->secret, sizeof(h->secret));
	h->secret |= 1;
	return allocate(h, bits);
}

void
hashes_free(struct hashes *h)
{
	free(h->slot);
	h->slot = NULL;
}

static struct hashes_slot *
find(const struct hashes *h, uint64_t key)
{
	size_t mask = ((size_t)1 << h->bits) - 1;
	size_t i = (size_t)((key ^ key >> 32) * h->secret >> (64 - h->bits));

	while (h->slot[i].key != 0 && h->slot[i].key != key)
		i = (i + 1) & mask;
	return &h->slot[i];
}

static int
grow(struct hashes *h)
{
	struct hashes old = *h;
	size_t i, n = (size_t)1 << old.bits;

	if (allocate(h, old.bits + 1) == -1) {
		*h = old;
		return -1;
	}
	for (i = 0; i < n; i++)
		if (old.slot[i].key != 0)
			*find(h, old.slot[i].key) = old.slot[i];
	h->used = old.used;
	free(old.slot);
	return 0;
}

uint32_t *
hashes_at(struct hashes *h, uint64_t key)
{
	struct hashes_slot *s = find(h, key);

	if (s->key == key)
		return &s->number;
	if (h->used >= ((size_t)3 << h->bits) / 4) {
		if (grow(h) == -1)
			return NULL;
		s = find(h, key);
	}
	h->used++;
	*s = (struct hashes_slot){ key, HASHES_NONE };
	return &s->number;
}

/* FNV-1a, with a last stir so that all bits depend on all bytes. */
uint64_t
hash_bytes(struct bytes b)
{
	uint64_t h = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < b.n; i++)
		h = (h ^ b.p[i]) * 0x100000001b3;
	h = (h ^ h >> 31) * 0x9e3779b97f4a7c15;
	h ^= h >> 29;
	return h != 0 ? h : 1;
}
