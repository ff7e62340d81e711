/*
 * A user's mail: mailboxes, their messages, and what one session was told of
 * them. This is all that IMAP and POP3 see of storage, and it knows neither.
 *
 * Names of mailboxes are UTF-8 (RFC 9051, normalised by the caller) with `/`
 * between levels; the inbox is exactly "INBOX".
 *
 * Functions that answer int return 0, or -1 with errno. What errno means here:
 *	ENOENT	no such mailbox or message	EEXIST	it is there already
 *	EACCES EPERM EROFS  not permitted	EBUSY	locked too long, try again
 *	ENOSPC EDQUOT	no room			EINVAL	no such name can be
 *	E2BIG	over one of our limits		ENOTEMPTY  has children
 *	ESTALE	mailbox was deleted or made anew under an open view
 *	EILSEQ	what is on disk cannot be read as mail
 *	EIO and others	the system's own
 */
#ifndef MAIL_H
#define MAIL_H

#include "buf.h"
#include "config.h"
#include "runs.h"

struct mail;			/* one user's mail */
struct mailbox;			/* one open mailbox with a view of its own */

/* ---- a user ---- */

struct mail_owner {
	const char *name;		/* login name */
	const char *home;		/* absolute */
};

/*
 * Opens the mail of owner; makes the inbox and, as configured, the special-use
 * mailboxes when there is no mail yet. The strings must outlive it.
 */
int mail_open(const struct config *conf, const struct mail_owner *owner,
    struct mail **out);
void mail_close(struct mail *m);

/*
 * The directories and files that hold owner's mail and index, made when
 * missing: what a session's sandbox must leave open. Returns how many were put
 * into paths (absolute, on the heap), or -1.
 */
#define MAIL_ROOTS_MAX 8
int mail_roots(const struct config *conf, const struct mail_owner *owner,
    char *paths[MAIL_ROOTS_MAX]);

/*
 * A descriptor that becomes readable when something may have changed in the
 * open mailbox or any watched one, or -1 when the system has no such thing:
 * then call mailbox_sync() every mail_poll_seconds(). mail_events_read() takes
 * the events off the descriptor without waiting. Watching begins with the
 * first call of either: call mailbox_sync() once between it and the wait.
 */
int mail_events_fd(struct mail *m);
void mail_events_read(struct mail *m);
unsigned mail_poll_seconds(struct mail *m);
/*
 * False when the descriptor is not all that tells of changes: there is none, or
 * other hosts share the mail. Then look every mail_poll_seconds() too.
 */
bool mail_events_suffice(struct mail *m);

/*
 * From now on the descriptor also tells of the messages and annotations of all
 * these mailboxes beside those named before, and of names, subscriptions and the
 * server's annotations; it may be another one than before. NULL ends it. -1 with errno when the system
 * cannot watch so much: then mail_events_fd() is -1 or tells of less, and one has
 * to look every mail_poll_seconds().
 */
int mail_watch(struct mail *m, const struct bytes *names, size_t n);

/*
 * Work that takes long calls fn now and then: how much of how much is done.
 * NULL: nobody wants to know any more.
 */
void mail_progress(struct mail *m,
    void (*fn)(void *arg, uint64_t done, uint64_t total), void *arg);

/* Gives back all memory and descriptors that waiting does not need. */
void mail_shrink(struct mail *m);

/* ---- mailboxes by name ---- */

enum special_use {		/* RFC 6154, RFC 8457, RFC 9979 */
	USE_DRAFTS = 1, USE_SENT = 2, USE_JUNK = 4, USE_TRASH = 8,
	USE_ARCHIVE = 16, USE_FLAGGED = 32, USE_ALL = 64, USE_IMPORTANT = 128,
	USE_SNOOZED = 256, USE_SCHEDULED = 512, USE_MEMOS = 1024,
};

enum mailbox_attributes {
	MAILBOX_NOSELECT = 1,		/* not there, but mailboxes below it are */
	MAILBOX_NONEXISTENT = 2,	/* subscribed or a parent, but not there */
	MAILBOX_HAS_CHILDREN = 4,
	MAILBOX_SUBSCRIBED = 8,
	MAILBOX_SUBSCRIBED_BELOW = 16,	/* a mailbox below it is subscribed */
	MAILBOX_MARKED = 32,		/* new mail is in it, where that is seen at once */
};

