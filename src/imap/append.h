/*
 * Messages on their way from the client into a mailbox: APPEND and what is like
 * it (REPLACE).
 */
#ifndef APPEND_H
#define APPEND_H

#include "session.h"

struct append {
	struct session *s;
	struct call *c;
	struct delivery *d;
	bool single;			/* one message only */
	uint64_t size;			/* of the message at hand, so far */
	/* The last mailbox that CATENATE took from, unless it is the selected one. */
	struct mailbox *source;
	struct arena part;		/* of the URL at hand */
};

/* The mailbox's name, which may be a literal. */
struct outcome append_mailbox(struct session *s, struct call *c, struct bytes *name);

/*
 * All messages of the command into the delivery, which the caller then commits
 * or, when the outcome is not OK, aborts.
 */
struct outcome append_messages(struct append *a);

/* A failure to deliver, as the answer to APPEND and its like. */
struct outcome no_delivery(int error);

/* ---- one message (append.c), and CATENATE (catenate.c) ---- */

/*
 * The literal that the reader stands in front of, all of it, into the message;
 * then reads the line behind it, up to ")" when in parentheses (UTF8). part: it
 * need not be all of the message, and may be empty.
 */
struct outcome append_literal(struct append *a, bool utf8, bool part);

/* Counts octets of the message. False: more than its limit. */
bool append_fits(struct append *a, uint64_t octets);

/* SP "(" cat-part *(SP cat-part) ")", behind CATENATE (RFC 4469). */
struct outcome append_catenate(struct append *a);
void append_catenate_end(struct append *a);

#endif
