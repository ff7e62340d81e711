/*
 * Names of mailboxes and of their folders on disk (Maildir++).
 *
 * The inbox is the Maildir itself; "A/B" is its folder ".A.B", each level in
 * modified UTF-7. A dot inside a level is written &AC4-, which no other name
 * has, so that the way back is unique.
 */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include "buf.h"

#define LAYOUT_NAME_MAX ((size_t)1000)	/* octets of a name in UTF-8 */
#define LAYOUT_DISK_MAX 240		/* of a folder's name on disk */
#define LAYOUT_LEVELS_MAX 50

/* True when name may be a mailbox: valid UTF-8, no control characters, ... */
bool layout_good(struct bytes name);

/* "." for INBOX, ".A.B" for others; -1 with EINVAL when no folder can be. */
int layout_to_disk(struct bytes name, char out[LAYOUT_DISK_MAX + 1]);

/* The name of folder ".A.B"; -1 with EINVAL when it is none that we make. */
int layout_from_disk(const char *folder, struct buf *name);

/* True when name is below parent. */
bool layout_below(struct bytes name, struct bytes parent);

static inline bool
layout_inbox(struct bytes name)
{
	return bytes_equal(name, BYTES("INBOX"));
}

#endif