struct mailbox_name {
	struct bytes name;
	unsigned attributes;		/* enum mailbox_attributes */
	unsigned uses;			/* enum special_use */
};

/*
 * Calls fn for every name in order, INBOX first: existing mailboxes, their
 * missing parents, subscribed names that do not exist, and the missing parents
 * of these. Stops when fn returns non-zero and returns that.
 */
int mail_list(struct mail *m, int (*fn)(void *arg, const struct mailbox_name *),
    void *arg);

/* EINVAL: the name cannot be a mailbox; EEXIST; ENOSPC ... Makes parents. */
int mail_create(struct mail *m, struct bytes name, unsigned uses);

/* A name that will get others below it (RFC 3501 section 6.3.3); errors as above. */
int mail_declare(struct mail *m, struct bytes name);

/* A mailbox with children keeps its name as \Noselect: ENOTEMPTY if it is that already. */
int mail_delete(struct mail *m, struct bytes name);

/* With all children; INBOX moves its messages and stays (RFC 9051 section 6.3.6). */
int mail_rename(struct mail *m, struct bytes from, struct bytes to);

/* Needs no existing mailbox. Unsubscribing an unknown name succeeds. */
int mail_subscribe(struct mail *m, struct bytes name, bool on);

/* ---- annotations (RFC 5464) ---- */

#define MAIL_ANNOTATIONS_MAX 200		/* of one mailbox, or of the server */
#define MAIL_ANNOTATION_ENTRY_MAX ((size_t)255)	/* octets of an entry's name */
#define MAIL_ANNOTATION_VALUE_MAX ((size_t)65536)

/* Entries are equal whatever their case; a value with a NULL p is none. */
struct mail_annotation {
	struct bytes entry;
	struct bytes value;
};

/*
 * Calls fn for each annotation of a mailbox, or of the server when mailbox is
 * empty. Stops when fn returns non-zero and returns that.
 */
int mail_annotations(struct mail *m, struct bytes mailbox,
    int (*fn)(void *arg, const struct mail_annotation *), void *arg);
/* Sets n of them (no value: takes them away), all or none. E2BIG: too many. */
int mail_annotate(struct mail *m, struct bytes mailbox,
    const struct mail_annotation *v, size_t n);

/*
 * A new mod-sequence for the mailbox, as if a message had changed: annotations
 * belong to it too (RFC 7162 section 3.2).
 */
int mail_touch(struct mail *m, struct bytes name);

/* The special uses of a mailbox that is there. */
int mail_set_uses(struct mail *m, struct bytes name, unsigned uses);

/* What users keep beside their mail (apppass.h, secrets.h), in their home. */
#define MAIL_HOME_DIR ".mailreeve"

#define MAILBOX_ID_MAX 32
#define MAIL_KEYWORDS_MAX 128		/* keywords a mailbox can have */
#define MAIL_KEYWORD_LENGTH_MAX 128

struct mailbox_status {
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highest_modseq;
	uint64_t messages, recent, unseen, deleted;
	uint64_t size;			/* octets as sent, of all messages */
	uint64_t deleted_size;
	uint32_t first_unseen;		/* UID, 0: none */
	char id[MAILBOX_ID_MAX];	/* RFC 8474 MAILBOXID */
};

/* What of it is wanted: the sizes may cost reading messages never seen before. */
enum { STATUS_COUNTS = 0, STATUS_SIZES = 1 };
/* Of a mailbox by name; first_unseen is left out. */
int mail_status(struct mail *m, struct bytes name, unsigned want,
    struct mailbox_status *out);

/*
 * How a mailbox looks from outside: nothing of it is opened, and nothing made
 * for it, as its status does for one where no session ever was.
 */
struct mail_glimpse {
	uint64_t folder;		/* the same as long as it is that one */
	int64_t arrivals, messages;	/* when files came or went, in nanoseconds */
	bool firm;			/* another change has another time */
	bool visited;			/* a session was there */
};
/* ENOTSUP: such mailboxes must be opened. */
int mail_glimpse(struct mail *m, struct bytes name, struct mail_glimpse *out);

