/*
 * Taking files in that have no UID of their own here.
 * Runs as: the mailbox owner.
 *
 * A UID stands in the file's name, durably, before the index and so any
 * client hears of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "pass.h"

static const struct pass *sorting;

static const char *
where_is(const struct pass *p, const struct newcomer *n)
{
	return (const char *)p->names.data + n->at;
}

static int
by_age(const void *a, const void *b)
{
	return sorting->b->folder->store->ops->order(where_is(sorting, a),
	    where_is(sorting, b));
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
		c[i] = (struct change){ .uid = v[i].uid != 0 ? v[i].uid : next++ };
		snprintf(c[i].where, sizeof c[i].where, "%s",
		    where_is(p, &v[i]));
	}
	p->b->rec.uid_next = next;
	return 0;
}

static int
add_row(struct pass *p, const struct change *c)
{
	struct found f = { .uid = c->uid, .flags = c->flags,
	    .keywords = c->keywords, .mark = c->mark, .new = true };

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

static int
take_in(struct pass *p, const struct newcomer *v, struct change *c, size_t n)
{
	if (give_uids(p, v, c, n) < 0)
		return refused(p, errno);
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
	batch = p->n < ops->batch ? p->n : ops->batch;
	c = reallocarray(NULL, batch, sizeof *c);
	if (c == NULL)
		return -1;
	sorting = p;
	qsort(p->newcomers, p->n, sizeof *p->newcomers, by_age);
	for (size_t i = 0; rc == 0 && !p->stuck && i < p->n; i += batch) {
		size_t n = p->n - i < batch ? p->n - i : batch;

		rc = take_in(p, p->newcomers + i, c, n);
		if (rc == 0 && p->n_found > PASS_FOUND - batch
		    && (rc = ops->durable(p->b->folder)) == 0)
			rc = pass_flush(p);
	}
	free(c);
	if (rc == 0 && p->n_found > 0
	    && (rc = ops->durable(p->b->folder)) == 0)
		rc = pass_flush(p);
	return rc;
}
