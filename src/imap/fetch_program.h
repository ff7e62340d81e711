/*
 * What a FETCH asks for, read once: an array of items (RFC 9051 section 6.4.5,
 * and the extensions that stand beside each kind).
 */
#ifndef FETCH_PROGRAM_H
#define FETCH_PROGRAM_H

#include "lex.h"

enum fetch_kind {
	FETCH_UID,
	FETCH_FLAGS,
	FETCH_INTERNALDATE,
	FETCH_SIZE,
	FETCH_ENVELOPE,
	FETCH_BODY,			/* BODYSTRUCTURE without extension data */
	FETCH_BODYSTRUCTURE,
	FETCH_SECTION,			/* BODY[...], RFC822 and its like */
	FETCH_BINARY,			/* RFC 3516 */
	FETCH_BINARY_SIZE,
	FETCH_MODSEQ,			/* RFC 7162 */
	FETCH_SAVEDATE,			/* RFC 8514 */
	FETCH_PREVIEW,			/* RFC 8970 */
	FETCH_EMAILID,			/* RFC 8474 */
	FETCH_THREADID,
	FETCH_KIND_END
};

enum section_text {
	SECTION_ALL,			/* the whole message or the body of a part */
	SECTION_HEADER,
	SECTION_FIELDS,
	SECTION_FIELDS_NOT,
	SECTION_TEXT,
	SECTION_MIME,
};

struct fetch_item {
	enum fetch_kind kind;
	bool peek;			/* does not set \Seen */
	bool lazy;			/* PREVIEW (LAZY) */
	bool partial;
	uint64_t first, count;		/* of a partial */
	enum section_text text;
	const uint32_t *part;		/* numbers of the section */
	size_t depth;
	const struct bytes *fields;	/* names of HEADER.FIELDS */
	size_t n_fields;
	struct bytes label;		/* what the response calls it */
};

struct fetch_program {
	struct fetch_item *item;
	size_t n;
	unsigned kinds;			/* bits 1 << enum fetch_kind */
	bool sets_seen;
};

/* PARTIAL's range (RFC 9394): counted from the end when from_end; first <= last. */
struct partial_range {
	bool from_end;
	uint32_t first, last;
};

struct fetch_modifiers {
	bool changedsince, vanished, partial;
	uint64_t modseq;
	struct partial_range range;
};

static inline bool
fetch_wants(const struct fetch_program *p, enum fetch_kind kind)
{
	return (p->kinds & 1u << kind) != 0;
}

/* A macro, one item, or items in parentheses. 0, or -1 with x->error. */
int fetch_parse(struct lex *x, struct fetch_program *out);

/* " (modifier ...)" or nothing, up to the end of the command. */
int fetch_parse_modifiers(struct lex *x, struct fetch_modifiers *out);

/* partial-range of RFC 9394, as given: 500:400 is 400:500. */
int partial_range_parse(struct lex *x, struct partial_range *out);

/*
 * Which members of a list of n it names, counted from 1: false when none.
 */
bool partial_range_cut(const struct partial_range *r, uint64_t n,
    uint64_t *first, uint64_t *last);

#endif