/*
 * Limits on the user's mail and what is used of them, each set under a root of
 * its own; a limit that is 0 is none. Delivering and copying past one is
 * refused with EDQUOT. How many roots there are, 0 when nobody limits
 * anything, or -1.
 */
struct mail_quota {
	const char *root;		/* an atom */
	uint64_t octets_used, octets_limit;
	uint64_t messages_used, messages_limit;
};
#define MAIL_QUOTA_ROOTS_MAX 2
int mail_quota(struct mail *m, struct mail_quota v[MAIL_QUOTA_ROOTS_MAX]);

/* ---- an open mailbox ---- */

/*
 * Brings the index up to date and takes a first view of it, of all that is
 * there. Unless read_only, new messages are claimed as \Recent for this
 * session alone.
 */
int mailbox_open(struct mail *m, struct bytes name, bool read_only,
    struct mailbox **out);
void mailbox_close(struct mailbox *b);

bool mailbox_read_only(const struct mailbox *b);
struct bytes mailbox_name_of(const struct mailbox *b);

/* Status of the index as it is now, not of the view. */
int mailbox_status_now(struct mailbox *b, unsigned want, struct mailbox_status *out);

/* Exclusive use, for POP3: EBUSY when another session has it. Ends at close. */
int mailbox_lock(struct mailbox *b);

/*
 * Looks at the disk, cheaply when nothing changed there, and brings the index
 * up to date. What the session was told does not change by it.
 */
int mailbox_sync(struct mailbox *b);

/*
 * Does a small piece of the work that was put off so that no client waits for
 * it: 1 when there is more, 0 when there is none, -1. For times when a client
 * waits for nothing.
 */
int mailbox_upkeep(struct mailbox *b);

/* ---- the view: what this session was told ---- */

/* UIDs in the view; their rank is the message sequence number. */
const struct runs *mailbox_view(const struct mailbox *b);
/* Those of the view that are \Recent for this session. */
const struct runs *mailbox_recent(const struct mailbox *b);
/* UIDNEXT when the view was as it is: what comes into it later is not below. */
uint32_t mailbox_view_uidnext(const struct mailbox *b);
/* Up to which mod-sequence the session was told of flag changes. */
uint64_t mailbox_view_modseq(const struct mailbox *b);

/* The difference between the view and the index, computed on demand. */
struct mail_changes {
	struct runs vanished;		/* in the view, no longer there */
	struct runs arrived;		/* there, not yet in the view */
	struct runs changed;		/* in both, flags changed since told */
	uint64_t modseq;		/* the index's mod-sequence at this moment */
};
int mailbox_changes(struct mailbox *b, struct mail_changes *out);
void mail_changes_free(struct mail_changes *c);

/* The session has now told these; arrived ones join the view, and so on. */
int mailbox_told_vanished(struct mailbox *b, const struct runs *uids);
int mailbox_told_arrived(struct mailbox *b, const struct runs *uids);
void mailbox_told_modseq(struct mailbox *b, uint64_t modseq);

/*
 * UIDs whose flags changed after modseq, or that arrived after it; and UIDs up
 * to the view's last that were expunged after it. Both may be supersets after
 * an index was lost, never subsets.
 */
int mailbox_changed_since(struct mailbox *b, uint64_t modseq, struct runs *out);
int mailbox_vanished_since(struct mailbox *b, uint64_t modseq, struct runs *out);

/* ---- rows ---- */

enum mail_flags {
	FLAG_SEEN = 1, FLAG_ANSWERED = 2, FLAG_FLAGGED = 4, FLAG_DELETED = 8,
	FLAG_DRAFT = 16,
};

struct keyword_set {
	uint64_t bits[MAIL_KEYWORDS_MAX / 64];
};

struct mail_row {
	uint32_t uid;
	uint32_t flags;			/* enum mail_flags */
	struct keyword_set keywords;	/* numbers as mailbox_keyword() names them */
	uint64_t modseq;
	uint64_t size;			/* octets with CRLF line ends; see mailbox_row_size() */
	bool size_known;
	int64_t internaldate;		/* seconds since 1970 */
	int64_t savedate;		/* RFC 8514: when it came into this mailbox; 0: unknown */
};

