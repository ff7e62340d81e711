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

#endif
