/*
 * What a pass over a folder found, written to the index in the order of UIDs
 * and in transactions of bounded size.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lock.h"
#include "pass.h"

static int
grow(struct pass *p)
{
	size_t cap = p->cap_found == 0 ? 64 : p->cap_found * 2;
	struct found *v = reallocarray(p->found, cap, sizeof *v);

	if (v == NULL)
		return -1;
	p->found = v;
	p->cap_found = cap;
	p->where.max = PASS_NAMES;
	return 0;
}

bool
pass_full(const struct pass *p, const char *where)
{
	return p->n_found == PASS_FOUND
	    || p->where.len + strlen(where) > PASS_NAMES;
}

int
pass_add(struct pass *p, const struct found *f, const char *where)
{
	if (pass_full(p, where) && pass_flush(p) < 0)
		return -1;
	if (p->n_found == p->cap_found && grow(p) < 0)
		return -1;
	p->found[p->n_found] = *f;
	p->found[p->n_found].at = (uint32_t)p->where.len;
	p->found[p->n_found].n = (uint32_t)strlen(where);
	if (buf_add(&p->where, where, strlen(where)) < 0)
		return -1;
	p->n_found++;
	return 0;
}

static int
by_uid(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The order of what was found: UIDs in the upper half, places in the lower. */
static int
make_order(struct pass *p)
{
	uint64_t *order = reallocarray(NULL, p->n_found, sizeof *order);
	bool already = true;

	if (order == NULL)
		return -1;
	for (size_t i = 0; i < p->n_found; i++) {
		order[i] = (uint64_t)p->found[i].uid << 32 | i;
		already = already && (i == 0 || order[i] > order[i - 1]);
	}
	if (!already)
		qsort(order, p->n_found, sizeof *order, by_uid);
	p->order = order;
	return 0;
}

static bool
same_flags(const struct index_row *a, const struct index_row *b)
{
	return a->flags == b->flags
	    && memcmp(&a->keywords, &b->keywords, sizeof a->keywords) == 0;
}

/* What the index knew of the message's contents stays true. */
static int
write_row(struct pass *p, const struct found *f, const char *where,
    struct runs *added)
{
	struct bound *b = p->b;
	struct index_row old, row = { .uid = f->uid, .flags = f->flags,
	    .keywords = f->keywords, .mark = f->mark,
	    .size = INDEX_SIZE_UNKNOWN, .date = INDEX_DATE_UNKNOWN,
	    .saved = f->new ? time(NULL) : 0 };
	bool known = runs_contains(&p->have, f->uid);

	if (known && index_row(b->mail->db, b->rec.number, f->uid, &old) < 0)
		return -1;
	if (known) {
		row.size = old.size;
		row.date = old.date;
		row.saved = old.saved;
	} else if (runs_add(added, row.uid, row.uid) < 0) {
		return -1;
	}
	if (row.uid >= b->rec.uid_next)
		b->rec.uid_next = row.uid + 1;
	memcpy(row.where, where, f->n);
	/* Only moved: what clients know of it is true still. */
	if (known && !f->new && same_flags(&old, &row)) {
		row.modseq = old.modseq;
		return bound_put_facts(b, &old, &row);
	}
	return bound_put_row(b, known ? &old : NULL, &row, p->modseq);
}

typedef int write_fn(struct pass *p, size_t i, struct runs *added);

static int
write_some(struct pass *p, size_t first, size_t n, write_fn *one)
{
	struct runs added = RUNS_INIT;
	int rc = bound_begin(p->b);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = one(p, first + i, &added);
	if (rc == 0)
		rc = index_runs_change(p->b->mail->db, p->b->rec.number, &added,
		    NULL);
	if (rc == 0)
		rc = bound_commit(p->b);
	else
		bound_abort(p->b);
	/* What is written is known, should it be found once more. */
	for (size_t i = 0; rc == 0 && i < added.n; i++)
		rc = runs_add(&p->have, added.v[i].first, added.v[i].last);
	runs_free(&added);
	return rc;
}

static int
write_all(struct pass *p, size_t n, write_fn *one)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i += PASS_ROWS) {
		/* Others of the user who write have their turn in between. */
		if (p->wrote)
			lock_pause();
		rc = write_some(p, i, n - i < PASS_ROWS ? n - i : PASS_ROWS, one);
		p->wrote = true;
		store_progress(p->b->folder->store, p->b->rec.messages,
		    p->claims + p->n + p->have.count);
	}
	return rc;
}

static int
write_found(struct pass *p, size_t i, struct runs *added)
{
	const struct found *f = &p->found[p->order[i] & UINT32_MAX];

	return write_row(p, f, (const char *)p->where.data + f->at, added);
}

int
pass_flush(struct pass *p)
{
	int rc;

	if (p->n_found == 0)
		return 0;
	if (pass_modseq(p) < 0 || make_order(p) < 0)
		return -1;
	rc = write_all(p, p->n_found, write_found);
	free(p->order);
	p->order = NULL;
	p->n_found = 0;
	buf_clear(&p->where);
	return rc;
}

static int
write_given(struct pass *p, size_t i, struct runs *added)
{
	const struct newcomer *v = &p->newcomers[i];
	struct found f = { .uid = v->uid, .flags = v->flags,
	    .keywords = { { v->letters } }, .mark = v->mark, .n = v->n,
	    .new = true };

	if (i + PASS_AHEAD < p->n)
		pass_fetch(p, &v[PASS_AHEAD]);
	return v->given ? write_row(p, &f, (const char *)p->names.data + v->at,
	    added) : 0;
}

int
pass_write_given(struct pass *p)
{
	return p->n_given == 0 ? 0 : write_all(p, p->n, write_given);
}
