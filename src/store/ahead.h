/*
 * Columns read ahead: who asks for the column of one message after the other
 * gets them from one walk through the index instead of a search for each.
 */
#ifndef STORE_AHEAD_H
#define STORE_AHEAD_H

#include "../index/index.h"

#define AHEAD_COLUMNS 256
#define AHEAD_BYTES ((size_t)65536)

struct ahead {
	uint32_t first, through;	/* all columns of these UIDs are here; 0: none */
	size_t n, at;
	struct index_column_at v[AHEAD_COLUMNS];
	unsigned char bytes[AHEAD_BYTES];
};

struct aheads {
	struct ahead *of[COLUMN_END];
	uint32_t asked[COLUMN_END];	/* the UID asked for last */
};

/*
 * The column of uid: 1 and its bytes, which stay valid until the next call, 0
 * not there, -1 with errno, or AHEAD_UNKNOWN: it has to be looked for.
 */
#define AHEAD_UNKNOWN 2
int ahead_column(struct aheads *a, struct db *d, uint32_t number, unsigned column,
    uint32_t uid, struct bytes *out);

/* Forgets all and gives the memory back. */
void ahead_free(struct aheads *a);

#endif
