/*
 * Reading a sequence-set.
 * Runs as: the mailbox owner.
 */
#include "lex.h"

/* seq-number: 0 stands for the `*` of an empty mailbox. */
static int
seq_number(struct lex *x, uint32_t largest, bool uids, uint32_t *out)
{
	uint64_t n;

	if (lex_peek(x) == '*') {
		if (largest == 0 && !uids)
			return lex_fail(x, EINVAL, "The mailbox is empty");
		*out = largest;
		return lex_char(x, '*');
	}
	if (lex_nz_number(x, UINT32_MAX, &n) < 0)
		return -1;
	if (!uids && n > largest)
		return lex_fail(x, EINVAL, "No message has that sequence number");
	*out = (uint32_t)n;
	return 0;
}

/* seq-number or seq-range, its ends in either order. */
static int
seq_range(struct lex *x, uint32_t largest, bool uids, struct run *out)
{
	uint32_t swap;

	if (seq_number(x, largest, uids, &out->first) < 0)
		return -1;
	out->last = out->first;
	if (lex_peek(x) != ':')
		return 0;
	if (lex_char(x, ':') < 0 || seq_number(x, largest, uids, &out->last) < 0)
		return -1;
	if (out->first > out->last) {
		swap = out->first;
		out->first = out->last;
		out->last = swap;
	}
	return 0;
}

static int
ranges(struct lex *x, uint32_t largest, bool uids, struct runs *set)
{
	struct run r;

	for (size_t n = 0; n < LEX_RANGES_MAX; n++) {
		if (seq_range(x, largest, uids, &r) < 0)
			return -1;
		/* A range up to the `*` of an empty mailbox names nothing. */
		if (r.first != 0 && runs_add(set, r.first, r.last) < 0)
			return lex_fail(x, errno, "Out of memory");
		if (lex_peek(x) != ',')
			return 0;
		if (lex_char(x, ',') < 0)
			return -1;
	}
	return lex_fail(x, E2BIG, "Too many ranges in a sequence-set");
}

int
lex_sequence_set(struct lex *x, uint32_t largest, bool uids,
    struct sequence_set *out)
{
	struct lex before = *x;

	*out = (struct sequence_set){ 0 };
	if (lex_peek(x) == '$') {
		out->saved = true;
		return lex_char(x, '$');
	}
	if (ranges(x, largest, uids, &out->set) == 0)
		return 0;
	runs_free(&out->set);
	x->rest = before.rest;
	return -1;
}
