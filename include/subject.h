/*
 * What SORT and THREAD compare: base subjects (RFC 5256 section 2.1) and
 * message identifiers (section 3, REFERENCES).
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "buf.h"

/*
 * Appends the base subject of a Subject field's value as stored, in UTF-8, not
 * folded. reply (may be NULL) tells whether it was a reply or a forward.
 */
int subject_base(struct bytes value, struct buf *out, bool *reply);

/*
 * Takes the next message identifier out of *rest (the value of Message-ID,
 * References or In-Reply-To) and appends it without angle brackets, quoting,
 * comments and white space, so that equal ones are equal bytes. 1, 0 at the
 * end, -1. Words that are no msg-id are skipped.
 */
int msgid_next(struct bytes *rest, struct buf *out);

#endif
