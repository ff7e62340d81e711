/*
 * Times of files and directories as stamps.
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>
#include <time.h>

#include "stamp.h"
#include "sys.h"

/* Two ticks of the slowest kernel clock; what file systems of whole seconds need. */
#define RACY_NS 20000000
#define RACY_SECONDS 2

static int64_t
age_ns(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - t->tv_sec) * INT64_C(1000000000)
	    + now.tv_nsec - t->tv_nsec;
}

/* Where a file system keeps no times, zero is not one that was left behind. */
static bool
firm_time(const struct timespec *t)
{
	int64_t need = t->tv_nsec == 0 ? RACY_SECONDS * INT64_C(1000000000)
	    : RACY_NS;

	return (t->tv_sec != 0 || t->tv_nsec != 0) && age_ns(t) >= need;
}

static struct stamp_part
part_of(const struct stat *st, const struct timespec *t)
{
	return (struct stamp_part){ .inode = st->st_ino, .sec = t->tv_sec,
	    .nsec = (uint32_t)t->tv_nsec, .firm = firm_time(t) };
}

void
stamp_fill(struct stamp_part *p, const struct stat *st)
{
	*p = part_of(st, &st->st_mtim);
}

void
stamp_fill_inode(struct stamp_part *p, const struct stat *st)
{
	*p = part_of(st, &st->st_ctim);
}

void
stamp_settle(int fd, struct stamp_part *p)
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
