/*
 * The maildrop: numbers, sizes and marks.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "drop.h"
#include "surrogate.h"

/*
 * What RETR adds to the stored size. In COLUMN_POP3: one byte for how the
 * last line ends, four for how much the header grows as a surrogate.
 */
struct added {
	bool open;			/* the last line has no end */
	uint32_t growth;
};

#define UNKNOWN UINT64_MAX		/* size of an entry */
#define COLUMN_SIZE 5
#define SLICE ((size_t)1024)		/* of a header that may grow */
static const unsigned char line_ended = 'e', line_open = 'o';

static bool
column_read(struct bytes b, struct added *out)
{
	if (b.n != COLUMN_SIZE || (b.p[0] != line_ended && b.p[0] != line_open))
		return false;
	out->open = b.p[0] == line_open;
	memcpy(&out->growth, b.p + 1, sizeof out->growth);
	return true;
}

static void
column_write(struct drop *d, uint32_t uid, const struct added *a)
{
	unsigned char b[COLUMN_SIZE];

	b[0] = a->open ? line_open : line_ended;
	memcpy(b + 1, &a->growth, sizeof a->growth);
	mailbox_column_put(d->box, uid, COLUMN_POP3, bytes_make(b, sizeof b));
}

/* By how much the header grows; one beyond 4 GB does not matter any more. */
static int
find_growth(const struct message *msg, uint32_t *out)
{
	unsigned char piece[8192], grown[SURROGATE_ROOM(SLICE)];
	struct surrogate g = { .body = false };
	uint64_t at = 0, header = 0, size = 0;
	ssize_t n = 0;

	while (!g.body && (n = message_read(msg, at, piece, sizeof piece)) > 0) {
		struct bytes rest = bytes_make(piece, (size_t)n);

		if (at == 0)
			surrogate_begin(&g, rest);
		for (; rest.n > 0 && !g.body; rest = bytes_from(rest, SLICE)) {
			struct bytes slice = bytes_first(rest, SLICE);

			size += surrogate(&g, slice, grown);
			header += slice.n;
		}
		at += (uint64_t)n;
	}
	size += surrogate_end(&g, grown);
	*out = size - header < UINT32_MAX ? (uint32_t)(size - header) : UINT32_MAX;
	return n < 0 ? -1 : 0;
}

static int
find_added(const struct message *msg, struct added *out)
{
	unsigned char c = '\n';		/* what an empty message ends with */
	ssize_t n = msg->size == 0 ? 1 : message_read(msg, msg->size - 1, &c, 1);

	if (n == 0)
		errno = EIO;
	out->open = c != '\n';
	return n == 1 ? find_growth(msg, &out->growth) : -1;
}

/* Once for all that is not known of a message yet. */
static int
look(struct drop *d, uint32_t uid, uint64_t *octets, struct added *added)
{
	struct message msg;
	int r;

	if (mailbox_message(d->box, uid, &msg) < 0)
		return -1;
	r = *octets != UNKNOWN ? 0 : mailbox_message_size(d->box, uid, &msg, octets);
	if (r == 0 && (r = find_added(&msg, added)) == 0)
		column_write(d, uid, added);
	message_close(&msg);
	return r;
}

/*
 * RETR ends a last line that has no end, since the final dot needs a line of
 * its own (RFC 1939 section 3): two octets that the stored size does not have.
 * octets: that size, as far as it is known; then what RETR sends.
 */
static int
find_size(struct drop *d, uint32_t uid, uint64_t *octets)
{
	struct added added;
	struct bytes known;

	if ((mailbox_column(d->box, uid, COLUMN_POP3, &known) != 1
	    || !column_read(known, &added) || *octets == UNKNOWN)
	    && look(d, uid, octets, &added) < 0)
		return -1;
	*octets += (added.open ? 2 : 0) + (d->utf8 ? 0 : added.growth);
	return 0;
}

int
drop_size(struct drop *d, uint32_t uid, uint64_t *octets)
{
	return mailbox_row_size(d->box, uid, octets) < 0 ? -1
	    : find_size(d, uid, octets);
}

void
drop_walk(struct drop_walk *w, struct drop *d, bool sizes)
{
	w->drop = d;
	w->at = RUNS_CURSOR(d->uids);
	w->n = 0;
	w->sizes = sizes;
	w->last = false;
}

