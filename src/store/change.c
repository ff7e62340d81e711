/*
 * Changing flags, and removing messages.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "mailbox.h"

#define BATCH 512
/* Of a format that would have more at once; what it may cost in memory. */
#define BATCH_MAX 4096
#define TRIES 3

/* Rows that change, and their changes, a batch at a time. */
struct batch {
	struct index_row *rows;		/* as they were */
	struct change *change;
	struct uid_keywords *extra;
	size_t n, max;
};

static void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	free(b->rows);
	free(b->change);
	free(b->extra);
	free(b);
}

static struct batch *
batch_make(const struct store_ops *ops, const struct runs *uids)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->max = ops->batch < BATCH_MAX ? ops->batch : BATCH_MAX;
	if (uids->count < b->max)
		b->max = (size_t)uids->count + 1;
	b->rows = reallocarray(NULL, b->max, sizeof *b->rows);
	b->change = reallocarray(NULL, b->max, sizeof *b->change);
	b->extra = reallocarray(NULL, b->max, sizeof *b->extra);
	if (b->rows != NULL && b->change != NULL && b->extra != NULL)
		return b;
	batch_free(b);
	return NULL;
}

static uint32_t
new_flags(const struct mail_store *s, uint32_t flags)
{
	switch (s->how) {
	case FLAGS_ADD:
		return flags | s->flags;
	case FLAGS_REMOVE:
		return flags & ~s->flags;
	default:
		return s->flags;
	}
}

static struct keyword_set
new_keywords(const struct mail_store *s, struct keyword_set old)
{
	for (size_t i = 0; i < MAIL_KEYWORDS_MAX / 64; i++)
		switch (s->how) {
		case FLAGS_ADD:
			old.bits[i] |= s->keywords.bits[i];
			break;
		case FLAGS_REMOVE:
			old.bits[i] &= ~s->keywords.bits[i];
			break;
		default:
			old.bits[i] = s->keywords.bits[i];
		}
	return old;
}

struct storing {
	struct mailbox *box;
	const struct mail_store *how;
	struct mail_stored *out;
	struct batch *batch;
	const struct runs *uids;
	uint64_t modseq;		/* of this change; 0: nothing changed yet */
	bool gone;			/* some files were not where the index said */
};

static int
add_uid(struct runs *set, uint32_t uid)
{
	return runs_add(set, uid, uid);
}

/* Somebody else's change that the session was not told of, unless it was us, in an earlier try. */
static int
note_others(struct storing *s, const struct index_row *row)
{
	if (row->modseq <= mailbox_view_modseq(s->box) || runs_contains(&s->out->stored, row->uid))
		return 0;
	return add_uid(&s->out->others, row->uid);
}

/* Whether it changes the row, and then how. */
static bool
decide_row(const struct mail_store *how, const struct index_row *row,
    struct change *c)
{
	c->uid = row->uid;
	c->flags = new_flags(how, row->flags);
	c->keywords = new_keywords(how, row->keywords);
	if (c->flags == row->flags
	    && memcmp(&c->keywords, &row->keywords, sizeof c->keywords) == 0)
		return false;
	memcpy(c->where, row->where, strlen(row->where) + 1);
	return true;
}

/* Of n rows read behind the batch, those that must change become part of it. */
static int
decide(struct storing *s, size_t n)
{
	struct batch *b = s->batch;
	const struct index_row *v = b->rows + b->n;

	for (size_t i = 0; i < n; i++) {
		/* Unless it was us, in an earlier try. */
		if (s->how->conditional && v[i].modseq > s->how->unchanged_since
		    && !runs_contains(&s->out->stored, v[i].uid)) {
			if (add_uid(&s->out->modified, v[i].uid) < 0)
				return -1;
			continue;
		}
		if (note_others(s, &v[i]) < 0)
			return -1;
		if (!decide_row(s->how, &v[i], &b->change[b->n])) {
			if (add_uid(&s->out->stored, v[i].uid) < 0)
				return -1;
			continue;
		}
		if (&b->rows[b->n] != &v[i])
			b->rows[b->n] = v[i];
		b->n++;
	}
	return 0;
}

static bool
is_live(void *arg, uint32_t uid)
{
	struct bound *b = arg;
	struct index_row row;

	return index_row(b->mail->db, b->rec.number, uid, &row) == 0;
}

/* Keywords without a letter go into their own file first. */
static int
write_extra(struct bound *b, const struct batch *batch)
{
	struct uid_keywords *v = batch->extra;
	size_t n = 0;

	if (b->folder->store->ops->keywords_inside)
		return 0;
	for (size_t i = 0; i < batch->n; i++) {
		struct keyword_set old = batch->rows[i].keywords;
		struct keyword_set new = batch->change[i].keywords;

		old.bits[0] &= ~(uint64_t)keywords_letters(&old);
		new.bits[0] &= ~(uint64_t)keywords_letters(&new);
		if (memcmp(&old, &new, sizeof old) != 0)
			v[n++] = (struct uid_keywords){ batch->change[i].uid, new };
	}
	if (n == 0)
		return 0;
	if (keywords_flags_add(b->folder->dir, v, n, is_live, b) < 0)
		return -1;
	b->folder->store->ops->poke(b->folder);
	return 0;
}

