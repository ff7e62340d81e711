/*
 * Rows of an open mailbox, and facts and columns on their way to the index.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "mailbox.h"
#include "name.h"

#define BATCH 256
#define FACTS_MAX 8192
#define COLUMNS_MAX 16384
#define COLUMN_BYTES_MAX ((size_t)8 << 20)
/* A column of more than this is not worth keeping. */
#define COLUMN_MAX ((size_t)256 << 10)

struct mail_cursor {
	struct mailbox *b;
	struct runs uids;
	size_t run;			/* the run we are in ... */
	uint32_t next;			/* ... and the next UID in it; 0: its first */
	bool no_dates;
	bool alone;			/* rows have no locators */
	size_t n, at;			/* rows read, and given out */
	struct index_row rows[BATCH];
};

static void
fill(const struct index_row *in, struct mail_row *out)
{
	*out = (struct mail_row){ .uid = in->uid, .flags = in->flags,
	    .keywords = in->keywords, .modseq = in->modseq,
	    .size_known = in->size != INDEX_SIZE_UNKNOWN,
	    .internaldate = in->date == INDEX_DATE_UNKNOWN ? 0 : in->date,
	    .savedate = in->saved };
	if (out->size_known)
		out->size = in->size;
}

int
row_facts(struct mailbox *b, struct index_row *row)
{
	uint64_t size;

	if (row->date != INDEX_DATE_UNKNOWN)
		return 0;
	if (b->b.folder->store->ops->facts(b->b.folder, row->where, &size,
	    &row->date) < 0)
		return -1;
	if (row->size == INDEX_SIZE_UNKNOWN && size != FILE_SIZE_UNKNOWN)
		row->size = size;
	pending_fact(b, row->uid, row->size, row->date);
	return 0;
}

int
row_size(struct mailbox *b, struct index_row *row)
{
	struct message msg;
	int rc;

	row_facts(b, row);
	if (row->size != INDEX_SIZE_UNKNOWN)
		return 0;
	if (b->b.folder->store->ops->message(b->b.folder, row->where, &msg) < 0)
		return -1;
	rc = message_wire_size(&msg, &row->size);
	message_close(&msg);
	if (rc == 0)
		pending_fact(b, row->uid, row->size, row->date);
	return rc;
}

static int
read_batch(void *arg)
{
	struct mail_cursor *c = arg;
	struct bound *b = &c->b->b;

	c->n = c->at = 0;
	while (c->n == 0 && c->run < c->uids.n) {
		struct run r = c->uids.v[c->run];
		uint32_t first = c->next != 0 ? c->next : r.first;

		if ((c->alone ? index_rows_brief : index_rows)(b->mail->db,
		    b->rec.number, first, r.last, c->rows, BATCH, &c->n) < 0)
			return -1;
		if (c->n < BATCH || c->rows[c->n - 1].uid == r.last) {
			c->run++;
			c->next = 0;
		} else {
			c->next = c->rows[c->n - 1].uid + 1;
		}
	}
	return 0;
}

