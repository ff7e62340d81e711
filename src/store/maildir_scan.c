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
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "maildir.h"
#include "sys.h"

/* Two ticks of the slowest kernel clock; what file systems of whole seconds need. */
#define RACY_NS 20000000
#define RACY_SECONDS 2
#define LOG_SKIPPED_MAX 20

static int64_t
age_ns(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - t->tv_sec) * INT64_C(1000000000)
	    + now.tv_nsec - t->tv_nsec;
}

/* A time is firm when the clock has surely left it. */
static bool
firm_time(const struct timespec *t)
{
	int64_t need = t->tv_nsec == 0 ? RACY_SECONDS * INT64_C(1000000000)
	    : RACY_NS;

	return age_ns(t) >= need;
}

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
	*p = (struct stamp_part){ .inode = st.st_ino, .sec = st.st_mtim.tv_sec,
	    .nsec = (uint32_t)st.st_mtim.tv_nsec, .firm = firm_time(&st.st_mtim) };
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
	    .inode = keywords_flags_mark(f->dir) };
	return 0;
}

/*
 * Gives a directory whose time is of this very tick a time that no later
 * change can have: one that the clock has left behind, exact to the
 * nanosecond. Where the file system does not keep those, it stays not firm.
 */
static void
settle_dir(int fd, struct stamp_part *p)
{
	struct timespec t;
	struct stat st;

	if (p->firm)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec -= RACY_NS + 1 + (long)arc4random_uniform(RACY_NS);
	if (t.tv_nsec <= 0) {
		t.tv_nsec += 1000000000 - 1;
		t.tv_sec--;
	}
	if (sys_times(fd, t.tv_sec, t.tv_nsec) < 0 || fstat(fd, &st) < 0)
		return;
	p->sec = st.st_mtim.tv_sec;
	p->nsec = (uint32_t)st.st_mtim.tv_nsec;
	p->firm = p->sec == t.tv_sec && st.st_mtim.tv_nsec == t.tv_nsec;
}

int
maildir_settle(struct folder *f, const struct stamp *known, struct stamp *out)
{
	if (maildir_stamp(f, out) < 0)
		return -1;
	for (unsigned i = 0; i < PARTS; i++)
		if (stamp_same(known, out, i) && known->part[i].firm)
			out->part[i].firm = 1;
	settle_dir(f->arrivals, &out->part[0]);
	settle_dir(f->cur, &out->part[1]);
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

static int
one_entry(const char *part, const char *file,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	char where[LOCATOR_MAX];
	struct file_name n;
	struct entry e;

	name_parse(bytes_of(file), &n);
	snprintf(where, sizeof where, "%s/%s", part, file);
	e = (struct entry){ .uidvalidity = n.uidvalidity, .uid = n.uid,
	    .flags = n.flags, .keywords = { { n.letters } }, .where = where,
	    .mark = name_mark(part, bytes_of(file)), .arrival = part[0] == 'n' };
	return fn(arg, &e);
}

static int
scan_dir(struct folder *f, int fd, const char *part,
    int (*fn)(void *arg, const struct entry *), void *arg)
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
		if (is_message(f, fd, part, e))
			rc = one_entry(part, e->d_name, fn, arg);
	if (rc == 0 && errno != 0)
		rc = -1;
	closedir(dir);
	return rc;
}

int
maildir_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	int rc = 0;

	if (parts & PART_ARRIVALS)
		rc = scan_dir(f, f->arrivals, "new", fn, arg);
	if (rc == 0 && parts & PART_MESSAGES)
		rc = scan_dir(f, f->cur, "cur", fn, arg);
	return rc;
}
