/*
 * UTF-8 as RFC 3629 has it, one character at a time.
 */
#ifndef UTF8_H
#define UTF8_H

#include "buf.h"

/*
 * Length of the character that in begins with, or 0 when it is none (cut,
 * overlong, surrogate, over U+10FFFF, nothing there).
 */
size_t utf8_char(struct bytes in, uint32_t *code);

bool utf8_valid(struct bytes in);

/* Appends code, which must be a scalar value. 0, or -1 as buf_add(). */
int utf8_put(struct buf *out, uint32_t code);

#endif
