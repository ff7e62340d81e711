/*
 * Sorting by numbers, octet by octet.
 * Runs as: anybody.
 */
#include <stdlib.h>

#include "ranks.h"

#define RANK_BITS 64
#define VALUES 256

/* By the octet at shift. */
static void
pass(const struct ranked *from, struct ranked *to, size_t n, unsigned shift)
{
	uint32_t count[VALUES] = { 0 }, at = 0;

	for (size_t i = 0; i < n; i++)
		count[from[i].rank >> shift & 0xff]++;
	for (size_t i = 0; i < VALUES; i++) {
		uint32_t here = count[i];

		count[i] = at;
		at += here;
	}
	for (size_t i = 0; i < n; i++)
		to[count[from[i].rank >> shift & 0xff]++] = from[i];
}

struct ranked *
ranks_sort(struct ranked *v, struct ranked *other, size_t n)
{
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= v[i].rank ^ v[0].rank;
	for (unsigned shift = 0; shift < RANK_BITS; shift += 8) {
		struct ranked *from = v;

		/* The same in all of them. */
		if ((differ >> shift & 0xff) == 0)
			continue;
		pass(from, other, n, shift);
		v = other;
		other = from;
	}
	return v;
}

void
ranks_ties(struct ranked *v, size_t n,
    int (*more)(const void *, const void *, void *arg), void *arg)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && v[end].rank == v[i].rank; end++)
			;
		if (end - i > 1)
			qsort_r(v + i, end - i, sizeof *v, more, arg);
	}
}
