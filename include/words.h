/*
 * Header text as people read it: encoded words (RFC 2047) and folds resolved,
 * in valid UTF-8.
 */
#ifndef WORDS_H
#define WORDS_H

#include "buf.h"

/*
 * Appends the text of a field's value as stored: unfolded, encoded words
 * decoded, white space between two of them taken out, NULs dropped, trimmed.
 * What is no valid encoded word stays as it is; 8-bit bytes that are no UTF-8
 * are read as Latin-1.
 */
int words_decode(struct bytes value, struct buf *out);

/* Length of the encoded word that text begins with, or 0. */
size_t words_encoded(struct bytes text);

#endif
