/*
 * The index: what changed and what went, by mod-sequence.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "index.h"
#include "key.h"

#define GONE_RUNS_MAX 1000		/* in one record */
#define GONE_RECORDS_MAX 10000		/* in a folder; then the older half goes */

/*
 * The log: a record for each run of UIDs that changed at one mod-sequence and
 * not since, by its last UID, so that the one which holds a UID is the next
 * from there on. A record without a value is a run of one.
 */
struct log_value {
	uint32_t sum;			/* over the rest */
	uint32_t first;
};

static uint32_t
log_sum(const struct log_value *v)
{
	return db_checksum(&v->first, sizeof v->first);
}

/* False where it is damaged. */
static bool
log_run(struct bytes key, struct bytes value, struct run *out)
{
	struct log_value v;

	out->first = out->last = key_word(key, 12);
	if (value.n == 0)
		return out->last != 0;
	if (value.n != sizeof v)
		return false;
	memcpy(&v, value.p, sizeof v);
	out->first = v.first;
	return v.sum == log_sum(&v) && v.first != 0 && v.first < out->last;
}

static int
log_put(struct db *d, uint32_t number, uint64_t modseq, struct run r)
{
	struct key k = key_32_64_32(number, modseq, r.last);
	struct log_value v = { .first = r.first };

	v.sum = log_sum(&v);
	return db_put(d, TABLE_LOG, key_bytes(&k),
	    bytes_make(&v, r.first == r.last ? 0 : sizeof v));
}

struct log_place {
	uint32_t number;
	uint64_t modseq;
	struct run found;
	bool damaged;
};

/* The first run that is asked for, which ends the walk; last 0: none. */
static int
log_look(void *arg, struct bytes key, struct bytes value)
{
	struct log_place *p = arg;

	if (key_word(key, 0) == p->number && key_number(key, 4, 8) == p->modseq)
		p->damaged = !log_run(key, value, &p->found);
	return 1;
}

static int
damaged(struct db *d)
{
	db_drop(d);
	errno = EIO;
	return -1;
}

static int
log_find(struct db *d, uint32_t uid, struct log_place *p)
{
	struct key k = key_32_64_32(p->number, p->modseq, uid);

	p->found = (struct run){ 0, 0 };
	if (db_walk(d, TABLE_LOG, key_bytes(&k), log_look, p) < 0)
		return -1;
	return p->damaged ? damaged(d) : 0;
}

/* What of the run found lies on either side of the others stays. */
static int
log_cut(struct db *d, const struct log_place *p, struct run uids)
{
	struct key k = key_32_64_32(p->number, p->modseq, p->found.last);
	struct run before = { p->found.first, uids.first - 1 };
	struct run behind = { uids.last + 1, p->found.last };
	int rc = p->found.last > uids.last
	    ? log_put(d, p->number, p->modseq, behind)
	    : db_delete(d, TABLE_LOG, key_bytes(&k));

	if (rc == 0 && p->found.first < uids.first)
		rc = log_put(d, p->number, p->modseq, before);
	return rc;
}

static int
log_remove(struct db *d, uint32_t number, struct run uids, uint64_t modseq)
{
	struct log_place p = { .number = number, .modseq = modseq };

	for (;;) {
		if (log_find(d, uids.first, &p) < 0)
			return -1;
		if (p.found.last == 0 || p.found.first > uids.last)
			return 0;
		if (log_cut(d, &p, uids) < 0)
			return -1;
		if (p.found.last >= uids.last)
			return 0;
		uids.first = p.found.last + 1;
	}
}

int
index_log_move(struct db *d, uint32_t number, struct run uids, uint64_t from,
    uint64_t to)
{
	if (from == to)
		return 0;
	if (from != 0 && log_remove(d, number, uids, from) < 0)
		return -1;
	return to == 0 ? 0 : log_put(d, number, to, uids);
}

struct since {
	uint32_t number;
	struct runs *out;
	struct run *v;			/* as they come */
	size_t n, cap;
	bool failed, damaged;
};

static int
note_run(void *arg, struct bytes key, struct bytes value)
{
	struct since *s = arg;

	if (key_word(key, 0) != s->number)
		return 1;
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		struct run *v = reallocarray(s->v, cap, sizeof *v);

		if (v == NULL) {
			s->failed = true;
			return 1;
		}
		s->v = v;
		s->cap = cap;
	}
	s->damaged = !log_run(key, value, &s->v[s->n++]);
	return s->damaged;
}

