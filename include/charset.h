/*
 * Text of any character set to valid UTF-8, as a stream.
 *
 * UTF-8, ASCII, Latin-1 and Windows-1252 need nothing of the system (Latin-1 is
 * read as Windows-1252, its superset in use); others go through iconv. What
 * cannot be converted becomes U+FFFD; an unknown character set is read as UTF-8
 * where it is that, and as Latin-1 where not.
 */
#ifndef CHARSET_H
#define CHARSET_H

#include <iconv.h>

#include "buf.h"
#include "utf8.h"

#define CHARSET_NAME_MAX 40
#define CHARSET_HOLD_MAX 16
#define CHARSET_KEPT 8		/* conversions of the system that are kept for reuse */

enum charset_kind { CHARSET_GUESS, CHARSET_UTF8, CHARSET_CP1252, CHARSET_ICONV };

struct charset {
	enum charset_kind kind;
	iconv_t iconv;
	char name[CHARSET_NAME_MAX + 1];	/* its own, for CHARSET_ICONV */
	bool ascii;			/* text of 7-bit bytes alone is ASCII */
	size_t held;			/* of a character that is not complete yet */
	unsigned char hold[CHARSET_HOLD_MAX];
};

/* True when text in this character set can be converted (SEARCH CHARSET). */
bool charset_known(struct bytes name);

/* Never fails: an unknown or empty name is guessed. */
void charset_begin(struct charset *c, struct bytes name);
int charset_push(struct charset *c, struct bytes in, struct buf *out);
int charset_end(struct charset *c, struct buf *out);	/* also frees it */

/* Closes what is kept for reuse. */
void charset_shrink(void);

/* All of in at once. */
int charset_convert(struct bytes name, struct bytes in, struct buf *out);

#endif
