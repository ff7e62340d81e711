/*
 * Giving memory back on Linux with glibc.
 * Runs as: _mailreeve.
 */
#include <malloc.h>
#include <sys/mman.h>

#include "release.h"

void
release_memory(void *p, size_t n)
{
	madvise(p, n, MADV_DONTNEED);
	malloc_trim(0);
}
