/*
 * Taking files in that have no UID of their own here.
 * Runs as: the mailbox owner.
 *
 * A UID stands in the file's name, durably, before the index and so any
 * client hears of it. Of many files at once it stands in a file of its own
 * (given.h) until their names are seen to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "pass.h"
#include "ranks.h"

/* In one call to give(). */
#define GIVE_BATCH ((size_t)512)

size_t pass_many = 1000;
size_t pass_newcomers = (size_t)1 << 18;

static const char *
where_is(const struct pass *p, const struct newcomer *n)
{
	return (const char *)p->names.data + n->at;
}

/* Conflicts seen in a directory that changed meanwhile may be no conflicts. */
static void
drop_conflicts(struct pass *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!p->newcomers[i].conflict)
			p->newcomers[kept++] = p->newcomers[i];
	p->n = kept;
}

/* ---- in the order of their coming ---- */

static int
by_locator(const void *a, const void *b, void *pass)
{
	const struct ranked *x = a, *y = b;
	const struct pass *p = pass;

	return strcmp(where_is(p, &p->newcomers[x->index]),
	    where_is(p, &p->newcomers[y->index]));
}

static struct ranked *
ages(struct pass *p, struct ranked *v)
{
	for (size_t i = 0; i < p->n; i++)
		v[i] = (struct ranked){ p->newcomers[i].age, (uint32_t)i };
	v = ranks_sort(v, v + p->n, p->n);
	ranks_ties(v, p->n, by_locator, p);
	return v;
}

static int
sort(struct pass *p)
{
	struct ranked *v = reallocarray(NULL, 2 * p->n, sizeof *v);
	struct newcomer *sorted = reallocarray(NULL, p->n, sizeof *sorted);

	if (v == NULL || sorted == NULL) {
		free(v);
		free(sorted);
		return -1;
	}

	const struct ranked *order = ages(p, v);

	for (size_t i = 0; i < p->n; i++)
		sorted[i] = p->newcomers[order[i].index];
	free(v);
	free(p->newcomers);
	p->newcomers = sorted;
	p->cap = p->n;
	return 0;
}

/* ---- their UIDs ---- */