/* Stored sizes of the entries, as far as they are known without reading mail. */
static int
known_sizes(struct drop_walk *w)
{
	struct runs uids = RUNS_INIT;
	struct mail_cursor *c = NULL;
	struct mail_row row;
	size_t i = 0;
	int r = 0;

	for (; r == 0 && i < w->n; i++) {
		w->entry[i].octets = UNKNOWN;
		r = runs_add(&uids, w->entry[i].uid, w->entry[i].uid);
	}
	if (r == 0 && (r = mailbox_rows(w->drop->box, &uids, &c)) == 0)
		mail_cursor_no_dates(c);
	for (i = 0; r == 0 && (r = mail_cursor_next(c, &row)) == 1; r = 0) {
		while (w->entry[i].uid < row.uid)
			i++;
		if (row.size_known)
			w->entry[i].octets = row.size;
	}
	mail_cursor_end(c);
	runs_free(&uids);
	return r;
}

/*
 * Sizes of the entries; those that are gone fall out. One that cannot be read
 * (a FIFO, somebody else's file) must not keep the user from all the others.
 */
static int
measure(struct drop_walk *w)
{
	size_t kept = 0;

	if (known_sizes(w) < 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		struct drop_entry *e = &w->entry[i];

		if (find_size(w->drop, e->uid, &e->octets) < 0) {
			if (errno == ENOMEM)
				return -1;
			if (errno == ENOENT)
				continue;
			e->octets = 0;
			w->drop->unreadable++;
		}
		w->entry[kept++] = *e;
	}
	w->n = kept;
	mailbox_columns_flush(w->drop->box);
	return 0;
}

int
drop_batch(struct drop_walk *w)
{
	uint32_t uid = 0;

	w->n = 0;
	while (w->n < BATCH_MAX && (uid = runs_next(&w->at)) != 0)
		if (!runs_contains(&w->drop->deleted, uid))
			w->entry[w->n++] = (struct drop_entry){
				.number = (uint32_t)w->at.rank, .uid = uid };
	w->last = uid == 0 || uid == runs_last(w->drop->uids);
	return w->sizes ? measure(w) : 0;
}

static int
add_up(struct drop *d)
{
	struct drop_walk w;

	drop_walk(&w, d, true);
	do {
		if (drop_batch(&w) < 0)
			return -1;
		for (size_t i = 0; i < w.n; i++)
			d->octets_all += w.entry[i].octets;
	} while (!w.last);
	d->octets = d->octets_all;
	return 0;
}

int
drop_open(struct drop *d, struct mail *mail)
{
	*d = (struct drop){ .utf8 = d->utf8, .read_only = d->read_only };
	if (mailbox_open(mail, BYTES("INBOX"), d->read_only, &d->box) < 0)
		return -1;
	d->uids = mailbox_view(d->box);
	if ((!d->read_only && mailbox_lock(d->box) < 0) || add_up(d) < 0) {
		int saved = errno;

		drop_close(d);
		errno = saved;
		return -1;
	}
	return 0;
}

void
drop_close(struct drop *d)
{
	if (d->box != NULL)
		mailbox_close(d->box);
	runs_free(&d->deleted);
	*d = (struct drop){ 0 };
}

uint64_t
drop_count(const struct drop *d)
{
	return d->uids->count - d->deleted.count;
}

int
drop_uid(const struct drop *d, uint32_t number, uint32_t *uid)
{
	*uid = runs_nth(d->uids, number);
	if (*uid != 0 && !runs_contains(&d->deleted, *uid))
		return 0;
	errno = ENOENT;
	return -1;
}

int
drop_delete(struct drop *d, uint32_t uid)
{
	uint64_t octets = 0;

	/* One that is gone or unreadable counts as empty, and may be marked. */
	if (drop_size(d, uid, &octets) < 0)
		octets = 0;
	if (runs_add(&d->deleted, uid, uid) < 0)
		return -1;
	d->octets -= octets < d->octets ? octets : d->octets;
	return 0;
}

void
drop_reset(struct drop *d)
{
	runs_clear(&d->deleted);
	d->octets = d->octets_all;
}

int
drop_update(struct drop *d)
{
	return d->deleted.count == 0 ? 0
	    : mailbox_remove(d->box, &d->deleted, NULL);
}
