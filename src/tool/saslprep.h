/*
 * SASLprep (RFC 4013): passwords in the form in which clients prove them.
 */
#ifndef SASLPREP_H
#define SASLPREP_H

#include "buf.h"

/*
 * Appends the prepared form of text: 0, or -1 with errno EILSEQ: no UTF-8, empty,
 * or with characters that may not be in it.
 */
int saslprep(struct bytes text, struct buf *out);

#endif
