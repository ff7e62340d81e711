/*
 * A table of marks by UID, for comparing a folder with its index: eight bytes
 * for each message, in pages, whatever the UIDs are.
 */
#ifndef STORE_MARKS_H
#define STORE_MARKS_H

#include "bytes.h"

struct marks {
	uint64_t **page;
	size_t pages;
};

/* Where the mark of uid stands (0: none yet); NULL with ENOMEM. */
uint64_t *marks_make(struct marks *m, uint32_t uid);
/* The mark of uid, 0 when there is none. */
uint64_t marks_get(const struct marks *m, uint32_t uid);
void marks_free(struct marks *m);

#endif
