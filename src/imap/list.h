/*
 * LIST's arguments, which LSUB and XLIST share.
 */
#ifndef LIST_H
#define LIST_H

#include "metadata.h"

enum list_options {
	/* which mailboxes */
	LIST_SUBSCRIBED = 1, LIST_REMOTE = 2, LIST_RECURSIVE = 4,
	LIST_SPECIAL = 8,
	/* what of them */
	LIST_RETURN_SUBSCRIBED = 16, LIST_RETURN_CHILDREN = 32,
	LIST_RETURN_SPECIAL = 64, LIST_RETURN_STATUS = 128,
	LIST_RETURN_METADATA = 256,
};

struct list_args {
	unsigned options;		/* enum list_options */
	unsigned status;		/* items of status.h */
	struct metadata_request metadata;
	bool extended;			/* RFC 5258's form was used */
	bool asks_separator;		/* a pattern was empty */
	struct bytes *patterns;		/* reference joined, UTF-8 */
	size_t n_patterns;
};

int list_args(struct lex *x, struct list_args *a);

#endif
