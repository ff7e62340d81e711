/*
 * Taking a folder over from another server.
 * Runs as: the mailbox owner.
 *
 * Everything is written before the state file is, and a second run comes to
 * the same end: a crash in between costs nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "foreign.h"
#include "maildir.h"
#include "pass.h"
#include "takeover.h"
#include "text.h"
#include "uidl.h"

#define BATCH 256
/* Files that others rename while we look are met in a later round. */
#define ROUNDS 8
/* Claims of files that the list does not know: see LOST_GAP in sync.c. */
#define CLAIMED_GAP 1000

struct taking {
	struct folder *f;
	struct foreign w;
	struct takeover *out;
	bool dry;
	uint32_t highest;		/* UID claimed by a file the list has not */
	uint64_t strangers;		/* files with another UIDVALIDITY */
	struct change *batch;
	size_t n;
	bool changed;
	int error;
};

static bool
claims(const struct taking *t, const struct entry *e)
{
	return e->uid != 0 && e->uidvalidity == t->w.uidvalidity;
}

/* ---- the first look ---- */

static int
meet(void *arg, const struct entry *e)
{
	struct taking *t = arg;
	struct foreign_message *m =
	    foreign_find(&t->w, foreign_key(bytes_of(e->where + 4)));

	if (m == NULL || m->there) {
		t->out->others++;
		t->strangers += e->uid != 0 && !claims(t, e);
		if (claims(t, e) && e->uid > t->highest)
			t->highest = e->uid;
		return 0;
	}
	m->there = true;
	t->out->messages++;
	t->out->unique_ids += m->uidl != NULL;
	return 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct foreign_message *const *x = a, *const *y = b;

	return name_order((*x)->name, (*y)->name);
}

/* What only POP3 had seen gets UIDs in the order of its coming. */
static int
number_rest(struct foreign *w)
{
	struct foreign_message **v = reallocarray(NULL, w->n + 1, sizeof *v);
	size_t n = 0;

	if (v == NULL)
		return -1;
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].there && w->v[i].uid == 0)
			v[n++] = &w->v[i];
	if (n > 0)
		qsort(v, n, sizeof(struct foreign_message *), by_age);
	for (size_t i = 0; i < n && w->uid_next < UINT32_MAX; i++)
		v[i]->uid = w->uid_next++;
	free(v);
	return 0;
}

static int
look(struct taking *t)
{
	struct foreign *w = &t->w;

	t->out->source = w->source;
	t->out->uidvalidity = w->uidvalidity;
	if (t->f->store->ops->scan(t->f, PART_ALL, meet, t) < 0)
		return -1;
	/* We were here since, and what is left there is of old. */
	if (t->strangers > t->out->messages)
		return 0;
	if (t->highest >= w->uid_next)
		w->uid_next = t->highest < UINT32_MAX - CLAIMED_GAP
		    ? t->highest + CLAIMED_GAP : UINT32_MAX;
	if (number_rest(w) < 0)
		return -1;
	t->out->uid_next = w->uid_next;
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++)
		t->out->keywords += w->keyword[i] != NULL;
	return 1;
}

/* ---- the small files ---- */

