/*
 * A folder's state file: the few numbers that must outlive the index
 * (mailreeve-maildir(5)). Small text, replaced durably under the folder's lock.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "mail.h"

#define STATE_FILE "mailreeve-state"

struct state {
	uint32_t uidvalidity;
	uint32_t uid_bound;	/* no UID at or above this was ever given */
	uint64_t modseq_bound;	/* nor a mod-sequence */
	/*
	 * The index that reserved up to these bounds. Only it may give out
	 * what lies below them, and only while this still names it.
	 */
	uint64_t holder;
	uint64_t inode;		/* of the folder; another one: this is a copy */
	char id[MAILBOX_ID_MAX];
};

/* -1 with ENOENT when there is none, EILSEQ when it is damaged. */
int state_load(int dir, struct state *s);
int state_save(int dir, const struct state *s);

/* A new MAILBOXID (RFC 8474). */
void state_new_id(char id[MAILBOX_ID_MAX]);

/*
 * A UIDVALIDITY that no folder of this user had before. root holds the file
 * that remembers the last one; the caller holds the lock on names.
 */
#define VALIDITY_FILE "mailreeve-uidvalidity"
int state_new_validity(int root, uint32_t *validity);
/* The state of a folder that was just made; under the same lock. */
int state_make(int root, int dir);

#endif
