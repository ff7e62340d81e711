/*
 * What the files of the mbox format share (mailreeve-mbox(5)).
 */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include "arena.h"
#include "mbox_journal.h"
#include "mbox_scan.h"
#include "store.h"

/* The directory below that of the folders in which all that is not mail lies. */
#define MBOX_SIDE_DIR ".mailreeve"

/* A part of the file, copied while it was locked: what is read from there. */
struct mbox_window {
	int fd;				/* -1: none */
	uint64_t at;			/* its place in the file */
	bool last;			/* it reaches the file's end */
	struct mbox_file file;
};

struct mbox_folder {
	char *path;			/* of the file, below at */
	int at;
	int fd;				/* -1: not locked, or the inbox is not there */
	char *dotlock;			/* absolute */
	bool dotlocked;
	bool writable;
	unsigned locked;
	bool known;			/* since it was locked it was looked at: ... */
	uint64_t size;			/* ... it had this size, with our changes */
	bool broken;			/* half changed, and not to be mended now */
	bool moved;			/* messages are not where the last scan saw them */
	struct mbox_window window;
	int spool;			/* drafts, one behind the other; -1: none */
	unsigned drafts;
};

/* The store at path, a directory MBOX_SIDE_DIR, with the inbox at inbox. */
int mbox_store_open(const struct config *conf, const char *path,
    const char *inbox, struct store **out);

/* "OFFSET UID DATE" of its From_ line. */
struct mbox_place {
	uint64_t offset;
	uint32_t uid;
	int64_t date;
};
int mbox_place_parse(const char *where, struct mbox_place *out);
void mbox_place_print(const struct mbox_place *p, char where[LOCATOR_MAX]);

/*
 * mbox_dotlock.c: 0, or -1 and a line in the log when its library cannot be
 * loaded, which a cage would forbid. Taking answers 1, 0 when no dotlock can be
 * made there, or -1: EBUSY when another program has it.
 */
int dotlock_load(void);
int dotlock_take(const char *path);
void dotlock_drop(const char *path);

/* mbox_lock.c: both locks or none; fd is open while they are held. */
int mbox_lock(struct folder *f);
void mbox_unlock(struct folder *f);
/* Makes the inbox where it is missing, under the lock. */
int mbox_make_inbox(struct folder *f);

/* mbox_look.c */
int mbox_stamp(struct folder *f, struct stamp *out);
int mbox_settle(struct folder *f, const struct stamp *known, struct stamp *out);
int mbox_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg);
bool mbox_only_ours(struct folder *f);
/* The keywords of X-Keywords by their numbers; makes numbers. */
void mbox_keywords(struct folder *f, const struct mbox_message *msg,
    struct keyword_set *out);
/* Goes to the first message behind what may precede it: its offset. */
int mbox_begin(struct mbox_file *m, uint64_t *offset);

/* mbox_names.c */
int mbox_list(struct store *s, int (*fn)(void *arg, struct bytes name,
    enum listed_as is), void *arg);
bool mbox_exists(struct store *s, struct bytes name);
int mbox_create(struct store *s, struct bytes name);
int mbox_remove(struct store *s, struct bytes name);
int mbox_declare(struct store *s, struct bytes name);
int mbox_undeclare(struct store *s, struct bytes name);
int mbox_rename(struct store *s, struct bytes from, struct bytes to);
int mbox_rename_recover(struct store *s, struct buf *text, struct bytes *from,
    struct bytes *to);
/* The file's name below the tree; EINVAL: there can be none. */
int mbox_file_name(struct bytes name, struct buf *out);
/* The name of its directory for state, lock and journal, in the root. */
#define MBOX_SIDE_MAX 280
int mbox_side_name(struct bytes name, char out[MBOX_SIDE_MAX]);

/* mbox_read.c */
int mbox_message(struct folder *f, const char *where, struct message *out);
int mbox_facts(struct folder *f, const char *where, uint64_t *size,
    int64_t *date);
void mbox_window_end(struct mbox_window *w);

/* mbox_block.c: header lines of ours, as text. */
struct mbox_block {
	uint32_t uid;
	uint32_t flags;
	struct keyword_set keywords;
	bool old;			/* Status O */
	bool crlf;
	bool internal;			/* of the placeholder: X-IMAP alone */
	bool base;			/* with X-IMAPbase of ... */
	uint32_t validity, last;
	uint64_t content_length;	/* UINT64_MAX: none */
	struct bytes more_keywords;	/* names that have no number */
};
/*
 * Appends the lines to out: padded to be room bytes long when that can be,
 * else with room for flags to come.
 */
int mbox_block_print(struct folder *f, const struct mbox_block *b, uint64_t room,
    struct buf *out);

/* mbox_change.c */
void mbox_apply(struct folder *f, enum change_kind kind, uint32_t uidvalidity,
    struct change *v, size_t n);

/* mbox_edits.c: a growing list of edits, their texts in an arena. */
struct mbox_edits {
	struct mbox_edit *v;
	size_t n, cap;
	struct arena texts;
	int64_t delta;			/* what they add to the file in all */
	bool shifted;			/* one of them moves what is behind it */
};
#define MBOX_TEXTS_MAX ((size_t)1 << 30)
#define MBOX_EDITS_INIT ((struct mbox_edits){ .texts = ARENA_INIT(MBOX_TEXTS_MAX) })
/* put is copied. */
int mbox_edits_add(struct mbox_edits *e, uint64_t at, uint64_t length,
    struct bytes put, struct mbox_piece piece);
/* What our lines in the message say now. */
void mbox_block_of(struct folder *f, const struct mbox_message *msg,
    struct mbox_block *out);
/* Has them say b; over the old ones when it fits. */
int mbox_edits_message(struct folder *f, struct mbox_edits *e,
    const struct mbox_message *msg, const struct mbox_block *b);
/* Makes them in the locked file; nothing that was read before is kept. */
int mbox_edits_make(struct folder *f, struct mbox_edits *e);
void mbox_edits_free(struct mbox_edits *e);

/* mbox_deliver.c */
int mbox_draft_begin(struct folder *f, struct draft *d);
int mbox_draft_seal(struct folder *f, struct draft *d);
void mbox_draft_drop(struct folder *f, struct draft *d);
int mbox_deliver(struct folder *f, uint32_t uidvalidity, struct draft *v,
    size_t n);
int mbox_copy(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n, bool move, size_t *done);

#define MOVING_FILE "mailreeve-moving"
/* mbox_move.c: notes durably what will move; and that it has. */
int mbox_move_begin(struct folder *from, struct folder *to,
    uint32_t uidvalidity, const struct draft *v, size_t n);
int mbox_move_end(struct folder *from);
/* True while a move from f is at work, or after a crash of one ... */
bool mbox_moving(const struct folder *f);
/* ... which this brings to its end. Neither mailbox is locked by the caller. */
int mbox_finish(struct folder *f);

#endif
