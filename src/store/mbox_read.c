/*
 * mbox: contents of messages, copied out of the file while it is locked: other
 * programs may move what is in it as soon as it is not.
 * Runs as: the mailbox owner.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox.h"
#include "name.h"

#define WINDOW ((uint64_t)256 << 10)
#define PIECE ((size_t)65536)

void
mbox_window_end(struct mbox_window *w)
{
	if (w->fd < 0)
		return;
	close(w->fd);
	mbox_file_end(&w->file);
	w->fd = -1;
}

/* Copies what lies from at to end behind what is in to. */
static int
copy_out(int from, uint64_t at, uint64_t end, int to)
{
	unsigned char *piece = malloc(PIECE);
	int rc = piece == NULL ? -1 : 0;

	while (rc == 0 && at < end) {
		size_t want = end - at < PIECE ? (size_t)(end - at) : PIECE;
		ssize_t n = pread(from, piece, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0 || write(to, piece, (size_t)n) != n)
			rc = -1;
		at += (uint64_t)(n > 0 ? n : 0);
	}
	free(piece);
	return rc;
}

/* A new file each time: messages given out before go on reading the old one. */
static int
load(struct folder *f, uint64_t at, uint64_t size)
{
	struct mbox_window *w = &f->mbox->window;
	uint64_t end = size - at > WINDOW ? at + WINDOW : size;
	int fd = memfd_create("mbox", MFD_CLOEXEC);

	mbox_window_end(w);
	if (fd < 0)
		return -1;
	if (copy_out(f->mbox->fd, at, end, fd) < 0
	    || mbox_file_begin(&w->file, fd) < 0) {
		close(fd);
		return -1;
	}
	w->fd = fd;
	w->at = at;
	w->last = end == size;
	return 0;
}

/*
 * True when the message of that place is in the window, whole. Its text is the
 * same for ever, so it does not matter what became of the file since.
 */
static bool
in_window(struct mbox_window *w, const struct mbox_place *p,
    struct mbox_message *msg)
{
	return w->fd >= 0 && p->offset >= w->at
	    && mbox_read(&w->file, p->offset - w->at, msg) == 1
	    && msg->uid == p->uid
	    && (w->last || (msg->next < w->file.size && !msg->cut));
}

static int
from_window(struct folder *f, const struct mbox_message *msg,
    struct message *out)
{
	*out = (struct message){ .fd = fcntl(f->mbox->window.fd, F_DUPFD_CLOEXEC, 0) };
	mbox_extents(msg, out);
	return out->fd < 0 ? -1 : 0;
}

/* One of its own, on the disk, for what is larger than a window. */
static int
own_copy(struct folder *f, const struct mbox_message *msg, struct message *out)
{
	struct message in = { 0 };
	int fd = openat(f->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0)
		fd = memfd_create("mbox", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	mbox_extents(msg, &in);
	for (unsigned i = 0; rc == 0 && i < in.extents; i++)
		rc = copy_out(f->mbox->fd, in.extent[i].offset,
		    in.extent[i].offset + in.extent[i].length, fd);
	if (rc < 0)
		close(fd);
	*out = (struct message){ .fd = fd, .size = in.size, .extents = 1,
	    .extent = { { 0, in.size } } };
	return rc;
}

/* Its place now, when the file was changed since the index knew it. */
static int
find_place(struct mbox_file *m, struct mbox_place *p, struct mbox_message *msg)
{
	uint64_t at;
	int rc;

	if (mbox_read(m, p->offset, msg) == 1 && msg->uid == p->uid)
		return 0;
	if (mbox_begin(m, &at) < 0)
		return -1;
	while ((rc = mbox_read(m, at, msg)) == 1 && msg->uid != p->uid)
		at = msg->next;
	p->offset = at;
	if (rc == 0)
		errno = ENOENT;
	return rc == 1 ? 0 : -1;
}

static int
read_locked(struct folder *f, struct mbox_place *p, struct mbox_message *msg,
    struct message *out)
{
	struct mbox_file m;
	int rc;

	errno = f->mbox->broken ? EIO : ENOENT;
	if (f->mbox->broken || f->mbox->fd < 0
	    || mbox_file_begin(&m, f->mbox->fd) < 0)
		return -1;
	rc = find_place(&m, p, msg);
	if (rc == 0 && msg->next - msg->begin <= WINDOW / 2
	    && load(f, p->offset, m.size) == 0
	    && in_window(&f->mbox->window, p, msg))
		rc = from_window(f, msg, out);
	else if (rc == 0 && (rc = find_place(&m, p, msg)) == 0)
		rc = own_copy(f, msg, out);
	mbox_file_end(&m);
	return rc;
}

int
mbox_message(struct folder *f, const char *where, struct message *out)
{
	struct mbox_message *msg = malloc(sizeof *msg);
	struct mbox_place p;
	int rc = -1, saved;

	if (msg == NULL)
		return -1;
	if (mbox_place_parse(where, &p) == 0) {
		if (in_window(&f->mbox->window, &p, msg)) {
			rc = from_window(f, msg, out);
		} else if (mbox_lock(f) == 0) {
			rc = read_locked(f, &p, msg, out);
			saved = errno;
			mbox_unlock(f);
			errno = saved;
		}
	}
	saved = errno;
	free(msg);
	errno = saved == ESTALE ? ENOENT : saved;
	return rc;
}

int
mbox_facts(struct folder *f, const char *where, uint64_t *size, int64_t *date)
{
	struct mbox_place p;

	(void)f;
	if (mbox_place_parse(where, &p) < 0)
		return -1;
	*size = FILE_SIZE_UNKNOWN;
	*date = p.date;
	return 0;
}
