/*
 * No such thing here: who waits looks from time to time.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "notices.h"

struct notices *
notices_open(void)
{
	errno = ENOSYS;
	return NULL;
}

void
notices_close(struct notices *n)
{
	(void)n;
}

int
notices_fd(const struct notices *n)
{
	(void)n;
	return -1;
}

int
notices_add(struct notices *n, const char *path)
{
	(void)n;
	(void)path;
	errno = ENOSYS;
	return -1;
}

bool
notices_read(struct notices *n)
{
	(void)n;
	return false;
}
