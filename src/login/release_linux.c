/*
 * Giving memory back on Linux with glibc.
 * Runs as: _mailreeve.
 */
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "release.h"
#include "shrink.h"

void
release_memory(void *p, size_t n)
{
	madvise(p, n, MADV_DONTNEED);
	shrink_process();
}

#define LARGEST ((size_t)65536)
#define STEP 16			/* as malloc() rounds */

/* Takes every gap for good, the large ones first; what is cut from the end goes back. */
void
settle_memory(void)
{
	const char *end;
	char *p;

	malloc_trim(0);
	end = sbrk(0);
	for (size_t n = LARGEST; n > 0; n -= STEP) {
		while ((p = malloc(n)) != NULL && p < end)
			continue;
		free(p);
	}
}
