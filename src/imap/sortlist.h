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
};

/* Many messages share a text: replies that of what they answer. */
struct sort_text {
	uint32_t place;			/* in texts */
	uint16_t length;
	uint16_t tag;			/* of its hash: most that differ differ here */
};

struct sort_list {
	const struct sort_program *program;
	struct sort_message *message;	/* in mailbox order */
	uint64_t *value;		/* program->n of each: a number, or which text */
	size_t n, cap;
	struct sort_text *text;
	size_t n_texts, texts_cap;
	uint32_t *met;			/* which texts came lately, by what they hash to */
	struct buf texts;
	struct buf scores;		/* relevancy of each message, when it is wanted */
};

#define SORT_LIST(sort_program) ((struct sort_list){ \
	.program = (sort_program), .texts = BUF_INIT(SORT_TEXTS_MAX), \
	.scores = BUF_INIT(SORT_TEXTS_MAX) })

/*
 * Adds a message and answers its values, to be set by the two below; NULL with
 * errno.
 */
uint64_t *sort_add(struct sort_list *l, const struct sort_message *m);
void sort_number(uint64_t *v, int64_t number);
/* folded is cut to SORT_TEXT_MAX octets. 0, or -1 with errno. */
int sort_text(struct sort_list *l, uint64_t *v, struct bytes folded);

#define SORT_TEXT_MAX 65535

/*
 * Indices of the messages in the order of the criteria, then of the mailbox;
 * n + 1 of them, to be freed by the caller. NULL with errno. Only once: values
 * of texts are others then.
 */
uint32_t *sort_order(struct sort_list *l);
void sort_free(struct sort_list *l);

#endif
