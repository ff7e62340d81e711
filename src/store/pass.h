/*
 * One pass over a folder: the files with good claims to a UID, compared with
 * the rows of the index, and the files that need a UID.
 */
#ifndef STORE_PASS_H
#define STORE_PASS_H

#include "bound.h"
#include "marks.h"

/*
 * What a pass holds at once, whatever the folder's size: files beyond it are
 * seen to in another pass, rows are written when there is no room for more.
 * With the pages of a transaction and the list of given UIDs (GIVEN_LINES_MAX)
 * all that stays below PASS_MEMORY; only marks grow with the folder, by eight
 * octets a message.
 */
#define PASS_ROWS 20000			/* written in one transaction */
#define PASS_FOUND 131072		/* found and held, to be written in order */
#define PASS_NAMES ((size_t)16 << 20)	/* octets of the names of either */
#define PASS_MEMORY ((size_t)96 << 20)
/* In the order of age names lie all over the memory: asked for so long before. */
#define PASS_AHEAD 16

/* So many newcomers at once would take long to rename; tests have less. */
extern size_t pass_many;
/* So many are taken in at once; here too. */
extern size_t pass_newcomers;

/* A file that is to be taken in. */
struct newcomer {
	uint64_t age;			/* less for what came first */
	uint64_t mark;
	uint32_t at;			/* of its locator in names */
	uint32_t uid;			/* it keeps this one; 0: a new one */
	uint32_t flags, letters;
	uint16_t n;			/* the locator's length */
	bool conflict;			/* its claim is another file's */
	bool plain;			/* it claims nothing and stands where it belongs */
	bool given;			/* its UID is noted beside it */
};

/* A message found, whose row is to be written. */
struct found {
	uint32_t uid;
	uint32_t flags;
	struct keyword_set keywords;
	uint64_t mark;
	uint32_t at, n;			/* of its locator in where, without NUL */
	bool new;			/* taken in just now */
};

struct pass {
	struct bound *b;
	unsigned parts;			/* enum part: what is looked at */
	struct marks marks;
	struct runs have;		/* UIDs the index knows */
	bool known;			/* that is all that ever were ... */
	uint32_t uid_next;		/* ... below this one; set by who makes the passes */
	uint64_t claims, conflicts;
	uint32_t highest;		/* UID that is claimed */
	uint64_t open_claims;		/* claims that no row has */
	struct newcomer *newcomers;
	size_t n, cap;
	size_t n_given;			/* of them, to be written */
	struct buf names;
	bool widen;			/* the other parts must be looked at too */
	bool more;			/* more newcomers than one pass takes */
	struct uid_keywords *extra;	/* keywords without letters, by UID */
	size_t n_extra;
	struct found *found;		/* rows to be written ... */
	size_t n_found, cap_found;
	uint64_t *order;		/* ... in this order */
	struct buf where;		/* their locators */
	bool fresh;			/* the index knows nothing: one look is enough */
	bool wrote;			/* a transaction is behind us */
	uint64_t modseq;		/* of what this pass changes; 0: nothing yet */
	bool changed_disk;
	bool many;			/* newcomers are given UIDs without new names ... */
	bool gave;			/* ... and some were */
	bool stuck;			/* files could not be taken in */
	bool disputed;			/* a newcomer claims what another file has */
};

/* Looks at the parts and fills marks and newcomers. */
int pass_scan(struct pass *p);

/*
 * What pass_scan() does around the scan, for one that was made before there
 * was an index to compare with: one more newcomer, of no claim; and, after all
 * of them, what the index and the flags file know.
 */
int pass_newcomer(struct pass *p, const struct entry *e);
int pass_begin(struct pass *p);

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
/* One more message found (at and n are seen to); those before are written when there is no room. */
int pass_add(struct pass *p, const struct found *f, const char *where);
bool pass_full(const struct pass *p, const char *where);
/* The locator will be looked at soon: both ends of it, which are in two lines as a rule. */
static inline void
pass_fetch(const struct pass *p, const struct newcomer *v)
{
	__builtin_prefetch(p->names.data + v->at);
	__builtin_prefetch(p->names.data + v->at + v->n);
}

/* Writes the rows of all found so far. */
int pass_flush(struct pass *p);
/* Writes the rows of those newcomers that were given their UIDs. */
int pass_write_given(struct pass *p);

#endif
