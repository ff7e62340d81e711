/*
 * Maildir: what a folder looks like, and whether it changed.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "given.h"
#include "layout.h"
#include "log.h"
#include "maildir.h"
#include "stamp.h"

#define LOG_SKIPPED_MAX 20

static int
stamp_dir(int fd, struct stamp_part *p)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (st.st_nlink == 0) {
		errno = ESTALE;
		return -1;
	}
	stamp_fill(p, &st);
	return 0;
}

int
maildir_stamp(struct folder *f, struct stamp *out)
{
	*out = (struct stamp){ 0 };
	if (stamp_dir(f->arrivals, &out->part[0]) < 0
	    || stamp_dir(f->cur, &out->part[1]) < 0)
		return -1;
	out->part[2] = (struct stamp_part){ .firm = 1,
	    .inode = keywords_file_mark(f->dir, FLAGS_FILE) };
	return 0;
}

/* By its path, and by the time that fill takes. What is no directory: ENOTDIR. */
static int
glance_dir(int root, const char *path,
    void (*fill)(struct stamp_part *, const struct stat *), struct stamp_part *p)
{
	struct stat st;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	fill(p, &st);
	return 0;
}

int
maildir_glance(struct store *s, struct bytes name, struct glimpse *out)
{
	char path[LAYOUT_DISK_MAX + 8];
	size_t n;

	*out = (struct glimpse){ 0 };
	if (maildir_disk(s, name, path) < 0
	    || glance_dir(s->root, path, stamp_fill_inode, &out->dir) < 0)
		return -1;
	n = strlen(path);
	memcpy(path + n, "/new", 5);
	if (glance_dir(s->root, path, stamp_fill, &out->stamp.part[0]) < 0)
		return -1;
	memcpy(path + n, "/cur", 5);
	if (glance_dir(s->root, path, stamp_fill, &out->stamp.part[1]) < 0)
		return -1;
	out->stamp.part[2] = (struct stamp_part){ .firm = 1,
	    .inode = KEYWORDS_NO_FILE };
	return 0;
}

int
maildir_glance_files(struct store *s, struct bytes name, struct glimpse *out)
{
	char path[LAYOUT_DISK_MAX + 32];
	uint64_t mark;
	struct stat st;
	size_t n;

	if (maildir_disk(s, name, path) < 0)
		return -1;
	n = strlen(path);
	memcpy(path + n, "/" FLAGS_FILE, sizeof "/" FLAGS_FILE);
	mark = keywords_file_mark(s->root, path);
	out->stamp.part[2].inode = mark;
	out->flags = mark != KEYWORDS_NO_FILE;
	memcpy(path + n, "/" STATE_FILE, sizeof "/" STATE_FILE);
	if (fstatat(s->root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	stamp_fill_inode(&out->state, &st);
	return 0;
}

int
maildir_settle(struct folder *f, const struct stamp *known, struct stamp *out)
{
	if (maildir_stamp(f, out) < 0)
		return -1;
	for (unsigned i = 0; i < PARTS; i++)
		if (stamp_same(known, out, i) && known->part[i].firm)
			out->part[i].firm = 1;
	stamp_settle(f->arrivals, &out->part[0]);
	stamp_settle(f->cur, &out->part[1]);
	return 0;
}

static void
log_skipped(struct folder *f, const char *part, const char *name)
{
	static unsigned count;

	if (count++ < LOG_SKIPPED_MAX)
		log_warn("mailbox \"%s\": %s/%s is no regular file, passed over",
		    log_quote(bytes_of(f->name)), part,
		    log_quote(bytes_of(name)));
}

static bool
is_message(struct folder *f, int dir, const char *part, const struct dirent *e)
{
	struct stat st;
	bool regular = e->d_type == DT_REG;

	if (e->d_name[0] == '.')
		return false;
	/* Some file systems do not say what an entry is. */
	if (e->d_type == DT_UNKNOWN) {
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
		regular = S_ISREG(st.st_mode);
	}
	if (!regular)
		log_skipped(f, part, e->d_name);
	return regular;
}

/* What is done with each file that may be a message. */
struct scan {
	struct folder *f;
	int (*file)(const struct scan *s, const char *part, struct bytes file);
	int (*entry)(void *arg, const struct entry *);
	void (*mark)(void *arg, uint64_t mark);
	void *arg;
};

static int
one_entry(const struct scan *s, const char *part, struct bytes file)
{
	struct folder *f = s->f;
	char where[LOCATOR_MAX];
	struct file_name n;
	struct entry e;

	if (file.n > FILE_NAME_MAX)
		return 0;
	memcpy(where, part, 3);
	where[3] = '/';
	memcpy(where + 4, file.p, file.n);
	where[4 + file.n] = '\0';
	name_parse(file, &n);
	e = (struct entry){ .uidvalidity = n.uidvalidity, .uid = n.uid,
	    .flags = n.flags, .keywords = { { n.letters } }, .where = where,
	    .mark = name_mark(part, file), .arrival = part[0] == 'n' };
	if (n.uid == 0 && f->given != NULL) {
		if (given_find(f, name_unique_part(file), &e.uid) < 0)
			return -1;
		e.given = e.uid != 0;
		e.uidvalidity = e.given ? given_validity(f) : 0;
	}
	return s->entry(s->arg, &e);
}

static int
one_mark(const struct scan *s, const char *part, struct bytes file)
{
	s->mark(s->arg, name_mark(part, file));
	return 0;
}

static int
scan_dir(const struct scan *s, int fd, const char *part)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;
	int rc = 0;

	if (dir == NULL) {
		if (again >= 0)
			close(again);
		return -1;
	}
	while (rc == 0 && (errno = 0, e = readdir(dir)) != NULL)
		if (is_message(s->f, fd, part, e))
			rc = s->file(s, part, bytes_of(e->d_name));
	if (rc == 0 && errno != 0)
		rc = -1;
	closedir(dir);
	return rc;
}

int
maildir_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	/* Of new files few were in cur/ before, and most scans meet one. */
	int rc = parts & PART_MESSAGES ? given_load(f) : given_glance(f);
	struct scan s = { .f = f, .file = one_entry, .entry = fn, .arg = arg };

	f->said_last = given_highest(f);
	if (rc == 0 && parts & PART_ARRIVALS)
		rc = scan_dir(&s, f->arrivals, "new");
	if (rc == 0 && parts & PART_MESSAGES)
		rc = scan_dir(&s, f->cur, "cur");
	given_rest(f);
	return rc;
}

int
maildir_marks(struct folder *f, void (*fn)(void *arg, uint64_t mark), void *arg)
{
	struct scan s = { .f = f, .file = one_mark, .mark = fn, .arg = arg };
	int rc = scan_dir(&s, f->arrivals, "new");

	return rc == 0 ? scan_dir(&s, f->cur, "cur") : rc;
}
