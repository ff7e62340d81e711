/*
 * A user's file of app passwords, as it is asked while somebody logs in.
 */
#ifndef APPFILE_H
#define APPFILE_H

#include "apppass.h"

enum appfile_result {
	APPFILE_NOTHING,	/* it says nothing: ask PAM */
	APPFILE_RIGHT,		/* uid is set */
	APPFILE_BARRED,		/* only app passwords may be used */
	APPFILE_UNSAFE,		/* it cannot be trusted or read; in the log */
};

struct appfile {
	const char *user;		/* as given */
	const char *secret;		/* NULL: there is nothing to ask */
	const struct netaddr *from;
	const char *client;		/* for "last used", quoted */
	bool imap;			/* else pop3 */
	uid_t uid;
	bool unsafe;			/* APPFILE_UNSAFE was the answer */
	char name[APPPASS_NAME_MAX + 16];
	const char *why;		/* for the log */
};

/*
 * Looks into the home directory of the account, as its owner and as nobody
 * else: links, files of others and files that others have rights to are not
 * trusted. A home that cannot be entered has no such file.
 */
enum appfile_result appfile_ask(struct appfile *f);

#endif
