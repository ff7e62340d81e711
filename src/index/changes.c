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

int
index_log_move(struct db *d, uint32_t number, uint32_t uid, uint64_t from,
    uint64_t to)
{
	struct key old = key_32_64_32(number, from, uid);
	struct key new = key_32_64_32(number, to, uid);

	if (from == to)
		return 0;
	if (from != 0 && db_delete(d, TABLE_LOG, key_bytes(&old)) < 0)
		return -1;
	return to == 0 ? 0
	    : db_put(d, TABLE_LOG, key_bytes(&new), (struct bytes){ 0 });
}

struct since {
	uint32_t number;
	struct runs *out;
	uint32_t *v;			/* UIDs as they come */
	size_t n, cap;
	bool failed, damaged;
};

static int
note_uid(void *arg, struct bytes key, struct bytes value)
{
	struct since *s = arg;

	(void)value;
	if (key_number(key, 0, 4) != s->number)
		return 1;
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		uint32_t *v = reallocarray(s->v, cap, sizeof *v);

		if (v == NULL) {
			s->failed = true;
			return 1;
		}
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (uint32_t)key_number(key, 12, 4);
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
index_log_since(struct db *d, uint32_t number, uint64_t modseq, struct runs *out)
{
	struct since s = { .number = number };
	struct key k = key_32_64_32(number, modseq + 1, 0);
	int rc = db_walk(d, TABLE_LOG, key_bytes(&k), note_uid, &s) < 0
	    || s.failed ? -1 : 0;

	runs_clear(out);
	if (s.n > 0)
		qsort(s.v, s.n, sizeof *s.v, by_number);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		if (s.v[i] != 0)
			rc = runs_add(out, s.v[i], s.v[i]);
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
	if (s.damaged) {
		db_drop(d);
		errno = EIO;
		return -1;
	}
	return 0;
}
