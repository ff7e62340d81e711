/*
 * Answering for a folder that nobody has open, from its record in the index,
 * when it looks as it did: a handful of looks at path names, and no file opened.
 * The index notes for it which mailbox each folder holds.
 */
#ifndef STORE_GLANCE_H
#define STORE_GLANCE_H

#include "bound.h"

/* True when b->rec and b->id are the mailbox's; no folder is bound to b then. */
bool glance(struct mail *m, struct bytes name, struct glimpse *g, struct bound *b);

/*
 * After a glance that did not do, and bound_sync(): that the folder, as it
 * looked then, is b's. Goes into the index with others.
 */
void glance_note(const struct bound *b, const struct glimpse *g);
/* Writes down what was noted; what cannot be written is forgotten. */
void glances_flush(struct mail *m);

#endif
