/*
 * Many mailboxes watched at once, for who wants to hear of all of them (RFC
 * 5465): an inotify instance of its own, so that folders come and go under it.
 */
#ifndef STORE_NOTICES_H
#define STORE_NOTICES_H

#include "bytes.h"

struct notices;

/* NULL with errno when the system has none, or no more of them. */
struct notices *notices_open(void);
void notices_close(struct notices *n);
int notices_fd(const struct notices *n);

/* Watches a directory: 0, or -1 with errno (ENOSPC: no more watches). */
int notices_add(struct notices *n, const char *path);

/* Takes off all events that wait: true when there were any. */
bool notices_read(struct notices *n);

#endif
