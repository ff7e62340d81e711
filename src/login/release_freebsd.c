/*
 * Giving memory back on FreeBSD, whose malloc() does so by itself.
 * Runs as: _mailreeve.
 */
#include <sys/mman.h>

#include "release.h"
#include "shrink.h"

void
release_memory(void *p, size_t n)
{
	madvise(p, n, MADV_FREE);
	shrink_process();
}

/* jemalloc knows no such thing as an end. */
void
settle_memory(void)
{
}
