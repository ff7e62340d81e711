/*
 * Changing the middle of an mbox file so that a crash leaves the old file or
 * the new one.
 *
 * The file cannot be replaced by another: whoever waits for its lock would
 * then append to the one that is gone. So it is changed in place, and what is
 * to become of it is written to a journal beside the folder's state first.
 * Whoever opens the folder next finishes what a journal says, whatever was
 * appended to the file meanwhile.
 */
#ifndef STORE_MBOX_JOURNAL_H
#define STORE_MBOX_JOURNAL_H

#include "bytes.h"

#define JOURNAL_FILE "mailreeve-journal"

/*
 * Puts bytes in the place of length bytes at offset: put, and behind it a piece
 * of a file, which may be the one that changes.
 */
struct mbox_edit {
	uint64_t at;
	uint64_t length;
	struct bytes put;
	struct mbox_piece {
		int fd;
		uint64_t at, n;		/* n 0: none */
	} piece;
};

/*
 * Makes edits, ascending and not across each other, in the file fd, which the
 * caller has locked; dir is where the journal goes. The changed file is
 * durable. 0, or -1 with errno: then the file is as before, or will be as
 * after when it is opened again. Where no edit changes a length no journal is
 * needed: then each edit by itself is made or not.
 */
int mbox_change(int dir, int fd, const struct mbox_edit *v, size_t n);

/* Finishes a change that a crash interrupted. 0 also when there is none. */
int mbox_recover(int dir, int fd);
/* True while a change is made, or after a crash of one. */
bool mbox_unfinished(int dir);

#endif