/*
 * Rows of the given UIDs in ascending order; UIDs that are gone are left out.
 * A cursor holds a snapshot of the index: use it within one command and end it
 * before any call that changes the mailbox.
 */
struct mail_cursor;
int mailbox_rows(struct mailbox *b, const struct runs *uids,
    struct mail_cursor **out);
int mail_cursor_next(struct mail_cursor *c, struct mail_row *row); /* 1, 0 end, -1 */
void mail_cursor_end(struct mail_cursor *c);
/*
 * Right after mailbox_rows(), by who wants neither dates nor sizes: saves a
 * look at each file never asked about before. internaldate may then be 0.
 */
void mail_cursor_no_dates(struct mail_cursor *c);
/* The same, by who will not look at the messages themselves either. */
void mail_cursor_rows_alone(struct mail_cursor *c);
/*
 * The first max of these rows at once, by who will hardly look at a message
 * itself. Of dates and sizes only what is known: internaldate may be 0.
 */
int mailbox_rows_alone(struct mailbox *b, const struct runs *uids,
    struct mail_row *v, size_t max, size_t *n);

/* One row: 0, or -1 with ENOENT. */
int mailbox_row(struct mailbox *b, uint32_t uid, struct mail_row *row);

/* The exact size, reading the message when it must; remembered. */
int mailbox_row_size(struct mailbox *b, uint32_t uid, uint64_t *size);
/* Who has read all of the message anyhow tells the size of a row with dates. */
void mailbox_row_size_put(struct mailbox *b, const struct mail_row *row, uint64_t size);

/* ---- keywords ---- */

/* Name of keyword number i, or NULL. Numbers are stable while the mailbox is open. */
const char *mailbox_keyword(struct mailbox *b, unsigned i);
unsigned mailbox_keywords(struct mailbox *b);	/* one more than the largest number */
/* Number of a keyword, made when create: -1 with ENOENT, or E2BIG when full. */
int mailbox_keyword_number(struct mailbox *b, struct bytes name, bool create);

static inline bool
keyword_has(const struct keyword_set *s, unsigned i)
{
	return (s->bits[i / 64] >> i % 64 & 1) != 0;
}

static inline void
keyword_put(struct keyword_set *s, unsigned i)
{
	s->bits[i / 64] |= (uint64_t)1 << i % 64;
}

/* ---- cached facts about a message ---- */

/*
 * Columns hold bytes that the session computed from an unchanging message.
 * They may vanish at any time, and are checked by whoever reads them.
 */
enum mail_column {
	COLUMN_NONE,
	COLUMN_ENVELOPE,		/* IMAP text of the envelope */
	COLUMN_BODYSTRUCTURE,		/* IMAP text, extended form */
	COLUMN_BODY,			/* IMAP text, the form without extensions */
	COLUMN_PARTS,			/* offsets and sizes of the parts */
	COLUMN_HEADER,			/* the header fields often asked for */
	COLUMN_SORT,			/* dates and thread keys */
	COLUMN_TEXTS,			/* decoded texts to search */
	COLUMN_PREVIEW,
	COLUMN_ID,			/* EMAILID and THREADID */
	COLUMN_POP3,			/* how the last line ends */
	COLUMN_ORDERS,			/* decoded texts to sort by */
	COLUMN_END
};

/*
 * The column's bytes, valid until the next call on this mailbox (a cursor may
 * stay open): 1 found, 0 not there, -1 errno.
 */
int mailbox_column(struct mailbox *b, uint32_t uid, enum mail_column col,
    struct bytes *out);
/*
 * Remembers a column. Kept in memory up to a limit and written by
 * mailbox_columns_flush(), which the session calls at the end of a command.
 * Failures cost time, not correctness, and are not reported.
 */
void mailbox_column_put(struct mailbox *b, uint32_t uid, enum mail_column col,
    struct bytes value);
void mailbox_columns_flush(struct mailbox *b);
/* Beside mail_shrink(): writes what is remembered and gives its memory back. */
void mailbox_shrink(struct mailbox *b);

/* ---- contents ---- */

/*
 * A message's bytes as stored: pieces of a file. Line ends are as stored (LF
 * or CRLF). In mbox the headers that keep UIDs and flags are left out.
 */
