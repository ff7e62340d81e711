/*
 * Modified UTF-7 of mailbox names (RFC 3501 section 5.1.3).
 */
#ifndef MUTF7_H
#define MUTF7_H

#include "buf.h"

/*
 * Each appends to out and returns 0, or -1 with errno EILSEQ (not valid, or not
 * in the one form that a name may have) or the buffer's own.
 */
int mutf7_decode(struct bytes name, struct buf *utf8);
int mutf7_encode(struct bytes utf8, struct buf *name);

#endif
