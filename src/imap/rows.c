/*
 * Rows of many messages, a block at a time.
 *
 * Runs as: the mailbox owner (imap).
 */
#include "rows.h"

void
rows_begin(struct rows *r, struct mailbox *b, const struct runs *uids,
    enum rows_want want)
{
	r->box = b;
	r->want = want;
	r->uids = uids;
	r->run = 0;
	r->next = 0;
	r->block = RUNS_INIT;
	r->n = 0;
	r->asked = r->found = 0;
	r->view = mailbox_view(b);
	r->view_run = 0;
	r->view_before = 0;
}

void
rows_end(struct rows *r)
{
	runs_free(&r->block);
}

/* The next max UIDs into the block. */
static int
take_block(struct rows *r, size_t max)
{
	uint32_t first, last;

	runs_clear(&r->block);
	while (r->run < r->uids->n && r->block.count < max) {
		struct run run = r->uids->v[r->run];
		uint64_t room = max - r->block.count;

		first = r->next != 0 ? r->next : run.first;
		last = run.last - first < room ? run.last : first + (uint32_t)(room - 1);
		if (runs_add(&r->block, first, last) == -1)
			return -1;
		r->run += last == run.last;
		r->next = last == run.last ? 0 : last + 1;
	}
	return 0;
}

static int
rows_alone(struct rows *r, bool *complete)
{
	size_t i = 0;

	if (mailbox_rows_alone(r->box, &r->block, r->row, ROWS_BLOCK, &r->n) == -1)
		return -1;
	while (r->want == ROWS_DATES_ALONE && i < r->n && r->row[i].internaldate != 0)
		i++;
	*complete = r->want == ROWS_ALONE || i == r->n;
	return 0;
}

int
rows_again(struct rows *r)
{
	struct mail_cursor *c;
	bool complete = false;
	int got = 1;

	if ((r->want == ROWS_ALONE || r->want == ROWS_DATES_ALONE)
	    && rows_alone(r, &complete) == -1)
		return -1;
	if (complete)
		return 0;
	r->n = 0;
	if (mailbox_rows(r->box, &r->block, &c) == -1)
		return -1;
	if (r->want == ROWS_MESSAGES)
		mail_cursor_no_dates(c);
	while (r->n < ROWS_BLOCK && (got = mail_cursor_next(c, &r->row[r->n])) == 1)
		r->n++;
	mail_cursor_end(c);
	return got == -1 ? -1 : 0;
}

int
rows_next(struct rows *r, size_t max)
{
	if (take_block(r, max < ROWS_BLOCK ? max : ROWS_BLOCK) == -1)
		return -1;
	r->n = 0;
	if (r->block.count == 0)
		return 0;
	if (rows_again(r) == -1)
		return -1;
	r->asked += r->block.count;
	r->found += r->n;
	return 1;
}

uint64_t
rows_sequence(struct rows *r, uint32_t uid)
{
	const struct runs *v = r->view;

	while (r->view_run < v->n && v->v[r->view_run].last < uid) {
		r->view_before += (uint64_t)v->v[r->view_run].last -
		    v->v[r->view_run].first + 1;
		r->view_run++;
	}
	if (r->view_run == v->n || uid < v->v[r->view_run].first)
		return 0;
	return r->view_before + uid - v->v[r->view_run].first + 1;
}
