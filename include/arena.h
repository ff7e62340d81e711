/*
 * Memory that lives as long as one command and is given back all at once.
 *
 * An arena has a hard limit. Pointers into it die at arena_reset(). After a
 * reset at most one small block is kept, so that an idle session is small.
 */
#ifndef ARENA_H
#define ARENA_H

#include "bytes.h"

struct arena_block;

struct arena {
	struct arena_block *top;
	size_t used;			/* bytes handed out since the last reset */
	size_t max;
};

#define ARENA_INIT(maximum) ((struct arena){ .max = (maximum) })

/*
 * n zeroed bytes, aligned for any object; NULL with errno ENOMEM or E2BIG
 * (the arena's limit).
 */
void *arena_alloc(struct arena *a, size_t n);

/* An array of count zeroed elements of the given size; checks the product. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of b with a NUL behind it; NULL as above. */
unsigned char *arena_copy(struct arena *a, struct bytes b);

/* Gives all of it back. The wiping form overwrites it first. */
void arena_reset(struct arena *a);
void arena_wipe(struct arena *a);

/* Gives back also the block that reset keeps. */
void arena_free(struct arena *a);

#endif