static int
write_row(struct storing *s, const struct index_row *old, const struct change *c)
{
	struct index_row new = *old;

	new.flags = c->flags;
	new.keywords = c->keywords;
	new.mark = c->mark;
	memcpy(new.where, c->where, strlen(c->where) + 1);
	return bound_put_row(&s->box->b, old, &new, s->modseq) < 0 ? -1
	    : add_uid(&s->out->stored, c->uid);
}

static int
write_batch(struct storing *s)
{
	for (size_t i = 0; i < s->batch->n; i++) {
		const struct change *c = &s->batch->change[i];

		if (c->error == ENOENT) {
			s->gone = true;
			continue;
		}
		if (c->error != 0) {
			errno = c->error;
			return -1;
		}
		if (write_row(s, &s->batch->rows[i], c) < 0)
			return -1;
	}
	return 0;
}

static int
apply_batch(struct storing *s)
{
	struct bound *b = &s->box->b;
	int rc;

	if (s->batch->n == 0)
		return 0;
	if (s->modseq == 0 && bound_reserve(b, 0, &s->modseq) < 0)
		return -1;
	b->dirty = true;
	if (write_extra(b, s->batch) < 0)
		return -1;
	b->folder->store->ops->apply(b->folder, CHANGE_FLAGS,
	    b->state.uidvalidity, s->batch->change, s->batch->n);
	if (bound_begin(b) < 0)
		return -1;
	rc = write_batch(s);
	if (rc == 0)
		rc = bound_commit(b);
	else
		bound_abort(b);
	s->batch->n = 0;
	store_progress(b->folder->store, s->out->stored.count, s->uids->count);
	return rc;
}

static int
store_run(struct storing *s, struct run r)
{
	struct bound *b = &s->box->b;
	uint64_t next = r.first;
	size_t n;

	while (next <= r.last) {
		size_t room = s->batch->max - s->batch->n;
		const struct index_row *v = s->batch->rows + s->batch->n;

		if (index_rows(b->mail->db, b->rec.number, (uint32_t)next, r.last,
		    s->batch->rows + s->batch->n, room < BATCH ? room : BATCH, &n) < 0)
			return -1;
		if (n == 0)
			return 0;
		next = (uint64_t)v[n - 1].uid + 1;
		if (decide(s, n) < 0)
			return -1;
		if (s->batch->n == s->batch->max && apply_batch(s) < 0)
			return -1;
	}
	return 0;
}

static int
store_locked(void *arg)
{
	struct storing *s = arg;
	struct bound *b = &s->box->b;

	s->modseq = 0;
	s->batch->n = 0;
	s->gone = false;
	if (s->out->modseq_before == 0)
		s->out->modseq_before = b->rec.modseq;
	for (size_t i = 0; i < s->uids->n; i++)
		if (store_run(s, s->uids->v[i]) < 0)
			return -1;
	if (apply_batch(s) < 0)
		return -1;
	if (s->modseq != 0)
		s->out->modseq = s->modseq;
	return 0;
}

int
mailbox_store(struct mailbox *box, const struct runs *uids,
    const struct mail_store *change, struct mail_stored *out)
{
	struct storing s = { .box = box, .how = change, .out = out, .uids = uids };
	int tries = TRIES, rc;

	*out = (struct mail_stored){ 0 };
	if (box->read_only) {
		errno = EROFS;
		return -1;
	}
	s.batch = batch_make(box->b.folder->store->ops, uids);
	if (s.batch == NULL)
		return -1;
	/* Files that another program renamed meanwhile are found again. */
	bound_bulk(&box->b, uids->count);
	do
		rc = bound_change(&box->b, store_locked, &s);
	while (rc == 0 && s.gone && --tries > 0);
	batch_free(s.batch);
	if (out->modseq == 0)
		out->modseq = out->modseq_before;
	if (rc < 0)
		mail_stored_free(out);
	return rc;
}

void
mail_stored_free(struct mail_stored *s)
{
	runs_free(&s->stored);
	runs_free(&s->others);
	runs_free(&s->modified);
}

/* ---- removing ---- */

struct removing {
	struct mailbox *box;
	const struct runs *uids;
	bool deleted_only;
	bool moved;			/* some files were not where the index said */
	struct batch *batch;
	struct runs *out;
	uint64_t modseq;
	uint64_t done;			/* removed, or gone already */
};

/* Those of the batch whose files are gone by our hand; errno of the others. */
static int
removed_by_us(struct removing *r, struct runs *gone)
{
	int failed = 0;

	for (size_t i = 0; i < r->batch->n; i++) {
		const struct change *c = &r->batch->change[i];

		if (c->error == ENOENT)
			r->moved = true;
		else if (c->error != 0)
			failed = c->error;
		else if (add_uid(gone, c->uid) < 0
		    || (r->out != NULL && add_uid(r->out, c->uid) < 0))
			failed = errno;
	}
	errno = failed;
	return failed != 0 ? -1 : 0;
}

