/*
 * Sorting messages by criteria (RFC 5256 section 3, RFC 5957). Pure.
 */
#ifndef SORTLIST_H
#define SORTLIST_H

#include "buf.h"
#include "lex.h"
#include "limits.h"

enum sort_key {
	SORT_ARRIVAL, SORT_DATE, SORT_SIZE,		/* numbers */
	SORT_RELEVANCY,
	SORT_CC, SORT_FROM, SORT_SUBJECT, SORT_TO,	/* texts */
	SORT_DISPLAYFROM, SORT_DISPLAYTO,
};

struct sort_criterion {
	enum sort_key key;
	bool reverse;
};

struct sort_program {
	struct sort_criterion *v;
	size_t n;
	bool size;			/* a criterion is the size, */
	bool dates;			/* or needs row dates or sizes, */
	bool sent;			/* or is the sent date, */
	bool texts;			/* or a text, */
	bool relevancy;			/* or how well it fits (RFC 6203) */
};

/* sort-criteria. 0, or -1 with x->error. */
int sort_parse(struct lex *x, struct sort_program *out);

struct sort_message {
	uint32_t uid;
	uint32_t sequence;
	uint64_t modseq;
	unsigned char score;		/* relevancy, when it is wanted */
};

/* What one message has for one criterion. */
struct sort_value {
	uint64_t rank;			/* the number, or the text's first octets, to compare first */
	uint64_t place;			/* of a text: where in texts it stands, and its length */
};

struct sort_list {
	const struct sort_program *program;
	struct sort_message *message;	/* in mailbox order */
	struct sort_value *value;	/* program->n of each message */
	size_t n, cap;
	struct buf texts;
};

#define SORT_LIST(sort_program) ((struct sort_list){ \
	.program = (sort_program), .texts = BUF_INIT(SORT_TEXTS_MAX) })

/*
 * Adds a message and answers its values, to be set by the two below; NULL with
 * errno.
 */
struct sort_value *sort_add(struct sort_list *l, const struct sort_message *m);
void sort_number(struct sort_value *v, int64_t number);
/* folded is cut to SORT_TEXT_MAX octets. 0, or -1 with errno. */
int sort_text(struct sort_list *l, struct sort_value *v, struct bytes folded);

#define SORT_TEXT_MAX 65535

/*
 * Indices of the messages in the order of the criteria, then of the mailbox;
 * n + 1 of them, to be freed by the caller. NULL with errno.
 */
uint32_t *sort_order(const struct sort_list *l);
void sort_free(struct sort_list *l);

#endif
