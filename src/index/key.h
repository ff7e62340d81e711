/*
 * Keys of the index: numbers in big-endian order, so that they sort.
 */
#ifndef INDEX_KEY_H
#define INDEX_KEY_H

#include "bytes.h"

#define KEY_MAX 24

struct key {
	unsigned char p[KEY_MAX];
	size_t n;
};

static inline void
key_add(struct key *k, uint64_t v, unsigned size)
{
	while (size-- > 0)
		k->p[k->n++] = (unsigned char)(v >> 8 * size);
}

static inline struct key
key_32(uint32_t a)
{
	struct key k = { .n = 0 };

	key_add(&k, a, 4);
	return k;
}

static inline struct key
key_32_32(uint32_t a, uint32_t b)
{
	struct key k = key_32(a);

	key_add(&k, b, 4);
	return k;
}

static inline struct key
key_32_64_32(uint32_t a, uint64_t b, uint32_t c)
{
	struct key k = key_32(a);

	key_add(&k, b, 8);
	key_add(&k, c, 4);
	return k;
}

static inline struct key
key_32_8_32(uint32_t a, unsigned b, uint32_t c)
{
	struct key k = key_32(a);

	key_add(&k, b, 1);
	key_add(&k, c, 4);
	return k;
}

static inline uint64_t
key_number(struct bytes key, size_t at, unsigned size)
{
	uint64_t v = 0;

	if (at + size > key.n)
		return 0;
	while (size-- > 0)
		v = v << 8 | key.p[at++];
	return v;
}

/* The four octets at `at`, which many keys are looked at for; 0 where there are less. */
static inline uint32_t
key_word(struct bytes key, size_t at)
{
	const unsigned char *p = key.p + at;

	return at + 4 > key.n ? 0
	    : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline struct bytes
key_bytes(const struct key *k)
{
	return (struct bytes){ k->p, k->n };
}

#endif
