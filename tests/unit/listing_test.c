/*
 * The names that are kept: when the directory is read again, and how many there may be.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <time.h>

#include "../../src/store/bound.h"
#include "../../src/store/layout.h"
#include "../../src/store/listing.h"
#include "../../src/store/stamp.h"
#include "maildirs.h"
#include "test.h"

#define LONG (LAYOUT_DISK_MAX - 1)	/* behind the dot */

static unsigned reads;			/* of directories, an entry each */
static unsigned fail_at;		/* this one fails; 0: none does */

struct dirent *
readdir(DIR *dir)
{
	static struct dirent *(*real)(DIR *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	if (++reads != fail_at)
		return real(dir);
	errno = EIO;
	return NULL;
}

/* Until what was written now has a time that the clock has left behind. */
static void
let_time_pass(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

struct told {
	size_t n;
	size_t octets;			/* as they are kept */
};

static int
count_name(void *arg, const struct mailbox_name *name)
{
	struct told *t = arg;

	t->n++;
	t->octets += name->name.n + 2;
	return 0;
}

/* How many names there are; *entries were read from a directory for them. */
static struct told
list(struct mail *m, unsigned *entries)
{
	struct told t = { 0 };

	reads = 0;
	CHECK_EQ_INT(mail_list(m, count_name, &t), 0);
	*entries = reads;
	return t;
}

static void
make(unsigned number, size_t length)
{
	char path[2 * LONG];

	snprintf(path, sizeof path, "%s/Maildir/.%0*u", maildirs_home, (int)length,
	    number);
	CHECK_EQ_INT(mkdir(path, 0700), 0);
	strcat(path, "/cur");
	CHECK_EQ_INT(mkdir(path, 0700), 0);
}

static void
as_many_as_are_kept(void)
{
	size_t head = sizeof(struct { uint64_t v[3]; });
	struct mail *m = fresh_mail();
	unsigned entries, n = 0;
	struct told t = list(m, &entries), again;
	size_t left = LISTING_SIZE - head - t.octets;
	char from[2 * LONG], to[2 * LONG];

	/* The index is made in that directory. */
	CHECK_EQ_INT(db_check(m->db), 0);
	for (; left >= 2 * LONG; left -= LONG + 2)
		make(n++, LONG);
	make(n, left / 2 - 2);
	make(n + 1, left - left / 2 - 2);
	let_time_pass();
	t = list(m, &entries);
	CHECK_EQ_INT(head + t.octets, LISTING_SIZE);
	CHECK(entries > n);
	again = list(m, &entries);
	CHECK_EQ_INT(entries, 0);
	CHECK_EQ_INT(again.n, t.n);
	CHECK_EQ_INT(again.octets, t.octets);

	/* One more is not kept, and nothing is missing. */
	snprintf(from, sizeof from, "%s/Maildir/.Sent", maildirs_home);
	snprintf(to, sizeof to, "%s/Maildir/.Sent1", maildirs_home);
	CHECK_EQ_INT(rename(from, to), 0);
	let_time_pass();
	list(m, &entries);
	again = list(m, &entries);
	CHECK(entries > n);
	CHECK_EQ_INT(again.octets, t.octets + 1 + strlen("Sent") + 2);
	mail_close(m);
}

/* What could be read of a directory is not what is in it. */
static void
a_directory_that_cannot_be_read(void)
{
	struct mail *m = fresh_mail();
	struct told whole, t = { 0 };
	unsigned entries;

	let_time_pass();
	reads = 0;
	fail_at = 5;
	CHECK(mail_list(m, count_name, &t) < 0 && errno == EIO);
	fail_at = 0;
	whole = list(m, &entries);
	CHECK_EQ_INT(whole.n, 6);
	CHECK(entries > 0);
	mail_close(m);
}

/* A file system may keep no times: all of them are then the same for ever. */
static void
no_time_is_never_firm(void)
{
	struct stat st = { .st_ino = 1 };
	struct stamp_part p;

	stamp_fill(&p, &st);
	CHECK(!p.firm);
	st.st_mtim.tv_sec = 1;
	stamp_fill(&p, &st);
	CHECK(p.firm);
}

TEST_MAIN(TEST(as_many_as_are_kept), TEST(a_directory_that_cannot_be_read),
    TEST(no_time_is_never_firm))
