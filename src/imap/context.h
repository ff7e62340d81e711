/*
 * Contexts: searches whose result the client is told of as it changes (RFC 5267
 * section 4.3). They live as long as their mailbox is selected.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "search_answer.h"
#include "sortlist.h"

struct context;

/* What a searching command wants to be kept. */
struct context_wish {
	const struct search_return *ret;
	struct lex keys;		/* at the charset or the first key */
	const struct bytes *charset;	/* of SORT; NULL: it stands in front of the keys */
	const struct sort_program *sort;	/* NULL: mailbox order */
	bool named;			/* the mailbox is told as well: ESEARCH */
};

/* Why there can be no such context; NULL when all is well. */
const char *context_wrong(const struct session *s, const struct call *c,
    const struct search_return *ret);

/*
 * The context that UPDATE asks for: NULL when nothing asks for one, or when
 * there cannot be one more, which the client was told. The keys were read
 * before and have no mistakes. To be called before `$` changes.
 */
struct context *context_new(struct session *s, const struct call *c,
    const struct context_wish *wish);

/*
 * The command succeeded: keeps the context with its first result, of which
 * order (NULL: mailbox order) has the UIDs as they are sorted. x may be NULL.
 */
void context_keep(struct session *s, struct context *x, const struct runs *found,
    const uint32_t *order);
void context_free(struct context *x);

/* Ends the kept context of that tag, if there is one: its command failed after all. */
void context_drop(struct session *s, struct bytes tag);

#endif
