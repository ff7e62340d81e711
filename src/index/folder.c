/*
 * The index: a folder's record, and the UIDs that exist in it.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "index.h"
#include "key.h"

/* UIDs with the same upper bits share one record of runs. */
#define CHUNK_BITS 16
#define CHUNK_UIDS ((uint32_t)1 << CHUNK_BITS)
#define CHUNK_RUNS_MAX (CHUNK_UIDS / 2 + 1)

struct folder_record {
	struct index_folder f;
	uint32_t sum;
};

static uint32_t
folder_sum(const struct folder_record *r)
{
	return db_checksum(&r->f, sizeof r->f);
}

int
index_folder_get(struct db *d, const char *id, struct index_folder *f)
{
	struct folder_record r;
	size_t n;

	if (db_get(d, TABLE_FOLDERS, bytes_of(id), &r, sizeof r, &n) < 0)
		return -1;
	if (n != sizeof r || r.sum != folder_sum(&r)) {
		db_drop(d);
		errno = EIO;
		return -1;
	}
	*f = r.f;
	return 0;
}

int
index_folder_put(struct db *d, const char *id, const struct index_folder *f)
{
	struct folder_record r;

	memset(&r, 0, sizeof r);
	memcpy(&r.f, f, sizeof r.f);
	r.sum = folder_sum(&r);
	return db_put(d, TABLE_FOLDERS, bytes_of(id), bytes_make(&r, sizeof r));
}

int
index_folder_number(struct db *d, uint32_t *number)
{
	size_t n;

	if (db_get(d, TABLE_META, BYTES("n"), number, sizeof *number, &n) < 0) {
		if (errno != ENOENT)
			return -1;
		*number = 0;
	}
	++*number;
	return db_put(d, TABLE_META, BYTES("n"), bytes_make(number, sizeof *number));
}

int
index_folder_drop(struct db *d, const char *id, uint32_t number, size_t max,
    size_t *gone)
{
	static const enum db_table tables[] = {
		TABLE_ROWS, TABLE_COLUMNS, TABLE_LOG, TABLE_GONE, TABLE_RUNS,
	};
	struct key k = key_32(number);

	*gone = 0;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		size_t n;

		if (db_delete_prefix(d, tables[i], key_bytes(&k), max - *gone,
		    &n) < 0)
			return -1;
		*gone += n;
	}
	return *gone < max ? db_delete(d, TABLE_FOLDERS, bytes_of(id)) : 0;
}

/* ---- runs ---- */

/* A run within a chunk; the record is an array of them behind a checksum. */
struct short_run {
	uint16_t first, last;
};

struct chunk {
	uint32_t sum;
	uint32_t n;
	struct short_run v[CHUNK_RUNS_MAX];
};

static size_t
chunk_size(uint32_t n)
{
	return offsetof(struct chunk, v) + n * sizeof(struct short_run);
}

static uint32_t
chunk_sum(const struct chunk *c)
{
	return db_checksum(&c->n, chunk_size(c->n) - offsetof(struct chunk, n));
}

static bool
chunk_good(struct bytes value, struct chunk *c)
{
	if (value.n < chunk_size(0) || value.n > sizeof *c)
		return false;
	memcpy(c, value.p, value.n);
	return c->n <= CHUNK_RUNS_MAX && value.n == chunk_size(c->n)
	    && c->sum == chunk_sum(c);
}

struct loading {
	uint32_t number;
	struct runs *out;
	struct chunk *chunk;
	bool damaged, failed;
};

static int
load_chunk(void *arg, struct bytes key, struct bytes value)
{
	struct loading *l = arg;
	uint32_t base;

	if (key_number(key, 0, 4) != l->number)
		return 1;
	if (key.n != 8 || !chunk_good(value, l->chunk)) {
		l->damaged = true;
		return 1;
	}
	base = (uint32_t)key_number(key, 4, 4) << CHUNK_BITS;
	for (uint32_t i = 0; i < l->chunk->n; i++) {
		struct short_run r = l->chunk->v[i];

		if (r.first > r.last || (base | r.first) == 0)
			l->damaged = true;
		else if (runs_add(l->out, base | r.first, base | r.last) < 0)
			l->failed = true;
	}
	return l->damaged || l->failed;
}

static int
walk_runs(struct db *d, struct key from, struct loading *l)
{
	l->chunk = malloc(sizeof *l->chunk);
	if (l->chunk == NULL)
		return -1;
	int rc = db_walk(d, TABLE_RUNS, key_bytes(&from), load_chunk, l);

	free(l->chunk);
	if (l->damaged) {
		db_drop(d);
		errno = EIO;
	}
	return rc < 0 || l->damaged || l->failed ? -1 : 0;
}

