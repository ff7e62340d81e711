/*
 * Sets of UIDs or sequence numbers as ascending runs.
 * Runs as: any user.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

static uint64_t
run_count(struct run r)
{
	return (uint64_t)r.last - r.first + 1;
}

void
runs_free(struct runs *s)
{
	free(s->v);
	*s = RUNS_INIT;
}

void
runs_clear(struct runs *s)
{
	s->n = 0;
	s->count = 0;
}

static int
reserve(struct runs *s, size_t n)
{
	size_t cap = s->cap == 0 ? 4 : s->cap;
	struct run *v;

	if (n <= s->cap)
		return 0;
	if (n > RUNS_MAX) {
		errno = E2BIG;
		return -1;
	}
	while (cap < n)
		cap *= 2;
	v = reallocarray(s->v, cap, sizeof *v);
	if (v == NULL)
		return -1;
	s->v = v;
	s->cap = cap;
	return 0;
}

/* Index of the first run whose last member is >= number; n when none is. */
static size_t
seek(const struct runs *s, uint32_t number)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->v[mid].last < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Replaces the runs [from, to) by the given n ones. */
static int
splice(struct runs *s, size_t from, size_t to, const struct run *put, size_t n)
{
	if (reserve(s, s->n - (to - from) + n) < 0)
		return -1;
	for (size_t i = from; i < to; i++)
		s->count -= run_count(s->v[i]);
	memmove(s->v + from + n, s->v + to, (s->n - to) * sizeof *s->v);
	for (size_t i = 0; i < n; i++) {
		s->v[from + i] = put[i];
		s->count += run_count(put[i]);
	}
	s->n = s->n - (to - from) + n;
	return 0;
}

static int
append(struct runs *s, struct run r)
{
	if (s->n == s->cap && reserve(s, s->n + 1) < 0)
		return -1;
	s->v[s->n++] = r;
	s->count += run_count(r);
	return 0;
}

int
runs_add(struct runs *s, uint32_t first, uint32_t last)
{
	struct run r = { first, last };
	size_t from, to;

	/* Most come in their order: the last run grows, or another follows it. */
	if (s->n > 0 && first - 1 == s->v[s->n - 1].last && first != 0) {
		s->v[s->n - 1].last = last;
		s->count += run_count(r);
		return 0;
	}
	if (s->n > 0 && s->v[s->n - 1].last != UINT32_MAX
	    && first > s->v[s->n - 1].last + 1)
		return append(s, r);
	from = seek(s, first > 1 ? first - 1 : first);
	for (to = from; to < s->n; to++) {
		if (last != UINT32_MAX && s->v[to].first > last + 1)
			break;
		if (s->v[to].first < r.first)
			r.first = s->v[to].first;
		if (s->v[to].last > r.last)
			r.last = s->v[to].last;
	}
	return splice(s, from, to, &r, 1);
}

int
runs_remove(struct runs *s, uint32_t first, uint32_t last)
{
	struct run put[2];
	size_t n = 0, from = seek(s, first), to = from;

	while (to < s->n && s->v[to].first <= last)
		to++;
	if (from == to)
		return 0;
	if (s->v[from].first < first)
		put[n++] = (struct run){ s->v[from].first, first - 1 };
	if (s->v[to - 1].last > last)
		put[n++] = (struct run){ last + 1, s->v[to - 1].last };
	return splice(s, from, to, put, n);
}

int
runs_copy(struct runs *to, const struct runs *from)
{
	if (reserve(to, from->n) < 0)
		return -1;
	if (from->n > 0)
		memcpy(to->v, from->v, from->n * sizeof *to->v);
	to->n = from->n;
	to->count = from->count;
	return 0;
}

int
runs_subtract(struct runs *to, const struct runs *a, const struct runs *b)
{
	size_t j = 0;

	runs_clear(to);
	for (size_t i = 0; i < a->n; i++) {
		uint64_t at = a->v[i].first;

		while (j < b->n && b->v[j].last < at)
			j++;
		for (size_t k = j; k < b->n && b->v[k].first <= a->v[i].last; k++) {
			if (b->v[k].first > at
			    && runs_add(to, (uint32_t)at, b->v[k].first - 1) < 0)
				return -1;
			at = (uint64_t)b->v[k].last + 1;
		}
		if (at <= a->v[i].last
		    && runs_add(to, (uint32_t)at, a->v[i].last) < 0)
			return -1;
	}
	return 0;
}

int
runs_intersect(struct runs *to, const struct runs *a, const struct runs *b)
{
	size_t i = 0, j = 0;

	runs_clear(to);
	while (i < a->n && j < b->n) {
		uint32_t first = a->v[i].first > b->v[j].first
		    ? a->v[i].first : b->v[j].first;
		uint32_t last = a->v[i].last < b->v[j].last
		    ? a->v[i].last : b->v[j].last;

		if (first <= last && runs_add(to, first, last) < 0)
			return -1;
		if (a->v[i].last < b->v[j].last)
			i++;
		else
			j++;
	}
	return 0;
}

bool
runs_contains(const struct runs *s, uint32_t member)
{
	size_t i = seek(s, member);

	return i < s->n && s->v[i].first <= member;
}

bool
runs_equal(const struct runs *a, const struct runs *b)
{
	return a->n == b->n
	    && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof *a->v) == 0);
}

uint32_t
runs_nth(const struct runs *s, uint64_t k)
{
	if (k == 0 || k > s->count)
		return 0;
	for (size_t i = 0; i < s->n; i++) {
		if (k <= run_count(s->v[i]))
			return s->v[i].first + (uint32_t)(k - 1);
		k -= run_count(s->v[i]);
	}
	return 0;
}

uint64_t
runs_rank(const struct runs *s, uint32_t number)
{
	uint64_t rank = 0;

	for (size_t i = 0; i < s->n && s->v[i].first <= number; i++)
		rank += number < s->v[i].last
		    ? (uint64_t)number - s->v[i].first + 1 : run_count(s->v[i]);
	return rank;
}

uint32_t
runs_first(const struct runs *s)
{
	return s->n == 0 ? 0 : s->v[0].first;
}

uint32_t
runs_last(const struct runs *s)
{
	return s->n == 0 ? 0 : s->v[s->n - 1].last;
}

uint32_t
runs_next(struct runs_cursor *c)
{
	if (c->next == 0 && c->i == 0 && c->rank == 0 && c->s->n > 0)
		c->next = c->s->v[0].first;
	if (c->i >= c->s->n)
		return 0;

	uint32_t member = c->next;

	c->rank++;
	if (member < c->s->v[c->i].last)
		c->next = member + 1;
	else if (++c->i < c->s->n)
		c->next = c->s->v[c->i].first;
	return member;
}
