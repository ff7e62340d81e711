/*
 * mbox: UIDs, flags and keywords of messages, and removing them: one change of
 * the file for all.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "mbox.h"

/* One change and where its message is. */
struct job {
	struct change *c;
	struct mbox_place place;
	uint64_t now;			/* its offset once the edits are made */
	bool found;
};

struct work {
	struct folder *f;
	enum change_kind kind;
	uint32_t validity, last;	/* what the base is to say */
	struct job *v;
	size_t n;
	struct mbox_file file;
	struct mbox_message msg;
	struct mbox_edits edits;
	uint64_t holder;		/* offset of the message that has the base */
	bool holder_due;		/* it is not among the jobs, and wrong */
	bool has_holder;
	bool stale;			/* a message is not where it was said to be */
};

static int
by_offset(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return x->place.offset < y->place.offset ? -1
	    : x->place.offset > y->place.offset;
}

static int
by_uid(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return x->place.uid < y->place.uid ? -1 : x->place.uid > y->place.uid;
}

static struct job *
job_of(struct work *w, uint32_t uid)
{
	struct job key = { .place = { .uid = uid } };

	return bsearch(&key, w->v, w->n, sizeof key, by_uid);
}

/* Jobs whose message is nowhere end here. */
static void
drop_lost(struct work *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].found)
			w->v[kept++] = w->v[i];
		else
			w->v[i].c->error = ENOENT;
	w->n = kept;
}

/* Looks for all messages by their UIDs, after others changed the file. */
static int
find_again(struct work *w)
{
	uint64_t at;
	int rc;

	qsort(w->v, w->n, sizeof *w->v, by_uid);
	for (size_t i = 0; i < w->n; i++)
		w->v[i].found = false;
	if (mbox_begin(&w->file, &at) < 0)
		return -1;
	while ((rc = mbox_read(&w->file, at, &w->msg)) == 1) {
		struct job *j = w->msg.uid == 0 ? NULL : job_of(w, w->msg.uid);

		if (j != NULL && !j->found) {
			j->found = true;
			j->place.offset = at;
		}
		at = w->msg.next;
	}
	drop_lost(w);
	qsort(w->v, w->n, sizeof *w->v, by_offset);
	return rc;
}

/*
 * The base stands in the placeholder or in the first message that stays. It
 * knows the highest UID that any message ahead of it knew.
 */
static int
find_holder(struct work *w)
{
	struct mbox_message *msg = &w->msg;
	uint64_t at;
	size_t i = 0;
	int rc;

	w->has_holder = w->holder_due = false;
	if (mbox_begin(&w->file, &at) < 0)
		return -1;
	for (; (rc = mbox_read(&w->file, at, msg)) == 1; at = msg->next) {
		if (msg->base_validity == w->validity && msg->base_last > w->last)
			w->last = msg->base_last;
		if (!msg->internal && w->kind == CHANGE_REMOVE && i < w->n
		    && w->v[i].place.offset == at) {
			i++;
			continue;
		}
		w->has_holder = true;
		w->holder = at;
		w->holder_due = (i >= w->n || w->v[i].place.offset != at)
		    && (msg->base_validity != w->validity
			|| msg->base_last != w->last);
		return 0;
	}
	return rc;
}

static int
edit(struct work *w, const struct change *c)
{
	struct mbox_block b;

	mbox_block_of(w->f, &w->msg, &b);
	b.base = w->has_holder && w->msg.begin == w->holder;
	b.validity = w->validity;
	b.last = w->last;
	if (c != NULL)
		b.uid = c->uid;
	if (c != NULL && w->kind == CHANGE_FLAGS) {
		b.flags = c->flags;
		b.keywords = c->keywords;
		b.old = true;
	}
	return mbox_edits_message(w->f, &w->edits, &w->msg, &b);
}

static int
edit_holder(struct work *w)
{
	if (!w->holder_due)
		return 0;
	w->holder_due = false;
	if (mbox_read(&w->file, w->holder, &w->msg) != 1)
		return -1;
	return edit(w, NULL);
}