int
index_runs(struct db *d, uint32_t number, struct runs *out)
{
	struct loading l = { .number = number, .out = out };

	runs_clear(out);
	return walk_runs(d, key_32(number), &l);
}

static void
put_short(struct chunk *c, uint32_t first, uint32_t last)
{
	c->v[c->n++] = (struct short_run){ (uint16_t)first, (uint16_t)last };
}

static int
store_chunk(struct db *d, uint32_t number, uint32_t index, const struct runs *set)
{
	struct key k = key_32_32(number, index);
	struct chunk *c;
	int rc;

	if (set->n == 0)
		return db_delete(d, TABLE_RUNS, key_bytes(&k));
	c = calloc(1, chunk_size((uint32_t)set->n));
	if (c == NULL)
		return -1;
	for (size_t i = 0; i < set->n; i++)
		put_short(c, set->v[i].first, set->v[i].last);
	c->sum = chunk_sum(c);
	rc = db_put(d, TABLE_RUNS, key_bytes(&k),
	    bytes_make(c, chunk_size(c->n)));
	free(c);
	return rc;
}

/* The runs of one chunk as they are now. */
static int
load_one(struct db *d, uint32_t number, uint32_t index, struct runs *out)
{
	struct key k = key_32_32(number, index);
	struct chunk *c = malloc(sizeof *c);
	size_t n;
	int rc;

	runs_clear(out);
	if (c == NULL)
		return -1;
	rc = db_get(d, TABLE_RUNS, key_bytes(&k), c, sizeof *c, &n);
	if (rc < 0 && errno == ENOENT) {
		rc = 0;
	} else if (rc == 0 && (n < chunk_size(0) || c->n > CHUNK_RUNS_MAX
	    || n != chunk_size(c->n) || c->sum != chunk_sum(c))) {
		db_drop(d);
		errno = EIO;
		rc = -1;
	} else if (rc == 0) {
		for (uint32_t i = 0; rc == 0 && i < c->n; i++)
			rc = runs_add(out, index << CHUNK_BITS | c->v[i].first,
			    index << CHUNK_BITS | c->v[i].last);
	}
	free(c);
	return rc;
}

/* The part of set that lies in the chunk, added to or taken from its runs. */
static int
merge(struct runs *chunk, const struct runs *set, uint32_t index, bool add)
{
	uint32_t low = index << CHUNK_BITS, high = low | (CHUNK_UIDS - 1);
	int rc = 0;

	for (size_t i = 0; set != NULL && rc == 0 && i < set->n; i++) {
		uint32_t first = set->v[i].first > low ? set->v[i].first : low;
		uint32_t last = set->v[i].last < high ? set->v[i].last : high;

		if (first <= last)
			rc = add ? runs_add(chunk, first, last)
			    : runs_remove(chunk, first, last);
	}
	return rc;
}

static int
change_chunk(struct db *d, uint32_t number, uint32_t index,
    const struct runs *add, const struct runs *remove)
{
	struct runs set = RUNS_INIT;
	int rc = load_one(d, number, index, &set);

	if (rc == 0)
		rc = merge(&set, remove, index, false);
	if (rc == 0)
		rc = merge(&set, add, index, true);
	if (rc == 0)
		rc = store_chunk(d, number, index, &set);
	runs_free(&set);
	return rc;
}

/* Adds the numbers of the chunks, plus one, that the set touches. */
static int
touched(struct runs *chunks, const struct runs *set)
{
	for (size_t i = 0; set != NULL && i < set->n; i++)
		if (runs_add(chunks, (set->v[i].first >> CHUNK_BITS) + 1,
		    (set->v[i].last >> CHUNK_BITS) + 1) < 0)
			return -1;
	return 0;
}

int
index_runs_change(struct db *d, uint32_t number, const struct runs *add,
    const struct runs *remove)
{
	struct runs chunks = RUNS_INIT;
	struct runs_cursor c = RUNS_CURSOR(&chunks);
	uint32_t i;
	int rc = 0;

	if (touched(&chunks, add) < 0 || touched(&chunks, remove) < 0)
		rc = -1;
	while (rc == 0 && (i = runs_next(&c)) != 0)
		rc = change_chunk(d, number, i - 1, add, remove);
	runs_free(&chunks);
	return rc;
}