#define MESSAGE_EXTENTS_MAX 16

struct message_extent {
	uint64_t offset;
	uint64_t length;
};

struct message {
	int fd;
	bool fd_shared;			/* belongs to the mailbox (mbox), not to be closed */
	uint64_t size;			/* sum of the extents */
	unsigned extents;
	struct message_extent extent[MESSAGE_EXTENTS_MAX];
};

/* ENOENT when it is gone; EILSEQ when it is no regular file; EACCES, others of open. */
int mailbox_message(struct mailbox *b, uint32_t uid, struct message *out);
/* The exact size of one that is open; remembered. */
int mailbox_message_size(struct mailbox *b, uint32_t uid, const struct message *msg,
    uint64_t *size);
void message_close(struct message *msg);

/* Up to n bytes from offset (in the message): how many, 0 at the end, -1. */
ssize_t message_read(const struct message *msg, uint64_t offset, void *p, size_t n);

/* ---- changes ---- */

enum flags_change { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE };

struct mail_store {
	enum flags_change how;
	uint32_t flags;
	struct keyword_set keywords;
	bool conditional;		/* only where modseq <= unchanged_since */
	uint64_t unchanged_since;
};

struct mail_stored {
	struct runs stored;		/* those it was done for, changed or not */
	struct runs others;		/* of these, what the session was not told of before */
	struct runs modified;		/* refused by unchanged_since */
	uint64_t modseq_before;		/* of the index, just before */
	uint64_t modseq;		/* of the change; modseq_before when nothing changed */
};

/* Changes flags of UIDs; those that are gone are in neither set. */
int mailbox_store(struct mailbox *b, const struct runs *uids,
    const struct mail_store *change, struct mail_stored *out);
void mail_stored_free(struct mail_stored *s);

/* Removes those of uids that are \Deleted now; out (may be NULL) gets them. */
int mailbox_expunge(struct mailbox *b, const struct runs *uids, struct runs *out);
/* Removes uids whatever their flags: POP3, REPLACE, MOVE's last step. */
int mailbox_remove(struct mailbox *b, const struct runs *uids, struct runs *out);

struct mail_copied {
	uint32_t uidvalidity;		/* of the destination */
	struct runs from;		/* in ascending order ... */
	struct runs to;			/* ... they correspond one to one */
};

/*
 * Copies or moves messages with flags, keywords and dates into the mailbox
 * called to. All or nothing for copies: on failure the destination is as
 * before. A move that fails leaves each message in exactly one mailbox, and out
 * has those that moved: free it on failure, too.
 */
int mailbox_copy(struct mailbox *b, const struct runs *uids, struct bytes to,
    bool move, struct mail_copied *out);
void mail_copied_free(struct mail_copied *c);

/* ---- delivering into a mailbox (APPEND, MULTIAPPEND, REPLACE) ---- */

struct delivery;

int delivery_begin(struct mail *m, struct bytes mailbox, struct delivery **out);
/*
 * Begins the next message; keywords are names. date may be DELIVERY_NOW. At
 * most DELIVERY_MESSAGES_MAX, else E2BIG.
 */
#define DELIVERY_NOW INT64_MIN
#define DELIVERY_MESSAGES_MAX 10000
int delivery_message(struct delivery *d, uint32_t flags,
    const struct bytes *keywords, size_t n_keywords, int64_t date);
/* Bytes of it, with CRLF line ends, in any pieces. */
int delivery_write(struct delivery *d, const void *p, size_t n);
/*
 * The delivery takes the place of one message of so many octets that is removed
 * afterwards: what counts for limits is the difference.
 */
void delivery_replaces(struct delivery *d, uint64_t octets);
/*
 * Makes all of them durable and visible at once, gives them UIDs. Frees d,
 * also on failure; then nothing was delivered.
 */
int delivery_commit(struct delivery *d, uint32_t *uidvalidity, struct runs *uids);
void delivery_abort(struct delivery *d);

/* ---- POP3's unique ids ---- */

#define UIDL_MAX 70			/* RFC 1939 section 7 */
/* The unique-id of a message for ever; NUL-terminated. */
int mailbox_uidl(struct mailbox *b, uint32_t uid, char out[UIDL_MAX + 1]);

#endif
