/*
 * The maildrop: the messages that were there when the session began, by
 * number, and which of them are marked as deleted (RFC 1939 section 5).
 *
 * Numbers never move while the session lasts. A message that another program
 * removed meanwhile keeps its number and answers ENOENT. Functions answer 0,
 * or -1 with errno as in mail.h.
 */
#ifndef POP3_DROP_H
#define POP3_DROP_H

#include "limits.h"
#include "mail.h"

struct drop {
	struct mailbox *box;
	const struct runs *uids;	/* all of them: the rank is the number */
	struct runs deleted;		/* UIDs marked */
	uint64_t octets;		/* of those not marked */
	uint64_t octets_all;
	uint64_t unreadable;		/* messages found so; they count as empty */
	bool read_only;			/* nothing will be deleted: set before drop_open() */
	bool utf8;			/* the client takes headers in UTF-8: set before drop_open() */
};

/*
 * Takes the inbox for this session alone (EBUSY: another session has it), unless
 * read_only, and adds up its sizes.
 */
int drop_open(struct drop *d, struct mail *mail);
void drop_close(struct drop *d);

/* How many messages are not marked as deleted. */
uint64_t drop_count(const struct drop *d);

/* The UID of a number: ENOENT when there is none or it is marked. */
int drop_uid(const struct drop *d, uint32_t number, uint32_t *uid);

/* Octets that RETR sends, without byte-stuffing. */
int drop_size(struct drop *d, uint32_t uid, uint64_t *octets);

/* Marks a message; takes all marks back. */
int drop_delete(struct drop *d, uint32_t uid);
void drop_reset(struct drop *d);

/* The update state: removes what is marked. */
int drop_update(struct drop *d);

/* ---- walking the messages that are not marked, some at a time ---- */

struct drop_entry {
	uint32_t number;
	uint32_t uid;
	uint64_t octets;
};

struct drop_walk {
	struct drop *drop;
	struct runs_cursor at;
	size_t n;			/* entries in this batch */
	bool sizes;			/* octets are wanted */
	bool last;			/* nothing follows this batch */
	struct drop_entry entry[BATCH_MAX];
};

void drop_walk(struct drop_walk *w, struct drop *d, bool sizes);

/*
 * The next batch. With sizes it may be empty: messages that are gone are left
 * out.
 */
int drop_batch(struct drop_walk *w);

#endif