static int
forget_batch(struct removing *r)
{
	struct bound *b = &r->box->b;
	struct runs gone = RUNS_INIT, removed = RUNS_INIT;
	int rc = removed_by_us(r, &gone), saved = errno;

	if (bound_begin(b) < 0) {
		runs_free(&gone);
		return -1;
	}
	if (bound_remove_rows(b, &gone, r->modseq, &removed) == 0) {
		if (bound_commit(b) < 0) {
			rc = -1;
			saved = errno;
		}
	} else {
		rc = -1;
		saved = errno;
		bound_abort(b);
	}
	runs_free(&gone);
	runs_free(&removed);
	errno = saved;
	return rc;
}

static int
remove_batch(struct removing *r)
{
	struct bound *b = &r->box->b;
	size_t taken = r->batch->n;
	int rc;

	if (r->batch->n == 0)
		return 0;
	if (r->modseq == 0 && bound_reserve(b, 0, &r->modseq) < 0)
		return -1;
	b->dirty = true;
	b->folder->store->ops->apply(b->folder, CHANGE_REMOVE,
	    b->state.uidvalidity, r->batch->change, r->batch->n);
	rc = forget_batch(r);
	r->batch->n = 0;
	r->done += taken;
	store_progress(b->folder->store, r->done, r->uids->count);
	return rc;
}

static int
remove_known(struct removing *r, const struct runs *uids)
{
	struct bound *b = &r->box->b;
	struct runs_cursor c = RUNS_CURSOR(uids);
	struct index_row row;
	uint32_t uid;

	while ((uid = runs_next(&c)) != 0) {
		struct change *ch = &r->batch->change[r->batch->n];

		if (index_row(b->mail->db, b->rec.number, uid, &row) < 0)
			return -1;
		if (r->deleted_only && !(row.flags & FLAG_DELETED))
			continue;
		*ch = (struct change){ .uid = uid };
		memcpy(ch->where, row.where, sizeof ch->where);
		if (++r->batch->n == r->batch->max && remove_batch(r) < 0)
			return -1;
	}
	return remove_batch(r);
}

static int
remove_locked(void *arg)
{
	struct removing *r = arg;
	struct bound *b = &r->box->b;
	struct runs both = RUNS_INIT, have = RUNS_INIT;
	int rc = index_runs(b->mail->db, b->rec.number, &have);

	r->modseq = 0;
	r->batch->n = 0;
	r->moved = false;
	if (rc == 0)
		rc = runs_intersect(&both, r->uids, &have);
	if (rc == 0 && (!r->deleted_only || b->rec.deleted > 0))
		rc = remove_known(r, &both);
	runs_free(&both);
	runs_free(&have);
	return rc;
}

static int
remove_uids(struct mailbox *box, const struct runs *uids, struct runs *out,
    bool deleted_only)
{
	struct removing r = { .box = box, .uids = uids, .out = out,
	    .deleted_only = deleted_only };
	int tries = TRIES, rc;

	if (out != NULL)
		runs_clear(out);
	if (box->read_only) {
		errno = EROFS;
		return -1;
	}
	r.batch = batch_make(box->b.folder->store->ops, uids);
	if (r.batch == NULL)
		return -1;
	bound_bulk(&box->b, uids->count);
	do
		rc = bound_change(&box->b, remove_locked, &r);
	while (rc == 0 && r.moved && --tries > 0);
	batch_free(r.batch);
	return rc;
}

int
mailbox_expunge(struct mailbox *b, const struct runs *uids, struct runs *out)
{
	return remove_uids(b, uids, out, true);
}

int
mailbox_remove(struct mailbox *b, const struct runs *uids, struct runs *out)
{
	return remove_uids(b, uids, out, false);
}

/* ---- keywords ---- */

const char *
mailbox_keyword(struct mailbox *b, unsigned i)
{
	struct keywords *k = &b->b.folder->keywords;

	if (i >= MAIL_KEYWORDS_MAX)
		return NULL;
	/* Another session may have made it a moment ago. */
	if (k->name[i] == NULL)
		keywords_load(k, b->b.folder->dir);
	return k->name[i];
}

unsigned
mailbox_keywords(struct mailbox *b)
{
	keywords_load(&b->b.folder->keywords, b->b.folder->dir);
	return keywords_count(&b->b.folder->keywords);
}

int
mailbox_keyword_number(struct mailbox *b, struct bytes name, bool create)
{
	struct folder *f = b->b.folder;
	int i = keywords_number(&f->keywords, f->dir, name, false);

	if (i >= 0 || !create)
		return i;
	if (b->read_only) {
		errno = EROFS;
		return -1;
	}
	if (folder_lock(f) < 0)
		return -1;
	i = keywords_number(&f->keywords, f->dir, name, true);
	folder_unlock(f);
	return i;
}
