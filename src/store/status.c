/*
 * Counters of a mailbox.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "glance.h"
#include "mailbox.h"

#define BATCH 256
/* A search for the first unseen message that went this far is remembered. */
#define REMEMBER_AFTER 1000

/* Calls fn for each row from uid on until it returns non-zero. */
static int
each_row(struct mailbox *b, uint32_t from, int (*fn)(void *arg,
    struct mailbox *b, struct index_row *row), void *arg)
{
	struct index_row *v = reallocarray(NULL, BATCH, sizeof *v);
	uint64_t next = from;
	size_t n = 1;
	int rc = v == NULL ? -1 : 0;

	while (rc == 0 && n > 0 && next <= UINT32_MAX) {
		rc = index_rows(b->b.mail->db, b->b.rec.number, (uint32_t)next,
		    UINT32_MAX, v, BATCH, &n);
		for (size_t i = 0; rc == 0 && i < n; i++) {
			rc = fn(arg, b, &v[i]);
			next = (uint64_t)v[i].uid + 1;
		}
	}
	free(v);
	return rc;
}

struct unseen {
	uint32_t uid;
	uint64_t steps;
};

static int
is_unseen(void *arg, struct mailbox *b, struct index_row *row)
{
	struct unseen *u = arg;

	(void)b;
	u->steps++;
	if (row->flags & FLAG_SEEN)
		return 0;
	u->uid = row->uid;
	return 1;
}

static uint32_t found_unseen;

static void
remember_unseen(struct mailbox *b)
{
	if (found_unseen > b->b.rec.first_unseen)
		b->b.rec.first_unseen = found_unseen;
}

static int
first_unseen(struct mailbox *b, uint32_t *uid)
{
	struct unseen u = { 0 };
	uint64_t modseq = b->b.rec.modseq;

	*uid = 0;
	if (b->b.rec.unseen == 0)
		return 0;
	if (each_row(b, b->b.rec.first_unseen, is_unseen, &u) < 0)
		return -1;
	*uid = u.uid;
	if (u.steps > REMEMBER_AFTER && u.uid != 0
	    && folder_lock(b->b.folder) == 0) {
		/* Only when nothing changed since we looked. */
		found_unseen = u.uid;
		if (bound_reload(&b->b) == 0 && b->b.rec.modseq == modseq
		    && bound_begin(&b->b) == 0) {
			remember_unseen(b);
			bound_commit(&b->b);
		}
		folder_unlock(b->b.folder);
	}
	return 0;
}

static int
learn_size(void *arg, struct mailbox *b, struct index_row *row)
{
	struct mailbox_status *st = arg;

	/* A message that cannot be read counts as nothing. */
	if (row->size == INDEX_SIZE_UNKNOWN && row_size(b, row) < 0)
		return 0;
	st->size += row->size;
	if (row->flags & FLAG_DELETED)
		st->deleted_size += row->size;
	return 0;
}

static uint64_t
count_from(const struct runs *set, uint32_t first)
{
	return set->count - (first > 1 ? runs_rank(set, first - 1) : 0);
}

static int
count_recent(struct mailbox *b, uint64_t *recent)
{
	struct runs have = RUNS_INIT;

	*recent = 0;
	if (b->b.rec.recent_from >= b->b.rec.uid_next)
		return 0;
	if (index_runs(b->b.mail->db, b->b.rec.number, &have) < 0)
		return -1;
	*recent = count_from(&have, b->b.rec.recent_from);
	runs_free(&have);
	return 0;
}

struct asking {
	struct mailbox *b;
	unsigned want;
	struct mailbox_status *out;
};

static int
count_sizes(struct mailbox *b, struct mailbox_status *out)
{
	const struct index_folder *rec = &b->b.rec;

	if (rec->sizes_unknown == 0) {
		out->size = rec->size;
		out->deleted_size = rec->deleted_size;
		return 0;
	}
	if (each_row(b, 1, learn_size, out) < 0)
		return -1;
	pending_flush(b);
	return 0;
}

/* What stands in the record, and what follows from it alone. */
static int
read_counts(void *arg)
{
	struct asking *a = arg;
	const struct index_folder *rec = &a->b->b.rec;

	*a->out = (struct mailbox_status){ .uidvalidity = rec->uidvalidity,
	    .uidnext = rec->uid_next, .highest_modseq = rec->modseq,
	    .messages = rec->messages, .unseen = rec->unseen,
	    .deleted = rec->deleted };
	memcpy(a->out->id, a->b->b.id, sizeof a->out->id);
	if (count_recent(a->b, &a->out->recent) < 0)
		return -1;
	return a->want & STATUS_SIZES ? count_sizes(a->b, a->out) : 0;
}

static int
read_status(void *arg)
{
	struct asking *a = arg;

	return read_counts(a) < 0 ? -1
	    : first_unseen(a->b, &a->out->first_unseen);
}

int
mailbox_status_now(struct mailbox *b, unsigned want, struct mailbox_status *out)
{
	struct asking a = { b, want, out };

	return bound_read(&b->b, read_status, &a);
}

/* Sizes that are not known yet are in the messages: the folder must be opened. */
static bool
status_at_a_glance(struct asking *a, struct bytes name, struct glimpse *g)
{
	struct mail *m = a->b->b.mail;

	return glance(m, name, g, &a->b->b)
	    && ((a->want & STATUS_SIZES) == 0 || a->b->b.rec.sizes_unknown == 0)
	    && read_counts(a) == 0;
}

int
mail_status(struct mail *m, struct bytes name, unsigned want,
    struct mailbox_status *out)
{
	struct mailbox b = { .b.mail = m, .read_only = true, .exclusive = -1 };
	struct asking a = { &b, want, out };
	struct glimpse g;
	int rc, saved;

	if (status_at_a_glance(&a, name, &g))
		return 0;
	if (bound_open(m, name, &b.b) < 0)
		return -1;
	rc = bound_sync(&b.b);
	if (rc == 0)
		rc = bound_read(&b.b, read_counts, &a);
	if (rc == 0)
		glance_note(&b.b, &g);
	saved = errno;
	pending_free(&b.pending);
	bound_close(&b.b);
	errno = saved;
	return rc;
}
