/*
 * fcntl locks that are asked for again and again, never waited for.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "clock.h"
#include "lock.h"
#include "log.h"

#define NAP_FIRST_US 200
#define NAP_LAST_US 4000

/* Locks of an open file, not of the process, where the system has them. */
#ifdef F_OFD_SETLK
#define SET_LOCK F_OFD_SETLK
#else
#define SET_LOCK F_SETLK
#endif

int
lock_open(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK, 0600);

	if (fd < 0)
		log_warn("cannot lock %s: %s", name, strerror(errno));
	return fd;
}

static int
try_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, SET_LOCK, &lock);
}

int
lock_take(int fd, unsigned ms)
{
	uint64_t end = clock_ms() + ms;
	long nap = NAP_FIRST_US;

	while (try_lock(fd, F_WRLCK) < 0) {
		struct timespec t = { 0, nap * 1000 };

		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
		if (clock_ms() >= end) {
			errno = EBUSY;
			return -1;
		}
		/* There is no event for a lock that becomes free. */
		nanosleep(&t, NULL);
		if (nap < NAP_LAST_US)
			nap *= 2;
	}
	return 0;
}

int
lock_try(int fd, bool shared)
{
	if (try_lock(fd, shared ? F_RDLCK : F_WRLCK) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES || errno == EINTR)
		errno = EBUSY;
	return -1;
}

void
lock_pause(void)
{
	struct timespec t = { 0, (NAP_LAST_US + NAP_FIRST_US) * 1000L };

	nanosleep(&t, NULL);
}

void
lock_drop(int fd)
{
	int saved = errno;

	try_lock(fd, F_UNLCK);
	errno = saved;
}
