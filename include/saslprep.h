/*
 * SASLprep (RFC 4013): names in the form in which they are compared, passwords in
 * that in which clients prove them.
 */
#ifndef SASLPREP_H
#define SASLPREP_H

#include "buf.h"

/*
 * Appends the prepared form of text: 0, or -1 with errno EILSEQ: no UTF-8, empty,
 * with characters that may not be in it, or longer than out may become. ASCII
 * stays as it is.
 */
int saslprep(struct bytes text, struct buf *out);

#endif
