/*
 * Memory that is not needed while a relay is idle.
 */
#ifndef LOGIN_RELEASE_H
#define LOGIN_RELEASE_H

#include <stddef.h>

/*
 * Gives back the pages of p, whose contents may be lost, and what lies free in
 * malloc()'s hands.
 */
void release_memory(void *p, size_t n);

#endif
