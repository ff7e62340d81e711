/*
 * Small text files that are replaced as a whole.
 */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include "buf.h"

/* Reads a file up to the buffer's maximum; -1 with errno (ENOENT, E2BIG...). */
int text_load(int dir, const char *name, struct buf *out);

/*
 * Replaces the file durably: after a crash it is the old one or the new one.
 * Callers hold the lock that guards the file.
 */
int text_replace(int dir, const char *name, struct bytes content);

/* The next line of *rest without its end; false at the end of the text. */
bool text_line(struct bytes *rest, struct bytes *line);

#endif
