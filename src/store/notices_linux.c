/*
 * Many directories watched at once, by inotify.
 * Runs as: the mailbox owner.
 */
#include <sys/inotify.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "notices.h"

#define READ_SIZE 65536
/* Everything that counts is put in its place by a new name. */
#define MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO \
	    | IN_DELETE_SELF | IN_ONLYDIR)

struct notices {
	int fd;
};

struct notices *
notices_open(void)
{
	struct notices *n = calloc(1, sizeof *n);

	if (n == NULL)
		return NULL;
	n->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (n->fd >= 0)
		return n;
	free(n);
	return NULL;
}

void
notices_close(struct notices *n)
{
	if (n == NULL)
		return;
	close(n->fd);
	free(n);
}

int
notices_fd(const struct notices *n)
{
	return n == NULL ? -1 : n->fd;
}

int
notices_add(struct notices *n, const char *path)
{
	return inotify_add_watch(n->fd, path, MASK) < 0 ? -1 : 0;
}

bool
notices_read(struct notices *n)
{
	unsigned char b[READ_SIZE];
	bool any = false;
	ssize_t got;

	while ((got = read(n->fd, b, sizeof b)) > 0 || (got < 0 && errno == EINTR))
		any |= got > 0;
	return any;
}
