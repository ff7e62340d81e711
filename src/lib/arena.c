/*
 * Memory that lives as long as one command.
 * Runs as: any user.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define BLOCK_SIZE ((size_t)8192)	/* what an idle session may keep */

struct arena_block {
	struct arena_block *below;
	size_t size;			/* bytes in data */
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

static size_t
aligned(size_t n)
{
	size_t a = alignof(max_align_t);

	return (n + a - 1) / a * a;
}

static struct arena_block *
push_block(struct arena *a, size_t need)
{
	size_t size = need > BLOCK_SIZE ? need : BLOCK_SIZE;
	struct arena_block *b = malloc(sizeof *b + size);

	if (b == NULL)
		return NULL;
	b->size = size;
	b->used = 0;
	b->below = a->top;
	a->top = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->top;
	void *p;

	if (n > a->max || a->used > a->max - n) {
		errno = E2BIG;
		return NULL;
	}
	n = aligned(n == 0 ? 1 : n);
	if (b == NULL || b->size - b->used < n)
		b = push_block(a, n);
	if (b == NULL)
		return NULL;
	p = b->data + b->used;
	b->used += n;
	a->used += n;
	return memset(p, 0, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n)) {
		errno = E2BIG;
		return NULL;
	}
	return arena_alloc(a, n);
}

unsigned char *
arena_copy(struct arena *a, struct bytes b)
{
	unsigned char *p = arena_alloc(a, b.n + 1);

	if (p != NULL && b.n > 0)
		memcpy(p, b.p, b.n);
	return p;
}

static void
pop_blocks(struct arena *a, bool wipe, bool keep_one)
{
	struct arena_block *b;

	while ((b = a->top) != NULL) {
		if (wipe)
			explicit_bzero(b->data, b->used);
		if (keep_one && b->below == NULL && b->size == BLOCK_SIZE) {
			b->used = 0;
			break;
		}
		a->top = b->below;
		free(b);
	}
	a->used = 0;
}

void
arena_reset(struct arena *a)
{
	pop_blocks(a, false, true);
}

void
arena_wipe(struct arena *a)
{
	pop_blocks(a, true, true);
}

void
arena_free(struct arena *a)
{
	pop_blocks(a, false, false);
}
