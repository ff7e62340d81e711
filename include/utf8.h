/*
 * UTF-8 (RFC 3629), one character at a time.
 */
#ifndef UTF8_H
#define UTF8_H

#include "bytes.h"

#define UTF8_CHARACTER_MAX 4

/*
 * Takes the first character off *rest. Its code point, or -1 when the bytes
 * are no UTF-8 (overlong forms, surrogates and values past U+10FFFF included)
 * or nothing is left; *rest then stays.
 */
int32_t utf8_next(struct bytes *rest);

/* Writes c, which must be a scalar value, and returns how many bytes it took. */
size_t utf8_put(unsigned char out[UTF8_CHARACTER_MAX], uint32_t c);

bool utf8_valid(struct bytes b);

#endif
