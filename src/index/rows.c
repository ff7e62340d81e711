/*
 * The index: rows of messages, and columns of what was computed from them.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "checksum.h"
#include "index.h"
#include "key.h"

/*
 * LMDB fills a page from its end: a few rows on, so many bytes back. And what
 * was written in its order often goes on in the next page of the file.
 */
#define ROWS_AHEAD 640
#define PAGE 4096
#define LINE 64				/* of the processor's cache */
#define COLUMN_AHEAD 256		/* of each column no more than this */

/*
 * A locator is stored in steps of this, filled up with NULs: a row of the same
 * length as before is written where it is, and a flag makes a name longer.
 */
#define WHERE_STEP 8

/* A row as stored: this, then the locator. */
struct row_record {
	uint32_t sum;			/* over what follows here */
	uint32_t where_sum;		/* over the locator */
	uint32_t flags, none;
	struct keyword_set keywords;
	uint64_t modseq, size;
	int64_t date, saved;
	uint64_t mark;
};

/* Of a record where it stands: words just copied cannot be read at once at other bounds. */
static uint32_t
row_sum(const void *record)
{
	const size_t skip = offsetof(struct row_record, where_sum);

	return checksum((const unsigned char *)record + skip,
	    sizeof(struct row_record) - skip);
}

static bool
decode_where(struct bytes where, uint32_t sum, char out[INDEX_WHERE_MAX])
{
	memcpy(out, where.p, where.n);
	out[where.n] = '\0';
	return sum == db_checksum(out, where.n);
}

/* Copied before it is looked at: rows lie in the map at any alignment. */
static bool
record_of(struct bytes value, struct row_record *r)
{
	if (value.n <= sizeof *r || value.n - sizeof *r >= INDEX_WHERE_MAX)
		return false;
	memcpy(r, value.p, sizeof *r);
	return r->sum == row_sum(value.p);
}

static bool
decode(uint32_t uid, struct bytes value, struct index_row *out, bool brief)
{
	struct row_record r;

	if (!record_of(value, &r))
		return false;
	/* One by one: to clear all of where first would cost more than the rest. */
	out->uid = uid;
	out->flags = r.flags;
	out->keywords = r.keywords;
	out->modseq = r.modseq;
	out->size = r.size;
	out->date = r.date;
	out->saved = r.saved;
	out->mark = r.mark;
	out->where[0] = '\0';
	return brief || decode_where(bytes_from(value, sizeof r), r.where_sum,
	    out->where);
}

static bool
decode_mail(uint32_t uid, struct bytes value, struct mail_row *out)
{
	struct row_record r;

	if (!record_of(value, &r))
		return false;
	out->uid = uid;
	out->flags = r.flags;
	out->keywords = r.keywords;
	out->modseq = r.modseq;
	out->size_known = r.size != INDEX_SIZE_UNKNOWN;
	out->size = out->size_known ? r.size : 0;
	out->internaldate = r.date == INDEX_DATE_UNKNOWN ? 0 : r.date;
	out->savedate = r.saved;
	return true;
}

static int
damaged(struct db *d)
{
	db_drop(d);
	errno = EIO;
	return -1;
}

int
index_row(struct db *d, uint32_t number, uint32_t uid, struct index_row *row)
{
	unsigned char value[sizeof(struct row_record) + INDEX_WHERE_MAX];
	struct key k = key_32_32(number, uid);
	size_t n;

	if (db_get(d, TABLE_ROWS, key_bytes(&k), value, sizeof value, &n) < 0)
		return -1;
	return decode(uid, bytes_make(value, n), row, false) ? 0 : damaged(d);
}

static size_t
stored_length(size_t n)
{
	n = (n + WHERE_STEP - 1) / WHERE_STEP * WHERE_STEP;
	return n < INDEX_WHERE_MAX ? n : INDEX_WHERE_MAX - 1;
}

