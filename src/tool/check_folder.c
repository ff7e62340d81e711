/*
 * mailreeve check: one Maildir folder, file by file (mailreeve-maildir(5)).
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../store/maildir.h"
#include "check.h"
#include "crlf.h"

/* Leftovers of deliveries: as old as the Maildir specification says. */
#define TMP_AGE (36 * 3600)

/* Names of one directory in memory. */
#define NAMES_MAX ((size_t)1 << 30)

struct scan {
	struct check *check;
	struct folder *f;
	struct state state;
	bool stated;			/* the state file was read */
	struct runs uids;		/* claimed by files so far */
	int dir;
	const char *part;		/* "new" or "cur" */
};

/* "cur/NAME", for what is said of it. */
static const char *
where(const struct scan *s, const char *name)
{
	static char path[FILE_NAME_MAX + 8];

	snprintf(path, sizeof path, "%s/%s", s->part, name);
	return path;
}

static int
measure(int fd, uint64_t *size, uint64_t *wire)
{
	static unsigned char piece[65536];
	struct crlf crlf = { 0 };
	ssize_t n;

	*size = *wire = 0;
	while ((n = read(fd, piece, sizeof piece)) > 0) {
		*size += (uint64_t)n;
		*wire += crlf_size(&crlf, bytes_make(piece, (size_t)n));
	}
	return n < 0 ? -1 : 0;
}

/* The base of a name with these sizes instead of what it says. */
static int
base_with_sizes(struct bytes base, uint64_t size, uint64_t wire, struct buf *out)
{
	bool first = true;

	while (base.n > 0) {
		struct bytes field = bytes_split(&base, ',');

		if (!first && (bytes_starts(field, BYTES("S="))
		    || bytes_starts(field, BYTES("W="))))
			continue;
		if (!first)
			buf_byte(out, ',');
		buf_bytes(out, field);
		first = false;
	}
	buf_printf(out, ",S=%llu,W=%llu", (unsigned long long)size,
	    (unsigned long long)wire);
	return out->error == 0 ? 0 : -1;
}

/* Renames the file so that its name tells its true sizes. */
static int
tell_sizes(const struct scan *s, const char *name, struct file_name n,
    uint64_t size, uint64_t wire)
{
	struct buf base = BUF_INIT(FILE_NAME_MAX);
	char to[FILE_NAME_MAX + 1];
	int rc = -1;

	if (base_with_sizes(n.base, size, wire, &base) == 0) {
		n.base = buf_contents(&base);
		if (name_format(&n, n.uidvalidity, n.uid, to) > 0)
			rc = renameat(s->dir, name, s->dir, to);
	}
	buf_free(&base);
	return rc;
}

static void
check_sizes(const struct scan *s, const char *name, const struct file_name *n,
    int fd)
{
	bool lies_s, lies_w;
	uint64_t size, wire;
	enum cure cure = CURE_HERE;

	if (measure(fd, &size, &wire) < 0) {
		check_say(s->check, s->f, where(s, name), CURE_NONE,
		    "cannot be read: %s", strerror(errno));
		return;
	}
	lies_s = n->size != FILE_SIZE_UNKNOWN && n->size != size;
	lies_w = n->wire_size != FILE_SIZE_UNKNOWN && n->wire_size != wire;
	if (!lies_s && !lies_w)
		return;
	if (s->check->fix && tell_sizes(s, name, *n, size, wire) < 0)
		cure = CURE_NONE;
	check_say(s->check, s->f, where(s, name), cure,
	    "the name lies about its size: %llu octets, %llu as sent",
	    (unsigned long long)size, (unsigned long long)wire);
}

/* Two files with one UID, or a UID that was never given. */
static void
check_uid(struct scan *s, const char *name, const struct file_name *n)
{
	if (!s->stated || n->uid == 0
	    || n->uidvalidity != s->state.uidvalidity)
		return;
	if (runs_contains(&s->uids, n->uid))
		check_say(s->check, s->f, where(s, name), CURE_VISIT,
		    "has UID %u like another file", n->uid);
	else if (n->uid >= s->state.uid_bound)
		check_say(s->check, s->f, where(s, name), CURE_VISIT,
		    "has UID %u, which was never given", n->uid);
	(void)runs_add(&s->uids, n->uid, n->uid);
}

