/*
 * mbox: changes to the middle of the file, by a journal.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "mbox_journal.h"
#include "sys.h"

#define JOURNAL_TEMP "mailreeve-journal.new"
#define PAGE ((size_t)4096)
#define PIECE (16 * PAGE)

/*
 * The journal: this head, then tail bytes that are to stand at offset at, then
 * a sum for each page of the old bytes that they replace. Pages are those of the
 * file: a kill leaves each as it was or as it is to be. It gets its name
 * when it is whole and on disk, and is read back only by a host like the one
 * that wrote it.
 */
#define MAGIC UINT64_C(0x4d42786a726e6c32)

struct head {
	uint64_t magic;
	uint64_t at;			/* first byte that changes */
	uint64_t old_size;		/* of the file */
	uint64_t tail;			/* new bytes from there to the new end */
	uint64_t cut_sum;		/* of the old bytes behind the new end */
	uint64_t inode;			/* of the file */
};

static const uint64_t sum_start = UINT64_C(0xcbf29ce484222325);

/* FNV-1a over eight bytes at a time: finds accidents, not enemies. */
static uint64_t
sum(uint64_t s, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t word;

	for (; n >= sizeof word; p += sizeof word, n -= sizeof word) {
		memcpy(&word, p, sizeof word);
		s = (s ^ word) * UINT64_C(0x100000001b3);
		s ^= s >> 29;
	}
	for (; n > 0; n--)
		s = (s ^ *p++) * UINT64_C(0x100000001b3);
	return s;
}

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
new_end(const struct head *h)
{
	return h->at + h->tail;
}

/* How much of the new tail lies over old bytes. */
static uint64_t
overlap(const struct head *h)
{
	return min_u64(h->tail, h->old_size - h->at);
}

/* What lies in one page of the overlap, from off on. */
static size_t
in_page(const struct head *h, uint64_t off)
{
	return (size_t)min_u64(PAGE - (h->at + off) % PAGE, overlap(h) - off);
}

static uint64_t
page_of(const struct head *h, uint64_t off)
{
	return (h->at % PAGE + off) / PAGE;
}

/* Exactly n bytes, EIO when the file is shorter. */
static int
read_at(int fd, void *p, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, (char *)p + have, n - have,
		    (off_t)(at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return -1;
		}
		have += (size_t)got;
	}
	return 0;
}

/* ---- writing the journal ---- */

struct writer {
	int fd;
	unsigned char piece[PIECE];
};

static int
emit_old(struct writer *w, int fd, uint64_t at, uint64_t end)
{
	while (at < end) {
		size_t n = (size_t)min_u64(end - at, PIECE);

		if (read_at(fd, w->piece, n, at) < 0 || sys_write(w->fd, w->piece, n) < 0)
			return -1;
		at += n;
	}
	return 0;
}

static int
emit_tail(struct writer *w, int fd, const struct mbox_edit *v, size_t n,
    uint64_t old_size)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t next = i + 1 < n ? v[i + 1].at : old_size;

		if (sys_write(w->fd, v[i].put.p, v[i].put.n) < 0
		    || emit_old(w, v[i].piece.fd, v[i].piece.at,
			v[i].piece.at + v[i].piece.n) < 0
		    || emit_old(w, fd, v[i].at + v[i].length, next) < 0)
			return -1;
	}
	return 0;
}

/* A sum for each page of the old bytes, by which a foreign change is known. */
static int
emit_page_sums(struct writer *w, int fd, const struct head *h)
{
	uint64_t s;
	size_t n;

	for (uint64_t off = 0; off < overlap(h); off += n) {
		n = in_page(h, off);
		if (read_at(fd, w->piece, n, h->at + off) < 0)
			return -1;
		s = sum(sum_start, w->piece, n);
		if (sys_write(w->fd, &s, sizeof s) < 0)
			return -1;
	}
	return 0;
}

static int
sum_range(int fd, uint64_t at, uint64_t end, uint64_t *out)
{
	unsigned char page[PAGE];

	*out = sum_start;
	while (at < end) {
		size_t n = (size_t)min_u64(end - at, PAGE);

		if (read_at(fd, page, n, at) < 0)
			return -1;
		*out = sum(*out, page, n);
		at += n;
	}
	return 0;
}

static int
describe(int fd, const struct mbox_edit *v, size_t n, struct head *h)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	*h = (struct head){ .magic = MAGIC, .at = v[0].at,
	    .old_size = (uint64_t)st.st_size, .inode = st.st_ino };
	h->tail = h->old_size - h->at;
	for (size_t i = 0; i < n; i++)
		h->tail = h->tail - v[i].length + v[i].put.n + v[i].piece.n;
	return sum_range(fd, min_u64(new_end(h), h->old_size), h->old_size,
	    &h->cut_sum);
}

