/*
 * What a format of storage does for the rest: folders, and messages in them.
 *
 * A format knows where a message lies (its locator), which UID it claims to
 * have, and its flags; it knows no index, no view, no protocol. The one that
 * calls (sync.c and its neighbours) decides which claims hold, holds the
 * folder's lock for everything that changes, and remembers locators.
 *
 * Functions answer 0, or -1 with errno as mail.h says.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "events.h"
#include "keywords.h"
#include "mail.h"
#include "state.h"

#define LOCATOR_MAX 264

/* The parts of a folder that change by themselves. */
enum part { PART_ARRIVALS = 1, PART_MESSAGES = 2, PART_FLAGS = 4, PART_ALL = 7 };
#define PARTS 3

/*
 * What a cheap look at a folder tells. Equal stamps mean that nothing changed
 * in between only when they are firm: a time from the current tick of the
 * clock may be the time of the next change too.
 */
struct stamp_part {
	uint64_t inode;
	int64_t sec;
	uint32_t nsec;
	uint32_t firm;
};

struct stamp {
	struct stamp_part part[PARTS];
};

/* True when part i is the same in both; firmness does not matter. */
static inline bool
stamp_same(const struct stamp *a, const struct stamp *b, unsigned i)
{
	return a->part[i].inode == b->part[i].inode
	    && a->part[i].sec == b->part[i].sec
	    && a->part[i].nsec == b->part[i].nsec;
}

/* What can be seen of a folder that is not open. */
struct glimpse {
	struct stamp stamp;
	/* By the times of their inodes, which nobody can set back. */
	struct stamp_part dir;		/* where its state and its flags stand */
	struct stamp_part state;	/* of the state file */
	bool flags;			/* there is a file of flags */
};

struct mbox_folder;
struct given;

struct store {
	const struct store_ops *ops;
	const struct config *conf;
	int root;			/* directory of everything that is not a folder's */
	char *path;			/* of root, absolute */
	bool in_home;			/* root is the home directory itself */
	struct events *events;		/* or NULL */
	struct folder *folders;		/* those open now */
	enum { SHARED_UNKNOWN, SHARED_NOT, SHARED_BY_HOSTS } shared;
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;		/* who wants to know how far work is; or NULL */
	int tree;			/* mbox: where the folders' files begin; or -1 */
	char *inbox;			/* mbox: path of the inbox; or NULL */
};

struct folder {
	struct store *store;
	char *name;			/* of the mailbox */
	char *path;			/* of dir */
	unsigned users;
	struct folder *next;
	int dir;			/* where state, lock and keywords stand */
	int cur, arrivals, tmp;		/* Maildir; -1: not open */
	int lock;
	unsigned locked;
	struct watch watch;
	struct keywords keywords;
	struct mbox_folder *mbox;	/* or NULL */
	struct given *given;		/* Maildir: UIDs not in names yet; or NULL */
	/* What the mail itself says of UIDs, as its last scan found. */
	uint32_t said_validity, said_last;
};

/* A message as the scan of a folder sees it. */
struct entry {
	uint32_t uidvalidity, uid;	/* what it claims; 0: nothing */
	unsigned flags;
	struct keyword_set keywords;	/* as far as it holds them itself */
	uint64_t mark;			/* another one whenever anything here is */
	const char *where;		/* locator */
	bool arrival;			/* not yet taken in */
	bool given;			/* the claim is one that give() noted */
};

enum change_kind { CHANGE_IDENTITY, CHANGE_FLAGS, CHANGE_REMOVE };

struct change {
	char where[LOCATOR_MAX];	/* in and out */
	uint32_t uid;
	unsigned flags;
	struct keyword_set keywords;
	uint64_t mark;			/* out */
	int error;			/* 0, or errno: ENOENT when it is gone */
};

/* A UID that is noted beside the messages. */
struct gift {
	struct bytes where;		/* locator */
	uint32_t uid;
	int error;			/* out: 0, or EEXIST */
};

