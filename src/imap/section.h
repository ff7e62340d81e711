/*
 * Sections of a message as octets to send: BODY[...] and BINARY[...].
 *
 * A section is either text in memory (header fields) or a range of the stored
 * message that is converted while it is sent.
 */
#ifndef SECTION_H
#define SECTION_H

#include <sys/stat.h>

#include "crlf.h"
#include "decode.h"
#include "facts.h"
#include "fetch_program.h"
#include "response.h"

/* A walk through a range's octets as they are sent. */
struct section_place {
	uint64_t stored;		/* offset in the message */
	uint64_t octets;		/* of the section, up to here */
	struct crlf crlf;
	struct decoder decoder;		/* BINARY */
	bool ended;			/* the decoder gave its last */
};

/*
 * How far a range was sent by the last FETCH: clients fetch large messages in
 * chunks, and the place of an octet cannot be known without converting what is
 * before it.
 */
struct section_mark {
	struct stat file;		/* which file, */
	uint64_t begin, end;		/* and which range of it */
	bool binary;
	uint64_t octets;		/* BINARY: of the section, 0 while unknown */
	bool nul;
	struct section_place place;
};

struct section {
	bool nil;			/* there is no such part */
	bool memory;			/* text is all of it */
	struct bytes text;
	uint64_t begin, end;		/* range as stored, */
	uint64_t octets;		/* and its size as sent */
	bool binary;			/* decode it */
	bool lines;			/* line ends of the decoded are made CRLF */
	bool nul;			/* a NUL is in the decoded: literal8 */
	enum mime_encoding encoding;
};

/*
 * Whether the message's size must be known for that: it may have to be read once
 * more for it.
 */
static inline bool
section_needs_size(const struct fetch_item *item)
{
	return item->depth == 0 && (item->kind != FETCH_SECTION ||
	    item->text == SECTION_ALL || item->text == SECTION_TEXT);
}

/*
 * Finds the section an item asks for. size is the message's size with CRLF.
 * Memory for text comes from scratch, which the next call overwrites. 0, or -1
 * with errno (ENOTSUP: unknown Content-Transfer-Encoding).
 */
int section_find(struct facts *f, const struct fetch_item *item, uint64_t size,
    struct buf *scratch, struct section_mark *mark, struct section *out);

/*
 * Sends it, or what the partial of the item wants of it. False when
 * the message could not be read to its announced end: the client got spaces.
 */
bool section_send(struct facts *f, const struct fetch_item *item,
    const struct section *s, struct section_mark *mark, struct response *out);

#endif
