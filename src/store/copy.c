/*
 * Copying and moving messages to another mailbox.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "mailbox.h"
#include "name.h"
#include "quota.h"
#include "transfer.h"

#define COPY_MAX 1000000
/* Files that other programs rename while we copy are looked for again. */
#define TRIES 8

struct copying {
	struct mailbox *from;
	struct bound to;
	bool move;
	bool both;			/* the source is locked too */
	struct index_row *rows;
	struct draft *v;
	size_t n;
	size_t done;
	uint64_t modseq;
};

static int
read_rows(struct copying *c, const struct runs *uids)
{
	struct runs_cursor k = RUNS_CURSOR(uids);
	struct bound *b = &c->from->b;
	uint32_t uid;

	if (uids->count > COPY_MAX) {
		errno = E2BIG;
		return -1;
	}
	c->n = 0;
	free(c->rows);
	c->rows = reallocarray(NULL, (size_t)uids->count + 1, sizeof *c->rows);
	if (c->rows == NULL)
		return -1;
	while ((uid = runs_next(&k)) != 0) {
		if (index_row(b->mail->db, b->rec.number, uid, &c->rows[c->n]) == 0)
			c->n++;
		else if (errno != ENOENT)
			return -1;
	}
	return 0;
}

/* Keyword numbers of one mailbox as another has them. */
static int
map_keywords(struct copying *c, const struct keyword_set *in,
    struct keyword_set *out)
{
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++) {
		const char *name;

		if (!keyword_has(in, i)
		    || (name = mailbox_keyword(c->from, i)) == NULL)
			continue;
		if (transfer_keyword(c->to.folder, bytes_of(name), out) < 0)
			return -1;
	}
	return 0;
}

static int
make_drafts(struct copying *c)
{
	free(c->v);
	c->v = calloc(c->n + 1, sizeof *c->v);
	if (c->v == NULL)
		return -1;
	for (size_t i = 0; i < c->n; i++) {
		struct draft *d = &c->v[i];

		d->fd = -1;
		d->source = c->rows[i].where;
		d->flags = c->rows[i].flags;
		d->wire_size = c->rows[i].size;
		d->date = c->rows[i].date;
		if (map_keywords(c, &c->rows[i].keywords, &d->keywords) < 0)
			return -1;
	}
	return 0;
}

static int
move_rows(struct copying *c)
{
	struct bound *b = &c->from->b;
	struct runs moved = RUNS_INIT, removed = RUNS_INIT;
	uint64_t modseq;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->done; i++)
		rc = runs_add(&moved, c->rows[i].uid, c->rows[i].uid);
	b->dirty = true;
	if (rc == 0)
		rc = bound_reserve(b, 0, &modseq);
	if (rc == 0)
		rc = bound_begin(b);
	if (rc == 0) {
		rc = bound_remove_rows(b, &moved, modseq, &removed);
		if (rc == 0)
			rc = bound_commit(b);
		else
			bound_abort(b);
	}
	if (rc < 0)
		b->failed = true;
	runs_free(&moved);
	runs_free(&removed);
	return rc;
}

static int
report(struct copying *c, struct mail_copied *out)
{
	out->uidvalidity = c->to.state.uidvalidity;
	for (size_t i = 0; i < c->done; i++)
		if (runs_add(&out->from, c->rows[i].uid, c->rows[i].uid) < 0
		    || runs_add(&out->to, c->v[i].uid, c->v[i].uid) < 0)
			return -1;
	return 0;
}

/* Both folders are locked as far as they must be. */
static int
copy_locked(struct copying *c, struct mail_copied *out)
{
	int rc, saved;

	if (make_drafts(c) < 0)
		return -1;
	if (c->n == 0)
		return report(c, out);
	if (transfer_reserve(&c->to, c->v, c->n, &c->modseq) < 0)
		return -1;
	rc = c->to.folder->store->ops->copy(c->to.folder, c->from->b.folder,
	    c->to.state.uidvalidity, c->v, c->n, c->move, &c->done);
	saved = errno;
	/* The files are there: what the index misses it finds there. */
	transfer_index(&c->to, c->v, c->done, c->modseq);
	if (c->both && c->done > 0 && c->to.folder == c->from->b.folder) {
		/* Within one mailbox both sides share a record. */
		c->from->b.rec = c->to.rec;
		c->from->b.state = c->to.state;
		c->from->b.failed = c->from->b.failed || c->to.failed;
	}
	if (c->move && c->done > 0)
		move_rows(c);
	/* RFC 6851 section 3.3: what has moved is told of, whatever comes of the rest. */
	if (report(c, out) < 0)
		return -1;
	errno = saved;
	return rc;
}

