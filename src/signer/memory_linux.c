/*
 * Memory that the kernel itself has no mapping of (memfd_secret(2)), or, where
 * that is not to be had, that is locked and never part of a core.
 * Runs as: root.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static void *
secret_region(size_t n)
{
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)n) == 0)
		p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

void *
memory_region(size_t n)
{
	void *p = secret_region(n);

	if (p != NULL)
		return p;
	log_debug("memfd_secret: %s: keys lie in locked memory",
	    strerror(errno));
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	/* Only what is touched is locked, so that the limit is not in the way. */
	if (mlock2(p, n, MLOCK_ONFAULT) < 0)
		log_warn("mlock: %s: keys may be swapped", strerror(errno));
	(void)madvise(p, n, MADV_DONTDUMP);
	return p;
}