int
mailbox_rows(struct mailbox *b, const struct runs *uids, struct mail_cursor **out)
{
	struct mail_cursor *c = malloc(sizeof *c);

	if (c == NULL)
		return -1;
	c->b = b;
	c->uids = RUNS_INIT;
	c->run = c->n = c->at = 0;
	c->next = 0;
	c->no_dates = c->alone = false;
	if (runs_copy(&c->uids, uids) < 0) {
		free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void
mail_cursor_no_dates(struct mail_cursor *c)
{
	c->no_dates = true;
}

void
mail_cursor_rows_alone(struct mail_cursor *c)
{
	c->no_dates = c->alone = true;
}

int
mail_cursor_next(struct mail_cursor *c, struct mail_row *row)
{
	struct index_row *r;

	/* The last rows stay where they are: see mail_cursor_end(). */
	if (c->at == c->n && c->run < c->uids.n
	    && bound_read(&c->b->b, read_batch, c) < 0)
		return -1;
	if (c->at == c->n)
		return 0;
	r = &c->rows[c->at++];
	if (!c->no_dates)
		row_facts(c->b, r);
	fill(r, row);
	return 1;
}

/* Its rows are likely to be those whose messages are read next. */
void
mail_cursor_end(struct mail_cursor *c)
{
	if (c == NULL)
		return;
	runs_free(&c->uids);
	if (c->alone) {
		free(c);
		return;
	}
	free(c->b->spent);
	c->b->spent = c;
}

struct all_rows {
	const struct bound *b;
	const struct runs *uids;
	struct mail_row *v;
	size_t max, n;
};

static int
read_all(void *arg)
{
	struct all_rows *a = arg;
	size_t n;

	a->n = 0;
	for (size_t i = 0; i < a->uids->n; i++, a->n += n)
		if (index_mail_rows(a->b->mail->db, a->b->rec.number, a->uids->v[i].first,
		    a->uids->v[i].last, a->v + a->n, a->max - a->n, &n) < 0)
			return -1;
	return 0;
}

int
mailbox_rows_alone(struct mailbox *b, const struct runs *uids, struct mail_row *v,
    size_t max, size_t *n)
{
	struct all_rows a = { .b = &b->b, .uids = uids, .v = v, .max = max };
	int rc = bound_read(&b->b, read_all, &a);

	*n = a.n;
	return rc;
}

static int
by_uid(const void *key, const void *row)
{
	uint32_t a = *(const uint32_t *)key, b = ((const struct index_row *)row)->uid;

	return a < b ? -1 : a > b;
}

const char *
row_where(const struct mailbox *b, uint32_t uid)
{
	const struct mail_cursor *c = b->spent;
	const struct index_row *r = c == NULL ? NULL
	    : bsearch(&uid, c->rows, c->n, sizeof *c->rows, by_uid);

	return r == NULL ? NULL : r->where;
}

void
rows_ahead(struct mailbox *b, uint32_t uid)
{
	struct runs uids = RUNS_INIT;
	struct mail_cursor *c;
	struct mail_row row;

	if (runs_add(&uids, uid, UINT32_MAX) == 0 && mailbox_rows(b, &uids, &c) == 0) {
		mail_cursor_no_dates(c);
		mail_cursor_next(c, &row);
		mail_cursor_end(c);
	}
	runs_free(&uids);
}

struct wanted {
	struct bound *b;
	uint32_t uid;
	struct index_row *row;
};

static int
read_one(void *arg)
{
	struct wanted *w = arg;

	return index_row(w->b->mail->db, w->b->rec.number, w->uid, w->row);
}

int
row_find(struct mailbox *b, uint32_t uid, struct index_row *row)
{
	struct wanted w = { &b->b, uid, row };

	return bound_read(&b->b, read_one, &w);
}

int
mailbox_row(struct mailbox *b, uint32_t uid, struct mail_row *row)
{
	struct index_row r;

	if (row_find(b, uid, &r) < 0)
		return -1;
	row_facts(b, &r);
	fill(&r, row);
	return 0;
}

int
mailbox_row_size(struct mailbox *b, uint32_t uid, uint64_t *size)
{
	struct index_row r;

	if (row_find(b, uid, &r) < 0)
		return -1;
	if (row_size(b, &r) < 0) {
		/* Renamed under us, perhaps: look again, once. */
		if (errno != ENOENT || bound_sync(&b->b) < 0
		    || row_find(b, uid, &r) < 0 || row_size(b, &r) < 0)
			return -1;
	}
	*size = r.size;
	return 0;
}

int
mailbox_message_size(struct mailbox *b, uint32_t uid, const struct message *msg,
    uint64_t *size)
{
	if (message_wire_size(msg, size) < 0)
		return -1;
	pending_fact(b, uid, *size, INDEX_DATE_UNKNOWN);
	return 0;
}

void
mailbox_row_size_put(struct mailbox *b, const struct mail_row *row, uint64_t size)
{
	if (row->internaldate != 0)
		pending_fact(b, row->uid, size, row->internaldate);
}

/* ---- facts and columns on their way ---- */

void
pending_fact(struct mailbox *b, uint32_t uid, uint64_t size, int64_t date)
{
	struct pending *p = &b->pending;

	if (p->n_facts == FACTS_MAX)
		pending_flush(b);
	if (p->facts == NULL)
		p->facts = reallocarray(NULL, FACTS_MAX, sizeof *p->facts);
	if (p->facts == NULL || p->n_facts == FACTS_MAX)
		return;
	p->facts[p->n_facts++] = (struct fact){ uid, size, date };
}

static int
write_facts(struct mailbox *b)
{
	struct bound *bound = &b->b;

	for (size_t i = 0; i < b->pending.n_facts; i++) {
		const struct fact *f = &b->pending.facts[i];
		struct index_row old, row;

		if (index_row(bound->mail->db, bound->rec.number, f->uid, &old) < 0) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		row = old;
		if (f->size != INDEX_SIZE_UNKNOWN)
			row.size = f->size;
		if (f->date != INDEX_DATE_UNKNOWN)
			row.date = f->date;
		if (bound_put_facts(bound, &old, &row) < 0)
			return -1;
	}
	return 0;
}

/* Of messages that are gone nothing is kept. Their columns come one behind another. */
static int
drop_gone(struct mailbox *b)
{
	struct bound *bound = &b->b;
	struct pending_column *c = b->pending.columns;
	struct index_row row;
	bool gone = false;

	for (size_t i = 0; i < b->pending.n_columns; i++) {
		if (i == 0 || c[i].uid != c[i - 1].uid) {
			gone = index_row(bound->mail->db, bound->rec.number, c[i].uid,
			    &row) < 0;
			if (gone && errno != ENOENT)
				return -1;
		}
		if (gone)
			c[i].column = COLUMN_NONE;
	}
	return 0;
}

static int
write_column(struct mailbox *b, unsigned column)
{
	struct bound *bound = &b->b;

	for (size_t i = 0; i < b->pending.n_columns; i++) {
		const struct pending_column *c = &b->pending.columns[i];

		if (c->column == column
		    && index_column_put(bound->mail->db, bound->rec.number, column,
		    c->uid, bytes_make(b->pending.bytes.data + c->at, c->n)) < 0)
			return -1;
	}
	return 0;
}

/* One column after the other: in the index each is a place of its own. */
static int
write_columns(struct mailbox *b)
{
	uint32_t columns = 0;

	if (drop_gone(b) < 0)
		return -1;
	for (size_t i = 0; i < b->pending.n_columns; i++)
		columns |= (uint32_t)1 << b->pending.columns[i].column;
	for (unsigned column = COLUMN_NONE + 1; column < COLUMN_END; column++)
		if ((columns >> column & 1) && write_column(b, column) < 0)
			return -1;
	return 0;
}

/* The record changes with the sizes, so this needs the folder's lock. */
void
pending_flush(struct mailbox *b)
{
	struct pending *p = &b->pending;

	if (p->n_facts + p->n_columns == 0)
		return;
	if (folder_lock(b->b.folder) == 0) {
		if (bound_reload(&b->b) == 0 && bound_begin(&b->b) == 0) {
			if (write_facts(b) == 0 && write_columns(b) == 0)
				bound_commit(&b->b);
			else
				bound_abort(&b->b);
		}
		folder_unlock(b->b.folder);
	}
	p->n_facts = p->n_columns = 0;
	buf_clear(&p->bytes);
}

void
pending_free(struct pending *p)
{
	free(p->facts);
	free(p->columns);
	buf_free(&p->bytes);
	*p = (struct pending){ 0 };
}

int
mailbox_column(struct mailbox *b, uint32_t uid, enum mail_column col,
    struct bytes *out)
{
	struct bound *bound = &b->b;
	int rc;

	/* Another mailbox's sync may have met a new index. */
	if (bound->generation != db_generation(bound->mail->db))
		return 0;
	rc = ahead_column(&b->ahead, bound->mail->db, bound->rec.number, col,
	    uid, out);

	if (rc != AHEAD_UNKNOWN)
		return rc;
	if (index_column(bound->mail->db, bound->rec.number, col, uid,
	    &b->column) < 0)
		return errno == ENOENT || errno == EIO ? 0 : -1;
	*out = buf_contents(&b->column);
	return 1;
}

static struct pending_column *
room_for_column(struct pending *p)
{
	struct pending_column *v;
	size_t cap = p->cap_columns == 0 ? 64 : p->cap_columns * 2;

	if (p->n_columns < p->cap_columns)
		return &p->columns[p->n_columns];
	v = reallocarray(p->columns, cap, sizeof *v);
	if (v == NULL)
		return NULL;
	p->columns = v;
	p->cap_columns = cap;
	return &p->columns[p->n_columns];
}

void
mailbox_column_put(struct mailbox *b, uint32_t uid, enum mail_column col,
    struct bytes value)
{
	struct pending *p = &b->pending;
	struct pending_column *c;
	size_t at;

	if (value.n > COLUMN_MAX)
		return;
	p->bytes.max = COLUMN_BYTES_MAX;
	if (p->n_columns == COLUMNS_MAX || p->bytes.len + value.n > p->bytes.max)
		pending_flush(b);
	at = p->bytes.len;
	c = room_for_column(p);
	if (c == NULL || buf_bytes(&p->bytes, value) < 0)
		return;
	*c = (struct pending_column){ uid, col, at, value.n };
	p->n_columns++;
}

void
mailbox_columns_flush(struct mailbox *b)
{
	ahead_free(&b->ahead);
	free(b->spent);
	b->spent = NULL;
	pending_flush(b);
}

void
mailbox_shrink(struct mailbox *b)
{
	mailbox_columns_flush(b);
	pending_free(&b->pending);
	buf_free(&b->column);
}
