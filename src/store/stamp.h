/*
 * Times of files and directories as stamps.
 */
#ifndef STORE_STAMP_H
#define STORE_STAMP_H

#include <sys/stat.h>

#include "store.h"

/* Inode and time; firm when the clock has surely left that time. */
void stamp_fill(struct stamp_part *p, const struct stat *st);
/* The same by the time of the inode, which no program can set. */
void stamp_fill_inode(struct stamp_part *p, const struct stat *st);

/*
 * Gives a file or directory whose time is of this very tick a time that no
 * later change can have: one that the clock has left behind, exact to the
 * nanosecond. Where the file system does not keep those, it stays not firm.
 */
void stamp_settle(int fd, struct stamp_part *p);

#endif
