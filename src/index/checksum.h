/*
 * The checksum of what stands in the index, for those who look at very many of
 * one known length: db_checksum() is the same.
 */
#ifndef INDEX_CHECKSUM_H
#define INDEX_CHECKSUM_H

#include <stdint.h>
#include <string.h>

#define CHECK_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t
check_add(uint64_t h, const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (h ^ v) * CHECK_FACTOR;
}

static inline uint64_t
check_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * CHECK_FACTOR;
	return h ^ h >> 29;
}

/*
 * Each step can be undone, so that what differs in one word differs in the end.
 * Four lanes, because multiplications need not wait for each other.
 */
static inline __attribute__((always_inline)) uint32_t
checksum(const void *p, size_t n)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, h = n * CHECK_FACTOR, v = 0;
	const unsigned char *at = p;

	for (; n >= 4 * sizeof v; n -= 4 * sizeof v, at += 4 * sizeof v) {
		a = check_add(a, at);
		b = check_add(b, at + sizeof v);
		c = check_add(c, at + 2 * sizeof v);
		d = check_add(d, at + 3 * sizeof v);
	}
	h = check_mix(check_mix(check_mix(check_mix(h, a), b), c), d);
	for (; n >= sizeof v; n -= sizeof v, at += sizeof v) {
		h = check_add(h, at);
		h ^= h >> 29;
	}
	if (n > 0) {
		memcpy(&v, at, n);
		h = (h ^ v) * CHECK_FACTOR;
	}
	return (uint32_t)(h >> 32);
}

#endif