static int
by_number(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

int
index_log_since(struct db *d, uint32_t number, uint64_t modseq, struct runs *out)
{
	struct since s = { .number = number };
	struct key k = key_32_64_32(number, modseq + 1, 0);
	int rc = db_walk(d, TABLE_LOG, key_bytes(&k), note_run, &s) < 0
	    || s.failed ? -1 : 0;

	if (rc == 0 && s.damaged)
		rc = damaged(d);
	runs_clear(out);
	if (s.n > 0)
		qsort(s.v, s.n, sizeof *s.v, by_number);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		rc = runs_add(out, s.v[i].first, s.v[i].last);
	free(s.v);
	return rc;
}

/* A record of expunged runs: checksum, then pairs. */
static int
put_gone(struct db *d, uint32_t number, uint64_t modseq, const struct run *v,
    size_t n)
{
	struct key k = key_32_64_32(number, modseq, v[0].first);
	struct buf value = BUF_INIT(GONE_RUNS_MAX * sizeof *v + sizeof(uint32_t));
	uint32_t sum = db_checksum(v, n * sizeof *v);
	int rc;

	buf_add(&value, &sum, sizeof sum);
	buf_add(&value, v, n * sizeof *v);
	rc = value.error != 0 ? -1
	    : db_put(d, TABLE_GONE, key_bytes(&k), buf_contents(&value));
	buf_free(&value);
	return rc;
}

struct trimming {
	uint32_t number;
	uint64_t left, floor;
};

static int
find_floor(void *arg, struct bytes key, struct bytes value)
{
	struct trimming *t = arg;

	(void)value;
	if (key_number(key, 0, 4) != t->number || t->left-- == 0)
		return 1;
	t->floor = key_number(key, 4, 8);
	return 0;
}

/* Forgets the older half; whoever asks further back gets a superset. */
static int
trim(struct db *d, struct index_folder *f)
{
	struct trimming t = { f->number, f->gone_records / 2, f->gone_floor };
	struct key k = key_32(f->number);
	size_t gone;

	if (db_walk(d, TABLE_GONE, key_bytes(&k), find_floor, &t) < 0
	    || db_delete_prefix(d, TABLE_GONE, key_bytes(&k),
	    f->gone_records / 2, &gone) < 0)
		return -1;
	f->gone_floor = t.floor;
	f->gone_records -= gone;
	return 0;
}

int
index_gone_add(struct db *d, struct index_folder *f, uint64_t modseq,
    const struct runs *uids)
{
	for (size_t i = 0; i < uids->n; i += GONE_RUNS_MAX) {
		size_t n = uids->n - i < GONE_RUNS_MAX ? uids->n - i
		    : GONE_RUNS_MAX;

		if (put_gone(d, f->number, modseq, uids->v + i, n) < 0)
			return -1;
		f->gone_records++;
	}
	return f->gone_records > GONE_RECORDS_MAX ? trim(d, f) : 0;
}

static int
note_gone(void *arg, struct bytes key, struct bytes value)
{
	struct since *s = arg;
	struct run r;
	uint32_t sum;

	if (key_number(key, 0, 4) != s->number)
		return 1;
	if (value.n < sizeof sum || (value.n - sizeof sum) % sizeof r != 0) {
		s->damaged = true;
		return 1;
	}
	memcpy(&sum, value.p, sizeof sum);
	s->damaged = sum != db_checksum(value.p + sizeof sum, value.n - sizeof sum);
	for (size_t at = sizeof sum; !s->damaged && !s->failed && at < value.n;
	    at += sizeof r) {
		memcpy(&r, value.p + at, sizeof r);
		s->damaged = r.first == 0 || r.first > r.last;
		s->failed = !s->damaged && runs_add(s->out, r.first, r.last) < 0;
	}
	return s->damaged || s->failed;
}

int
index_gone_since(struct db *d, uint32_t number, uint64_t modseq, struct runs *out)
{
	struct since s = { .number = number, .out = out };
	struct key k = key_32_64_32(number, modseq + 1, 0);

	runs_clear(out);
	if (db_walk(d, TABLE_GONE, key_bytes(&k), note_gone, &s) < 0 || s.failed)
		return -1;
	return s.damaged ? damaged(d) : 0;
}