/*
 * A move takes both locks, and so does a copy where a lock keeps messages in
 * their place. They are taken in the order of the folders' ids,
 * so that two moves in opposite directions do not wait for each other.
 */
static int
lock_both(struct copying *c)
{
	struct bound *from = &c->from->b, *to = &c->to;
	bool to_first = strcmp(to->folder->name, from->folder->name) < 0;
	struct bound *first = to_first ? to : from;
	struct bound *second = to_first ? from : to;

	if (!c->both)
		return bound_lock(to);
	if (bound_finish(first) < 0 || bound_finish(second) < 0)
		return -1;
	if (bound_lock(first) < 0)
		return -1;
	if (bound_lock(second) < 0) {
		int saved = errno;

		bound_unlock(first);
		errno = saved;
		return -1;
	}
	if (first->generation == second->generation)
		return 0;
	/* The index went between the two. */
	bound_unlock(second);
	bound_unlock(first);
	errno = EIO;
	return -1;
}

static void
unlock_both(struct copying *c)
{
	int saved = errno;

	/* Within one mailbox the last one to unlock knows all. */
	if (c->both && c->from->b.folder == c->to.folder) {
		c->from->b.dirty |= c->to.dirty;
		c->to.dirty = false;
		bound_unlock(&c->to);
		bound_unlock(&c->from->b);
	} else {
		bound_unlock(&c->to);
		if (c->both)
			bound_unlock(&c->from->b);
	}
	errno = saved;
}

static int
try_copy(struct copying *c, const struct runs *uids, struct mail_copied *out)
{
	int rc;

	if (!c->both && bound_sync(&c->from->b) < 0)
		return -1;
	if (lock_both(c) < 0)
		return -1;
	/* What we know of the one is of no use when the other met a new index. */
	if (c->from->b.generation != c->to.generation) {
		errno = EIO;
		rc = -1;
	} else if ((rc = read_rows(c, uids)) == 0) {
		rc = copy_locked(c, out);
	}
	unlock_both(c);
	return rc;
}

/* What moves is where it was: limits are the user's, not a mailbox's. */
static int
room(struct mailbox *b, const struct runs *uids)
{
	struct runs_cursor k = RUNS_CURSOR(uids);
	uint64_t octets = 0, messages = 0, size;
	uint32_t uid;

	if (!quota_is_set(b->b.mail))
		return 0;
	while ((uid = runs_next(&k)) != 0)
		if (mailbox_row_size(b, uid, &size) == 0) {
			octets += size;
			messages++;
		} else if (errno != ENOENT) {
			return -1;
		}
	return quota_room(b->b.mail, octets, messages);
}

int
mailbox_copy(struct mailbox *b, const struct runs *uids, struct bytes to,
    bool move, struct mail_copied *out)
{
	struct copying c = { .from = b, .move = move,
	    .both = move || b->b.folder->store->ops->lock != NULL };
	int rc = -1, saved;

	*out = (struct mail_copied){ 0 };
	if (move && b->read_only) {
		errno = EROFS;
		return -1;
	}
	if ((!move && room(b, uids) < 0)
	    || bound_open(b->b.mail, to, &c.to) < 0)
		return -1;
	/* What has moved has no row any more: the next try is for the rest. */
	for (int i = 0; i < TRIES; i++) {
		c.done = 0;
		rc = try_copy(&c, uids, out);
		if (rc == 0 || (errno != ENOENT && errno != EIO))
			break;
	}
	/* The mailbox was there, a message was not, each time. */
	saved = rc < 0 && errno == ENOENT && out->from.n > 0 ? EBUSY : errno;
	bound_close(&c.to);
	free(c.rows);
	free(c.v);
	errno = saved;
	return rc;
}

void
mail_copied_free(struct mail_copied *c)
{
	runs_free(&c->from);
	runs_free(&c->to);
	c->uidvalidity = 0;
}
