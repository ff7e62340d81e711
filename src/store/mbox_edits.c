/*
 * mbox: lists of edits, from changes of messages.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>

#include "mbox.h"

#define BLOCK_MAX ((size_t)65536)

int
mbox_edits_add(struct mbox_edits *e, uint64_t at, uint64_t length,
    struct bytes put, struct mbox_piece piece)
{
	struct mbox_edit *v;

	if (e->n == e->cap) {
		e->cap = e->cap == 0 ? 64 : e->cap * 2;
		v = reallocarray(e->v, e->cap, sizeof *v);
		if (v == NULL)
			return -1;
		e->v = v;
	}
	if (put.n > 0) {
		unsigned char *copy = arena_copy(&e->texts, put);

		if (copy == NULL)
			return -1;
		put.p = copy;
	}
	e->v[e->n++] = (struct mbox_edit){ at, length, put, piece };
	e->shifted |= length != put.n + piece.n;
	e->delta += (int64_t)(put.n + piece.n) - (int64_t)length;
	return 0;
}

static int
replace(struct mbox_edits *e, uint64_t at, uint64_t length, struct bytes put)
{
	return mbox_edits_add(e, at, length, put, (struct mbox_piece){ 0 });
}

static int
put_header(struct mbox_edits *e, const struct mbox_message *msg,
    struct bytes text)
{
	const struct message_extent *last = msg->hidden == 0 ? NULL
	    : &msg->hidden_at[msg->hidden - 1];
	unsigned n = msg->hidden;

	/* Lines that fit over the old ones stay where those are. */
	if (n == 1 && last->length == text.n)
		return replace(e, last->offset, last->length, text);
	if (n > 0 && last->offset + last->length == msg->blank)
		n--;
	else
		last = NULL;
	for (unsigned i = 0; i < n; i++)
		if (replace(e, msg->hidden_at[i].offset, msg->hidden_at[i].length,
		    BYTES("")) < 0)
			return -1;
	if (msg->unended && replace(e, msg->blank, 0, BYTES("\n")) < 0)
		return -1;
	return last != NULL ? replace(e, last->offset, last->length, text)
	    : replace(e, msg->blank, 0, text);
}

void
mbox_block_of(struct folder *f, const struct mbox_message *msg,
    struct mbox_block *out)
{
	*out = (struct mbox_block){ .uid = msg->uid, .flags = msg->flags,
	    .old = msg->old, .crlf = msg->crlf, .internal = msg->internal,
	    .content_length = msg->measured ? msg->end - msg->body : UINT64_MAX,
	    .more_keywords = bytes_make(msg->keywords, msg->keywords_length) };
	mbox_keywords(f, msg, &out->keywords);
}

int
mbox_edits_message(struct folder *f, struct mbox_edits *e,
    const struct mbox_message *msg, const struct mbox_block *b)
{
	struct buf text = BUF_INIT(BLOCK_MAX);
	uint64_t room = msg->hidden == 1 ? msg->hidden_at[0].length : 0;
	int rc = mbox_block_print(f, b, room, &text);

	if (rc == 0)
		rc = put_header(e, msg, buf_contents(&text));
	buf_free(&text);
	return rc;
}

/* What moves nothing goes first: a journal would hold all that lies behind it. */
static int
change(struct folder *f, const struct mbox_edits *e)
{
	size_t n = 0;

	while (n < e->n && e->v[n].length == e->v[n].put.n
	    && e->v[n].piece.n == 0)
		n++;
	if (mbox_change(f->dir, f->mbox->fd, e->v, n) < 0)
		return -1;
	return mbox_change(f->dir, f->mbox->fd, e->v + n, e->n - n);
}

/* The second try, by the journal, may have come to its end. */
static bool
made_after_all(const struct folder *f, const struct mbox_edits *e)
{
	struct stat st;

	return e->delta != 0 && fstat(f->mbox->fd, &st) == 0
	    && st.st_size == (off_t)f->mbox->size + e->delta;
}

int
mbox_edits_make(struct folder *f, struct mbox_edits *e)
{
	if (!f->mbox->writable) {
		errno = EACCES;
		return -1;
	}
	mbox_window_end(&f->mbox->window);
	if (change(f, e) < 0) {
		int saved = errno;

		/* All of it or nothing; what cannot be told is not looked at. */
		f->mbox->moved = true;
		f->mbox->broken = mbox_recover(f->dir, f->mbox->fd) < 0;
		errno = saved;
		if (f->mbox->broken || !made_after_all(f, e))
			return -1;
	}
	f->mbox->size = (uint64_t)((int64_t)f->mbox->size + e->delta);
	return 0;
}

void
mbox_edits_free(struct mbox_edits *e)
{
	free(e->v);
	arena_free(&e->texts);
}
