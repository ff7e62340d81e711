/*
 * RETURN options of SEARCH and SORT, and the answers to them: ESEARCH (RFC 9051
 * section 7.3.4, RFC 4731, RFC 5267, RFC 9394) and the older SEARCH and SORT.
 */
#ifndef SEARCH_ANSWER_H
#define SEARCH_ANSWER_H

#include "fetch_program.h"
#include "session.h"

enum return_options {
	RETURN_MIN = 1, RETURN_MAX = 2, RETURN_ALL = 4, RETURN_COUNT = 8,
	RETURN_SAVE = 16, RETURN_PARTIAL = 32,
	RETURN_RELEVANCY = 64,		/* RFC 6203 */
	RETURN_CONTEXT = 128,		/* RFC 5267: a hint that needs nothing from us */
	RETURN_UPDATE = 256,
};

struct search_return {
	bool extended;			/* the answer is an ESEARCH */
	unsigned options;		/* enum return_options */
	struct partial_range range;
	struct bytes fetch;		/* RFC 5465 section 7: items in parentheses, or empty */
	/* RFC 7377: which mailbox the answer is about, when mailbox.n is not 0. */
	struct bytes mailbox;
	uint32_t uidvalidity;
};

/*
 * "RETURN (...) " when it comes next. With no options ALL is meant, and
 * IMAP4rev2 means it always. 0, or -1 with x->error.
 */
int search_return_parse(struct session *s, struct lex *x, struct search_return *out);

/* What was found, in mailbox order. */
struct search_program;

struct search_found {
	struct runs uids;
	uint64_t modseq;		/* the highest, */
	uint64_t modseq_first, modseq_last;	/* of the first and last message */
	bool relevancy;			/* wanted: a byte in scores for each */
	struct buf scores;
	uint64_t most;			/* messages that may be looked at (MESSAGELIMIT) */
	uint64_t looked_at;		/* how many were, */
	uint32_t lowest;		/* and the lowest of them when not all were, else 0 */
};

#define SEARCH_FOUND(ret) ((struct search_found){ .uids = RUNS_INIT, \
	.relevancy = ((ret)->options & RETURN_RELEVANCY) != 0, \
	.scores = BUF_INIT(UINT32_MAX), .most = UINT64_MAX })
static inline void
search_found_free(struct search_found *found)
{
	runs_free(&found->uids);
	buf_free(&found->scores);
}

/* All that the program finds in the selected mailbox; gone: some went meanwhile. */
int search_find(struct session *s, const struct call *c,
    struct search_program *program, struct search_found *found, bool *gone);

/* Tells it; with_modseq when MODSEQ was searched for. 0, or -1 with errno. */
int search_answer(struct session *s, const struct call *c,
    const struct search_return *ret, const struct search_found *found,
    bool with_modseq);

/* Sets `$` as RETURN (SAVE) asks, from UIDs in the order of the answer. */
int search_save(struct session *s, const struct search_return *ret,
    const struct search_found *found);

/* Numbers that are not in order, as SORT's ALL has them. */
void put_numbers(struct response *r, const uint32_t *v, size_t n);

/* Nothing is said of the result: SAVE alone (RFC 9051 section 6.4.4). */
static inline bool
returns_nothing(const struct search_return *ret)
{
	return (ret->options & ~(unsigned)(RETURN_CONTEXT | RETURN_UPDATE)) == RETURN_SAVE;
}

/* The beginning of an ESEARCH, and PARTIAL's name and range. */
void put_esearch(struct session *s, const struct call *c,
    const struct search_return *ret);
void put_partial_open(struct response *r, const struct partial_range *range);

/* RELEVANCY (n ...) of the messages that the answer names (RFC 6203 section 4). */
void put_relevancy(struct response *r, const struct search_return *ret,
    const unsigned char *scores, uint64_t n);

/* RELEVANCY without FUZZY, which must not be; NULL when all is well. */
const char *relevancy_wrong(const struct search_return *ret,
    const struct search_program *program);

/* (MODSEQ n), at the end of a SEARCH or SORT (RFC 7162 sections 3.1.6 and 3.1.9). */
void put_modseq_list(struct response *r, uint64_t modseq);

/* MODSEQ's value by RFC 4731 section 3.2. */
uint64_t search_modseq(const struct search_return *ret, const struct search_found *found);

/* The outcome when a search failed by errno. */
struct outcome search_failed(struct session *s, const struct search_return *ret, int error);

#endif
