/*
 * mbox: new messages, from a client or from another folder: one change of the
 * file for all.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mbox.h"
#include "name.h"
#include "sys.h"

#define FROM_LINE_MAX 80
#define BLOCK_MAX ((size_t)65536)

/* ---- drafts ---- */

/* A file without a name: nothing of it stays behind. */
static int
open_spool(struct folder *f)
{
	char unique[UNIQUE_MAX + 1];
	int fd = openat(f->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	name_unique(unique);
	fd = sys_create(f->dir, unique);
	if (fd >= 0)
		sys_unlink(f->dir, unique);
	return fd;
}

/*
 * Dates of From_ lines are in the host's time, as other programs write them,
 * and of the years 1970 to 9999: one that lies outside becomes the nearest.
 */
static int
from_line(int64_t *date, char out[FROM_LINE_MAX])
{
	static const struct tm first = { .tm_mday = 1, .tm_year = 70,
	    .tm_wday = 4, .tm_isdst = -1 };
	static const struct tm last = { .tm_sec = 59, .tm_min = 59, .tm_hour = 23,
	    .tm_mday = 31, .tm_mon = 11, .tm_year = 9999 - 1900, .tm_wday = 5,
	    .tm_isdst = -1 };
	time_t t = (time_t)*date;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return -1;
	if (tm.tm_year < first.tm_year || tm.tm_year > last.tm_year) {
		tm = tm.tm_year < first.tm_year ? first : last;
		*date = mktime(&tm);
	}
	return (int)strftime(out, FROM_LINE_MAX,
	    "From MAILER-DAEMON %a %b %e %H:%M:%S %Y\n", &tm);
}

int
mbox_draft_begin(struct folder *f, struct draft *d)
{
	struct mbox_folder *m = f->mbox;
	char line[FROM_LINE_MAX];
	int n = from_line(&d->date, line);
	off_t at;

	if (m->spool < 0)
		m->spool = open_spool(f);
	if (m->spool < 0)
		return -1;
	m->drafts++;
	at = lseek(m->spool, 0, SEEK_END);
	if (n <= 0 || at < 0 || sys_write(m->spool, line, (size_t)n) < 0) {
		mbox_draft_drop(f, d);
		return -1;
	}
	/* Its name is where it begins, and where its text does. */
	snprintf(d->temp, sizeof d->temp, "%lld %lld", (long long)at,
	    (long long)at + n);
	d->fd = m->spool;
	return 0;
}

/* Its bytes become durable with the mailbox. */
int
mbox_draft_seal(struct folder *f, struct draft *d)
{
	(void)f;
	d->fd = -1;
	return 0;
}

void
mbox_draft_drop(struct folder *f, struct draft *d)
{
	struct mbox_folder *m = f->mbox;

	d->fd = -1;
	d->temp[0] = '\0';
	if (--m->drafts > 0)
		return;
	close(m->spool);
	m->spool = -1;
}

/* ---- adding messages ---- */

struct adding {
	struct folder *f;
	uint32_t validity, last;
	uint64_t size;			/* of the file, before */
	bool base;			/* the next message is the file's first */
	struct mbox_edits edits;
	uint64_t *now;			/* offsets of the new messages */
	size_t n;
	struct mbox_message msg;
};

/* Adds bytes, and a piece of a file behind them, at the end. */
static int
add(struct adding *a, struct bytes put, int fd, uint64_t begin, uint64_t end)
{
	struct mbox_piece piece = { fd, begin, end - begin };

	if (begin >= end)
		piece = (struct mbox_piece){ 0 };
	return put.n == 0 && piece.n == 0 ? 0
	    : mbox_edits_add(&a->edits, a->size, 0, put, piece);
}

/* The header's lines but for ours. */
static int
add_header(struct adding *a, int fd)
{
	const struct mbox_message *msg = &a->msg;
	uint64_t at = msg->header;

	for (unsigned i = 0; i < msg->hidden; i++) {
		if (add(a, BYTES(""), fd, at, msg->hidden_at[i].offset) < 0)
			return -1;
		at = msg->hidden_at[i].offset + msg->hidden_at[i].length;
	}
	return add(a, BYTES(""), fd, at, msg->blank);
}

static int
add_block(struct adding *a, const struct draft *d, int fd)
{
	const struct mbox_message *msg = &a->msg;
	struct buf text = BUF_INIT(BLOCK_MAX);
	struct mbox_block b = { .uid = d->uid, .flags = d->flags,
	    .keywords = d->keywords, .crlf = msg->crlf, .base = a->base,
	    .validity = a->validity, .last = a->last,
	    .content_length = msg->end - msg->body };
	int rc;

	if (msg->unended)
		buf_byte(&text, '\n');
	rc = mbox_block_print(a->f, &b, 0, &text);
	if (rc == 0 && msg->blank == msg->body)
		rc = buf_text(&text, "\n");
	if (rc == 0)
		rc = add(a, buf_contents(&text), fd, msg->blank, msg->end);
	buf_free(&text);
	a->base = false;
	return rc;
}

/* A line end where the text has none, and a blank line. */
static int
add_separator(struct adding *a, int fd, uint64_t end)
{
	unsigned char last = '\n';

	if (end > 0 && pread(fd, &last, 1, (off_t)end - 1) != 1)
		return -1;
	return add(a, last == '\n' ? BYTES("\n") : BYTES("\n\n"), -1, 0, 0);
}

/* The message that stands in fd as msg says. */
static int
add_message(struct adding *a, struct draft *d, int fd)
{
	const struct mbox_message *msg = &a->msg;

	a->now[a->n++] = (uint64_t)((int64_t)a->size + a->edits.delta);
	if (add(a, BYTES(""), fd, msg->begin, msg->header) < 0
	    || add_header(a, fd) < 0 || add_block(a, d, fd) < 0)
		return -1;
	/* Lines of ours that it came with are gone, an end of its header came. */
	if ((msg->hidden > 0 && d->source == NULL) || msg->blank == msg->body)
		d->wire_size = FILE_SIZE_UNKNOWN;
	return msg->end == msg->body ? add(a, BYTES("\n"), -1, 0, 0)
	    : add_separator(a, fd, msg->end);
}

/* Blank lines that the file lacks at its end. */
static int
end_file(struct adding *a)
{
	unsigned char tail[3] = "\n\n\n";
	size_t n = a->size < 3 ? (size_t)a->size : 3;

	if (pread(a->f->mbox->fd, tail + 3 - n, n, (off_t)(a->size - n))
	    != (ssize_t)n)
		return -1;
	if (tail[2] != '\n')
		return add(a, BYTES("\n\n"), -1, 0, 0);
	return tail[1] == '\n' || (tail[1] == '\r' && tail[0] == '\n') ? 0
	    : add(a, BYTES("\n"), -1, 0, 0);
}

/* The first message of the file is to know the last UID. */
static int
renew_base(struct adding *a)
{
	struct mbox_file m;
	struct mbox_block b;
	uint64_t at;
	int rc = -1;

	if (mbox_file_begin(&m, a->f->mbox->fd) < 0)
		return -1;
	if (mbox_begin(&m, &at) == 0)
		rc = mbox_read(&m, at, &a->msg);
	mbox_file_end(&m);
	a->base = rc == 0;
	if (rc <= 0)
		return rc;
	if (a->msg.base_validity == a->validity && a->msg.base_last > a->last)
		a->last = a->msg.base_last;
	mbox_block_of(a->f, &a->msg, &b);
	b.base = true;
	b.validity = a->validity;
	b.last = a->last;
	return mbox_edits_message(a->f, &a->edits, &a->msg, &b);
}

static int
begin(struct adding *a, struct folder *f, uint32_t validity,
    const struct draft *v, size_t n)
{
	struct stat st;

	*a = (struct adding){ .f = f, .validity = validity, .last = f->said_last,
	    .edits = MBOX_EDITS_INIT };
	for (size_t i = 0; i < n; i++)
		if (v[i].uid > a->last)
			a->last = v[i].uid;
	a->now = reallocarray(NULL, n + 1, sizeof *a->now);
	if (a->now == NULL || mbox_make_inbox(f) < 0 || fstat(f->mbox->fd, &st) < 0)
		return -1;
	a->size = (uint64_t)st.st_size;
	if (renew_base(a) < 0 || end_file(a) < 0)
		return -1;
	return 0;
}

/* Says where the new messages are. */
static int
look_again(struct adding *a, struct draft *v)
{
	struct mbox_file m;

	if (mbox_file_begin(&m, a->f->mbox->fd) < 0)
		return -1;
	for (size_t i = 0; i < a->n; i++) {
		struct mbox_place p = { .offset = a->now[i], .uid = v[i].uid };

		if (mbox_read(&m, p.offset, &a->msg) == 1
		    && a->msg.uid == v[i].uid) {
			p.date = a->msg.date;
			v[i].mark = a->msg.mark;
		} else {
			a->f->mbox->moved = true;
		}
		mbox_place_print(&p, v[i].where);
	}
	mbox_file_end(&m);
	return 0;
}

static int
finish(struct adding *a, struct draft *v)
{
	/* The base alone may have moved what stood there before. */
	a->f->mbox->moved |= a->edits.v[0].at < a->size
	    && (a->edits.v[0].length != a->edits.v[0].put.n
		|| (a->edits.n > 1 && a->edits.v[1].at < a->size));
	if (mbox_edits_make(a->f, &a->edits) < 0)
		return -1;
	a->f->said_validity = a->validity;
	a->f->said_last = a->last;
	return look_again(a, v);
}

static void
end(struct adding *a)
{
	int saved = errno;

	mbox_edits_free(&a->edits);
	free(a->now);
	free(a);
	errno = saved;
}

/* ---- from a client ---- */

static int
add_draft(struct adding *a, struct draft *d)
{
	struct bytes name = bytes_of(d->temp);
	struct mbox_file m;
	uint64_t at, text;
	int rc;

	if (bytes_number(bytes_split(&name, ' '), INT64_MAX, &at) < 0
	    || bytes_number(name, INT64_MAX, &text) < 0
	    || mbox_file_begin(&m, a->f->mbox->spool) < 0)
		return -1;
	m.size = text + d->size;
	rc = mbox_read(&m, at, &a->msg);
	mbox_file_end(&m);
	if (rc != 1) {
		errno = EIO;
		return -1;
	}
	a->msg.end = text + d->size;
	return add_message(a, d, a->f->mbox->spool);
}

int
mbox_deliver(struct folder *f, uint32_t uidvalidity, struct draft *v, size_t n)
{
	struct adding *a = malloc(sizeof *a);
	int rc;

	if (a == NULL)
		return -1;
	rc = begin(a, f, uidvalidity, v, n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_draft(a, &v[i]);
	if (rc == 0)
		rc = finish(a, v);
	end(a);
	return rc;
}

/* ---- from another folder ---- */

static int
add_copies(struct adding *a, struct folder *from, struct draft *v, size_t n)
{
	struct mbox_file m;
	int rc = 0;

	if (mbox_file_begin(&m, from->mbox->fd) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct mbox_place p;

		if (mbox_place_parse(v[i].source, &p) < 0
		    || mbox_read(&m, p.offset, &a->msg) != 1
		    || a->msg.uid != p.uid) {
			errno = ENOENT;
			rc = -1;
			break;
		}
		rc = add_message(a, &v[i], from->mbox->fd);
	}
	mbox_file_end(&m);
	return rc;
}

static int
copy_all(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n)
{
	struct adding *a = malloc(sizeof *a);
	int rc;

	if (a == NULL)
		return -1;
	rc = begin(a, f, uidvalidity, v, n);
	if (rc == 0)
		rc = add_copies(a, from, v, n);
	if (rc == 0)
		rc = finish(a, v);
	end(a);
	return rc;
}

/* All are removed, but for those that are not there any more; or none is: -1. */
static int
remove_sources(struct folder *from, struct draft *v, size_t n)
{
	struct change *c;
	struct state st;
	size_t removed = 0;

	if (state_load(from->dir, &st) < 0)
		return -1;
	c = reallocarray(NULL, n, sizeof *c);
	if (c == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		c[i] = (struct change){ 0 };
		snprintf(c[i].where, sizeof c[i].where, "%s", v[i].source);
	}
	mbox_apply(from, CHANGE_REMOVE, st.uidvalidity, c, n);
	for (size_t i = 0; i < n; i++)
		if (c[i].error == 0)
			removed++;
		else
			errno = c[i].error;
	free(c);
	return removed > 0 ? 0 : -1;
}

/* A change failed, and will be made by whoever opens the folder next. */
static bool
change_pending(const struct folder *f)
{
	return f->mbox->broken || mbox_unfinished(f->dir);
}

/*
 * What was added goes again when nothing else was put behind it, and what it was
 * copied from is sure to stay.
 */
static bool
take_back(struct folder *f, const struct folder *from, uint64_t size)
{
	int saved = errno;
	bool back = !change_pending(from) && mbox_only_ours(f)
	    && sys_truncate(f->mbox->fd, size) == 0
	    && sys_fsync(f->mbox->fd) == 0;

	f->mbox->moved = true;
	errno = saved;
	return back;
}

/*
 * A move writes the copies durably before it removes anything; a crash between
 * is known by the note. So is what could be neither removed nor taken back:
 * whoever opens the source next removes it.
 */
static int
move_all(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n)
{
	uint64_t size = f->mbox->size;
	int rc = mbox_move_begin(from, f, uidvalidity, v, n);
	bool settled = true;

	if (rc == 0) {
		rc = copy_all(f, from, uidvalidity, v, n);
		settled = rc == 0 || !change_pending(f);
	}
	if (rc == 0) {
		rc = remove_sources(from, v, n);
		settled = rc == 0 || take_back(f, from, size);
	}
	if (settled)
		mbox_move_end(from);
	return rc;
}

int
mbox_copy(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n, bool move, size_t *done)
{
	*done = 0;
	if (from->mbox->fd < 0) {
		errno = ENOENT;
		return -1;
	}
	if ((move ? move_all(f, from, uidvalidity, v, n)
	    : copy_all(f, from, uidvalidity, v, n)) < 0)
		return -1;
	*done = n;
	return 0;
}
