/*
 * Where a user's mail lies, and in which format.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <limits.h>

#include "mail.h"

#define PLACE_ROOTS 4

struct place {
	bool mbox;			/* else Maildir */
	char store[PATH_MAX];		/* what is not a folder's lies here */
	char inbox[PATH_MAX];		/* mbox: the inbox */
	char index[PATH_MAX];
	char root[PLACE_ROOTS][PATH_MAX]; /* directories and files of the mail; "": none */
};

/* Looks what there is where the configuration leaves it open; makes nothing. */
int place_find(const struct config *conf, const struct mail_owner *owner,
    struct place *out);
/* Makes the directories that are missing. */
int place_make(const struct place *p);

#endif
