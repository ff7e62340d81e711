/*
 * Delivering messages that a client sends.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "quota.h"
#include "sys.h"
#include "transfer.h"

#define PIECE ((size_t)65536)
#define UNSEALED_MAX 32

struct delivery {
	struct bound to;
	struct draft *v;
	size_t n, cap;
	size_t sealed;			/* the first ones are durable */
	bool open;			/* the last draft takes bytes */
	uint64_t freed, freed_messages;	/* by what it replaces */
	unsigned char before, last;	/* the two bytes written last */
	size_t in_piece;
	unsigned char piece[PIECE];
};

int
delivery_begin(struct mail *m, struct bytes mailbox, struct delivery **out)
{
	struct delivery *d = calloc(1, sizeof *d);

	if (d == NULL)
		return -1;
	if (bound_open(m, mailbox, &d->to) < 0) {
		int saved = errno;

		free(d);
		errno = saved;
		return -1;
	}
	*out = d;
	return 0;
}

static int
flush(struct delivery *d)
{
	struct draft *draft = &d->v[d->n - 1];

	if (d->in_piece > 0 && sys_write(draft->fd, d->piece, d->in_piece) < 0)
		return -1;
	draft->size += d->in_piece;
	d->in_piece = 0;
	return 0;
}

static int
put(struct delivery *d, unsigned char c)
{
	if (d->in_piece == PIECE && flush(d) < 0)
		return -1;
	d->piece[d->in_piece++] = c;
	return 0;
}

/* The last message is all there. */
static int
finish(struct delivery *d)
{
	if (!d->open)
		return 0;
	d->open = false;
	/* A CR at the very end is still held back. */
	return (d->last == '\r' && put(d, '\r') < 0) ? -1 : flush(d);
}

/* The bytes of all messages become durable. */
static int
seal(struct delivery *d)
{
	for (; d->sealed < d->n; d->sealed++)
		if (d->to.folder->store->ops->draft_seal(d->to.folder,
		    &d->v[d->sealed]) < 0)
			return -1;
	return 0;
}

/* Another message follows. Each that is not sealed has a descriptor of its own. */
static int
put_off_sealing(struct delivery *d)
{
	const struct store_ops *ops = d->to.folder->store->ops;

	if (d->n == d->sealed)
		return 0;
	if (ops->draft_start != NULL)
		ops->draft_start(d->to.folder, &d->v[d->n - 1]);
	return d->n - d->sealed < UNSEALED_MAX ? 0 : seal(d);
}

static int
grow(struct delivery *d)
{
	struct draft *v;

	if (d->n < d->cap)
		return 0;
	if (d->n >= DELIVERY_MESSAGES_MAX) {
		errno = E2BIG;
		return -1;
	}
	d->cap = d->cap == 0 ? 1 : d->cap * 4;
	v = reallocarray(d->v, d->cap, sizeof *v);
	if (v == NULL)
		return -1;
	d->v = v;
	return 0;
}

int
delivery_message(struct delivery *d, uint32_t flags, const struct bytes *keywords,
    size_t n_keywords, int64_t date)
{
	struct draft *draft;

	if (finish(d) < 0 || put_off_sealing(d) < 0 || grow(d) < 0)
		return -1;
	draft = &d->v[d->n];
	*draft = (struct draft){ .fd = -1, .flags = flags,
	    .date = date != DELIVERY_NOW ? date : time(NULL) };
	for (size_t i = 0; i < n_keywords; i++)
		if (transfer_keyword(d->to.folder, keywords[i],
		    &draft->keywords) < 0)
			return -1;
	if (d->to.folder->store->ops->draft_begin(d->to.folder, draft) < 0)
		return -1;
	d->n++;
	d->open = true;
	d->before = d->last = 0;
	return 0;
}

/*
 * Lines are stored as local mail is, ended by LF: a CR is held back until it
 * is known whether LF follows. Only a CR behind another CR stays, since what
 * is read back as sent must be what came.
 */
static int
put_converted(struct delivery *d, unsigned char c)
{
	bool held = d->last == '\r';
	bool line_end = held && c == '\n' && d->before != '\r';

	if (held && !line_end && put(d, '\r') < 0)
		return -1;
	d->v[d->n - 1].wire_size += 1 + (c == '\n' && !held);
	d->before = d->last;
	d->last = c;
	return c == '\r' ? 0 : put(d, c);
}

/* The part of p in front of the next CR or LF goes over as it is. */
static int
put_plain(struct delivery *d, const unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t room = PIECE - d->in_piece, now = n < room ? n : room;

		memcpy(d->piece + d->in_piece, p, now);
		d->in_piece += now;
		p += now;
		n -= now;
		if (d->in_piece == PIECE && flush(d) < 0)
			return -1;
	}
	return 0;
}

static size_t
plain_length(const unsigned char *p, size_t n)
{
	const unsigned char *lf = memchr(p, '\n', n);
	const unsigned char *cr;

	if (lf != NULL)
		n = (size_t)(lf - p);
	cr = memchr(p, '\r', n);
	return cr != NULL ? (size_t)(cr - p) : n;
}

int
delivery_write(struct delivery *d, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n > 0) {
		size_t plain = plain_length(p, n);

		/* The first of them lets go of a CR that waits. */
		if (plain > 0 && put_converted(d, *p) < 0)
			return -1;
		if (plain > 1) {
			if (put_plain(d, p + 1, plain - 1) < 0)
				return -1;
			d->v[d->n - 1].wire_size += plain - 1;
			d->before = p[plain - 2];
			d->last = p[plain - 1];
		}
		if (plain < n) {
			if (put_converted(d, p[plain]) < 0)
				return -1;
			plain++;
		}
		p += plain;
		n -= plain;
	}
	return 0;
}

static int
deliver_locked(struct delivery *d, struct runs *uids)
{
	struct bound *to = &d->to;
	uint64_t modseq;

	if (d->n == 0)
		return 0;
	if (transfer_reserve(to, d->v, d->n, &modseq) < 0
	    || to->folder->store->ops->deliver(to->folder,
	    to->state.uidvalidity, d->v, d->n) < 0)
		return -1;
	/* It is in the mailbox now; what the index misses it finds there. */
	transfer_index(to, d->v, d->n, modseq);
	return runs_add(uids, d->v[0].uid, d->v[d->n - 1].uid);
}

void
delivery_replaces(struct delivery *d, uint64_t octets)
{
	d->freed = octets;
	d->freed_messages = 1;
}

static int
room(const struct delivery *d)
{
	uint64_t octets = 0;

	for (size_t i = 0; i < d->n; i++)
		octets += d->v[i].wire_size;
	return quota_room(d->to.mail, octets > d->freed ? octets - d->freed : 0,
	    d->n > d->freed_messages ? d->n - d->freed_messages : 0);
}

int
delivery_commit(struct delivery *d, uint32_t *uidvalidity, struct runs *uids)
{
	int rc = -1, saved;

	runs_clear(uids);
	if (finish(d) == 0 && seal(d) == 0 && room(d) == 0 && bound_lock(&d->to) == 0) {
		rc = deliver_locked(d, uids);
		saved = errno;
		*uidvalidity = d->to.state.uidvalidity;
		bound_unlock(&d->to);
		errno = saved;
	}
	saved = errno;
	delivery_abort(d);
	errno = saved;
	return rc;
}

void
delivery_abort(struct delivery *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		d->to.folder->store->ops->draft_drop(d->to.folder, &d->v[i]);
	bound_close(&d->to);
	free(d->v);
	free(d);
}
