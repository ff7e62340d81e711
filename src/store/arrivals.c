/*
 * What is known of the folders' new/ directories.
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>

#include "arrivals.h"

static const struct arrival *
entries(const struct buf *b)
{
	return (const void *)b->data;
}

static size_t
count(const struct buf *b)
{
	return b->len / sizeof(struct arrival);
}

static int
by_dir(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return x->dir < y->dir ? -1 : x->dir > y->dir;
}

static bool
in_order(const struct buf *b)
{
	for (size_t i = 1; i < count(b); i++)
		if (by_dir(&entries(b)[i - 1], &entries(b)[i]) >= 0)
			return false;
	return true;
}

void
arrivals_begin(struct arrivals *a)
{
	if (a->known.len % sizeof(struct arrival) != 0 || !in_order(&a->known))
		buf_clear(&a->known);
}

static void
meet(struct arrivals *a, const struct arrival *e)
{
	if (count(&a->now) < ARRIVALS_MAX)
		buf_add(&a->now, e, sizeof *e);
}

bool
arrivals_same(struct arrivals *a, uint64_t dir, const struct stamp_part *new,
    bool *found)
{
	struct arrival key = { .dir = dir };
	const struct arrival *e = a->known.len == 0 ? NULL
	    : bsearch(&key, a->known.data, count(&a->known), sizeof key, by_dir);

	if (e == NULL || e->inode != new->inode || e->sec != new->sec
	    || e->nsec != new->nsec)
		return false;
	meet(a, e);
	*found = e->found != 0;
	return true;
}

void
arrivals_note(struct arrivals *a, uint64_t dir, const struct stamp_part *new,
    bool found)
{
	struct arrival e = { dir, new->inode, new->sec, new->nsec, found };

	if (!new->firm || count(&a->now) >= ARRIVALS_MAX)
		return;
	a->changed = true;
	meet(a, &e);
}

bool
arrivals_end(struct arrivals *a)
{
	if (!a->changed || a->now.error != 0)
		return false;
	if (a->now.len > 0)
		qsort(a->now.data, count(&a->now), sizeof(struct arrival), by_dir);
	return true;
}

void
arrivals_free(struct arrivals *a)
{
	buf_free(&a->known);
	buf_free(&a->now);
}
