/*
 * The mechanisms of SASL (RFC 4422) by number, as login and conn speak of them,
 * and which of them the configuration permits.
 */
#ifndef MECHANISMS_H
#define MECHANISMS_H

#include "config.h"

enum mechanism {
	MECHANISM_PLAIN,		/* also LOGIN of IMAP, USER and PASS of POP3 */
	MECHANISM_LOGIN,
	MECHANISM_SCRAM_SHA_1,		/* each with its -PLUS, which conn knows nothing of */
	MECHANISM_SCRAM_SHA_256,
	MECHANISM_SCRAM_SHA_512,
	MECHANISM_EXTERNAL,
	MECHANISM_ANONYMOUS,
	MECHANISM_CRAM_MD5,
	MECHANISM_APOP,			/* no mechanism of SASL, but POP3's own */
	MECHANISM_OAUTHBEARER,
	MECHANISM_XOAUTH2,
	MECHANISM_GSSAPI,
	MECHANISMS
};

/* Never NULL. */
const char *mechanism_name(enum mechanism m);

/* `mechanisms` names it, and what it needs is configured; false for what is none. */
bool mechanism_on(const struct config *conf, uint32_t m);

/* Names of mechanisms, separated by spaces: 0, or -1 with a line in why. */
int mechanisms_check(struct bytes names, struct buf *why);

#endif