static int
put(struct db *d, uint32_t number, const struct index_row *row,
    int (*how)(struct db *, enum db_table, struct bytes key, struct bytes value))
{
	struct {
		struct row_record r;
		char where[INDEX_WHERE_MAX];
	} v;
	struct key k = key_32_32(number, row->uid);
	size_t n = strnlen(row->where, INDEX_WHERE_MAX - 1);
	size_t where_n = stored_length(n);

	v.r = (struct row_record){ .flags = row->flags, .keywords = row->keywords,
	    .modseq = row->modseq, .size = row->size, .date = row->date,
	    .saved = row->saved, .mark = row->mark };
	memcpy(v.where, row->where, n);
	memset(v.where + n, 0, where_n - n);
	v.r.where_sum = db_checksum(v.where, where_n);
	v.r.sum = row_sum(&v.r);
	return how(d, TABLE_ROWS, key_bytes(&k),
	    bytes_make(&v, sizeof v.r + where_n));
}

int
index_row_put(struct db *d, uint32_t number, const struct index_row *row)
{
	return put(d, number, row, db_put);
}

int
index_row_add(struct db *d, uint32_t number, const struct index_row *row)
{
	return put(d, number, row, db_append);
}

int
index_row_remove(struct db *d, uint32_t number, uint32_t uid)
{
	struct key k = key_32_32(number, uid);

	return db_delete(d, TABLE_ROWS, key_bytes(&k));
}

struct reading {
	uint32_t number, last;
	struct index_row *v;
	struct mail_row *mail;		/* or these */
	size_t max, n;
	bool brief, damaged;
};

static int
read_row(void *arg, struct bytes key, struct bytes value)
{
	struct reading *r = arg;
	uint32_t uid = key_word(key, 4);

	__builtin_prefetch(value.p - ROWS_AHEAD);
	__builtin_prefetch(value.p - ROWS_AHEAD + LINE);
	__builtin_prefetch(value.p + PAGE);
	__builtin_prefetch(value.p + PAGE + LINE);
	if (r->n == r->max || key_word(key, 0) != r->number || uid > r->last)
		return 1;
	if (!(r->mail != NULL ? decode_mail(uid, value, &r->mail[r->n])
	    : decode(uid, value, &r->v[r->n], r->brief))) {
		r->damaged = true;
		return 1;
	}
	r->n++;
	return 0;
}

static int
read_rows(struct db *d, uint32_t first, struct reading *r, size_t *n)
{
	struct key k = key_32_32(r->number, first);

	if (db_walk(d, TABLE_ROWS, key_bytes(&k), read_row, r) < 0)
		return -1;
	*n = r->n;
	return r->damaged ? damaged(d) : 0;
}

int
index_rows(struct db *d, uint32_t number, uint32_t first, uint32_t last,
    struct index_row *v, size_t max, size_t *n)
{
	struct reading r = { .number = number, .last = last, .v = v, .max = max };

	return read_rows(d, first, &r, n);
}

int
index_rows_brief(struct db *d, uint32_t number, uint32_t first, uint32_t last,
    struct index_row *v, size_t max, size_t *n)
{
	struct reading r = { .number = number, .last = last, .v = v, .max = max,
	    .brief = true };

	return read_rows(d, first, &r, n);
}

int
index_mail_rows(struct db *d, uint32_t number, uint32_t first, uint32_t last,
    struct mail_row *v, size_t max, size_t *n)
{
	struct reading r = { .number = number, .last = last, .mail = v, .max = max };

	return read_rows(d, first, &r, n);
}

/* ---- columns: a checksum, then the bytes ---- */

int
index_column(struct db *d, uint32_t number, unsigned column, uint32_t uid,
    struct buf *out)
{
	struct key k = key_32_8_32(number, column, uid);
	uint32_t sum;
	size_t n;

