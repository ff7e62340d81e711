/*
 * Running a search program over the selected mailbox.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "facts.h"
#include "search_program.h"

/* Called for each message that matches, in mailbox order; -1 with errno ends the search. */
struct search_sink {
	int (*hit)(void *arg, const struct mail_row *row, uint64_t sequence,
	    struct facts *facts);
	void *arg;
	bool dates;			/* rows are wanted with dates and sizes */
	bool alone;			/* facts are not asked for anything */
};

struct search_run {
	struct session *s;
	struct bytes tag;		/* for INPROGRESS (RFC 9585) */
	struct search_program *program;
	struct runs candidates;		/* UIDs that sets at the top leave over */
	bool gone;			/* some were expunged meanwhile */
};

/*
 * Finds the candidates, and drops from the program the sets that they stand
 * for. 0, or -1 with errno. search_end() in any case.
 */
int search_begin(struct search_run *r, struct session *s, struct bytes tag,
    struct search_program *program);

/*
 * The same for some messages and a program that is used again: it keeps its sets.
 */
int search_among(struct search_run *r, struct session *s,
    struct search_program *program, const struct runs *uids);

/* True when the candidates are the result. */
bool search_is_decided(const struct search_run *r);

/*
 * Tries all candidates. 0, or -1 with errno: ETIME after SEARCH_SECONDS_MAX,
 * EPIPE when the client is gone.
 */
int search_all(struct search_run *r, const struct search_sink *sink);
void search_end(struct search_run *r);

#endif
