/*
 * mbox: what a file looks like, and whether it changed.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox.h"
#include "stamp.h"

int
mbox_place_parse(const char *where, struct mbox_place *out)
{
	struct bytes rest = bytes_of(where);
	uint64_t uid, date;

	errno = EILSEQ;
	if (bytes_number(bytes_split(&rest, ' '), INT64_MAX, &out->offset) < 0
	    || bytes_number(bytes_split(&rest, ' '), UINT32_MAX, &uid) < 0
	    || bytes_number(rest, INT64_MAX, &date) < 0)
		return -1;
	out->uid = (uint32_t)uid;
	out->date = (int64_t)date;
	return 0;
}

void
mbox_place_print(const struct mbox_place *p, char where[LOCATOR_MAX])
{
	snprintf(where, LOCATOR_MAX, "%llu %u %lld",
	    (unsigned long long)p->offset, p->uid,
	    (long long)(p->date > 0 ? p->date : 0));
}

/* All of a file changes at once: its parts are the same. */
static void
fill_stamp(struct stamp *out, const struct stamp_part *p, uint64_t size)
{
	out->part[0] = *p;
	out->part[0].inode = p->inode * 31 + size;
	out->part[1] = out->part[0];
	out->part[2] = (struct stamp_part){ .firm = 1 };
}

int
mbox_stamp(struct folder *f, struct stamp *out)
{
	struct stamp_part p = { .firm = 1 };
	struct stat st = { 0 };

	if (fstatat(f->mbox->at, f->mbox->path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT || f->mbox->at != AT_FDCWD) {
			errno = errno == ENOENT ? ESTALE : errno;
			return -1;
		}
	} else {
		stamp_fill(&p, &st);
	}
	/* What a crash left half done changes it still: whoever looks finishes it. */
	if (mbox_moving(f) || mbox_unfinished(f->dir))
		p.inode = ~p.inode;
	fill_stamp(out, &p, (uint64_t)st.st_size);
	return 0;
}

int
mbox_settle(struct folder *f, const struct stamp *known, struct stamp *out)
{
	struct mbox_folder *m = f->mbox;
	struct stamp_part p = { .firm = 1 };
	struct stat st = { 0 };

	if (m->fd >= 0) {
		if (fstat(m->fd, &st) < 0)
			return -1;
		stamp_fill(&p, &st);
	}
	fill_stamp(out, &p, (uint64_t)st.st_size);
	if (stamp_same(known, out, 0) && known->part[0].firm)
		p.firm = 1;
	if (m->fd >= 0 && m->writable)
		stamp_settle(m->fd, &p);
	fill_stamp(out, &p, (uint64_t)st.st_size);
	if (!m->known) {
		m->known = true;
		m->size = (uint64_t)st.st_size;
		m->moved = false;
	}
	return 0;
}

bool
mbox_only_ours(struct folder *f)
{
	const struct mbox_folder *m = f->mbox;
	struct stat st = { 0 };

	return m->known && !m->moved
	    && (m->fd < 0 || fstat(m->fd, &st) == 0)
	    && (uint64_t)st.st_size == m->size;
}

void
mbox_keywords(struct folder *f, const struct mbox_message *msg,
    struct keyword_set *out)
{
	struct bytes rest = bytes_make(msg->keywords, msg->keywords_length);

	*out = (struct keyword_set){ 0 };
	while (rest.n > 0) {
		struct bytes name = bytes_split(&rest, ' ');
		int i = name.n == 0 ? -1 : keywords_number(&f->keywords, f->dir,
		    name, true);

		if (i >= 0)
			keyword_put(out, (unsigned)i);
	}
}

int
mbox_begin(struct mbox_file *m, uint64_t *offset)
{
	unsigned char c;

	/* Line ends before the first message come from careless editing. */
	for (*offset = 0; *offset < m->size; ++*offset) {
		if (pread(m->fd, &c, 1, (off_t)*offset) != 1)
			return -1;
		if (c != '\n' && c != '\r')
			break;
	}
	return 0;
}

/* One walk over the file: what the messages may claim. */
struct walk {
	struct folder *f;
	uint32_t validity, last;	/* UIDs up to it may be claimed */
	int (*fn)(void *arg, const struct entry *);
	void *arg;
};

/* The first message holds the base; else what the state file says counts. */
static void
take_base(struct walk *w, const struct mbox_message *first)
{
	struct state st;

	w->validity = first->base_validity;
	w->last = first->base_last;
	if (w->validity == 0 && state_load(w->f->dir, &st) == 0) {
		w->validity = st.uidvalidity;
		w->last = st.uid_bound - 1;
	}
	w->f->said_validity = first->base_validity;
	w->f->said_last = first->base_last;
}

static int
tell(struct walk *w, const struct mbox_message *msg)
{
	char where[LOCATOR_MAX];
	struct mbox_place p = { msg->begin, msg->uid, msg->date };
	struct entry e = { .flags = msg->flags, .mark = msg->mark, .where = where };

	mbox_place_print(&p, where);
	if (msg->uid != 0 && msg->uid <= w->last) {
		e.uid = msg->uid;
		e.uidvalidity = w->validity;
	}
	if (msg->keywords_length > 0)
		mbox_keywords(w->f, msg, &e.keywords);
	return w->fn(w->arg, &e);
}

static int
walk(struct walk *w, struct mbox_file *m, struct mbox_message *msg)
{
	bool first = true;
	uint64_t at;
	int rc;

	if (mbox_begin(m, &at) < 0)
		return -1;
	while ((rc = mbox_read(m, at, msg)) == 1) {
		if (first)
			take_base(w, msg);
		first = false;
		if (!msg->internal && (rc = tell(w, msg)) != 0)
			return rc;
		at = msg->next;
	}
	return rc;
}

static int
scan_locked(struct folder *f, int (*fn)(void *arg, const struct entry *),
    void *arg)
{
	struct mbox_message *msg = malloc(sizeof *msg);
	struct walk w = { .f = f, .fn = fn, .arg = arg };
	struct mbox_file m;
	int rc = -1;

	f->said_validity = f->said_last = 0;
	if (msg != NULL && mbox_file_begin(&m, f->mbox->fd) == 0) {
		rc = walk(&w, &m, msg);
		f->mbox->known = true;
		f->mbox->size = m.size;
		f->mbox->moved = false;
		mbox_file_end(&m);
	}
	free(msg);
	return rc;
}

int
mbox_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	int rc = 0, saved;

	(void)parts;
	if (mbox_lock(f) < 0)
		return -1;
	errno = EIO;
	if (f->mbox->broken)
		rc = -1;
	else if (f->mbox->fd >= 0)
		rc = scan_locked(f, fn, arg);
	saved = errno;
	mbox_unlock(f);
	errno = saved;
	return rc;
}
