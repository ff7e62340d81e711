/*
 * A small file that is locked, read, and replaced as a whole.
 * Runs as: the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "tool.h"

static void
beside(const struct edit *e, const char *end, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%s%s", e->name, end);
}

int
edit_open(struct edit *e, const char *path, mode_t dir_mode)
{
	char copy[sizeof e->path];

	e->lock = -1;
	snprintf(e->path, sizeof e->path, "%s", path);
	snprintf(copy, sizeof copy, "%s", path);
	if (strlen(path) >= sizeof e->path
	    || strlen(basename(copy)) >= sizeof e->name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(e->name, sizeof e->name, "%s", basename(copy));
	snprintf(copy, sizeof copy, "%s", path);
	if (mkdir(dirname(copy), dir_mode) < 0 && errno != EEXIST)
		return -1;
	snprintf(copy, sizeof copy, "%s", path);
	e->dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return e->dir < 0 ? -1 : 0;
}

int
edit_lock(struct edit *e)
{
	char name[NAME_MAX + 1];

	beside(e, ".lock", name);
	e->lock = lock_open(e->dir, name);
	return e->lock < 0 ? -1 : lock_take(e->lock, LOCK_WAIT_MS);
}

void
edit_close(struct edit *e)
{
	if (e->lock >= 0)
		close(e->lock);
	close(e->dir);
}

static int
read_all(int fd, struct buf *out)
{
	for (;;) {
		unsigned char *to = buf_room(out, 4096);
		ssize_t n;

		if (to == NULL)
			return -1;
		n = read(fd, to, 4096);
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
	}
}

int
edit_read(const struct edit *e, struct buf *out)
{
	int fd = openat(e->dir, e->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK), r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	r = read_all(fd, out);
	close(fd);
	return r;
}

static int
write_all(int fd, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			b = bytes_from(b, (size_t)n);
	}
	return fsync(fd);
}

int
edit_replace(const struct edit *e, struct bytes text)
{
	char name[NAME_MAX + 1];
	int fd, r;

	beside(e, ".new", name);
	(void)unlinkat(e->dir, name, 0);
	fd = openat(e->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	r = write_all(fd, text);
	if (close(fd) < 0)
		r = -1;
	if (r == 0)
		r = renameat(e->dir, name, e->dir, e->name);
	if (r < 0)
		(void)unlinkat(e->dir, name, 0);
	return r < 0 ? -1 : fsync(e->dir);
}
