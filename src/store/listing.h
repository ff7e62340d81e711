/*
 * The names found when all folders were last looked for, and what the directory
 * that holds them looked like: while it looks the same none came or went, and it
 * need not be read again.
 */
#ifndef STORE_LISTING_H
#define STORE_LISTING_H

#include "buf.h"
#include "store.h"

/* Longer listings are not kept. The index has a checksum before them. */
#define LISTING_SIZE ((size_t)900000)

enum listing_kind {
	LISTING_MAILBOX = 'm',
	LISTING_PARENT = 'p',		/* there are mailboxes below it only */
	LISTING_NOT_YET = 'n',		/* may become one while the directory stays as it is */
};

/* An empty listing of the directory with this stamp. What has no room is seen in b->error. */
void listing_begin(struct buf *b, const struct stamp_part *dir);
void listing_add(struct buf *b, struct bytes name, enum listing_kind kind);

/* True when all is a listing of the directory as it is now: *names for the next function. */
bool listing_of(struct bytes all, const struct stamp_part *dir, struct bytes *names);
/* The next name; false behind the last one. */
bool listing_next(struct bytes *names, struct bytes *name, enum listing_kind *kind);

#endif
