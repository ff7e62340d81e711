/*
 * Maildir: new messages, from a client or from another folder.
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

#include "maildir.h"
#include "sys.h"

/* maildir(5): a file in tmp/ that is 36 hours old is nobody's work any more. */
#define TMP_AGE (36 * 3600)
/* Files copied between two looks whether it is time to tell how far that is. */
#define PROGRESS_FILES 256

int
maildir_draft_begin(struct folder *f, struct draft *d)
{
	char unique[UNIQUE_MAX + 1];

	if (maildir_tmp(f) < 0)
		return -1;
	name_unique(unique);
	snprintf(d->temp, sizeof d->temp, "%s", unique);
	d->fd = sys_create(f->tmp, d->temp);
	if (d->fd < 0)
		d->temp[0] = '\0';
	return d->fd < 0 ? -1 : 0;
}

/* INTERNALDATE is the file's time; it is to be durable too. */
static int
set_date(struct draft *d)
{
	if (!d->dated && sys_times(d->fd, d->date, 0) < 0)
		return -1;
	d->dated = true;
	return 0;
}

/*
 * Many files are durable sooner when the system has them all before it must wait,
 * with all that is to be written of their inodes: then one write of the file
 * system's journal serves them all.
 */
void
maildir_draft_start(struct folder *f, struct draft *d)
{
	(void)f;
	(void)set_date(d);		/* or else sealing says why it cannot */
	sys_start_writing(d->fd);
}

int
maildir_draft_seal(struct folder *f, struct draft *d)
{
	int rc = set_date(d);

	(void)f;
	if (rc == 0)
		rc = sys_fsync(d->fd);
	close(d->fd);
	d->fd = -1;
	return rc;
}

void
maildir_draft_drop(struct folder *f, struct draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	if (d->temp[0] != '\0')
		sys_unlink(f->tmp, d->temp);
	d->temp[0] = '\0';
}

/* UNIQUE,S=,W= and then what name_format() adds. */
static size_t
draft_name(const struct draft *d, uint32_t uidvalidity,
    char out[FILE_NAME_MAX + 1])
{
	char base[UNIQUE_MAX + 64];
	struct file_name n = { .flags = d->flags,
	    .letters = keywords_letters(&d->keywords) };

	snprintf(base, sizeof base, "%s,S=%llu,W=%llu", d->temp,
	    (unsigned long long)d->size, (unsigned long long)d->wire_size);
	n.base = bytes_of(base);
	return name_format(&n, uidvalidity, d->uid, out);
}

static int
place(struct folder *f, uint32_t uidvalidity, struct draft *d)
{
	char to[FILE_NAME_MAX + 1];

	draft_name(d, uidvalidity, to);
	watch_expect(&f->watch, IN_CUR, EVENT_CAME, to);
	if (sys_rename_new(f->tmp, d->temp, f->cur, to) < 0)
		return -1;
	d->temp[0] = '\0';
	maildir_locate(to, d->where, &d->mark);
	return 0;
}

/* Takes back what was placed of a delivery that failed. */
static void
take_back(struct folder *f, struct draft *v, size_t n)
{
	int saved = errno;

	for (size_t i = 0; i < n; i++) {
		watch_expect(&f->watch, IN_CUR, EVENT_GONE, v[i].where + 4);
		sys_unlink(f->cur, v[i].where + 4);
		v[i].where[0] = '\0';
	}
	errno = saved;
}

int
maildir_deliver(struct folder *f, uint32_t uidvalidity, struct draft *v, size_t n)
{
	size_t done = 0;

	while (done < n && place(f, uidvalidity, &v[done]) == 0)
		done++;
	if (done < n || sys_fsync(f->cur) < 0) {
		take_back(f, v, done);
		return -1;
	}
	return 0;
}

