/*
 * Line ends: from LF or CRLF as stored to CRLF as sent.
 *
 * An LF that no CR precedes becomes CRLF; everything else, a lone CR too, stays
 * as it is. A message may be given in any pieces: the state carries whether
 * the last byte of the piece before was a CR. State zero is the beginning of a
 * line, so a part of a message may be converted from its offset on.
 */
#ifndef CRLF_H
#define CRLF_H

#include "bytes.h"

struct crlf {
	bool cr;			/* the byte before this piece was CR */
};

/* Octets the piece has after conversion; the state moves over it. */
uint64_t crlf_size(struct crlf *c, struct bytes piece);

/* The same, and how many LF are in it. */
uint64_t crlf_count(struct crlf *c, struct bytes piece, uint64_t *lines);

/*
 * Converts the piece into out, which has room for 2 * piece.n, and returns how
 * many octets it became.
 */
size_t crlf_convert(struct crlf *c, struct bytes piece, unsigned char *out);

/*
 * The same, with a dot more where a line begins with one (RFC 1939 section 3).
 * inside: the piece goes on inside a line; moves over it as the state does.
 */
size_t crlf_stuff(struct crlf *c, bool *inside, struct bytes piece,
    unsigned char *out);

/* How many times LF is in the piece. */
uint64_t crlf_lines(struct bytes piece);

/* True when every byte is below 0x80. */
bool crlf_is_7bit(struct bytes piece);

#endif
