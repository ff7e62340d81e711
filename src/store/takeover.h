/*
 * Taking a Maildir folder over from another server, at first sight of it: its
 * UIDVALIDITY, next UID, and each message's UID, keywords and POP3 unique-id.
 */
#ifndef STORE_TAKEOVER_H
#define STORE_TAKEOVER_H

#include "store.h"

/* What was, or would be, taken over. */
struct takeover {
	const char *source;		/* name of the file that tells it */
	uint32_t uidvalidity, uid_next;	/* uidvalidity 0: a new one */
	uint64_t messages;		/* with a UID or unique-id from there */
	uint64_t others;		/* of which it knows nothing */
	uint64_t unique_ids;
	unsigned keywords;
};

/*
 * 1 when the folder, which has no state of ours, was taken over: st is filled,
 * to be saved last of all, so that one cut short is done again. 0 when no
 * other server was there. -1. With st NULL nothing is changed. The caller
 * holds the folder's lock.
 */
int takeover_folder(struct folder *f, struct state *st, struct takeover *out);

/*
 * The same for what belongs to the user: directories that have mailboxes' names
 * in UTF-8 (Courier since release 5) get the ones they have here, and what is
 * subscribed there is subscribed here. 1, 0 when there was no list of
 * subscriptions, -1. fn (or NULL) is told of each: to is NULL for a
 * subscription. Without dry the caller holds the lock on names.
 */
int takeover_store(struct store *s, bool dry,
    void (*fn)(void *arg, const char *name, const char *to), void *arg);

#endif