/* The source's name as a copy has it: a unique part of its own. */
static void
copy_name(const struct draft *d, uint32_t uidvalidity,
    char out[FILE_NAME_MAX + 1])
{
	char base[UNIQUE_MAX + 64];
	struct file_name n;
	size_t at;

	name_parse(bytes_of(d->source + 4), &n);
	at = name_unique(base);
	if (n.size != FILE_SIZE_UNKNOWN)
		at += (size_t)snprintf(base + at, sizeof base - at, ",S=%llu",
		    (unsigned long long)n.size);
	if (n.wire_size != FILE_SIZE_UNKNOWN)
		at += (size_t)snprintf(base + at, sizeof base - at, ",W=%llu",
		    (unsigned long long)n.wire_size);
	n.base = bytes_make(base, at);
	n.flags = d->flags;
	n.letters = keywords_letters(&d->keywords);
	name_format(&n, uidvalidity, d->uid, out);
}

/* Where no hard link can be: the bytes, through tmp/. */
static int
copy_bytes(struct folder *f, int from_dir, const char *from, const char *to)
{
	struct draft d = { .fd = -1 };
	struct stat st;
	int source = openat(from_dir, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK);
	int rc = -1;

	if (source < 0)
		return -1;
	if (fstat(source, &st) == 0 && maildir_draft_begin(f, &d) == 0
	    && sys_copy(source, d.fd) == 0) {
		d.date = st.st_mtim.tv_sec;
		rc = maildir_draft_seal(f, &d);
	}
	if (rc == 0)
		rc = sys_rename_new(f->tmp, d.temp, f->cur, to);
	if (rc < 0)
		maildir_draft_drop(f, &d);
	close(source);
	return rc;
}

static bool
no_link_here(int error)
{
	return error == EXDEV || error == EMLINK || error == EPERM
	    || error == EOPNOTSUPP || error == ENOSYS;
}

static int
move_in(struct folder *f, struct folder *from, int dir, const char *source,
    const char *to, int which)
{
	int saved;

	watch_expect(&from->watch, which, EVENT_GONE, source);
	if (sys_move(dir, source, f->cur, to) == 0)
		return 0;
	if (!no_link_here(errno) || copy_bytes(f, dir, source, to) < 0)
		return -1;
	if (sys_fsync(f->cur) == 0 && sys_unlink(dir, source) == 0)
		return 0;
	/* RFC 6851 section 3.3: in one of them, not in both. */
	saved = errno;
	watch_expect(&f->watch, IN_CUR, EVENT_GONE, to);
	sys_unlink(f->cur, to);
	errno = saved;
	return -1;
}

static int
copy_one(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *d, bool move)
{
	char to[FILE_NAME_MAX + 1];
	const char *source;
	int dir = maildir_at(from, d->source, &source);
	int rc;

	copy_name(d, uidvalidity, to);
	watch_expect(&f->watch, IN_CUR, EVENT_CAME, to);
	if (move)
		rc = move_in(f, from, dir, source, to, maildir_which(d->source));
	else if ((rc = sys_link(dir, source, f->cur, to)) < 0
	    && no_link_here(errno))
		rc = copy_bytes(f, dir, source, to);
	if (rc == 0)
		maildir_locate(to, d->where, &d->mark);
	return rc;
}

int
maildir_copy(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n, bool move, size_t *done)
{
	for (*done = 0; *done < n; ++*done) {
		if (copy_one(f, from, uidvalidity, &v[*done], move) < 0)
			break;
		if (*done % PROGRESS_FILES == 0)
			store_progress(f->store, *done, n);
	}
	if (*done == n && sys_fsync(f->cur) == 0)
		return move ? sys_fsync(from->cur) : 0;
	if (!move) {
		take_back(f, v, *done);
		*done = 0;
	}
	return -1;
}

void
maildir_tidy(struct folder *f)
{
	DIR *dir = maildir_tmp(f) < 0 ? NULL : fdopendir(dup(f->tmp));
	time_t old = time(NULL) - TMP_AGE;
	struct dirent *e;
	struct stat st;

	if (dir == NULL)
		return;
	rewinddir(dir);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.'
		    && fstatat(f->tmp, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
		    && !S_ISDIR(st.st_mode) && st.st_mtim.tv_sec < old
		    && st.st_ctim.tv_sec < old)
			sys_unlink(f->tmp, e->d_name);
	closedir(dir);
}