/* Names beyond the letters that we had before stay (mailreeve leave). */
static int
write_keywords(struct taking *t)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct keywords *ours = &t->f->keywords;
	int rc = 0;

	keywords_load(ours, t->f->dir);
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++) {
		const char *name = t->w.keyword[i];

		if (name == NULL && !t->w.courier && i >= KEYWORD_LETTERS)
			name = ours->name[i];
		if (name != NULL)
			buf_printf(&text, "%u %s\n", i, name);
	}
	if (text.error != 0)
		rc = -1;
	else if (text.len > 0)
		rc = text_replace(t->f->dir, KEYWORDS_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

static int
write_uidls(struct taking *t)
{
	struct buf text = BUF_INIT(UIDL_FILE_MAX);
	int rc = 0;

	for (size_t i = 0; i < t->w.n; i++) {
		const struct foreign_message *m = &t->w.v[i];

		if (m->there && m->uidl != NULL && m->uid != 0)
			buf_printf(&text, "%u %s\n", m->uid, m->uidl);
	}
	if (text.error != 0)
		rc = -1;
	else if (text.len > 0)
		rc = text_replace(t->f->dir, UIDL_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

static bool
every_uid(void *arg, uint32_t uid)
{
	(void)arg;
	(void)uid;
	return true;
}

/* Courier knows no letters: those beyond ours go where we have ours. */
static int
write_flags(struct taking *t)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->w.n; i++) {
		const struct foreign_message *m = &t->w.v[i];
		struct uid_keywords k = { m->uid, m->keywords };

		if (m->there && m->uid != 0 && keywords_need_flags(&m->keywords))
			rc = keywords_flags_add(t->f->dir, &k, 1, every_uid, NULL);
	}
	return rc;
}

/* ---- the files of the messages ---- */

/* Notes their UIDs beside them where that can be; those get no error. */
static void
give_batch(struct taking *t)
{
	const struct store_ops *ops = t->f->store->ops;
	struct gift v[BATCH];
	struct change *of[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct change *c = &t->batch[i];

		c->error = EEXIST;
		if (!ops->given(c->where))
			continue;
		v[n] = (struct gift){ .where = bytes_of(c->where), .uid = c->uid };
		of[n++] = c;
	}
	if (n == 0 || ops->give(t->f, t->w.uidvalidity, v, n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		of[i]->error = v[i].error;
}

/*
 * Many names are seen to later (given.h), unless they must also get the letters
 * of keywords that Courier keeps elsewhere.
 */
static void
identify(struct taking *t)
{
	const struct store_ops *ops = t->f->store->ops;
	uint32_t validity = t->w.uidvalidity;

	if (t->w.courier || t->out->messages < pass_many) {
		ops->apply(t->f, CHANGE_FLAGS, validity, t->batch, t->n);
		return;
	}
	give_batch(t);
	for (size_t i = 0; i < t->n; i++)
		if (t->batch[i].error == EEXIST)
			ops->apply(t->f, CHANGE_FLAGS, validity, &t->batch[i], 1);
}

static void
apply_batch(struct taking *t)
{
	identify(t);
	for (size_t i = 0; i < t->n; i++)
		if (t->batch[i].error == 0 || t->batch[i].error == ENOENT)
			t->changed = true;
		else
			t->error = t->batch[i].error;
	t->n = 0;
}

static int
give_uid(void *arg, const struct entry *e)
{
	struct taking *t = arg;
	struct foreign_message *m =
	    foreign_find(&t->w, foreign_key(bytes_of(e->where + 4)));
	struct change *c;

	if (m == NULL || m->uid == 0)
		return 0;
	if (claims(t, e) && e->uid == m->uid) {
		m->done = true;
		return 0;
	}
	if (m->done)
		return 0;
	m->done = true;
	c = &t->batch[t->n++];
	*c = (struct change){ .uid = m->uid, .flags = e->flags,
	    .keywords = t->w.courier ? m->keywords : e->keywords };
	snprintf(c->where, sizeof c->where, "%s", e->where);
	if (t->n == BATCH)
		apply_batch(t);
	return 0;
}

/* A name that is right already is not taken for another message's twin. */
static int
note_done(void *arg, const struct entry *e)
{
	struct taking *t = arg;
	struct foreign_message *m =
	    foreign_find(&t->w, foreign_key(bytes_of(e->where + 4)));

	if (m != NULL && claims(t, e) && e->uid == m->uid)
		m->done = true;
	return 0;
}

static int
one_round(struct taking *t)
{
	const struct store_ops *ops = t->f->store->ops;

	for (size_t i = 0; i < t->w.n; i++)
		t->w.v[i].done = false;
	t->changed = false;
	if (ops->scan(t->f, PART_ALL, note_done, t) < 0
	    || ops->scan(t->f, PART_ALL, give_uid, t) < 0)
		return -1;
	apply_batch(t);
	return 0;
}

static int
give_uids(struct taking *t)
{
	int rc;

	t->batch = reallocarray(NULL, BATCH, sizeof *t->batch);
	if (t->batch == NULL)
		return -1;
	t->changed = true;
	rc = 0;
	for (unsigned i = 0; rc == 0 && t->changed && i < ROUNDS; i++)
		rc = one_round(t);
	free(t->batch);
	if (rc == 0 && t->error != 0) {
		errno = t->error;
		rc = -1;
	}
	return rc < 0 ? -1 : t->f->store->ops->durable(t->f);
}

static int
new_validity(struct store *s, uint32_t *validity)
{
	int names = store_lock_names(s), rc;

	if (names < 0)
		return -1;
	rc = state_new_validity(s->root, validity);
	store_unlock_names(names);
	return rc;
}

static int
take(struct taking *t, struct state *st)
{
	if (t->w.uidvalidity == 0
	    && new_validity(t->f->store, &t->w.uidvalidity) < 0)
		return -1;
	if (write_keywords(t) < 0 || write_uidls(t) < 0 || write_flags(t) < 0
	    || give_uids(t) < 0)
		return -1;
	*st = (struct state){ .uidvalidity = t->w.uidvalidity,
	    .uid_bound = t->w.uid_next, .modseq_bound = 1 };
	return 1;
}

int
takeover_folder(struct folder *f, struct state *st, struct takeover *out)
{
	struct taking t = { .f = f, .out = out };
	int rc;

	*out = (struct takeover){ 0 };
	rc = foreign_load(f->dir, &t.w);
	if (rc <= 0)
		return rc;
	rc = look(&t);
	if (rc > 0 && st != NULL)
		rc = take(&t, st);

	int saved = errno;

	foreign_free(&t.w);
	errno = saved;
	return rc;
}
