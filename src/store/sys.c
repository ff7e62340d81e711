/*
 * The system calls that change the disk, in one place for the crash tests.
 * Runs as: the mailbox owner.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

#define COPY_PIECE ((size_t)65536)

int (*sys_before)(const char *call);

static bool
refused(const char *call)
{
	int error = sys_before != NULL ? sys_before(call) : 0;

	if (error == 0)
		return false;
	errno = error;
	return true;
}

int
sys_create(int dir, const char *name)
{
	if (refused("create"))
		return -1;
	return openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
	    | O_NOFOLLOW, 0600);
}

int
sys_open(int dir, const char *name)
{
	if (refused("open"))
		return -1;
	return openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK, 0600);
}

int
sys_write(int fd, const void *p, size_t n)
{
	const char *at = p;

	if (refused("write"))
		return -1;
	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int
sys_write_at(int fd, const void *p, size_t n, uint64_t at)
{
	const char *from = p;

	if (refused("write"))
		return -1;
	while (n > 0) {
		ssize_t done = pwrite(fd, from, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		from += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

int
sys_truncate(int fd, uint64_t size)
{
	return refused("truncate") ? -1 : ftruncate(fd, (off_t)size);
}

int
sys_allocate(int fd, uint64_t end, uint64_t n)
{
	int error;

	if (refused("allocate"))
		return -1;
	error = posix_fallocate(fd, (off_t)end, (off_t)n);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

int
sys_fsync(int fd)
{
	if (refused("fsync"))
		return -1;
	/* Some file systems cannot sync a directory and say EINVAL. */
	return fsync(fd) < 0 && errno != EINVAL ? -1 : 0;
}

void
sys_start_writing(int fd)
{
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int
sys_mkdir(int dir, const char *name)
{
	return refused("mkdir") ? -1 : mkdirat(dir, name, 0700);
}

int
sys_rmdir(int dir, const char *name)
{
	return refused("rmdir") ? -1 : unlinkat(dir, name, AT_REMOVEDIR);
}

int
sys_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	return refused("rename") ? -1 : renameat(from_dir, from, to_dir, to);
}

static int
rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without RENAME_NOREPLACE: callers hold a lock. */
	if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from_dir, from, to_dir, to);
}

int
sys_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	return refused("rename") ? -1 : rename_new(from_dir, from, to_dir, to);
}

int
sys_move(int from_dir, const char *from, int to_dir, const char *to)
{
	return refused("move") ? -1 : rename_new(from_dir, from, to_dir, to);
}

int
sys_link(int from_dir, const char *from, int to_dir, const char *to)
{
	return refused("link") ? -1 : linkat(from_dir, from, to_dir, to, 0);
}

int
sys_unlink(int dir, const char *name)
{
	return refused("unlink") ? -1 : unlinkat(dir, name, 0);
}

int
sys_times(int fd, int64_t sec, long nsec)
{
	struct timespec t[2] = { { sec, nsec }, { sec, nsec } };

	return refused("utimens") ? -1 : futimens(fd, t);
}

int
sys_copy(int from, int to)
{
	char piece[COPY_PIECE];
	ssize_t n;

	if (refused("copy"))
		return -1;
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while ((n = read(from, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || sys_write(to, piece, (size_t)n) < 0)
			return -1;
	}
	return 0;
}

bool
sys_unwritable(int error)
{
	return error == EROFS || error == EACCES || error == EPERM
	    || error == ENOSPC || error == EDQUOT;
}