static int
write_all(struct writer *w, int fd, const struct mbox_edit *v, size_t n)
{
	struct head h;

	if (describe(fd, v, n, &h) < 0 || sys_write(w->fd, &h, sizeof h) < 0
	    || emit_tail(w, fd, v, n, h.old_size) < 0
	    || emit_page_sums(w, fd, &h) < 0)
		return -1;
	return sys_fsync(w->fd);
}

static int
write_journal(int dir, int fd, const struct mbox_edit *v, size_t n)
{
	struct writer *w = malloc(sizeof *w);
	int rc = -1;

	if (w == NULL)
		return -1;
	sys_unlink(dir, JOURNAL_TEMP);	/* what a crash left */
	w->fd = sys_create(dir, JOURNAL_TEMP);
	if (w->fd >= 0) {
		rc = write_all(w, fd, v, n);
		close(w->fd);
		if (rc == 0)
			rc = sys_rename(dir, JOURNAL_TEMP, dir, JOURNAL_FILE);
		if (rc == 0)
			rc = sys_fsync(dir);
		if (rc < 0) {
			int saved = errno;

			sys_unlink(dir, JOURNAL_TEMP);
			sys_unlink(dir, JOURNAL_FILE);
			errno = saved;
		}
	}
	free(w);
	return rc;
}

/* ---- doing what it says ---- */

static int
put_tail(int fd, int journal, const struct head *h)
{
	unsigned char *piece = malloc(PIECE);
	uint64_t done = 0;
	int rc = piece == NULL ? -1 : 0;

	while (rc == 0 && done < h->tail) {
		size_t n = (size_t)min_u64(h->tail - done, PIECE);

		rc = read_at(journal, piece, n, sizeof *h + done);
		if (rc == 0)
			rc = sys_write_at(fd, piece, n, h->at + done);
		done += n;
	}
	free(piece);
	return rc;
}

/*
 * A longer file is made longer first, so that what others append after a crash
 * lies behind the new end; and so that when there is no room nothing has
 * happened yet.
 */
static int
make_longer(int dir, int fd, const struct head *h, uint64_t size)
{
	int saved;

	if (size >= new_end(h))
		return 0;
	if (sys_allocate(fd, size, new_end(h) - size) == 0)
		return 0;
	saved = errno;
	if (sys_truncate(fd, size) == 0)
		sys_unlink(dir, JOURNAL_FILE);
	errno = saved;
	return -1;
}

/* A shorter file is cut last. */
static int
carry_out(int dir, int fd, int journal, const struct head *h, bool cut)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (make_longer(dir, fd, h, (uint64_t)st.st_size) < 0)
		return -1;
	if (put_tail(fd, journal, h) < 0 || sys_fsync(fd) < 0)
		return -1;
	if (cut && (sys_truncate(fd, new_end(h)) < 0 || sys_fsync(fd) < 0))
		return -1;
	return sys_unlink(dir, JOURNAL_FILE) < 0 ? -1 : sys_fsync(dir);
}

/* ---- after a crash ---- */

static int
load_head(int journal, struct head *h)
{
	struct stat st;
	uint64_t pages;

	if (fstat(journal, &st) < 0 || read_at(journal, h, sizeof *h, 0) < 0)
		return -1;
	errno = EILSEQ;
	if (h->magic != MAGIC || h->at > h->old_size
	    || h->tail > (uint64_t)st.st_size)
		return -1;
	pages = overlap(h) == 0 ? 0 : page_of(h, overlap(h) - 1) + 1;
	return sizeof *h + h->tail + pages * sizeof(uint64_t)
	    == (uint64_t)st.st_size ? 0 : -1;
}

enum page { PAGE_OLD, PAGE_NEW, PAGE_MIXED };

static int
page_state(int fd, int journal, const struct head *h, uint64_t off,
    enum page *out)
{
	unsigned char now[PAGE], new[PAGE];
	size_t n = in_page(h, off);
	uint64_t old;

	if (read_at(fd, now, n, h->at + off) < 0
	    || read_at(journal, new, n, sizeof *h + off) < 0
	    || read_at(journal, &old, sizeof old, sizeof *h + h->tail
		+ page_of(h, off) * sizeof old) < 0)
		return -1;
	*out = sum(sum_start, now, n) == old ? PAGE_OLD
	    : memcmp(now, new, n) == 0 ? PAGE_NEW : PAGE_MIXED;
	return 0;
}

/*
 * What became of the old bytes: all there still, or partly written over. A page
 * that is neither old nor new means that somebody else changed the file since:
 * EILSEQ. Only a lost disk cache may leave one, among others that are known.
 */
