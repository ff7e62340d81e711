/*
 * The QRESYNC parameter of SELECT (RFC 7162 section 3.2.5).
 */
#ifndef QRESYNC_H
#define QRESYNC_H

#include "session.h"

struct qresync {
	bool given;
	uint32_t uidvalidity;
	uint64_t modseq;
	bool has_known;
	struct runs known;		/* UIDs the client has */
	struct runs match_sequence;	/* numbers ... */
	struct runs match_uids;		/* ... whose UIDs it knows, one to one */
};

/* " (uidvalidity modseq [known] [(numbers uids)])" behind the word. */
int qresync_read(struct lex *x, struct qresync *q);
void qresync_free(struct qresync *q);

/* Tells what vanished and changed in the mailbox just opened. */
int qresync_tell(struct session *s, const struct qresync *q);

#endif
