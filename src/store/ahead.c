/*
 * Columns read ahead.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "ahead.h"

/* A step from UID to UID that still counts as going through the mailbox. */
#define STEP_MAX 8

static int
fill(struct ahead *h, struct db *d, uint32_t number, unsigned column, uint32_t uid)
{
	h->n = h->at = 0;
	h->first = 0;
	if (index_columns(d, number, column, uid, h->bytes, sizeof h->bytes, h->v,
	    AHEAD_COLUMNS, &h->n, &h->through) < 0)
		return -1;
	h->first = uid;
	return 0;
}

/* UIDs ascend as a rule, so the place of the last one is near. */
static int
look_up(struct ahead *h, uint32_t uid, struct bytes *out)
{
	while (h->at > 0 && h->v[h->at - 1].uid >= uid)
		h->at--;
	while (h->at < h->n && h->v[h->at].uid < uid)
		h->at++;
	if (h->at == h->n || h->v[h->at].uid != uid)
		return 0;
	*out = bytes_make(h->bytes + h->v[h->at].at, h->v[h->at].n);
	return 1;
}

int
ahead_column(struct aheads *a, struct db *d, uint32_t number, unsigned column,
    uint32_t uid, struct bytes *out)
{
	struct ahead *h = a->of[column];
	uint32_t before = a->asked[column];

	a->asked[column] = uid;
	if (h != NULL && h->first != 0 && uid >= h->first && uid <= h->through)
		return look_up(h, uid, out);
	if (before == 0 || uid <= before || uid - before > STEP_MAX)
		return AHEAD_UNKNOWN;
	if (h == NULL && (h = a->of[column] = malloc(sizeof *h)) == NULL)
		return AHEAD_UNKNOWN;
	if (fill(h, d, number, column, uid) < 0)
		return errno == EIO ? 0 : -1;
	return uid <= h->through ? look_up(h, uid, out) : AHEAD_UNKNOWN;
}

void
ahead_free(struct aheads *a)
{
	for (unsigned i = 0; i < COLUMN_END; i++)
		free(a->of[i]);
	*a = (struct aheads){ 0 };
}
