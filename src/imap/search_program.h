/*
 * What a SEARCH looks for, read once: a tree of keys (RFC 9051 section 6.4.4,
 * and the extensions that stand beside each).
 */
#ifndef SEARCH_PROGRAM_H
#define SEARCH_PROGRAM_H

#include <limits.h>

#include "session.h"
#include "sortkey.h"

/* What a key costs to look at; cheaper ones are tried first. */
enum search_stage {
	STAGE_SET,			/* sets of UIDs */
	STAGE_ROW,			/* the message's row */
	STAGE_KEY,			/* its sort column */
	STAGE_HEADER,			/* its header, perhaps from a column */
	STAGE_BODY,			/* all of it */
	STAGE_END
};

enum search_op {
	SEARCH_AND, SEARCH_OR, SEARCH_NOT,
	SEARCH_TRUE,			/* or false: want */
	SEARCH_SET,
	SEARCH_FLAGS,			/* all flags of mask set (want) or none */
	SEARCH_KEYWORD,
	SEARCH_RECENT,
	SEARCH_RANGE,			/* low <= value <= high */
	SEARCH_KEY,			/* a text of the sort column holds the needle */
	SEARCH_HEADER,			/* a field of that name does */
	SEARCH_EMAILID, SEARCH_THREADID,	/* it is field */
	SEARCH_TEXT,			/* the body does, or (header) all of the message */
};

enum search_value {
	VALUE_SIZE, VALUE_MODSEQ, VALUE_ARRIVAL, VALUE_SAVED, VALUE_SENT,
};

/* No message has it yet. */
#define KEYWORD_UNKNOWN UINT_MAX

struct search_node {
	enum search_op op;
	enum search_stage stage;	/* of the node and all below it: the dearest */
	struct search_node *child;	/* of AND, OR, NOT */
	struct search_node *next;	/* sibling */
	bool want;
	bool header;			/* SEARCH_TEXT: also in headers; SEARCH_KEY: by HEADER */
	bool fuzzy;			/* it stands behind FUZZY (RFC 6203) */
	uint32_t flags;
	unsigned number;		/* of the keyword; which text of the sort column; which text needle */
	enum search_value value;
	int64_t low, high;
	uint32_t age;			/* of OLDER and YOUNGER, or 0: the range moves with time */
	struct runs set;
	struct bytes field;		/* or the keyword's name */
	struct bytes needle;		/* folded */
};

struct search_program {
	struct search_node *root;
	size_t n;			/* keys */
	unsigned stages;		/* bits 1 << enum search_stage of leaves */
	unsigned texts;			/* SEARCH_TEXT nodes */
	struct search_node **text;	/* those: first the ones that look into headers */
	bool dates;			/* dates or sizes are looked at */
	bool modseq;			/* MODSEQ is in it: the answer tells it */
	bool fuzzy;			/* FUZZY is in it: relevancy can be asked for */
	/*
	 * OLDER or YOUNGER is in it; then, after searching, the time at which the
	 * result is another although nothing else changes.
	 */
	bool ages;
	int64_t turns;
};

/*
 * " CHARSET name" may stand in front only when charset is NULL (SEARCH); else
 * charset is the name (SORT, THREAD). Reads to the end of the command. An
 * outcome other than OK says what is wrong.
 */
struct outcome search_parse(struct session *s, struct lex *x,
    const struct bytes *charset, struct search_program *out);
void search_free(struct search_program *p);

/*
 * The same for a program that outlives its command, from keys that were read
 * before: nothing in it points into the command, and UIDs and keywords that
 * are not there yet can come.
 */
struct outcome search_parse_lasting(struct session *s, struct lex *x,
    const struct bytes *charset, struct search_program *out);
/* Before such a program is used again: keywords that came meanwhile, and the time. */
void search_refresh(struct session *s, struct search_program *p);

#endif
