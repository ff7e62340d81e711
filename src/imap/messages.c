/*
 * Sets of messages: sequence numbers, UIDs and `$` as UIDs of the view, and back.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "session.h"

int
session_sequence(struct session *s, const struct runs *uids, struct runs *out)
{
	const struct runs *view = mailbox_view(s->box);

	for (size_t i = 0; i < uids->n; i++) {
		uint32_t first = (uint32_t)runs_rank(view, uids->v[i].first);
		uint32_t more = uids->v[i].last - uids->v[i].first;

		if (runs_add(out, first, first + more) < 0)
			return -1;
	}
	return 0;
}

/* The UIDs whose sequence numbers are in set. */
static int
uids_of(const struct runs *view, const struct runs *set, struct runs *uids)
{
	uint64_t before = 0;
	size_t i = 0;

	for (size_t k = 0; k < set->n; k++) {
		uint64_t at = set->v[k].first, last = set->v[k].last;

		while (at <= last) {
			struct run run = view->v[i];
			uint64_t members = (uint64_t)run.last - run.first + 1;
			uint64_t end = before + members;

			if (at > end) {
				before = end;
				i++;
				continue;
			}
			if (end > last)
				end = last;
			if (runs_add(uids, run.first + (uint32_t)(at - before - 1),
			    run.first + (uint32_t)(end - before - 1)) < 0)
				return -1;
			at = end + 1;
		}
	}
	return 0;
}

int
session_messages(struct session *s, struct lex *x, enum set_of what, struct runs *uids)
{
	const struct runs *view = mailbox_view(s->box);
	bool by_uid = what == SET_OF_UIDS;
	uint32_t largest = by_uid ? runs_last(view) : (uint32_t)view->count;
	struct sequence_set set;
	int r;

	*uids = RUNS_INIT;
	if (lex_sequence_set(x, largest, what != SET_OF_NUMBERS, &set) < 0)
		return -1;
	if (what == SET_OF_ANY_NUMBERS && largest < UINT32_MAX
	    && runs_remove(&set.set, largest + 1, UINT32_MAX) < 0) {
		runs_free(&set.set);
		return lex_fail(x, errno, "Out of memory");
	}
	if (set.saved)
		r = runs_intersect(uids, view, &s->saved);
	else if (by_uid)
		r = runs_intersect(uids, view, &set.set);
	else
		r = uids_of(view, &set.set, uids);
	runs_free(&set.set);
	if (r == 0)
		return 0;
	runs_free(uids);
	return lex_fail(x, errno, "Out of memory");
}

int
call_messages(struct session *s, struct call *c, struct runs *uids)
{
	return session_messages(s, &c->args, call_uid(c) ? SET_OF_UIDS : SET_OF_NUMBERS,
	    uids);
}
