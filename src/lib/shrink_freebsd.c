/*
 * Giving memory back on FreeBSD, whose malloc() does so by itself.
 * Runs as: anybody.
 */
#include <stdint.h>
#include <sys/mman.h>

#include "shrink.h"

#define PAGE ((uintptr_t)4096)
#define IN_USE ((uintptr_t)1024)	/* below us: by this call and the last one it makes */
#define DEEPEST ((uintptr_t)1 << 20)

void
shrink_process(void)
{
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - IN_USE) & ~(PAGE - 1);

	madvise((void *)(end - DEEPEST), DEEPEST, MADV_FREE);
}
