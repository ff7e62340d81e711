/*
 * A context's result: what it is, and telling what it becomes.
 */
#ifndef CONTEXT_RESULT_H
#define CONTEXT_RESULT_H

#include "context.h"
#include "search_program.h"

struct context {
	struct context *next;
	struct arena arena;		/* of all that the command said */
	struct bytes tag;
	bool by_uid;
	bool named;
	struct bytes fetch;		/* items in parentheses, or empty */
	struct search_program program;
	bool sorted;
	struct sort_program sort;
	struct runs found;		/* UIDs as the client knows them */
	uint32_t *order;		/* sorted: the same in their order */
};

struct context_change {
	struct runs added, removed;	/* UIDs, all of the view */
};

/*
 * Tells ADDTO and REMOVEFROM and makes the result what the client makes of it.
 * 0, or -1 with errno.
 */
int context_tell(struct session *s, struct context *x,
    const struct context_change *ch);

#endif
