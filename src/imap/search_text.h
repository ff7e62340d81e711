/*
 * SEARCH BODY and TEXT: all needles of a program in one reading of a message.
 */
#ifndef SEARCH_TEXT_H
#define SEARCH_TEXT_H

#include "facts.h"
#include "fold.h"

struct search_texts {
	struct matcher *needle;		/* the first ones also look into headers */
	unsigned n;
	unsigned in_headers;
	struct buf text;		/* a header, decoded */
};

/*
 * Looks through the message that facts are about; needle[i].found tells. 0, or
 * -1 with errno.
 */
int search_texts(struct search_texts *t, struct facts *f);

#endif
