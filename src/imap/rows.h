/*
 * Rows of many messages, a block at a time: no snapshot of the index stays
 * open while a slow client is written to, and memory is bounded.
 */
#ifndef ROWS_H
#define ROWS_H

#include "mail.h"

#define ROWS_BLOCK 256

/* What is looked at: rows alone, or the messages too; and dates and sizes. */
enum rows_want { ROWS_ALONE, ROWS_MESSAGES, ROWS_DATES_ALONE, ROWS_DATES };

struct rows {
	struct mailbox *box;
	enum rows_want want;
	const struct runs *uids;	/* ascending, all of the view */
	size_t run;			/* the next one to ask for: in uids->v[run], */
	uint32_t next;			/* 0: its first */
	struct runs block;		/* UIDs of the rows at hand */
	struct mail_row row[ROWS_BLOCK];
	size_t n;
	uint64_t asked, found;		/* so far */
	const struct runs *view;	/* for sequence numbers: */
	size_t view_run;
	uint64_t view_before;		/* messages in runs before that */
};

/* Unless they are wanted, dates that were never asked for are not looked up. */
void rows_begin(struct rows *r, struct mailbox *b, const struct runs *uids,
    enum rows_want want);
void rows_end(struct rows *r);

/*
 * The rows of the next (at most) max of the UIDs; some or all may be gone. 1, 0
 * at the end, or -1 with errno.
 */
int rows_next(struct rows *r, size_t max);

/* The same messages again, after a change. 0, or -1 with errno. */
int rows_again(struct rows *r);

/* Sequence number of a message of the view; UIDs must ascend from call to call. */
uint64_t rows_sequence(struct rows *r, uint32_t uid);

#endif