/* A message on its way into a folder. */
struct draft {
	int fd;				/* -1: once sealed, or a copy */
	char temp[UINT8_MAX];		/* its name while it is none */
	const char *source;		/* locator, for copies */
	uint64_t size, wire_size;
	int64_t date;
	bool dated;			/* the file has that date */
	uint32_t uid;
	unsigned flags;
	struct keyword_set keywords;
	char where[LOCATOR_MAX];	/* out */
	uint64_t mark;			/* out */
};

/* What a name of list() is. */
enum listed_as {
	LISTED_NOT_YET,			/* no mailbox, but a directory that may become one */
	LISTED_PARENT,			/* none, and for those below it alone */
	LISTED,
	LISTED_MARKED,			/* and it is seen at once that new mail came */
};

struct store_ops {
	/* Changes that apply() likes to get at once. */
	size_t batch;
	/* Messages hold all their keywords: none are kept in FLAGS_FILE. */
	bool keywords_inside;
	/* An old locator leads to its message or to ENOENT, never elsewhere. */
	bool lasting;

	/* Names. fn is called in no order. */
	int (*list)(struct store *s, int (*fn)(void *arg, struct bytes name,
	    enum listed_as is), void *arg);
	/* What is another one whenever such a name came or went; or NULL: there is none. */
	int (*list_stamp)(struct store *s, struct stamp_part *out);
	bool (*exists)(struct store *s, struct bytes name);
	int (*create)(struct store *s, struct bytes name);
	int (*remove)(struct store *s, struct bytes name);
	/* Names that cannot be mailboxes when others are below; or NULL: any can. */
	int (*declare)(struct store *s, struct bytes name);
	int (*undeclare)(struct store *s, struct bytes name);
	int (*rename)(struct store *s, struct bytes from, struct bytes to);

	/*
	 * Finishes a rename that a crash cut short, under the lock on names:
	 * 1 and which one it was (in text), 0 when there is none. unfinished()
	 * is the cheap look without the lock.
	 */
	bool (*unfinished)(struct store *s);
	int (*recover)(struct store *s, struct buf *text, struct bytes *from,
	    struct bytes *to);

	/* Opens what folder_get() made of store and name; and closes it. */
	int (*open)(struct folder *f);
	void (*close)(struct folder *f);

	/*
	 * Brings to its end what a crash cut short in this folder and another;
	 * nothing is locked then. NULL: there is no such thing.
	 */
	int (*finish)(struct folder *f);
	/* Something is left to be brought to its end; or NULL, as finish(). */
	bool (*half_done)(const struct folder *f);

	/*
	 * Keeps programs that are not ours out of the folder while somebody
	 * changes or compares it; NULL where nothing can. EBUSY: waited too long.
	 */
	int (*lock)(struct folder *f);
	void (*unlock)(struct folder *f);
	/* Under it, true when all since the last scan was our doing; or NULL. */
	bool (*only_ours)(struct folder *f);
	/* Begins the folder's watch; NULL: that of a Maildir. */
	void (*watch)(struct folder *f);

	/*
	 * The folder as it looks now; and so that any later change shows. What
	 * is as known has it, and firm there, is left alone.
	 */
	int (*stamp)(struct folder *f, struct stamp *out);
	/*
	 * The same stamp by the folder's name, opening nothing, with dir; or NULL.
	 * Its last part is that of a folder without a file of flags; that one and
	 * the state are looked at by glance_files(), for which nobody needs to ask
	 * while dir stays as it was when there was none.
	 */
	int (*glance)(struct store *s, struct bytes name, struct glimpse *out);
	int (*glance_files)(struct store *s, struct bytes name, struct glimpse *out);
	int (*settle)(struct folder *f, const struct stamp *known,
	    struct stamp *out);

