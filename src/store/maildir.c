/*
 * Maildir: opening folders, changing and reading single messages.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "given.h"
#include "layout.h"
#include "maildir.h"
#include "renaming.h"
#include "sys.h"

#define BATCH 2048			/* a file's change costs the same in any company */
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

static void
maildir_close(struct folder *f)
{
	int *fds[] = { &f->dir, &f->cur, &f->arrivals, &f->tmp };

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* Opens a part of the folder; a lost one is made again. */
static int
open_part(struct folder *f, const char *part)
{
	int fd = openat(f->dir, part, OPEN_DIR);

	if (fd < 0 && errno == ENOENT && sys_mkdir(f->dir, part) == 0)
		fd = openat(f->dir, part, OPEN_DIR);
	return fd;
}

static int
open_parts(struct folder *f, const char *disk)
{
	struct stat st;

	/* What has no cur/ is no folder; but the inbox is always one. */
	if (strcmp(disk, ".") != 0
	    && fstatat(f->dir, "cur", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	f->cur = open_part(f, "cur");
	f->arrivals = open_part(f, "new");
	return f->cur < 0 || f->arrivals < 0 ? -1 : 0;
}

static int
maildir_open(struct folder *f)
{
	char disk[LAYOUT_DISK_MAX + 1];

	if (maildir_disk(f->store, bytes_of(f->name), disk) < 0
	    || asprintf(&f->path, "%s/%s", f->store->path, disk) < 0)
		return -1;
	f->dir = openat(f->store->root, disk, OPEN_DIR);
	if (f->dir < 0 || open_parts(f, disk) < 0) {
		int saved = errno;

		maildir_close(f);
		/* A link or a file of that name is no mailbox. */
		errno = saved == ELOOP || saved == ENOTDIR ? ENOENT : saved;
		return -1;
	}
	return 0;
}

int
maildir_at(const struct folder *f, const char *where, const char **name)
{
	*name = where + 4;
	return maildir_which(where) == IN_NEW ? f->arrivals : f->cur;
}

void
maildir_locate(const char *name, char where[LOCATOR_MAX], uint64_t *mark)
{
	struct bytes file = bytes_first(bytes_of(name), FILE_NAME_MAX);

	memcpy(where, "cur/", 4);
	memcpy(where + 4, file.p, file.n);
	where[4 + file.n] = '\0';
	*mark = name_mark("c", file);
}

int
maildir_tmp(struct folder *f)
{
	if (f->tmp < 0)
		f->tmp = open_part(f, "tmp");
	return f->tmp;
}

/* 1 when it was made, 0 when it was there. */
static int
make_part(int dir, const char *name)
{
	if (sys_mkdir(dir, name) == 0)
		return 1;
	return errno == EEXIST ? 0 : -1;
}

static int
make_parts(int fd)
{
	static const char *const parts[] = { "cur", "new", "tmp" };
	int made = 0;

	for (size_t i = 0; i < 3; i++) {
		int one = make_part(fd, parts[i]);

		if (one < 0)
			return -1;
		made += one;
	}
	return made > 0 ? sys_fsync(fd) : 0;
}

int
maildir_make(int dir, const char *path, bool is_inbox)
{
	int fd, rc;

	if (sys_mkdir(dir, path) < 0 && (errno != EEXIST || !is_inbox))
		return -1;
	fd = openat(dir, path, OPEN_DIR);
	if (fd < 0)
		return -1;
	rc = make_parts(fd);
	close(fd);
	return rc;
}

/* Moves a file of ours, telling the watch. */
static int
move_file(struct folder *f, struct change *c, const char *to)
{
	const char *from;
	int dir = maildir_at(f, c->where, &from);

	if (dir == f->cur && strcmp(from, to) == 0)
		return 0;
	watch_expect(&f->watch, maildir_which(c->where), EVENT_GONE, from);
	watch_expect(&f->watch, IN_CUR, EVENT_CAME, to);
	return sys_rename(dir, from, f->cur, to);
}

/*
 * The name with its UID and flags. One that has no room for them, which only
 * foreign programs make, gets a unique part of ours.
 */
static size_t
new_name(const struct file_name *old, uint32_t uidvalidity, uint32_t uid,
    char out[FILE_NAME_MAX + 1])
{
	char unique[UNIQUE_MAX + 1];
	struct file_name n = *old;
	size_t length = name_format(&n, uidvalidity, uid, out);

	if (length == 0) {
		name_unique(unique);
		n.base = bytes_of(unique);
		length = name_format(&n, uidvalidity, uid, out);
	}
	return length;
}

static int
change_name(struct folder *f, enum change_kind kind, uint32_t uidvalidity,
    struct change *c)
{
	char to[FILE_NAME_MAX + 1];
	struct file_name n;
	const char *from;

	maildir_at(f, c->where, &from);
	name_parse(bytes_of(from), &n);
	if (kind == CHANGE_FLAGS) {
		n.flags = c->flags;
		n.letters = keywords_letters(&c->keywords);
	} else {
		c->flags = n.flags;
		c->keywords = (struct keyword_set){ { n.letters } };
	}
	new_name(&n, uidvalidity, c->uid, to);
	if (move_file(f, c, to) < 0)
		return -1;
	maildir_locate(to, c->where, &c->mark);
	return 0;
}

static int
remove_file(struct folder *f, struct change *c)
{
	const char *name;
	int dir = maildir_at(f, c->where, &name);

	watch_expect(&f->watch, maildir_which(c->where), EVENT_GONE, name);
	return sys_unlink(dir, name);
}

static void
maildir_apply(struct folder *f, enum change_kind kind, uint32_t uidvalidity,
    struct change *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = kind == CHANGE_REMOVE ? remove_file(f, &v[i])
		    : change_name(f, kind, uidvalidity, &v[i]);

		v[i].error = rc < 0 ? errno : 0;
	}
}

/* maildir(5): nobody takes a file whose name begins with a dot for mail. */
static void
maildir_poke(struct folder *f)
{
	static const char name[] = ".mailreeve-poke";
	int fd;

	watch_expect(&f->watch, IN_NEW, EVENT_CAME, name);
	watch_expect(&f->watch, IN_NEW, EVENT_GONE, name);
	fd = sys_create(f->arrivals, name);
	if (fd >= 0)
		close(fd);
	sys_unlink(f->arrivals, name);
}

static int
maildir_durable(struct folder *f)
{
	return given_durable(f) < 0 ? -1 : sys_fsync(f->cur);
}

/* A name without any U=, in cur/. */
static bool
maildir_given(const char *where)
{
	struct file_name n;

	name_parse(bytes_of(where + 4), &n);
	return maildir_which(where) == IN_CUR && n.uid == 0;
}

static int
maildir_give(struct folder *f, uint32_t uidvalidity, struct gift *v, size_t n)
{
	struct given_uid *g = reallocarray(NULL, n, sizeof *g);
	int rc;

	if (g == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		g[i] = (struct given_uid){ .uid = v[i].uid,
		    .unique = name_unique_part(bytes_from(v[i].where, 4)) };
	rc = given_add(f, uidvalidity, g, n);
	for (size_t i = 0; i < n; i++)
		v[i].error = g[i].error;
	free(g);
	return rc;
}

/*
 * Only a regular file is a message. Whose it is does not matter: the session
 * has the owner's rights and no others, so the system decides what it may read.
 */
static int
maildir_message(struct folder *f, const char *where, struct message *out)
{
	const char *name;
	int dir = maildir_at(f, where, &name);
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
	    | O_NOCTTY);

	if (fd < 0) {
		if (errno == ELOOP || errno == ENXIO)	/* a link, a socket */
			errno = EILSEQ;
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EILSEQ;
		return -1;
	}
	*out = (struct message){ .fd = fd, .size = (uint64_t)st.st_size,
	    .extents = 1, .extent = { { 0, (uint64_t)st.st_size } } };
	return 0;
}

/* A line end becomes two octets at most, and nothing becomes less. */
static bool
possible(uint64_t wire_size, uint64_t size)
{
	return wire_size >= size && wire_size - size <= size;
}

/* W= counts only where S= is true: both were written in one moment. */
static int
maildir_facts(struct folder *f, const char *where, uint64_t *size, int64_t *date)
{
	const char *name;
	int dir = maildir_at(f, where, &name);
	struct file_name n;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	name_parse(bytes_of(name), &n);
	*date = st.st_mtim.tv_sec;
	*size = S_ISREG(st.st_mode) && n.size == (uint64_t)st.st_size
	    && possible(n.wire_size, n.size) ? n.wire_size : FILE_SIZE_UNKNOWN;
	return 0;
}

/* Names begin with the time of their delivery. */
static uint64_t
maildir_age(const char *where)
{
	return name_age(bytes_of(where + 4));
}

const struct store_ops maildir_ops = {
	.batch = BATCH,
	.lasting = true,
	.list = maildir_list,
	.list_stamp = maildir_list_stamp,
	.exists = maildir_exists,
	.create = maildir_create,
	.remove = maildir_remove,
	.rename = maildir_rename,
	.unfinished = renaming_left,
	.recover = maildir_recover,
	.open = maildir_open,
	.close = maildir_close,
	.stamp = maildir_stamp,
	.glance = maildir_glance,
	.glance_files = maildir_glance_files,
	.settle = maildir_settle,
	.scan = maildir_scan,
	.marks = maildir_marks,
	.age = maildir_age,
	.apply = maildir_apply,
	.give = maildir_give,
	.given = maildir_given,
	.given_end = given_end,
	.poke = maildir_poke,
	.durable = maildir_durable,
	.message = maildir_message,
	.facts = maildir_facts,
	.draft_begin = maildir_draft_begin,
	.draft_seal = maildir_draft_seal,
	.draft_start = maildir_draft_start,
	.draft_drop = maildir_draft_drop,
	.deliver = maildir_deliver,
	.copy = maildir_copy,
	.tidy = maildir_tidy,
};
