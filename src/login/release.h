/*
 * Memory that is not needed while a relay is idle.
 */
#ifndef LOGIN_RELEASE_H
#define LOGIN_RELEASE_H

#include <stddef.h>

/*
 * Gives back the pages of p, whose contents may be lost, and what nothing is in:
 * shrink_process().
 */
void release_memory(void *p, size_t n);

/*
 * Before forks: what malloc() will give them lies behind all that is there, so
 * that they write to few of the pages that they share.
 */
void settle_memory(void);

#endif
