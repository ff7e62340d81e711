/*
 * Sorting many things by a number each, in time that grows with how many they
 * are and no faster.
 */
#ifndef RANKS_H
#define RANKS_H

#include <stddef.h>
#include <stdint.h>

/* What is moved: the number, and which one it is. */
struct ranked {
	uint64_t rank;
	uint32_t index;
};

/*
 * Orders v, with ranks that are the same as they were; other is as large and
 * lost. Returns which of the two has the result.
 */
struct ranked *ranks_sort(struct ranked *v, struct ranked *other, size_t n);

/* Orders those of the same rank by more, which qsort_r(3) would understand. */
void ranks_ties(struct ranked *v, size_t n,
    int (*more)(const void *, const void *, void *arg), void *arg);

#endif
