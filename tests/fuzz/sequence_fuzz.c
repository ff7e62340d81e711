/*
 * Fuzz target: sequence sets.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "buf.h"
#include "lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
print(const struct runs *set, struct buf *out)
{
	for (size_t i = 0; i < set->n; i++)
		buf_printf(out, "%s%u:%u", i > 0 ? "," : "", set->v[i].first,
		    set->v[i].last);
}

/* What was read prints, and reads again to the same. */
static void
check_again(const struct runs *set, uint32_t largest, bool uids)
{
	struct buf text = BUF_INIT((size_t)1 << 20);
	struct sequence_set again;

	print(set, &text);
	struct lex x = { .rest = buf_contents(&text) };

	if (lex_sequence_set(&x, largest, uids, &again) < 0 || lex_end(&x) < 0
	    || !runs_equal(set, &again.set))
		abort();
	runs_free(&again.set);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct lex x = { .rest = bytes_from(bytes_make(p, n), 2) };
	struct sequence_set set;
	uint32_t largest;
	bool uids;

	if (n < 2)
		return 0;
	largest = p[0];
	uids = (p[1] & 1) != 0;
	if (lex_sequence_set(&x, largest, uids, &set) < 0)
		return 0;
	if (!uids && runs_last(&set.set) > largest)
		abort();
	if (set.set.n > 0)
		check_again(&set.set, largest, uids);
	runs_free(&set.set);
	return 0;
}
