/*
 * Header fields beyond ASCII for clients that did not ask for UTF-8: RFC 6856
 * section 2.1 wants a message that every client can read in their place. Words
 * beyond ASCII become encoded words (RFC 2047); what is in a body stays.
 */
#ifndef POP3_SURROGATE_H
#define POP3_SURROGATE_H

#include "bytes.h"

#define SURROGATE_WORD_MAX 18

struct surrogate {
	bool body;			/* the header is over: nothing is done any more */
	bool inside;			/* the line had a byte */
	bool encoded;			/* the last word was, */
	bool space;			/* and a space behind it waits */
	bool goes_on;			/* the word is the rest of a longer one */
	bool eight;			/* it has a byte beyond ASCII */
	size_t n;
	unsigned char word[SURROGATE_WORD_MAX];
};

/*
 * The beginning of a message: when its whole header is in it and ASCII, as nearly
 * always, nothing needs to be done. s is zero, or body already.
 */
void surrogate_begin(struct surrogate *s, struct bytes piece);

/*
 * Converts a piece into out, which has room for SURROGATE_ROOM of it, and
 * returns how many bytes it became; and what is held back at the end of all.
 */
#define SURROGATE_GROWTH 24
#define SURROGATE_ROOM(n) (SURROGATE_GROWTH * (n) + 128)
size_t surrogate(struct surrogate *s, struct bytes piece, unsigned char *out);
size_t surrogate_end(struct surrogate *s, unsigned char *out);

#endif
