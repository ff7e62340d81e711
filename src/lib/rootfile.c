/*
 * Reads files that root alone may have written.
 * Runs as: root.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "log.h"
#include "rootfile.h"

#define READ_SIZE ((size_t)16384)

static const char *
what_is_wrong(int fd, mode_t bad)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "no regular file";
	if (st.st_uid != 0)
		return "does not belong to root: chown root it";
	if ((st.st_mode & bad) != 0)
		return "others have rights to it: chmod go= it";
	return NULL;
}

int
rootfile_look(const char *path, mode_t bad, const char **wrong)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*wrong = fd < 0 ? strerror(errno) : what_is_wrong(fd, bad);
	if (*wrong == NULL || fd < 0)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

int
rootfile_open(const char *path, mode_t bad)
{
	const char *wrong;
	int fd = rootfile_look(path, bad, &wrong);

	/* A server without TLS is a choice, not an accident a line. */
	if (fd < 0)
		log_line(errno == ENOENT ? LOG_DEBUG : LOG_ERR, "%s: %s", path,
		    wrong);
	return fd;
}

static int
read_all(int fd, struct buf *out)
{
	for (;;) {
		unsigned char *to = buf_room(out, READ_SIZE);
		ssize_t n;

		if (to == NULL)
			return -1;
		n = read(fd, to, READ_SIZE);
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
	}
}

int
rootfile_read(const char *path, mode_t bad, struct buf *out)
{
	int fd = rootfile_open(path, bad), r;

	if (fd < 0)
		return -1;
	r = read_all(fd, out);
	if (r < 0)
		log_error("%s: %s", path, strerror(errno));
	close(fd);
	return r;
}
