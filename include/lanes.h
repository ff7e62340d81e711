/*
 * Sixteen bytes at a time, with what every compiler of ours has: operators go
 * lane by lane, and a true comparison is -1 in its lane.
 */
#ifndef LANES_H
#define LANES_H

#include "bytes.h"

#define LANES 16

typedef unsigned char lanes __attribute__((vector_size(LANES)));

static inline lanes
lanes_load(const unsigned char *p)
{
	lanes v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* True when a bit of any lane is set. */
static inline bool
lanes_any(lanes v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof half);
	return (half[0] | half[1]) != 0;
}

/* A bit for each lane of a comparison, the first lane's lowest: by multiplying. */
static inline unsigned
lanes_bits_summed(lanes v)
{
	const lanes weights = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
	uint64_t half[2];

	v &= weights;
	memcpy(half, &v, sizeof half);
	for (int i = 0; i < 2; i++)	/* the sum of eight bytes is in the highest */
		half[i] = (half[i] * 0x0101010101010101) >> 56;
	return (unsigned)(half[0] | half[1] << 8);
}

/* The same, by the instruction for it where there is one. */
static inline unsigned
lanes_bits(lanes v)
{
#ifdef __SSE2__
	typedef char signed_lanes __attribute__((vector_size(LANES)));

	return (unsigned)__builtin_ia32_pmovmskb128((signed_lanes)v);
#else
	return lanes_bits_summed(v);
#endif
}

#endif