static int
reserve(struct pass *p, struct newcomer *v, size_t n)
{
	uint32_t fresh = 0;

	for (size_t i = 0; i < n; i++)
		fresh += v[i].uid == 0;
	/* Claims that are not in the index yet are not given again. */
	if (p->highest >= p->b->rec.uid_next)
		p->b->rec.uid_next = p->highest + 1;
	if (bound_reserve(p->b, fresh, &p->modseq) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (v[i].uid == 0)
			v[i].uid = p->b->rec.uid_next++;
	return 0;
}

/* A folder that we may not change keeps its newcomers to itself. */
static int
refused(struct pass *p, int error)
{
	static bool told;

	if (error == ENOENT)
		return 0;
	if (!told)
		log_warn("mailbox \"%s\": new messages cannot be taken in: %s",
		    log_quote(bytes_of(p->b->folder->name)), strerror(error));
	told = true;
	p->stuck = true;
	return 0;
}

/* ---- a UID in the name ---- */

/* No row of a UID that is not on the disk is written. */
static int
flush(struct pass *p)
{
	if (p->n_found + p->n_given == 0)
		return 0;
	return p->b->folder->store->ops->durable(p->b->folder) < 0 ? -1
	    : pass_flush(p);
}

static int
add_row(struct pass *p, const struct change *c)
{
	struct found f = { .uid = c->uid, .flags = c->flags,
	    .keywords = c->keywords, .mark = c->mark, .new = true };

	if (pass_full(p, c->where) && flush(p) < 0)
		return -1;
	return pass_add(p, &f, c->where);
}

/*
 * Two files of one name but for its flags may be one that was renamed while we
 * looked; one name in new/ and in cur/ too, but such a rename fails.
 */
static bool
may_be_renamed(const struct pass *p, const struct change *c, bool exact)
{
	return exact || !p->many || !p->b->folder->store->ops->given(c->where);
}

static int
name_batch(struct pass *p, struct change *c, size_t n)
{
	if (n == 0)
		return 0;
	p->changed_disk = true;
	p->b->folder->store->ops->apply(p->b->folder, CHANGE_IDENTITY,
	    p->b->state.uidvalidity, c, n);
	for (size_t i = 0; i < n; i++) {
		if (c[i].error != 0)
			refused(p, c[i].error);
		else if (add_row(p, &c[i]) < 0)
			return -1;
	}
	return 0;
}

static int
name_some(struct pass *p, const struct newcomer *v, struct change *c, size_t n,
    bool exact)
{
	size_t taken = 0;

	for (size_t i = 0; i < n; i++) {
		struct change *to = &c[taken];

		if (v[i].given)
			continue;
		*to = (struct change){ .uid = v[i].uid };
		memcpy(to->where, where_is(p, &v[i]), v[i].n + (size_t)1);
		taken += may_be_renamed(p, to, exact);
	}
	return name_batch(p, c, taken);
}

/* All that have no UID yet, or are not given it. */
static int
name_all(struct pass *p, bool exact)
{
	const struct store_ops *ops = p->b->folder->store->ops;
	size_t batch = ops->batch < p->n ? ops->batch : p->n;
	struct change *c = reallocarray(NULL, batch, sizeof *c);
	int rc = c == NULL ? -1 : 0;

	for (size_t i = 0; rc == 0 && !p->stuck && i < p->n; i += batch) {
		struct newcomer *v = p->newcomers + i;
		size_t n = p->n - i < batch ? p->n - i : batch;

		if (!p->many && reserve(p, v, n) < 0)
			rc = refused(p, errno);
		else
			rc = name_some(p, v, c, n, exact);
	}
	free(c);
	return rc;
}

/* ---- a UID beside the name ---- */

/* False when nothing can be noted: names must do. */
static bool
give_batch(struct pass *p, struct newcomer *v, struct gift *g, size_t n)
{
	struct newcomer *end = v + n, *to = v;
	size_t gifts = 0;

	for (size_t i = 0; i < n; i++) {
		if (v + i + PASS_AHEAD < p->newcomers + p->n)
			pass_fetch(p, &v[i + PASS_AHEAD]);
		if (v[i].plain)
			g[gifts++] = (struct gift){
			    bytes_make(where_is(p, &v[i]), v[i].n), v[i].uid, 0 };
	}
	if (gifts == 0)
		return true;
	if (p->b->folder->store->ops->give(p->b->folder,
	    p->b->state.uidvalidity, g, gifts) < 0)
		return false;
	for (; to < end; to++)
		if (to->plain) {
			to->given = g++->error == 0;
			p->n_given += to->given;
		}
	return true;
}

static int
give(struct pass *p)
{
	struct gift *g = reallocarray(NULL, GIVE_BATCH, sizeof *g);
	bool can = true;

	if (g == NULL)
		return -1;
	for (size_t i = 0; can && i < p->n; i += GIVE_BATCH)
		can = give_batch(p, p->newcomers + i, g,
		    p->n - i < GIVE_BATCH ? p->n - i : GIVE_BATCH);
	free(g);
	p->many = can;
	p->gave |= p->n_given > 0;
	return 0;
}

/* ---- all of it ---- */

static int
take_in(struct pass *p, bool exact)
{
	const struct store_ops *ops = p->b->folder->store->ops;

	p->many = ops->give != NULL && p->n >= pass_many;
	if (p->many) {
		if (reserve(p, p->newcomers, p->n) < 0)
			return refused(p, errno);
		if (give(p) < 0)
			return -1;
	}
	return name_all(p, exact);
}

int
pass_take_in(struct pass *p, bool exact)
{
	if (!exact)
		drop_conflicts(p);
	if (p->n == 0)
		return 0;
	return sort(p) < 0 || take_in(p, exact) < 0 || flush(p) < 0
	    || pass_write_given(p) < 0 ? -1 : 0;
}
