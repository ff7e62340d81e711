/*
 * Header fields of a message or a part (RFC 5322 section 2.2), read from a
 * block of bytes as stored, LF or CRLF.
 *
 * The block is everything from the first byte on: it ends behind the first
 * empty line, or at the end of the bytes. Nothing is refused: a line without a
 * colon (a From_ line of an mbox, garbage) is a field with an empty name.
 */
#ifndef HEADER_H
#define HEADER_H

#include "buf.h"

/* What is read of a message's header for parsing; the rest is only counted. */
#define HEADER_MAX ((size_t)1 << 20)

struct header_field {
	struct bytes name;		/* without white space before the colon */
	struct bytes value;		/* with its folds, without its last line end */
	struct bytes whole;		/* all of it as stored, with its last line end */
	size_t offset;			/* of whole in the block */
};

struct header_cursor {
	struct bytes block;
	size_t at;
};

#define HEADER_CURSOR(bytes_of_it) ((struct header_cursor){ .block = (bytes_of_it) })

/* The next field; false at the empty line or at the end of the bytes. */
bool header_next(struct header_cursor *c, struct header_field *out);

/*
 * The next field whose name begins with one of these letters, of either case,
 * each HEADER_LETTER() of its lower one: the others are not looked into.
 */
#define HEADER_LETTER(lower) ((uint32_t)1 << ((lower) - 'a'))
bool header_next_lettered(struct header_cursor *c, uint32_t letters,
    struct header_field *out);

/* Moves on to the next field of this name (ASCII case folded). */
bool header_next_named(struct header_cursor *c, struct bytes name,
    struct header_field *out);

/* The first field of this name: its value, or false. */
bool header_find(struct bytes block, const char *name, struct bytes *value);

/*
 * Length of the block with its empty line: the offset of the body. complete
 * (may be NULL) tells whether there was an empty line.
 */
size_t header_length(struct bytes block, bool *complete);

/*
 * Appends the value unfolded: line ends taken out (RFC 5322 section 2.2.3),
 * NULs dropped, white space trimmed at both ends.
 */
int header_unfold(struct bytes value, struct buf *out);

#endif
