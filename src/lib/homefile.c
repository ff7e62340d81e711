/*
 * Reads files that users keep for us, and trusts only what is their own.
 * Runs as: the user in question (conn, for as long as it takes).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "homefile.h"
#include "log.h"

/* No home, no right to it, or none of the keys that it is encrypted with. */
static bool
is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES
#ifdef ENOKEY
	    || error == ENOKEY
#endif
	    ;
}

static int
open_file(struct homefile *f)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof path, "%s/%s", f->home, f->name)
	    >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	f->fd = open(path, O_RDWR | flags);
	f->writable = f->fd >= 0;
	if (f->fd < 0)
		f->fd = open(path, O_RDONLY | flags);
	return f->fd < 0 ? -1 : 0;
}

static const char *
what_is_wrong(const struct homefile *f)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "no regular file";
	if (st.st_uid != f->uid)
		return "does not belong to the user";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "others have rights to it: chmod go= it";
	return (uintmax_t)st.st_size > f->max ? "too large" : NULL;
}

static int
read_all(const struct homefile *f, struct buf *out)
{
	unsigned char *to = buf_room(out, f->max);
	ssize_t n = to == NULL ? -1 : 1;

	while (n > 0) {
		n = read(f->fd, to + out->len, f->max - out->len);
		out->len += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : 0;
}

enum homefile_result
homefile_read(struct homefile *f, struct buf *out)
{
	if (open_file(f) < 0 && is_absent(errno))
		return HOMEFILE_ABSENT;
	f->why = f->fd < 0 ? strerror(errno) : what_is_wrong(f);
	if (f->why == NULL && read_all(f, out) < 0)
		f->why = strerror(errno);
	if (f->why == NULL)
		return HOMEFILE_READ;
	log_error("%s/%s: %s", f->home, f->name, f->why);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	return HOMEFILE_UNSAFE;
}
