/*
 * A folder bound to what the index knows of it: the bridge between storage
 * and index. Everything in mail.h that looks into a mailbox goes through it.
 */
#ifndef STORE_BOUND_H
#define STORE_BOUND_H

#include "../index/index.h"
#include "store.h"

struct mail {
	const struct config *conf;
	struct mail_owner owner;
	struct store *store;
	struct db *db;
	struct notices *notices;	/* of mail_watch(), or NULL */
	bool visited;			/* special-use mailboxes were seen to */
	struct glances *glances;	/* to be noted in the index, or NULL */
	struct timespec glanced;	/* when the index was last seen to be there */
	bool relist;			/* a name was not what it was taken for */
};

struct first_look;

struct bound {
	struct mail *mail;
	struct folder *folder;
	struct state state;		/* as last read, under the lock */
	struct index_folder rec;	/* as last read */
	uint64_t generation;		/* of the index that rec is from; 0: none */
	char id[MAILBOX_ID_MAX];	/* the mailbox's, at binding */
	bool settled;			/* the last look met all there is */
	bool unwatched;			/* bound_lock() begins no watch: see bound_bulk() */
	bool dirty;			/* own changes since bound_lock() ... */
	bool failed;			/* ... that the index did not take */
	struct first_look *first;	/* a scan that is behind us: sync_rebuild_state() */
	/* UIDs whose move in the log of changes waits for more of them; last 0: none. */
	struct run moving;
	uint64_t moving_from, moving_to;
};

int bound_open(struct mail *m, struct bytes name, struct bound *b);
void bound_close(struct bound *b);

/*
 * Brings the index up to date with the disk; costs a few system calls when
 * nothing changed. rec is then fresh.
 */
int bound_sync(struct bound *b);

/* The index has the folder as it looks now. */
bool bound_clean(const struct bound *b, const struct stamp *now);
/* Reads rec anew. ENOENT: the index knows nothing of this folder. */
int bound_reload(struct bound *b);
/* The index forgets all of the mailbox with this id, and where state says it lies. */
int bound_forget(struct bound *b);
/* Reads rec anew; syncs when the index was lost. */
int bound_refresh(struct bound *b);
/*
 * Does what reads the index, with rec fresh; again when the index turned out
 * to be damaged (EIO) and was made anew.
 */
int bound_read(struct bound *b, int (*fn)(void *arg), void *arg);

/*
 * Takes the folder's lock, with everything up to date, for one who will change
 * something. bound_unlock() makes the stamps right again, so that neither we
 * nor others scan the folder because of our own changes.
 */
int bound_lock(struct bound *b);
/* What it does first, for one who locks several: what crashes left half done. */
int bound_finish(struct bound *b);
int bound_unlock(struct bound *b);
/*
 * Before the lock: so many messages will change. When they are most of the
 * folder, another scan costs less than the system's telling us of each of them.
 */
void bound_bulk(struct bound *b, uint64_t messages);

/*
 * Does what changes the mailbox, under the lock; all of it again when the
 * index was lost meanwhile (EIO), so fn must allow for what it did before.
 */
int bound_change(struct bound *b, int (*fn)(void *arg), void *arg);

/*
 * Under the lock: sees to n UIDs from rec.uid_next on, and gives a new
 * mod-sequence, both reserved on disk. rec is changed; bound_commit() keeps it.
 */
int bound_reserve(struct bound *b, uint32_t n, uint64_t *modseq);

/*
 * Under the lock: whether the record says as many messages as were found in the
 * index. -1 with EIO when not: it is dropped as damaged.
 */
int bound_counted(struct bound *b, uint64_t messages);

/*
 * Write transactions of the index, in which rec and rows change together.
 * After one that failed rec is not what the index has: end what you do.
 */
int bound_begin(struct bound *b);
int bound_commit(struct bound *b);
void bound_abort(struct bound *b);

/* Puts a row in place of old (NULL: none), counting it, at a mod-sequence. */
int bound_put_row(struct bound *b, const struct index_row *old,
    struct index_row *row, uint64_t modseq);
/* Removes rows, counting them; those without a row are passed over. */
int bound_remove_rows(struct bound *b, const struct runs *uids, uint64_t modseq,
    struct runs *removed);

/* The part of flags_sum that one message makes. */
uint64_t bound_flags_sum(const struct index_row *row);

/*
 * The part of marks_sum: the same sum and count, the same files. No part of a
 * mark may change places with that of another one unseen.
 */
uint64_t bound_mark_sum(uint64_t mark);

/* Rewrites the row's facts (size, date) without its being a change. */
int bound_put_facts(struct bound *b, const struct index_row *old,
    const struct index_row *row);

#endif