	/* Calls fn for each message in the given parts; stops at non-zero. */
	int (*scan)(struct folder *f, unsigned parts,
	    int (*fn)(void *arg, const struct entry *), void *arg);
	/*
	 * The marks of all messages, for less than scan() costs; or NULL. What is
	 * no message may be among them.
	 */
	int (*marks)(struct folder *f, void (*fn)(void *arg, uint64_t mark),
	    void *arg);
	/* Less for the message that came first; those that are equal: by locator. */
	uint64_t (*age)(const char *where);

	/*
	 * Makes changes one by one; each says how it went. CHANGE_IDENTITY also
	 * says which flags and keywords are there.
	 */
	void (*apply)(struct folder *f, enum change_kind kind,
	    uint32_t uidvalidity, struct change *v, size_t n);
	/*
	 * Gives UIDs without touching the messages, for which given() holds:
	 * scans say them from then on. EEXIST where it takes CHANGE_IDENTITY.
	 * -1: nothing was given. NULL: apply() is as cheap.
	 */
	int (*give)(struct folder *f, uint32_t uidvalidity, struct gift *v,
	    size_t n);
	/* Whether its UID is still to be put where the message is; and that all are. */
	bool (*given)(const char *where);
	int (*given_end)(struct folder *f);
	/* Makes others look, after a change that no directory shows; or NULL. */
	void (*poke)(struct folder *f);
	/* After it, a power cut cannot undo what give() and apply() did. */
	int (*durable)(struct folder *f);

	int (*message)(struct folder *f, const char *where, struct message *out);
	/* Size as sent (FILE_SIZE_UNKNOWN: read it) and date, without reading. */
	int (*facts)(struct folder *f, const char *where, uint64_t *size,
	    int64_t *date);

	/* A draft's file, to be written; seal makes its bytes durable. */
	int (*draft_begin)(struct folder *f, struct draft *d);
	int (*draft_seal)(struct folder *f, struct draft *d);
	/* Its bytes are all there, and others come first: begins what seal ends; or NULL. */
	void (*draft_start)(struct folder *f, struct draft *d);
	void (*draft_drop)(struct folder *f, struct draft *d);
	/* All or none become messages, durably. */
	int (*deliver)(struct folder *f, uint32_t uidvalidity, struct draft *v,
	    size_t n);
	/*
	 * All or none are copied by the file system from a folder of the same
	 * format; a move takes each from there, and may do so for a part only:
	 * done says how many.
	 */
	int (*copy)(struct folder *f, struct folder *from, uint32_t uidvalidity,
	    struct draft *v, size_t n, bool move, size_t *done);

	/* Removes what is left of unfinished work; or NULL. */
	void (*tidy)(struct folder *f);
};

extern const struct store_ops maildir_ops, mbox_ops;

/* Opens the user's store at path, of the format that ops is. */
int store_open(const struct config *conf, const struct store_ops *ops,
    const char *path, struct store **out);
void store_close(struct store *s);

/* One folder object for each open folder, however many use it. */
int folder_get(struct store *s, struct bytes name, struct folder **out);
void folder_put(struct folder *f);

/* Gives back what it knows and can read again. */
void folder_rest(struct folder *f);

/* Has events tell of the folder from now on, where the system can. */
void folder_watch(struct folder *f);
static inline void
store_progress(const struct store *s, uint64_t done, uint64_t total)
{
	if (s->progress != NULL)
		s->progress(s->progress_arg, done, total);
}

/* True where other hosts may change the mail, of which no event tells. */
bool store_shared(struct store *s);
/* True when nobody else changed the folder since it was last looked at. */
bool folder_only_ours(struct folder *f);

/* The folder's lock, for one that may hold it already. */
int folder_lock(struct folder *f);
void folder_unlock(struct folder *f);
/* With it the one that keeps other programs out, where there is one. */
int folder_lock_all(struct folder *f);
void folder_unlock_all(struct folder *f);

/* The lock on names and on the files that stand in the root: its descriptor. */
int store_lock_names(struct store *s);
void store_unlock_names(int lock);

#endif
