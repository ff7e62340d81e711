/*
 * What the system tells of changes in directories: one instance a session,
 * a watch for each folder in use.
 *
 * A watch also answers whether all that happened in a folder was our own
 * doing: we say what we do, it adds up what it saw, and both sums must agree.
 */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include "bytes.h"

struct events;

enum event_kind { EVENT_GONE = 1, EVENT_CAME = 2 };

struct watch {
	struct events *events;		/* NULL: nobody watches */
	struct watch *next;
	int wd[2];			/* new, cur */
	uint64_t seen, expected;	/* sums over name, kind and directory */
	unsigned unread;		/* expected since events were last read */
	bool overflowed;		/* events were dropped */
	bool gone;			/* the folder went */
};

/* NULL when the system has none, or no more of them. */
struct events *events_open(void);
void events_close(struct events *e);
int events_fd(const struct events *e);

/* Takes off everything that waits. */
void events_read(struct events *e);

/* Watches new/ and cur/ of the folder at path: 0, or -1 and w is not watched. */
int watch_begin(struct events *e, struct watch *w, const char *path);
/*
 * Watches a single file instead, or while there is none its directory: then,
 * and when the file went, gone is set and it is to be begun again.
 */
int watch_begin_file(struct events *e, struct watch *w, const char *path);
void watch_end(struct watch *w);

/* Forgets what was seen so far. */
void watch_reset(struct watch *w);
/* We are about to do, and did, this in directory 0 (new) or 1 (cur). */
void watch_expect(struct watch *w, int directory, enum event_kind kind,
    const char *name);
/* True when, since watch_reset(), nothing happened but what was expected. */
bool watch_only_ours(struct watch *w);

#endif
