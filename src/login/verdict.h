/*
 * How a refused login and the end of a conversation are told: RFC 5530 for
 * IMAP, RFC 2449 and 3206 for POP3.
 */
#ifndef LOGIN_VERDICT_H
#define LOGIN_VERDICT_H

#include "ask.h"

struct verdict_text {
	const char *imap_code;		/* NULL: none */
	const char *pop3_code;
	const char *text;		/* when conn has no message for the user */
};

/* For every result but CHAN_OK; never NULL. */
const struct verdict_text *verdict_text(enum chan_result result);

/* For every ending but END_QUIET. */
const struct verdict_text *ending_text(enum ending why);

#endif
