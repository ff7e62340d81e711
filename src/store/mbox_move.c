/*
 * mbox: a move is a copy and a removal, in two files. What moves is noted
 * before, so that whoever opens the source after a crash removes what came
 * over.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout.h"
#include "log.h"
#include "mbox.h"
#include "sys.h"
#include "text.h"

/*
 * In the source's directory: a line "MAILBOX", a line "UIDVALIDITY" of that
 * mailbox, then lines "UID NEWUID" in ascending order of both.
 */
#define MOVING_MAX ((size_t)32 << 20)
#define PIECE ((size_t)16384)

struct pair {
	uint32_t from, to;
	struct mbox_place at[2];	/* where they are; UID 0: not there */
};

struct moving {
	struct folder *from, *to;
	uint32_t validity;
	struct pair *v;
	size_t n;
	unsigned side;			/* whose places are looked for: 0 from, 1 to */
};

bool
mbox_moving(const struct folder *f)
{
	struct stat st;

	return fstatat(f->dir, MOVING_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int
mbox_move_begin(struct folder *from, struct folder *to, uint32_t uidvalidity,
    const struct draft *v, size_t n)
{
	struct buf text = BUF_INIT(MOVING_MAX);
	struct mbox_place p;
	int rc = 0;

	buf_printf(&text, "%s\n%u\n", to->name, uidvalidity);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = mbox_place_parse(v[i].source, &p);
		buf_printf(&text, "%u %u\n", p.uid, v[i].uid);
	}
	if (rc == 0)
		rc = text.error != 0 ? -1
		    : text_replace(from->dir, MOVING_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

int
mbox_move_end(struct folder *from)
{
	int saved = errno, rc = sys_unlink(from->dir, MOVING_FILE);

	errno = rc == 0 || errno == ENOENT ? saved : errno;
	return rc;
}

/* ---- after a crash ---- */

static int
take_pairs(struct moving *w, struct bytes text)
{
	struct bytes line;
	uint64_t from, to;

	w->v = reallocarray(NULL, text.n / 4 + 1, sizeof *w->v);
	if (w->v == NULL)
		return -1;
	while (text_line(&text, &line))
		if (bytes_number(bytes_split(&line, ' '), UINT32_MAX, &from) == 0
		    && bytes_number(line, UINT32_MAX, &to) == 0
		    && (w->n == 0 || (from > w->v[w->n - 1].from
		    && to > w->v[w->n - 1].to)))
			w->v[w->n++] = (struct pair){ (uint32_t)from, (uint32_t)to,
			    { { 0 }, { 0 } } };
	return 0;
}

/* Opens the destination: 1; 0 when there is nothing to finish, -1. */
static int
read_note(struct moving *w)
{
	struct buf text = BUF_INIT(MOVING_MAX);
	struct bytes rest, name, number;
	uint64_t validity;
	int rc = text_load(w->from->dir, MOVING_FILE, &text);

	if (rc < 0) {
		rc = errno == ENOENT ? 0 : -1;
	} else {
		rest = buf_contents(&text);
		if (text_line(&rest, &name) && layout_good(name)
		    && text_line(&rest, &number)
		    && bytes_number(number, UINT32_MAX, &validity) == 0) {
			w->validity = (uint32_t)validity;
			rc = take_pairs(w, rest) < 0
			    || folder_get(w->from->store, name, &w->to) < 0 ? -1 : 1;
		}
	}
	buf_free(&text);
	/* It was deleted: what was copied there is gone, what was here is not. */
	return rc < 0 && errno == ENOENT ? 0 : rc;
}

static struct pair *
find_pair(struct moving *w, uint32_t uid)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if ((w->side ? w->v[mid].to : w->v[mid].from) < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < w->n && (w->side ? w->v[low].to : w->v[low].from) == uid
	    ? &w->v[low] : NULL;
}

static int
note_place(void *arg, const struct entry *e)
{
	struct moving *w = arg;
	struct pair *p = e->uid == 0 ? NULL : find_pair(w, e->uid);

	return p == NULL ? 0 : mbox_place_parse(e->where, &p->at[w->side]);
}

/* The bytes at an offset of both are the same; at the end of a, b may have line ends. */
static int
compare_piece(const struct message *a, const struct message *b, uint64_t at,
    bool *same)
{
	unsigned char x[PIECE], y[PIECE];
	ssize_t n = message_read(a, at, x, sizeof x);
	ssize_t k = n < 0 ? -1 : message_read(b, at, y, sizeof y);

	if (n < 0 || k < 0)
		return -1;
	*same = k >= n && memcmp(x, y, (size_t)n) == 0;
	for (ssize_t i = n; *same && n < (ssize_t)sizeof x && i < k; i++)
		*same = y[i] == '\n';
	return n > 0;
}

static bool
same_message(struct moving *w, const struct pair *p)
{
	char where[LOCATOR_MAX];
	struct message a, b;
	bool same = true;
	uint64_t at = 0;
	int rc = 1;

	mbox_place_print(&p->at[0], where);
	if (mbox_message(w->from, where, &a) < 0)
		return false;
	mbox_place_print(&p->at[1], where);
	if (mbox_message(w->to, where, &b) < 0) {
		message_close(&a);
		return false;
	}
	while (same && rc > 0) {
		rc = compare_piece(&a, &b, at, &same);
		at += PIECE;
	}
	message_close(&a);
	message_close(&b);
	return same && rc == 0;
}

/* Removes from the source what stands in the destination under its new UID. */
static int
remove_moved(struct moving *w)
{
	struct change *c = reallocarray(NULL, w->n + 1, sizeof *c);
	size_t n = 0;
	int rc = 0;

	if (c == NULL)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		const struct pair *p = &w->v[i];

		if (p->at[0].uid == 0 || p->at[1].uid == 0 || !same_message(w, p))
			continue;
		c[n] = (struct change){ .uid = p->from };
		mbox_place_print(&p->at[0], c[n++].where);
	}
	if (n > 0)
		mbox_apply(w->from, CHANGE_REMOVE, w->from->said_validity, c, n);
	for (size_t i = 0; i < n; i++)
		if (c[i].error != 0) {
			errno = c[i].error;
			rc = -1;
		}
	if (rc == 0)
		log_info("mailbox \"%s\": an interrupted move of %zu messages to "
		    "\"%s\": %zu came over", log_quote(bytes_of(w->from->name)),
		    w->n, log_quote(bytes_of(w->to->name)), n);
	free(c);
	return rc;
}

/* Under both locks; somebody else may have finished it meanwhile. */
static int
finish_locked(struct moving *w)
{
	struct state st;

	if (!mbox_moving(w->from) || !w->from->mbox->writable)
		return 0;
	if (state_load(w->to->dir, &st) == 0 && st.uidvalidity == w->validity) {
		for (w->side = 0; w->side < 2; w->side++)
			if (mbox_scan(w->side ? w->to : w->from, PART_ALL,
			    note_place, w) < 0)
				return -1;
		if (remove_moved(w) < 0)
			return -1;
	}
	return mbox_move_end(w->from);
}

/* In the order in which copy.c takes them. */
static int
finish(struct moving *w)
{
	bool to_first = strcmp(w->to->name, w->from->name) < 0;
	struct folder *first = to_first ? w->to : w->from;
	struct folder *second = to_first ? w->from : w->to;
	int rc;

	if (folder_lock_all(first) < 0)
		return -1;
	if (folder_lock_all(second) < 0) {
		folder_unlock_all(first);
		return -1;
	}
	rc = finish_locked(w);
	folder_unlock_all(second);
	folder_unlock_all(first);
	return rc;
}

static int
finish_once(struct folder *f)
{
	struct moving w = { .from = f };
	int rc, saved;

	if (!mbox_moving(f))
		return 0;
	rc = read_note(&w);
	if (rc > 0)
		rc = finish(&w);
	else if (rc == 0)
		rc = mbox_move_end(f) < 0 && errno != ENOENT ? -1 : 0;
	saved = errno;
	folder_put(w.to);
	free(w.v);
	errno = saved;
	return rc;
}

/*
 * The note may be of a move that is going on just now, and its destination be
 * renamed or deleted between being opened and being locked here: looks again.
 */
int
mbox_finish(struct folder *f)
{
	int rc = finish_once(f);

	return rc < 0 && (errno == ENOENT || errno == ESTALE)
	    ? finish_once(f) : rc;
}
