/*
 * How much mail a user may have, and whether more fits. Who sets limits: the
 * configuration, the first line of the Maildir's `maildirsize` (its other
 * lines are left to the programs that keep them), and the file system itself.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "mail.h"

/*
 * Does this much more fit? 0, or -1 with EDQUOT. The file system answers for
 * itself when it is written to. Takes the locks of folders, so none may be held.
 */
int quota_room(struct mail *m, uint64_t octets, uint64_t messages);

/* True when quota_room() may refuse at all. */
bool quota_is_set(struct mail *m);

/*
 * What the file system allows the process's user below the directory dir and what
 * is used of it, in octets: 1, or 0 when it limits nothing or does not tell.
 */
int quota_of_system(int dir, const char *path, uint64_t *used, uint64_t *limit);

#endif