static int
look_at_pages(int fd, int journal, const struct head *h, bool replaced,
    bool *written)
{
	uint64_t pages[] = { [PAGE_OLD] = 0, [PAGE_NEW] = 0, [PAGE_MIXED] = 0 };
	uint64_t allowed;

	for (uint64_t off = 0; off < overlap(h); off += in_page(h, off)) {
		enum page p;

		if (page_state(fd, journal, h, off, &p) < 0)
			return -1;
		pages[p]++;
	}
	*written = pages[PAGE_NEW] + pages[PAGE_MIXED] > 0;
	allowed = !replaced && pages[PAGE_OLD] + pages[PAGE_NEW] > 0;
	errno = EILSEQ;
	return pages[PAGE_MIXED] > allowed ? -1 : 0;
}

static int
is_zero(int fd, uint64_t at, uint64_t end, bool *zero)
{
	unsigned char page[PAGE];

	for (*zero = true; at < end && *zero; at += PAGE) {
		size_t n = (size_t)min_u64(end - at, PAGE);

		if (read_at(fd, page, n, at) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			*zero &= page[i] == 0;
	}
	return 0;
}

/* The file grows: the change had begun once the file had been made longer. */
static int
recover_longer(int dir, int fd, int journal, const struct head *h,
    uint64_t size, bool written)
{
	bool begun = written;

	if (!written && size >= new_end(h)
	    && is_zero(fd, h->old_size, new_end(h), &begun) < 0)
		return -1;
	if (!begun)
		return sys_unlink(dir, JOURNAL_FILE);
	return carry_out(dir, fd, journal, h, false);
}

/*
 * The file shrinks: what was appended stands behind the old end or, when the
 * file had been cut already, behind the new one, where it belongs.
 */
static int
recover_shorter(int dir, int fd, int journal, const struct head *h,
    uint64_t size)
{
	uint64_t s = 0;
	bool whole = new_end(h) < h->old_size && size >= h->old_size;

	if (whole && sum_range(fd, new_end(h), h->old_size, &s) < 0)
		return -1;
	whole = whole && s == h->cut_sum;
	if (!whole || size == h->old_size)
		return carry_out(dir, fd, journal, h, whole);

	/* One more change: first the tail, uncut, then the removal of the rest. */
	struct mbox_edit rest = { .at = new_end(h),
	    .length = h->old_size - new_end(h) };

	if (put_tail(fd, journal, h) < 0 || sys_fsync(fd) < 0)
		return -1;
	return mbox_change(dir, fd, &rest, 1);
}

static int
recover_from(int dir, int fd, int journal)
{
	struct head h;
	struct stat st;
	bool written;

	if (load_head(journal, &h) < 0 || fstat(fd, &st) < 0)
		return -1;
	errno = EILSEQ;
	if ((uint64_t)st.st_size < h.at + overlap(&h)
	    || look_at_pages(fd, journal, &h, st.st_ino != h.inode, &written) < 0)
		return -1;
	return new_end(&h) > h.old_size
	    ? recover_longer(dir, fd, journal, &h, (uint64_t)st.st_size, written)
	    : recover_shorter(dir, fd, journal, &h, (uint64_t)st.st_size);
}

bool
mbox_unfinished(int dir)
{
	struct stat st;

	return fstatat(dir, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int
mbox_recover(int dir, int fd)
{
	int journal = openat(dir, JOURNAL_FILE, O_RDONLY | O_CLOEXEC
	    | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (journal < 0)
		return errno == ENOENT ? 0 : -1;
	rc = recover_from(dir, fd, journal);
	close(journal);
	if (rc < 0 && errno == EILSEQ) {
		log_warn("an interrupted change of an mbox file is given up: "
		    "something else has changed the file since");
		rc = sys_unlink(dir, JOURNAL_FILE);
	}
	return rc;
}

/* ---- the change itself ---- */

static bool
same_lengths(const struct mbox_edit *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].length != v[i].put.n || v[i].piece.n > 0)
			return false;
	return true;
}

/* Nothing moves: each edit is one short write, which is there or is not. */
static int
overwrite(int fd, const struct mbox_edit *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sys_write_at(fd, v[i].put.p, v[i].put.n, v[i].at) < 0)
			return -1;
	return sys_fsync(fd);
}

int
mbox_change(int dir, int fd, const struct mbox_edit *v, size_t n)
{
	int journal, rc;
	struct head h;

	if (n == 0)
		return 0;
	if (same_lengths(v, n))
		return overwrite(fd, v, n);
	if (write_journal(dir, fd, v, n) < 0)
		return -1;
	journal = openat(dir, JOURNAL_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (journal < 0)
		return -1;
	rc = load_head(journal, &h);
	if (rc == 0)
		rc = carry_out(dir, fd, journal, &h, new_end(&h) < h.old_size);
	close(journal);
	return rc;
}
