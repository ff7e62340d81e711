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
rootfile_open(const char *path, mode_t bad)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *wrong;

	if (fd < 0) {
		/* A server without TLS is a choice, not an accident a line. */
		log_line(errno == ENOENT ? LOG_DEBUG : LOG_ERR, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	wrong = what_is_wrong(fd, bad);
	if (wrong == NULL)
		return fd;
	close(fd);
	log_error("%s: %s", path, wrong);
	return -1;
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
