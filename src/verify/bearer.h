/*
 * What clients send a bearer token in: OAUTHBEARER (RFC 7628) and XOAUTH2.
 */
#ifndef VERIFY_BEARER_H
#define VERIFY_BEARER_H

#include "buf.h"

#define BEARER_NAME_MAX 255

struct bearer {
	char name[BEARER_NAME_MAX + 1];	/* who it is to be; empty: as the token says */
	struct bytes token;		/* in the message; empty: it asks what is wanted */
};

/* 0, or -1: the message has another form. */
int bearer_parse(struct bytes message, bool xoauth2, struct bearer *out);

#endif
