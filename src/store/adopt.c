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

/* In one call to give(). */
#define GIVE_BATCH ((size_t)4096)
/* In the order of age names lie all over the memory: asked for so long before. */
#define NAMES_AHEAD 16

size_t pass_many = 1000;

static const struct pass *sorting;

static const char *
where_is(const struct pass *p, const struct newcomer *n)
{
	return (const char *)p->names.data + n->at;
}

static int
by_age(const void *a, const void *b)
{
	const struct newcomer *x = a, *y = b;

	if (x->age != y->age)
		return x->age < y->age ? -1 : 1;
	return strcmp(where_is(sorting, x), where_is(sorting, y));
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

static int
give_uids(struct pass *p, const struct newcomer *v, struct change *c, size_t n)
{
	uint32_t fresh = 0, next;

	for (size_t i = 0; i < n; i++)
		fresh += v[i].uid == 0;
	/* Claims that are not in the index yet are not given again. */
	if (p->highest >= p->b->rec.uid_next)
		p->b->rec.uid_next = p->highest + 1;
	if (bound_reserve(p->b, fresh, &p->modseq) < 0)
		return -1;
	next = p->b->rec.uid_next;
	for (size_t i = 0; i < n; i++) {
		if (i + NAMES_AHEAD < n)
			__builtin_prefetch(where_is(p, &v[i + NAMES_AHEAD]));
		c[i] = (struct change){ .uid = v[i].uid != 0 ? v[i].uid : next++ };
		snprintf(c[i].where, sizeof c[i].where, "%s",
		    where_is(p, &v[i]));
	}
	p->b->rec.uid_next = next;
	return 0;
}

/* No row of a UID that is not on the disk is written. */
static int
flush(struct pass *p)
{
	if (p->n_found == 0)
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

/*
 * Two files of one name but for its flags may be one that was renamed while we
 * looked; one name in new/ and in cur/ too, but such a rename fails.
 */
static void
identify_one(struct pass *p, struct change *c, bool exact)
{
	if (!exact && p->many
	    && p->b->folder->store->ops->given(c->where)) {
		c->error = ENOENT;
		return;
	}
	p->changed_disk = true;
	p->b->folder->store->ops->apply(p->b->folder, CHANGE_IDENTITY,
	    p->b->state.uidvalidity, c, 1);
}

/* What cannot be given a UID as it is gets it with a new name. */
static void
identify(struct pass *p, struct change *c, size_t n, bool exact)
{
	const struct store_ops *ops = p->b->folder->store->ops;

	if (p->many && ops->give(p->b->folder, p->b->state.uidvalidity, c, n) == 0) {
		p->gave = true;
		for (size_t i = 0; i < n; i++)
			if (c[i].error == EEXIST)
				identify_one(p, &c[i], exact);
		return;
	}
	p->many = false;
	p->changed_disk = true;
	ops->apply(p->b->folder, CHANGE_IDENTITY, p->b->state.uidvalidity, c, n);
}

static int
take_in(struct pass *p, const struct newcomer *v, struct change *c, size_t n,
    bool exact)
{
	if (give_uids(p, v, c, n) < 0)
		return refused(p, errno);
	identify(p, c, n, exact);
	for (size_t i = 0; i < n; i++) {
		if (c[i].error != 0)
			refused(p, c[i].error);
		else if (add_row(p, &c[i]) < 0)
			return -1;
	}
	return 0;
}

int
pass_take_in(struct pass *p, bool exact)
{
	const struct store_ops *ops = p->b->folder->store->ops;
	struct change *c;
	size_t batch;
	int rc = 0;

	if (!exact)
		drop_conflicts(p);
	if (p->n == 0)
		return 0;
	p->many = ops->give != NULL && p->n >= pass_many;
	batch = p->many ? GIVE_BATCH : ops->batch;
	if (p->n < batch)
		batch = p->n;
	c = reallocarray(NULL, batch, sizeof *c);
	if (c == NULL)
		return -1;
	sorting = p;
	qsort(p->newcomers, p->n, sizeof *p->newcomers, by_age);
	for (size_t i = 0; rc == 0 && !p->stuck && i < p->n; i += batch) {
		size_t n = p->n - i < batch ? p->n - i : batch;

		rc = take_in(p, p->newcomers + i, c, n, exact);
	}
	free(c);
	return rc == 0 ? flush(p) : -1;
}
