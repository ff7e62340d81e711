/*
 * The clock that deadlines are measured by.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. A deadline is such a time; 0 means none. */
uint64_t clock_ms(void);

/* Returns at that time, or at once when it is past. */
void clock_wait(uint64_t when);

#endif
