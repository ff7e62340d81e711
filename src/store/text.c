/*
 * Small text files: load, replace, walk by lines.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "sys.h"
#include "text.h"

#define PIECE 4096
#define NAME_SIZE 300

/* Appends what read() gives: 0 at the end, E2BIG when there is more than fits. */
static int
read_all(int fd, struct buf *out)
{
	for (;;) {
		size_t room = out->max - out->len;
		char piece[PIECE];
		ssize_t n = read(fd, piece, sizeof piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		if ((size_t)n > room) {
			errno = E2BIG;
			return -1;
		}
		if (buf_add(out, piece, (size_t)n) < 0)
			return -1;
	}
}

static int
load(int dir, const char *name, struct buf *out)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int rc;

	if (fd < 0)
		return -1;
	rc = fstat(fd, &st);
	/* What is too large is not read up to there: most of it may be holes. */
	if (rc == 0 && (!S_ISREG(st.st_mode)
	    || (uintmax_t)st.st_size > out->max - out->len)) {
		errno = S_ISREG(st.st_mode) ? E2BIG : EILSEQ;
		rc = -1;
	}
	if (rc == 0)
		rc = read_all(fd, out);
	close(fd);
	return rc;
}

int
text_load(int dir, const char *name, struct buf *out)
{
	int rc = load(dir, name, out);

	if (rc < 0 && errno != ENOENT)
		log_warn("cannot read %s: %s", name, errno == EILSEQ
		    ? "it is not a file" : strerror(errno));
	return rc;
}

static int
write_and_sync(int dir, const char *name, struct bytes content)
{
	int fd = sys_create(dir, name);
	int rc = -1;

	if (fd < 0)
		return -1;
	if (sys_write(fd, content.p, content.n) == 0 && sys_fsync(fd) == 0)
		rc = 0;
	close(fd);
	return rc;
}

int
text_replace(int dir, const char *name, struct bytes content)
{
	char fresh[NAME_SIZE];

	/* One name is enough: the caller holds the lock. A leftover goes. */
	snprintf(fresh, sizeof fresh, "%s.new", name);
	if (sys_unlink(dir, fresh) < 0 && errno != ENOENT)
		return -1;
	if (write_and_sync(dir, fresh, content) < 0
	    || sys_rename(dir, fresh, dir, name) < 0) {
		int saved = errno;

		sys_unlink(dir, fresh);
		errno = saved;
		return -1;
	}
	return sys_fsync(dir);
}

bool
text_line(struct bytes *rest, struct bytes *line)
{
	if (rest->n == 0)
		return false;
	*line = bytes_split(rest, '\n');
	return true;
}
