/*
 * Every mailbox of somebody.
 */
#ifndef EACH_H
#define EACH_H

#include "../store/store.h"

/*
 * Calls one() for each. Where it, or opening the mailbox, fails, that is said on
 * standard error with errno's text, counted, and the others go on. -1: they
 * cannot be listed.
 */
int each_mailbox(struct store *s, int (*one)(void *arg, struct folder *f),
    void *arg, size_t *failed);

#endif
