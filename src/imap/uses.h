/*
 * Special uses of mailboxes as attributes (RFC 6154).
 */
#ifndef USES_H
#define USES_H

#include "session.h"

/* Those that a mailbox can be given; the others are views of many mailboxes. */
#define USES_CREATABLE \
	(USE_DRAFTS | USE_SENT | USE_JUNK | USE_TRASH | USE_ARCHIVE | \
	USE_IMPORTANT | USE_SNOOZED | USE_SCHEDULED | USE_MEMOS)

/* A bit outside enum special_use: an attribute that nobody knows. */
#define USE_UNKNOWN 0x80000000u

/* "(" [use-attr *(SP use-attr)] ")" */
int uses_read(struct lex *x, unsigned *uses);

/* The attributes of uses as tokens. */
void put_uses(struct response *r, unsigned uses);

/* The same as text with spaces between them. */
#define USES_TEXT_MAX 200
void uses_print(unsigned uses, struct buf *out);

#endif
