/*
 * Whether the files that PAM is configured by are still as they were read.
 */
#ifndef PAMFILES_H
#define PAMFILES_H

#include <stdbool.h>

/*
 * A descriptor that can be read once one of them has changed, in whatever way,
 * for ever and for all that have inherited it; close-on-exec. Not one that is
 * elsewhere and that a line of theirs includes by its path. -1: there is none.
 */
int pamfiles_watch(void);

/* It can be read, or is none. */
bool pamfiles_changed(int watch);

#endif
