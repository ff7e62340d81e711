/*
 * NOTIFY (RFC 5465): what a client wants to hear of, and what it was told last.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include "session.h"

enum notify_event {
	NOTIFY_NEW = 1, NOTIFY_EXPUNGE = 2, NOTIFY_FLAGS = 4,
	NOTIFY_NAME = 8, NOTIFY_SUBSCRIPTION = 16,
	NOTIFY_METADATA = 32, NOTIFY_SERVER_METADATA = 64,
};
#define NOTIFY_MESSAGES (NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS)

enum notify_filter {
	FILTER_SELECTED, FILTER_DELAYED,
	FILTER_PERSONAL, FILTER_SUBSCRIBED, FILTER_SUBTREE, FILTER_MAILBOXES,
};

struct notify_group {
	enum notify_filter filter;
	struct bytes *names;		/* of SUBTREE and MAILBOXES */
	size_t n;
	unsigned events;		/* enum notify_event */
};

/* An annotation as it was seen last. */
struct seen_entry {
	char *name;
	uint64_t value;			/* a hash of it */
};

struct seen_entries {
	struct seen_entry *v;
	size_t n;
};

/* A mailbox as it was seen last. */
struct seen {
	char *name;
	unsigned attributes;		/* enum mailbox_attributes */
	unsigned events;		/* what groups other than the selected want of it */
	unsigned uses;
	bool has_status;		/* else only: */
	struct mail_glimpse look;	/* of one where no session ever was */
	struct mailbox_status st;
	struct seen_entries entries;
};

struct snapshot {
	struct seen *v;			/* by name */
	size_t n, cap;
	struct seen_entries server;
};

struct notify {
	struct arena arena;		/* of all that the command said */
	struct notify_group *group;	/* those that are not about the selected one */
	size_t n;
	unsigned selected;		/* events of the selected mailbox */
	bool delayed;			/* SELECTED-DELAYED */
	bool status;			/* STATUS was asked for */
	struct bytes fetch;		/* what to tell of new messages, or empty */
	bool polling;			/* the system cannot watch so much */
	struct snapshot seen;
};

/* Everything behind "SET": 0, or an outcome that says what is wrong. */
struct outcome notify_parse(struct session *s, struct lex *x, struct notify *n);

/* What groups want of this mailbox. */
unsigned notify_wanted(const struct notify *n, struct bytes name, unsigned attributes);

/* ---- what there is, and what changed (notify_look.c) ---- */

/* 0, or -1 with errno (E2BIG: more mailboxes than NOTIFY_MAILBOXES_MAX). */
int snapshot_take(struct session *s, const struct notify *n, struct snapshot *out);
void snapshot_free(struct snapshot *p);

/* True when a mailbox of the old one is not in the new, under no name. */
bool snapshot_lost(const struct snapshot *old, const struct snapshot *new);

/*
 * Tells the difference; not of events in but_for, which were our own. True when
 * there are mailboxes that were not there, or not looked at, before.
 */
bool snapshot_tell(struct session *s, const struct snapshot *old,
    const struct snapshot *new, unsigned but_for);
/* STATUS of all whose messages are watched. */
void snapshot_tell_status(struct session *s, const struct snapshot *p);

#endif
