/*
 * Tests of sets of UIDs.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "runs.h"
#include "test.h"

static void
empty_set(void)
{
	struct runs s = RUNS_INIT;

	CHECK_EQ_INT(runs_first(&s), 0);
	CHECK_EQ_INT(runs_last(&s), 0);
	CHECK_EQ_INT(runs_nth(&s, 1), 0);
	CHECK_EQ_INT(runs_rank(&s, UINT32_MAX), 0);
	CHECK(!runs_contains(&s, 1));
	CHECK_EQ_INT(runs_remove(&s, 1, UINT32_MAX), 0);
	runs_free(&s);
}

static void
neighbours_merge(void)
{
	struct runs s = RUNS_INIT;

	CHECK_EQ_INT(runs_add(&s, 5, 6), 0);
	CHECK_EQ_INT(runs_add(&s, 1, 2), 0);
	CHECK_EQ_INT(s.n, 2);
	CHECK_EQ_INT(runs_add(&s, 3, 4), 0);
	CHECK_EQ_INT(s.n, 1);
	CHECK_EQ_INT(s.count, 6);
	CHECK_EQ_INT(runs_add(&s, UINT32_MAX, UINT32_MAX), 0);
	CHECK_EQ_INT(runs_add(&s, 7, UINT32_MAX - 1), 0);
	CHECK_EQ_INT(s.n, 1);
	CHECK_EQ_INT(s.count, UINT32_MAX);
	runs_free(&s);
}

static void
rank_is_the_place(void)
{
	struct runs s = RUNS_INIT;

	CHECK_EQ_INT(runs_add(&s, 10, 12), 0);
	CHECK_EQ_INT(runs_add(&s, 20, 20), 0);
	CHECK_EQ_INT(runs_rank(&s, 9), 0);
	CHECK_EQ_INT(runs_rank(&s, 12), 3);
	CHECK_EQ_INT(runs_rank(&s, 19), 3);
	CHECK_EQ_INT(runs_rank(&s, 20), 4);
	CHECK_EQ_INT(runs_nth(&s, 4), 20);
	CHECK_EQ_INT(runs_nth(&s, 5), 0);
	runs_free(&s);
}

/*
 * Every operation against the same one on an array of booleans, on sets small
 * enough that all edges meet.
 */
#define SPAN 24

static void
fill(struct runs *s, bool *model, unsigned *seed)
{
	memset(model, 0, SPAN * sizeof *model);
	for (int i = 0; i < 12; i++) {
		uint32_t a, b, t;
		bool add;

		*seed = *seed * 1103515245 + 12345;
		a = *seed >> 8 & 0xff, b = *seed >> 16 & 0xff;
		add = (*seed >> 28 & 3) != 0;
		a = a % (SPAN - 1) + 1, b = b % (SPAN - 1) + 1;
		if (a > b)
			t = a, a = b, b = t;
		CHECK_EQ_INT(add ? runs_add(s, a, b) : runs_remove(s, a, b), 0);
		for (uint32_t k = a; k <= b; k++)
			model[k] = add;
	}
}

static void
agrees(const struct runs *s, const bool *model)
{
	struct runs_cursor c = RUNS_CURSOR(s);
	uint64_t rank = 0;

	for (uint32_t k = 1; k < SPAN; k++) {
		rank += model[k];
		CHECK_EQ_INT(runs_contains(s, k), model[k]);
		CHECK_EQ_INT(runs_rank(s, k), rank);
		if (model[k]) {
			CHECK_EQ_INT(runs_next(&c), k);
			CHECK_EQ_INT(c.rank, rank);
			CHECK_EQ_INT(runs_nth(s, rank), k);
		}
	}
	CHECK_EQ_INT(runs_next(&c), 0);
	CHECK_EQ_INT(s->count, rank);
	for (size_t i = 1; i < s->n; i++)
		CHECK(s->v[i - 1].last + 1 < s->v[i].first);
}

static void
agrees_with_a_model(void)
{
	unsigned seed = 1;

	for (int round = 0; round < 300; round++) {
		struct runs a = RUNS_INIT, b = RUNS_INIT, c = RUNS_INIT;
		bool ma[SPAN], mb[SPAN], mc[SPAN];

		fill(&a, ma, &seed);
		fill(&b, mb, &seed);
		agrees(&a, ma);
		CHECK_EQ_INT(runs_subtract(&c, &a, &b), 0);
		for (int k = 0; k < SPAN; k++)
			mc[k] = ma[k] && !mb[k];
		agrees(&c, mc);
		CHECK_EQ_INT(runs_intersect(&c, &a, &b), 0);
		for (int k = 0; k < SPAN; k++)
			mc[k] = ma[k] && mb[k];
		agrees(&c, mc);
		runs_free(&a);
		runs_free(&b);
		runs_free(&c);
	}
}

TEST_MAIN(TEST(empty_set), TEST(neighbours_merge), TEST(rank_is_the_place),
    TEST(agrees_with_a_model))
