/*
 * Whether there was mail in new/ of each folder when it was last read, and what
 * the directory looked like then: one that looks the same need not be read again.
 */
#ifndef STORE_ARRIVALS_H
#define STORE_ARRIVALS_H

#include "buf.h"
#include "store.h"

/* Folders beyond these are read each time. */
#define ARRIVALS_MAX ((size_t)16384)

/* As it is kept, in the order of dir. */
struct arrival {
	uint64_t dir;			/* the folder's inode; 0: the inbox */
	uint64_t inode;			/* of its new/ ... */
	int64_t sec;			/* ... and the time of its last change */
	uint32_t nsec;
	uint32_t found;			/* 1: there was mail in it */
};

struct arrivals {
	struct buf known;		/* of struct arrival, as they were kept */
	struct buf now;			/* those met in this listing */
	bool changed;			/* they differ */
};

/* The index has a checksum before them. */
#define ARRIVALS_SIZE ((ARRIVALS_MAX + 1) * sizeof(struct arrival))
#define ARRIVALS_INIT { BUF_INIT(ARRIVALS_SIZE), BUF_INIT(ARRIVALS_SIZE), false }

/* Takes what was kept, after it was read into known: what is none is forgotten. */
void arrivals_begin(struct arrivals *a);

/* True when the folder's new/ looks as it did when it was read: *found then. */
bool arrivals_same(struct arrivals *a, uint64_t dir, const struct stamp_part *new,
    bool *found);
/* That it was just read; unless its time is firm, the next one reads it too. */
void arrivals_note(struct arrivals *a, uint64_t dir, const struct stamp_part *new,
    bool found);

/* All folders were met: true when now, in its order, is to be kept instead of known. */
bool arrivals_end(struct arrivals *a);
void arrivals_free(struct arrivals *a);

#endif
