/*
 * The clock that deadlines are measured by.
 * Runs as: any user.
 */
#include <errno.h>
#include <time.h>

#include "clock.h"

uint64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
clock_wait(uint64_t when)
{
	struct timespec t = { .tv_sec = (time_t)(when / 1000),
	    .tv_nsec = (long)(when % 1000) * 1000000 };

	if (when <= clock_ms())
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		continue;
}