static void
check_file(struct scan *s, const char *name)
{
	int fd = openat(s->dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct file_name n;
	struct stat st;

	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (fd >= 0)
			close(fd);
		return;			/* gone meanwhile */
	}
	if (!S_ISREG(st.st_mode)) {
		check_say(s->check, s->f, where(s, name), CURE_NONE,
		    "no regular file: not shown to anybody");
	} else if (fd < 0) {
		check_say(s->check, s->f, where(s, name), CURE_NONE,
		    "cannot be read: %s", strerror(errno));
	} else {
		s->check->messages++;
		name_parse(bytes_of(name), &n);
		check_uid(s, name, &n);
		check_sizes(s, name, &n, fd);
	}
	if (fd >= 0)
		close(fd);
}

/* The names in a directory that are not hidden, each with a NUL behind it. */
static int
read_names(int dir, struct buf *names)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			buf_add(names, e->d_name, strlen(e->d_name) + 1);
	closedir(d);
	return names->error == 0 ? 0 : -1;
}

/*
 * Calls fn for each name. All are read before, since one that fn renames could
 * be met again.
 */
static int
each_name(struct scan *s, int dir, const char *part,
    void (*fn)(struct scan *, const char *name))
{
	struct buf names = BUF_INIT(NAMES_MAX);
	struct bytes rest;
	int rc = read_names(dir, &names);

	s->dir = dir;
	s->part = part;
	for (rest = buf_contents(&names); rc == 0 && rest.n > 0;)
		fn(s, (const char *)bytes_split(&rest, '\0').p);
	buf_free(&names);
	return rc;
}

static void
check_leftover(struct scan *s, const char *name)
{
	enum cure cure = CURE_HERE;
	struct stat st;

	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0
	    || !S_ISREG(st.st_mode) || time(NULL) - st.st_mtime < TMP_AGE)
		return;
	if (s->check->fix && unlinkat(s->dir, name, 0) < 0)
		cure = CURE_NONE;
	check_say(s->check, s->f, where(s, name), cure,
	    "left over from a delivery %lld hours ago",
	    (long long)(time(NULL) - st.st_mtime) / 3600);
}

/* Who else may write could put any file in anybody's mail. */
static void
check_mode(const struct scan *s, int dir, const char *part)
{
	enum cure cure = CURE_HERE;
	struct stat st;

	if (fstat(dir, &st) < 0 || (st.st_mode & 022) == 0)
		return;
	if (s->check->fix && fchmod(dir, st.st_mode & 07755) < 0)
		cure = CURE_NONE;
	check_say(s->check, s->f, part, cure, "others may write here");
}

static void
check_state(struct scan *s)
{
	s->stated = state_load(s->f->dir, &s->state) == 0;
	if (!s->stated && errno == EILSEQ)
		check_say(s->check, s->f, STATE_FILE, CURE_VISIT, "damaged");
}

/* The lock keeps sessions from renaming files under our hands. */
int
check_folder(struct check *c, struct folder *f)
{
	struct scan s = { .check = c, .f = f };
	int rc;

	if (maildir_tmp(f) < 0 || folder_lock(f) < 0)
		return -1;
	check_mode(&s, f->dir, ".");
	check_mode(&s, f->cur, "cur");
	check_mode(&s, f->arrivals, "new");
	check_state(&s);
	rc = each_name(&s, f->cur, "cur", check_file) < 0
	    || each_name(&s, f->arrivals, "new", check_file) < 0
	    || each_name(&s, f->tmp, "tmp", check_leftover) < 0 ? -1 : 0;
	folder_unlock(f);
	runs_free(&s.uids);
	return rc;
}