	buf_clear(out);
	if (buf_room(out, 4096) == NULL)
		return -1;
	if (db_get(d, TABLE_COLUMNS, key_bytes(&k), out->data, out->cap, &n) < 0) {
		if (errno != E2BIG || buf_room(out, DB_VALUE_MAX) == NULL
		    || db_get(d, TABLE_COLUMNS, key_bytes(&k), out->data,
		    out->cap, &n) < 0)
			return -1;
	}
	if (n < sizeof sum)
		return damaged(d);
	memcpy(&sum, out->data, sizeof sum);
	if (sum != db_checksum(out->data + sizeof sum, n - sizeof sum))
		return damaged(d);
	out->len = n;
	buf_consume(out, sizeof sum);
	return 0;
}

struct gathering {
	uint32_t number;
	unsigned column;
	unsigned char *p;
	size_t size, used;
	struct index_column_at *v;
	size_t max, n;
	uint32_t through;
	bool damaged;
};

/* Runs under the guard: it takes no memory and only copies. */
static int
gather_column(void *arg, struct bytes key, struct bytes value)
{
	struct gathering *g = arg;
	uint32_t uid = key_word(key, 5), sum;

	for (size_t i = 0; i < value.n && i < COLUMN_AHEAD; i += LINE)
		__builtin_prefetch(value.p + PAGE + i);
	if (key_word(key, 0) != g->number || key_number(key, 4, 1) != g->column) {
		g->through = UINT32_MAX;
		return 1;
	}
	if (value.n < sizeof sum) {
		g->damaged = true;
		return 1;
	}
	memcpy(&sum, value.p, sizeof sum);
	value = bytes_from(value, sizeof sum);
	if (g->n == g->max || value.n > g->size - g->used)
		return 1;
	memcpy(g->p + g->used, value.p, value.n);
	if (sum != db_checksum(g->p + g->used, value.n)) {
		g->damaged = true;
		return 1;
	}
	g->v[g->n++] = (struct index_column_at){ uid, (uint32_t)g->used, (uint32_t)value.n };
	g->used += value.n;
	g->through = uid;
	return 0;
}

int
index_columns(struct db *d, uint32_t number, unsigned column, uint32_t first,
    unsigned char *p, size_t size, struct index_column_at *v, size_t max,
    size_t *n, uint32_t *through)
{
	struct gathering g = { .number = number, .column = column, .p = p,
	    .size = size, .v = v, .max = max, .through = first - 1 };
	struct key k = key_32_8_32(number, column, first);
	int rc = db_walk(d, TABLE_COLUMNS, key_bytes(&k), gather_column, &g);

	if (rc < 0)
		return -1;
	*n = g.n;
	/* A walk that nobody stopped went to the end of the table. */
	*through = rc == 0 ? UINT32_MAX : g.through;
	return g.damaged ? damaged(d) : 0;
}

int
index_column_put(struct db *d, uint32_t number, unsigned column, uint32_t uid,
    struct bytes value)
{
	struct key k = key_32_8_32(number, column, uid);
	struct buf copy = BUF_INIT(DB_VALUE_MAX);
	uint32_t sum = db_checksum(value.p, value.n);
	int rc = -1;

	buf_add(&copy, &sum, sizeof sum);
	if (buf_bytes(&copy, value) == 0)
		rc = db_put(d, TABLE_COLUMNS, key_bytes(&k), buf_contents(&copy));
	buf_free(&copy);
	return rc;
}

int
index_columns_remove(struct db *d, uint32_t number, const struct runs *uids)
{
	for (unsigned column = 1; column < COLUMN_END; column++)
		for (size_t i = 0; i < uids->n; i++) {
			struct key first = key_32_8_32(number, column,
			    uids->v[i].first);
			struct key last = key_32_8_32(number, column,
			    uids->v[i].last);

			if (db_delete_range(d, TABLE_COLUMNS, key_bytes(&first),
			    key_bytes(&last)) < 0)
				return -1;
		}
	return 0;
}
