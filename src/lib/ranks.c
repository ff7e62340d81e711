/*
 * Sorting by numbers, octet by octet.
 * Runs as: anybody.
 */
#include <stdlib.h>

#include "ranks.h"

#define OCTETS 8
#define VALUES 256

/* By the octet at shift, of which there are so many of each value. */
static void
pass(const struct ranked *from, struct ranked *to, size_t n, unsigned shift,
    uint32_t count[VALUES])
{
	uint32_t at = 0;

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
	uint32_t count[OCTETS][VALUES] = { 0 };

	for (size_t i = 0; i < n; i++)
		for (unsigned o = 0; o < OCTETS; o++)
			count[o][v[i].rank >> 8 * o & 0xff]++;
	for (unsigned o = 0; n > 0 && o < OCTETS; o++) {
		struct ranked *from = v;

		/* The same in all of them. */
		if (count[o][v[0].rank >> 8 * o & 0xff] == n)
			continue;
		pass(from, other, n, 8 * o, count[o]);
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
