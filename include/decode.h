/*
 * Content-Transfer-Encodings, decoded as a stream (RFC 2045 section 6).
 *
 * The tolerant form skips what is not of the encoding's alphabet, as RFC 2045
 * asks of base64 and as people want of a preview or a search. The strict form
 * notes such bytes as an error, for BINARY's UNKNOWN-CTE (RFC 3516).
 */
#ifndef DECODE_H
#define DECODE_H

#include "buf.h"

enum mime_encoding {
	ENCODING_7BIT = 0,
	ENCODING_8BIT,
	ENCODING_BINARY,
	ENCODING_QUOTED_PRINTABLE,
	ENCODING_BASE64,
	ENCODING_UNKNOWN,		/* anything else: passed through */
	ENCODING_END
};

/* By the name in a field or parameter; empty is 7bit. */
enum mime_encoding encoding_named(struct bytes name);

#define DECODE_HOLD_MAX 80		/* RFC 2045: no line is longer than 76 */

struct decoder {
	enum mime_encoding encoding;
	bool strict;
	bool bad;			/* an error was met */
	bool ended;			/* base64: padding was met */
	unsigned state;			/* quoted-printable: within =XX or a soft line break */
	unsigned count;			/* base64: digits in bits */
	uint32_t bits;
	size_t held;			/* quoted-printable: white space that may end a line */
	unsigned char hold[DECODE_HOLD_MAX];
};

void decoder_begin(struct decoder *d, enum mime_encoding encoding, bool strict);

/*
 * Appends what more bytes decode to: 0, or -1 with the buffer's errno. Line
 * ends of quoted-printable come out as they go in.
 */
int decoder_push(struct decoder *d, struct bytes in, struct buf *out);

/* The input has ended. 0, or -1; EILSEQ when strict and the input was bad. */
int decoder_end(struct decoder *d, struct buf *out);

/* All of in at once, tolerant. */
int decode_base64(struct bytes in, struct buf *out);

/* The Q encoding of RFC 2047 section 4.2. */
int decode_q(struct bytes in, struct buf *out);

#endif
