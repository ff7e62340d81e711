/*
 * The maildrop: numbers, sizes and marks.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "drop.h"

/* COLUMN_POP3 is one byte: how the message's last line ends. */
static const unsigned char line_ended = 'e', line_open = 'o';

static int
last_byte(struct drop *d, uint32_t uid, unsigned char *c)
{
	struct message msg;
	ssize_t n;

	if (mailbox_message(d->box, uid, &msg) < 0)
		return -1;
	*c = '\n';			/* what an empty message ends with */
	n = msg.size == 0 ? 1 : message_read(&msg, msg.size - 1, c, 1);
	message_close(&msg);
	if (n == 0)
		errno = EIO;
	return n == 1 ? 0 : -1;
}

/*
 * RETR ends a last line that has no end, since the final dot needs a line of
 * its own (RFC 1939 section 3): two octets that the stored size does not have.
 */
static int
unended_line(struct drop *d, uint32_t uid, uint64_t *octets)
{
	struct bytes known;
	unsigned char c;

	if (mailbox_column(d->box, uid, COLUMN_POP3, &known) == 1
	    && known.n == 1) {
		*octets = known.p[0] == line_open ? 2 : 0;
		return 0;
	}
	if (last_byte(d, uid, &c) < 0)
		return -1;
	*octets = c == '\n' ? 0 : 2;
	mailbox_column_put(d->box, uid, COLUMN_POP3,
	    bytes_make(c == '\n' ? &line_ended : &line_open, 1));
	return 0;
}

int
drop_size(struct drop *d, uint32_t uid, uint64_t *octets)
{
	uint64_t more;

	if (mailbox_row_size(d->box, uid, octets) < 0
	    || unended_line(d, uid, &more) < 0)
		return -1;
	*octets += more;
	return 0;
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

/*
 * Sizes of the entries; those that are gone fall out. One that cannot be read
 * (a FIFO, somebody else's file) must not keep the user from all the others.
 */
static int
measure(struct drop_walk *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct drop_entry *e = &w->entry[i];

		if (drop_size(w->drop, e->uid, &e->octets) < 0) {
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
	*d = (struct drop){ 0 };
	if (mailbox_open(mail, BYTES("INBOX"), false, &d->box) < 0)
		return -1;
	d->uids = mailbox_view(d->box);
	if (mailbox_lock(d->box) < 0 || add_up(d) < 0) {
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
