/*
 * A message on its way to the client: CRLF line ends, byte-stuffing, the final
 * dot (RFC 1939 section 3).
 */
#ifndef POP3_BODY_H
#define POP3_BODY_H

#include "crlf.h"
#include "mail.h"
#include "stream.h"

/* Where a line of the stored message begins with a dot: state between pieces. */
struct stuffing {
	struct crlf crlf;
	bool inside;			/* the piece goes on inside a line */
};

/*
 * Ends the answer: an unfinished line, then the dot. Room for
 * STUFFING_END_MAX.
 */
#define STUFFING_END_MAX 5
size_t stuff_end(const struct stuffing *s, unsigned char *out);

/* How much of a message TOP sends: the header and some lines of the body. */
struct top {
	uint64_t lines;			/* of the body, still to come */
	bool body;			/* the empty line was seen */
	bool inside;			/* the line had a byte before this piece */
	bool cr;			/* ... which was a single CR */
};

/* The part of piece that belongs to it, and whether that was all of it. */
struct bytes top_part(struct top *t, struct bytes piece);
bool top_done(const struct top *t);

/*
 * Sends the message, and the final dot in one writing with its end. top may be
 * NULL: all of it. ascii: header fields beyond ASCII go as surrogates. 0, or -1
 * with errno; then the client has an unfinished answer and the connection must
 * end.
 */
int body_send(struct stream *out, const struct message *msg, struct top *top,
    bool ascii);

#endif
