/*
 * What the index knows of a folder: its counters, its messages, when each
 * last changed, which are gone, and columns of computed facts.
 *
 * All of it can be lost at any moment; functions then fail with EIO or ENOENT
 * and the caller builds it again. Every record carries a checksum.
 */
#ifndef INDEX_INDEX_H
#define INDEX_INDEX_H

#include "db.h"
#include "mail.h"

#define INDEX_WHERE_MAX 264		/* of a locator, with its NUL */
#define INDEX_STAMP_MAX 96

/* A folder's record. Its number is the prefix of all its other keys. */
struct index_folder {
	uint32_t number;
	uint32_t uidvalidity;
	uint32_t uid_next;		/* the next UID to give */
	uint32_t uid_bound;		/* up to here they are ours to give */
	uint64_t modseq;		/* highest given */
	uint64_t modseq_bound;		/* as uid_bound */
	uint64_t base;			/* changes up to this mod-sequence are not known one by one */
	uint64_t gone_floor;		/* nor expunges up to this one */
	uint64_t gone_records;
	uint64_t messages, unseen, deleted;
	uint64_t size, deleted_size;	/* of those whose size is known ... */
	uint64_t sizes_unknown;		/* ... and how many are not */
	uint64_t flags_sum;		/* over UIDs and flags of all messages */
	uint64_t marks_sum;		/* over their marks: bound_mark_sum() */
	uint32_t first_unseen;		/* no unseen message has a smaller UID */
	uint32_t recent_from;		/* messages from here on nobody was told of */
	uint32_t complete;		/* the first indexing came to its end */
	uint32_t unnamed;		/* some names may not show their UIDs */
	int64_t tidied;			/* when old files in tmp/ were last removed */
	unsigned char stamp[INDEX_STAMP_MAX];
};

#define INDEX_SIZE_UNKNOWN UINT64_MAX
#define INDEX_DATE_UNKNOWN INT64_MIN

struct index_row {
	uint32_t uid;
	uint32_t flags;
	struct keyword_set keywords;
	uint64_t modseq;
	uint64_t size;
	int64_t date;
	int64_t saved;
	uint64_t mark;
	char where[INDEX_WHERE_MAX];
};

/* ENOENT when this folder was never indexed. */
int index_folder_get(struct db *d, const char *id, struct index_folder *f);
int index_folder_put(struct db *d, const char *id, const struct index_folder *f);
/* A number that no folder has. In a transaction. */
int index_folder_number(struct db *d, uint32_t *number);
/*
 * Removes up to max records of the folder, the last of them its own; *gone
 * says how many there were: call until it is less than max.
 */
int index_folder_drop(struct db *d, const char *id, uint32_t number, size_t max,
    size_t *gone);

/*
 * Which mailbox the folder of this inode holds, as long as it or its state file
 * looks as it did; what that means is the storage's affair.
 */
struct index_place {
	uint64_t state_inode;
	int64_t state_sec, dir_sec;
	uint32_t state_nsec, dir_nsec;	/* of the folder: both 0 where only the file counts */
	uint32_t uidvalidity, none;
	char id[MAILBOX_ID_MAX];
};

/* ENOENT when nothing is known of it, or it is damaged. */
int index_place_get(struct db *d, uint64_t inode, struct index_place *p);
/* In a transaction. */
int index_place_put(struct db *d, uint64_t inode, const struct index_place *p);
int index_place_drop(struct db *d, uint64_t inode);

/*
 * Which mailboxes there were, in the storage's own form: out is replaced. ENOENT
 * when there is none, or it is damaged.
 */
int index_listing_get(struct db *d, struct buf *out);
/* In a transaction. */
int index_listing_put(struct db *d, struct bytes value);

/* The UIDs that exist. Changing touches only the parts concerned. */
int index_runs(struct db *d, uint32_t number, struct runs *out);
int index_runs_change(struct db *d, uint32_t number, const struct runs *add,
    const struct runs *remove);

int index_row(struct db *d, uint32_t number, uint32_t uid, struct index_row *row);
int index_row_put(struct db *d, uint32_t number, const struct index_row *row);
/* The same, for a message that is new. */
int index_row_add(struct db *d, uint32_t number, const struct index_row *row);
int index_row_remove(struct db *d, uint32_t number, uint32_t uid);
/* Up to max rows with UIDs in first..last, ascending. */
int index_rows(struct db *d, uint32_t number, uint32_t first, uint32_t last,
    struct index_row *v, size_t max, size_t *n);
/* The same without their locators, which are long and not always wanted. */
int index_rows_brief(struct db *d, uint32_t number, uint32_t first,
    uint32_t last, struct index_row *v, size_t max, size_t *n);
/* And as those above the store know them: a date that is not known is 0. */
int index_mail_rows(struct db *d, uint32_t number, uint32_t first, uint32_t last,
    struct mail_row *v, size_t max, size_t *n);

/*
 * That these messages changed at the mod-sequence `to`, and no longer at `from`,
 * at which all of them did. 0 is none: of one that is new, or is removed.
 */
int index_log_move(struct db *d, uint32_t number, struct run uids, uint64_t from,
    uint64_t to);
/* UIDs that changed after modseq. */
int index_log_since(struct db *d, uint32_t number, uint64_t modseq,
    struct runs *out);

/* That these went at this mod-sequence; old ones are forgotten in time. */
int index_gone_add(struct db *d, struct index_folder *f, uint64_t modseq,
    const struct runs *uids);
int index_gone_since(struct db *d, uint32_t number, uint64_t modseq,
    struct runs *out);

/* ENOENT when it is not there; out is replaced. */
int index_column(struct db *d, uint32_t number, unsigned column, uint32_t uid,
    struct buf *out);
/*
 * Columns of the UIDs from first on, as many as there is room for: v tells where
 * in p each one stands. None is left out up to the UID *through, which is less
 * than first when not even one had room.
 */
struct index_column_at {
	uint32_t uid;
	uint32_t at, n;
};
int index_columns(struct db *d, uint32_t number, unsigned column, uint32_t first,
    unsigned char *p, size_t size, struct index_column_at *v, size_t max,
    size_t *n, uint32_t *through);
int index_column_put(struct db *d, uint32_t number, unsigned column, uint32_t uid,
    struct bytes value);
/* All columns of these UIDs. */
int index_columns_remove(struct db *d, uint32_t number, const struct runs *uids);

#endif
