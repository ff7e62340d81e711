/*
 * Sorting by numbers, against the library's own way.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "ranks.h"
#include "test.h"

#define MANY 3000

static int
by_rank_and_index(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int
backwards(const void *a, const void *b, void *calls)
{
	const struct ranked *x = a, *y = b;

	++*(unsigned *)calls;
	return (x->index < y->index) - (x->index > y->index);
}

/* Numbers of so many bits, so that few or many of them are the same. */
static void
fill(struct ranked *v, size_t n, unsigned bits, unsigned shift)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t r = (uint64_t)random() << 31 ^ (uint64_t)random();

		v[i] = (struct ranked){ (r & ((UINT64_C(1) << bits) - 1)) << shift,
		    (uint32_t)i };
	}
}

static void
sorts_as_qsort(void)
{
	static struct ranked v[2 * MANY], want[MANY];
	static const unsigned how[][2] = { { 0, 0 }, { 1, 63 }, { 5, 6 }, { 33, 0 }, { 60, 4 } };

	for (size_t i = 0; i < sizeof how / sizeof how[0]; i++)
		for (size_t n = 0; n <= MANY; n = n * 3 + 1) {
			const struct ranked *got;

			fill(v, n, how[i][0], how[i][1]);
			memcpy(want, v, n * sizeof *v);
			qsort(want, n, sizeof *want, by_rank_and_index);
			got = ranks_sort(v, v + n, n);
			for (size_t k = 0; k < n; k++)
				if (!CHECK(got[k].rank == want[k].rank
				    && got[k].index == want[k].index))
					return;
		}
}

static void
ties_alone_are_asked_about(void)
{
	struct ranked v[] = { { 1, 0 }, { 2, 1 }, { 2, 2 }, { 2, 3 }, { 7, 4 }, { 9, 5 }, { 9, 6 } };
	static const uint32_t want[] = { 0, 3, 2, 1, 4, 6, 5 };
	unsigned calls = 0;

	ranks_ties(v, 1, backwards, &calls);
	CHECK_EQ_INT(calls, 0);
	ranks_ties(v, 7, backwards, &calls);
	CHECK(calls > 0);
	for (size_t i = 0; i < 7; i++)
		CHECK_EQ_INT(v[i].index, want[i]);
}

TEST_MAIN(TEST(sorts_as_qsort), TEST(ties_alone_are_asked_about))
