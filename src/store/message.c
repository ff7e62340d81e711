/*
 * Contents of messages.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <unistd.h>

#include "crlf.h"
#include "mailbox.h"

#define PIECE ((size_t)65536)

/* A step from UID to UID that still counts as going through the mailbox. */
#define STEP_MAX 8

/* Who opens one message after the other gets the rows of many at once. */
static const char *
where_of(struct mailbox *b, uint32_t uid)
{
	const char *where = row_where(b, uid);
	uint32_t before = b->asked;

	b->asked = uid;
	if (where != NULL || before == 0 || uid <= before || uid - before > STEP_MAX)
		return where;
	rows_ahead(b, uid);
	return row_where(b, uid);
}

int
mailbox_message(struct mailbox *b, uint32_t uid, struct message *out)
{
	const struct store_ops *ops = b->b.folder->store->ops;
	const char *where = ops->lasting ? where_of(b, uid) : NULL;
	struct index_row row;

	if (where != NULL && ops->message(b->b.folder, where, out) == 0)
		return 0;
	if (row_find(b, uid, &row) < 0)
		return -1;
	if (ops->message(b->b.folder, row.where, out) == 0)
		return 0;
	/* Renamed by another program, perhaps: look again, once. */
	if (errno != ENOENT || bound_sync(&b->b) < 0
	    || row_find(b, uid, &row) < 0)
		return -1;
	return ops->message(b->b.folder, row.where, out);
}

void
message_close(struct message *msg)
{
	if (msg->fd >= 0 && !msg->fd_shared)
		close(msg->fd);
	msg->fd = -1;
}

static ssize_t
read_piece(const struct message *msg, uint64_t offset, void *p, size_t n)
{
	for (unsigned i = 0; i < msg->extents; i++) {
		const struct message_extent *e = &msg->extent[i];
		ssize_t got;

		if (offset >= e->length) {
			offset -= e->length;
			continue;
		}
		if (n > e->length - offset)
			n = (size_t)(e->length - offset);
		do
			got = pread(msg->fd, p, n, (off_t)(e->offset + offset));
		while (got < 0 && errno == EINTR);
		return got;
	}
	return 0;
}

/* Where pieces meet the reading goes on: only the end makes it short. */
ssize_t
message_read(const struct message *msg, uint64_t offset, void *p, size_t n)
{
	size_t have = 0;
	ssize_t got = 0;

	do {
		got = read_piece(msg, offset + have, (char *)p + have, n - have);
		have += got > 0 ? (size_t)got : 0;
	} while (got > 0 && have < n && msg->extents > 1);
	return got < 0 ? -1 : (ssize_t)have;
}

int
message_wire_size(const struct message *msg, uint64_t *size)
{
	unsigned char piece[PIECE];
	struct crlf state = { 0 };
	uint64_t at = 0;
	ssize_t n = 0;

	*size = 0;
	while (at < msg->size
	    && (n = message_read(msg, at, piece, sizeof piece)) > 0) {
		*size += crlf_size(&state, bytes_make(piece, (size_t)n));
		at += (uint64_t)n;
	}
	return n < 0 ? -1 : 0;
}
