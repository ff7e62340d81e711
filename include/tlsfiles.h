/*
 * The files that tls-certificate and tls-key name: each value is a list of
 * paths; a directory among them stands for its files, in the order of names.
 */
#ifndef TLSFILES_H
#define TLSFILES_H

#include "config.h"

#define TLSFILES_MAX 256		/* in one list */

/*
 * Calls with each path; stops at the first call that answers other than 0, and
 * answers that. A path that is not there is one too.
 */
int tlsfiles_each(const char *list, int (*call)(const char *path, void *arg),
    void *arg);

/*
 * There is to be TLS: the configuration names files, or one that it names by
 * default is there.
 */
bool tlsfiles_wanted(const struct config *conf);

/* Another number when any of the files of the configuration has changed. */
uint64_t tlsfiles_stamp(const struct config *conf);

#endif
