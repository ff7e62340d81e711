/*
 * One pass over a folder: the files with good claims to a UID, compared with
 * the rows of the index, and the files that need a UID.
 */
#ifndef STORE_PASS_H
#define STORE_PASS_H

#include "bound.h"
#include "marks.h"

#define PASS_ROWS 10000			/* written in one transaction */
#define PASS_NEWCOMERS ((size_t)100000)	/* taken in at once */

/* A file that is to be taken in. */
struct newcomer {
	size_t at;			/* of its locator in names */
	uint32_t uid;			/* it keeps this one; 0: a new one */
	bool conflict;			/* its claim is another file's */
};

struct pass {
	struct bound *b;
	unsigned parts;			/* enum part: what is looked at */
	struct marks marks;
	struct runs have;		/* UIDs the index knows */
	bool known;			/* that is all that ever were ... */
	uint32_t uid_next;		/* ... below this one */
	uint64_t claims, conflicts;
	uint32_t highest;		/* UID that is claimed */
	uint64_t open_claims;		/* claims that no row has */
	struct newcomer *newcomers;
	size_t n, cap;
	struct buf names;
	bool widen;			/* the other parts must be looked at too */
	bool more;			/* more newcomers than one pass takes */
	struct uid_keywords *extra;	/* keywords without letters, by UID */
	size_t n_extra;
	struct index_row *rows;		/* a batch to be written */
	size_t n_rows;
	uint64_t modseq;		/* of what this pass changes; 0: nothing yet */
	bool changed_disk;
	bool stuck;			/* files could not be taken in */
};

/* Looks at the parts and fills marks and newcomers. */
int pass_scan(struct pass *p);

/*
 * Compares rows and marks; rows of vanished messages are removed when exact,
 * changed and claimed ones written.
 */
int pass_compare(struct pass *p, bool exact);

/* Gives the newcomers their UIDs, on disk and in the index. */
int pass_take_in(struct pass *p, bool exact);

/* Keywords without letters changed and nothing else: mends the rows. */
int pass_keywords(struct pass *p);

void pass_free(struct pass *p);

/* The mod-sequence of this pass, made when first asked for. */
int pass_modseq(struct pass *p);
/* The keywords that the flags file has for uid, added to set. */
void pass_extra_keywords(const struct pass *p, uint32_t uid,
    struct keyword_set *set);
/* Writes the batch of rows. */
int pass_flush(struct pass *p);
/* Room for one more row in the batch, written out first when it is full. */
struct index_row *pass_row(struct pass *p);

#endif