static int
do_job(struct work *w, struct job *j)
{
	struct mbox_message *msg = &w->msg;
	int rc = mbox_read(&w->file, j->place.offset, msg);

	if (rc < 0 && errno != EILSEQ)
		return -1;
	if (rc != 1 || (w->kind != CHANGE_IDENTITY && msg->uid != j->place.uid)) {
		w->stale = true;
		return 0;
	}
	j->now = (uint64_t)((int64_t)msg->begin + w->edits.delta);
	if (w->kind == CHANGE_REMOVE)
		return mbox_edits_add(&w->edits, msg->begin,
		    msg->next - msg->begin, BYTES(""), (struct mbox_piece){ 0 });
	if (w->kind == CHANGE_IDENTITY) {
		j->c->flags = msg->flags;
		mbox_keywords(w->f, msg, &j->c->keywords);
	}
	return edit(w, j->c);
}

/* All edits, in the order of the file; notes whether others' messages move. */
static int
build(struct work *w)
{
	uint64_t end = 0;
	bool moved = false;

	w->stale = false;
	if (find_holder(w) < 0)
		return -1;
	for (size_t i = 0; i < w->n && !w->stale; i++) {
		if (w->holder_due && w->holder < w->v[i].place.offset
		    && edit_holder(w) < 0)
			return -1;
		moved |= w->edits.shifted && w->v[i].place.offset != end;
		if (do_job(w, &w->v[i]) < 0)
			return -1;
		end = w->msg.next;
	}
	if (edit_holder(w) < 0)
		return -1;
	w->f->mbox->moved |= w->edits.shifted && (moved || end != w->file.size);
	return 0;
}

/* Where the messages are now, and their marks. */
static int
look_again(struct work *w)
{
	struct mbox_file m;

	if (mbox_file_begin(&m, w->f->mbox->fd) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		struct job *j = &w->v[i];
		struct mbox_place p = { .offset = j->now, .uid = j->c->uid };

		if (mbox_read(&m, j->now, &w->msg) != 1
		    || w->msg.uid != j->c->uid) {
			w->f->mbox->moved = true;
			continue;
		}
		p.date = w->msg.date;
		mbox_place_print(&p, j->c->where);
		j->c->mark = w->msg.mark;
	}
	mbox_file_end(&m);
	return 0;
}

static int
work(struct work *w)
{
	if (build(w) < 0)
		return -1;
	if (w->stale) {
		/* Those of an identity have none by which they could be found. */
		errno = ENOENT;
		mbox_edits_free(&w->edits);
		w->edits = MBOX_EDITS_INIT;
		if (w->kind == CHANGE_IDENTITY || find_again(w) < 0
		    || build(w) < 0)
			return -1;
	}
	if (mbox_edits_make(w->f, &w->edits) < 0)
		return -1;
	w->f->said_validity = w->validity;
	w->f->said_last = w->last;
	return w->kind == CHANGE_REMOVE ? 0 : look_again(w);
}

static void
take_jobs(struct work *w, struct change *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct job *j = &w->v[w->n];

		if (w->kind == CHANGE_IDENTITY && v[i].uid > w->last)
			w->last = v[i].uid;
		*j = (struct job){ .c = &v[i] };
		if (mbox_place_parse(v[i].where, &j->place) < 0)
			v[i].error = ENOENT;
		else
			w->n++;
	}
	qsort(w->v, w->n, sizeof *w->v, by_offset);
}

void
mbox_apply(struct folder *f, enum change_kind kind, uint32_t uidvalidity,
    struct change *v, size_t n)
{
	struct work *w = calloc(1, sizeof *w);
	int rc = -1, saved;

	for (size_t i = 0; i < n; i++)
		v[i].error = 0;
	if (w != NULL) {
		*w = (struct work){ .f = f, .kind = kind, .validity = uidvalidity,
		    .last = f->said_last, .edits = MBOX_EDITS_INIT };
		w->v = reallocarray(NULL, n + 1, sizeof *w->v);
	}
	errno = f->mbox->fd < 0 ? ENOENT : ENOMEM;
	if (w != NULL && w->v != NULL && f->mbox->fd >= 0
	    && mbox_file_begin(&w->file, f->mbox->fd) == 0) {
		take_jobs(w, v, n);
		rc = w->n == 0 ? 0 : work(w);
		mbox_file_end(&w->file);
	}
	saved = errno;
	for (size_t i = 0; rc < 0 && i < n; i++)
		v[i].error = v[i].error != 0 ? v[i].error : saved;
	if (w != NULL) {
		mbox_edits_free(&w->edits);
		free(w->v);
	}
	free(w);
}
