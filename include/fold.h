/*
 * i;unicode-casemap (RFC 5051): the form in which text is compared.
 */
#ifndef FOLD_H
#define FOLD_H

#include "buf.h"

/*
 * Appends UTF-8 text folded: each character in title case, then decomposed.
 * Bytes that are no UTF-8 are kept. Comparing is then bytes_compare(),
 * searching is matcher_push() or memmem(). ASCII letters become upper case.
 */
int fold_text(struct bytes utf8, struct buf *out);

/* Forgets what it keeps of characters folded before. */
void fold_shrink(void);

/* Finds one folded text in a stream of folded pieces, also across borders. */
struct matcher {
	struct bytes needle;		/* the caller's, folded */
	struct buf tail;		/* end of the pieces before */
	bool found;
};

/* An empty needle is found at once. */
void matcher_begin(struct matcher *m, struct bytes folded_needle);

/* 1 found (now or before), 0 not yet, -1 with errno. */
int matcher_push(struct matcher *m, struct bytes folded);

/* Starts over with another stream: what was found stays found. */
void matcher_break(struct matcher *m);
void matcher_end(struct matcher *m);

/* The needle in one whole folded text. */
bool fold_contains(struct bytes folded, struct bytes folded_needle);

#endif
