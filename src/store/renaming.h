/*
 * What stands on the disk while mailboxes are renamed by more than one call:
 * whoever opens the mail after a crash brings it to its end. All under the
 * lock on names.
 */
#ifndef STORE_RENAMING_H
#define STORE_RENAMING_H

#include "store.h"

/* Notes durably that from is to become to; and that nothing is left to do. */
int renaming_begin(struct store *s, struct bytes from, struct bytes to);
int renaming_end(struct store *s);

/* The cheap look, without the lock. */
bool renaming_left(struct store *s);

/* What was noted, in text: 1; 0 when nothing was, -1. */
int renaming_read(struct store *s, struct buf *text, struct bytes *from,
    struct bytes *to);

#endif
