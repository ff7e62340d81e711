/*
 * Giving memory back on Linux with glibc.
 * Runs as: anybody.
 */
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>

#include "shrink.h"

#define PAGE ((uintptr_t)4096)		/* of a larger one, too little is released: EINVAL */
#define IN_USE ((uintptr_t)1024)	/* below us: by this call and the last one it makes */
#define DEEPEST ((uintptr_t)1 << 20)	/* further down nothing else can be mapped so near */

void
shrink_process(void)
{
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - IN_USE) & ~(PAGE - 1);

	malloc_trim(0);
	/* Where the stack never was, there is nothing to release: ENOMEM. */
	madvise((void *)(end - DEEPEST), DEEPEST, MADV_DONTNEED);
}
