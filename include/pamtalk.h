/*
 * PAM's conversation about one name and one password.
 */
#ifndef PAMTALK_H
#define PAMTALK_H

#include <security/pam_appl.h>

#include "buf.h"

/* What the conversation may give away, and whether it was asked properly. */
struct pamtalk {
	const char *name;
	const char *secret;		/* NULL: there is none to give */
	struct buf *said;		/* what modules tell the user */
	bool gave_name, gave_secret;
	bool surprised;
};

/*
 * For struct pam_conv, with a struct pamtalk as data. One hidden prompt gets the
 * password, one echoing prompt the name; nothing is answered twice.
 */
int pamtalk(int n, const struct pam_message **messages,
    struct pam_response **out, void *data);

#endif
