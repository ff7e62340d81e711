/*
 * Memory that is locked and never part of a core.
 * Runs as: root.
 */
#include <sys/mman.h>

#include <errno.h>
#include <string.h>

#include "log.h"
#include "memory.h"

void *
memory_region(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON | MAP_NOCORE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, n) < 0)
		log_warn("mlock: %s: keys may be swapped", strerror(errno));
	return p;
}
