/*
 * Text of any character set to valid UTF-8, as a stream.
 *
 * UTF-8, ASCII, Latin-1 and Windows-1252 need nothing of the system; others go
 * through iconv. What cannot be converted becomes U+FFFD; an unknown character
 * set is read as UTF-8 where it is that, and as Latin-1 where not.
 */
#ifndef CHARSET_H
#define CHARSET_H

#include <iconv.h>

#include "buf.h"

#define CHARSET_NAME_MAX 40

enum charset_kind { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_CP1252, CHARSET_GUESS, CHARSET_ICONV };

struct charset {
	enum charset_kind kind;
	iconv_t iconv;
	bool ascii;			/* bytes below 0x80 mean ASCII wherever they stand */
	size_t held;			/* of a character that is not complete yet */
	unsigned char hold[16];
};

/* True when text in this character set can be converted (SEARCH CHARSET). */
bool charset_known(struct bytes name);

/* Never fails: an unknown or empty name is guessed. */
void charset_begin(struct charset *c, struct bytes name);
int charset_push(struct charset *c, struct bytes in, struct buf *out);
int charset_end(struct charset *c, struct buf *out);	/* also frees it */

/* All of in at once. */
int charset_convert(struct bytes name, struct bytes in, struct buf *out);

/*
 * UTF-8 as RFC 3629 has it. The first returns the length of the character at p,
 * or 0 when it is none (cut, overlong, surrogate, over U+10FFFF).
 */
size_t utf8_char(struct bytes in, uint32_t *code);
bool utf8_valid(struct bytes in);
int utf8_put(struct buf *out, uint32_t code);

#endif
