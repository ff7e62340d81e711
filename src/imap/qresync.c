/*
 * Quick resynchronization at SELECT.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "qresync.h"

/* A sequence-set of plain numbers: `*` and `$` are not allowed here. */
static int
plain_set(struct lex *x, struct runs *out)
{
	struct sequence_set set;
	struct bytes before = x->rest, text;

	if (lex_sequence_set(x, UINT32_MAX, true, &set) < 0)
		return -1;
	text = bytes_first(before, before.n - x->rest.n);
	*out = set.set;
	return set.saved || bytes_find(text, '*') >= 0
	    ? lex_fail(x, EINVAL, "Only numbers are allowed here") : 0;
}

static int
match_data(struct lex *x, struct qresync *q)
{
	if (lex_char(x, '(') < 0 || plain_set(x, &q->match_sequence) < 0
	    || lex_space(x) < 0 || plain_set(x, &q->match_uids) < 0)
		return -1;
	if (q->match_sequence.count != q->match_uids.count)
		return lex_fail(x, EINVAL, "Both sets must have one length");
	return lex_char(x, ')');
}

int
qresync_read(struct lex *x, struct qresync *q)
{
	uint64_t uidvalidity;

	if (q->given)
		return lex_fail(x, EINVAL, "QRESYNC given twice");
	q->given = true;
	if (lex_space(x) < 0 || lex_char(x, '(') < 0
	    || lex_nz_number(x, UINT32_MAX, &uidvalidity) < 0
	    || lex_space(x) < 0 || lex_nz_number(x, INT64_MAX, &q->modseq) < 0)
		return -1;
	q->uidvalidity = (uint32_t)uidvalidity;
	if (lex_peek(x) == ' ' && lex_space(x) == 0 && lex_peek(x) != '(') {
		q->has_known = true;
		if (plain_set(x, &q->known) < 0)
			return -1;
		if (lex_peek(x) == ')')
			return lex_char(x, ')');
		if (lex_space(x) < 0)
			return -1;
	}
	if (lex_peek(x) == '(' && match_data(x, q) < 0)
		return -1;
	return lex_char(x, ')');
}

void
qresync_free(struct qresync *q)
{
	runs_free(&q->known);
	runs_free(&q->match_sequence);
	runs_free(&q->match_uids);
}

/*
 * The last UID for which number and UID of the client's sample still agree:
 * nothing up to it was expunged that the client does not know (section 3.2.5.2).
 */
static uint32_t
matched_up_to(const struct runs *view, const struct qresync *q)
{
	struct runs_cursor numbers = RUNS_CURSOR(&q->match_sequence);
	struct runs_cursor uids = RUNS_CURSOR(&q->match_uids);
	uint32_t number, uid, matched = 0;

	while ((number = runs_next(&numbers)) != 0
	    && (uid = runs_next(&uids)) != 0) {
		if (number > view->count || runs_nth(view, number) != uid)
			break;
		matched = uid;
	}
	return matched;
}

/*
 * What a client that knows those UIDs is to be told of what went. What went since
 * the view was taken still counts in it: it is told later, with its number.
 */
static int
tell_vanished_since(struct session *s, const struct qresync *q,
    const struct runs *known)
{
	const struct runs *view = mailbox_view(s->box);
	struct runs vanished = RUNS_INIT, gone = RUNS_INIT, mine = RUNS_INIT;
	uint32_t matched = matched_up_to(view, q);
	int r = mailbox_vanished_since(s->box, q->modseq, &vanished);

	if (r == 0)
		r = runs_subtract(&gone, &vanished, view);
	if (r == 0)
		r = runs_intersect(&mine, &gone, known);
	if (r == 0 && matched > 0)
		r = runs_remove(&mine, 1, matched);
	if (r == 0)
		tell_vanished(s, &mine, true);
	runs_free(&vanished);
	runs_free(&gone);
	runs_free(&mine);
	return r;
}

/* Only of the view: what came since has no number yet. */
static int
tell_changed_since(struct session *s, const struct qresync *q,
    const struct runs *known)
{
	struct runs changed = RUNS_INIT, there = RUNS_INIT, mine = RUNS_INIT;
	int r = mailbox_changed_since(s->box, q->modseq, &changed);

	if (r == 0)
		r = runs_intersect(&there, &changed, mailbox_view(s->box));
	if (r == 0)
		r = runs_intersect(&mine, &there, known);
	if (r == 0)
		r = tell_flags(s, &mine, true);
	runs_free(&changed);
	runs_free(&there);
	runs_free(&mine);
	return r;
}

int
qresync_tell(struct session *s, const struct qresync *q)
{
	struct mailbox_status st;
	uint32_t next = mailbox_view_uidnext(s->box);
	struct runs known = RUNS_INIT;
	int r;

	if (!q->given)
		return 0;
	if (mailbox_status_now(s->box, STATUS_COUNTS, &st) < 0)
		return -1;
	if (st.uidvalidity != q->uidvalidity)
		return 0;
	if (q->has_known)
		r = runs_copy(&known, &q->known);
	else
		r = next <= 1 ? 0 : runs_add(&known, 1, next - 1);
	if (r == 0)
		r = tell_vanished_since(s, q, &known);
	if (r == 0)
		r = tell_changed_since(s, q, &known);
	runs_free(&known);
	return r;
}
