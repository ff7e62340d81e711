/*
 * A set of 32-bit numbers (UIDs or message sequence numbers) kept as runs.
 *
 * Invariants: runs ascend, do not touch and do not overlap; each has
 * first <= last and first >= 1. Memory goes by runs, not by members. A set is
 * limited to RUNS_MAX runs; a million messages with every second one expunged
 * still fit.
 */
#ifndef RUNS_H
#define RUNS_H

#include "bytes.h"

#define RUNS_MAX ((size_t)4 << 20)

struct run {
	uint32_t first;
	uint32_t last;
};

struct runs {
	struct run *v;
	size_t n;
	size_t cap;
	uint64_t count;			/* members in all runs */
};

#define RUNS_INIT ((struct runs){ 0 })

void runs_free(struct runs *s);
void runs_clear(struct runs *s);

/*
 * Changes return 0, or -1 with errno ENOMEM or E2BIG (RUNS_MAX) and the set
 * as it was. Adding at or behind the end is O(1); elsewhere O(runs).
 */
int runs_add(struct runs *s, uint32_t first, uint32_t last);
int runs_remove(struct runs *s, uint32_t first, uint32_t last);
int runs_copy(struct runs *to, const struct runs *from);

/* to = a without, or cut with b; to must be neither of them. */
int runs_subtract(struct runs *to, const struct runs *a, const struct runs *b);
int runs_intersect(struct runs *to, const struct runs *a, const struct runs *b);

bool runs_contains(const struct runs *s, uint32_t member);
bool runs_equal(const struct runs *a, const struct runs *b);

/* The k-th member counted from 1, or 0 when there are fewer. O(runs). */
uint32_t runs_nth(const struct runs *s, uint64_t k);

/*
 * How many members are <= number. For a member this is its position counted
 * from 1: with the UIDs of a view, its message sequence number.
 */
uint64_t runs_rank(const struct runs *s, uint32_t number);

/* Smallest and largest member; 0 when empty. */
uint32_t runs_first(const struct runs *s);
uint32_t runs_last(const struct runs *s);

/*
 * Walks the members in ascending order with a cursor that makes each step,
 * and the rank of each member, O(1).
 */
struct runs_cursor {
	const struct runs *s;
	size_t i;
	uint32_t next;			/* 0: before the first */
	uint64_t rank;			/* position of the member last returned */
};

#define RUNS_CURSOR(set) ((struct runs_cursor){ .s = (set) })

/* The next member, or 0 at the end. */
uint32_t runs_next(struct runs_cursor *c);

#endif
