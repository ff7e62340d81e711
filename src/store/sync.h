/*
 * Finding out what changed on disk, under the folder's lock.
 */
#ifndef STORE_SYNC_H
#define STORE_SYNC_H

#include "bound.h"

/* Brings index and disk together: state and rec are loaded. */
int sync_locked(struct bound *b);

/*
 * After own changes: remembers what the folder looks like now, when nobody
 * else changed it meanwhile; else looks again.
 */
int sync_own_changes(struct bound *b);

/*
 * Finds UIDVALIDITY and next UID from the names of the files. Where none says a
 * UID, as in a folder that nobody has seen, sync_locked() need not look again.
 */
int sync_rebuild_state(struct bound *b);
/* What it found is of no use any more; errno stays. */
void sync_forget_first(struct bound *b);

#endif
