/*
 * Base64 and quoted-printable, piece by piece.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "decode.h"
#include "lanes.h"
#include "scan.h"

enum mime_encoding
encoding_named(struct bytes name)
{
	static const char *const names[] = {
		[ENCODING_7BIT] = "7bit",
		[ENCODING_8BIT] = "8bit",
		[ENCODING_BINARY] = "binary",
		[ENCODING_QUOTED_PRINTABLE] = "quoted-printable",
		[ENCODING_BASE64] = "base64",
	};

	if (name.n == 0)
		return ENCODING_7BIT;
	for (int i = 0; i < ENCODING_UNKNOWN; i++)
		if (bytes_case_equal(name, bytes_of(names[i])))
			return (enum mime_encoding)i;
	return ENCODING_UNKNOWN;
}

void
decoder_begin(struct decoder *d, enum mime_encoding encoding, bool strict)
{
	*d = (struct decoder){ .encoding = encoding, .strict = strict };
}

/* ---- base64 ---- */

enum { ALIEN = 0, DIGIT = 0x40, PAD = 0x80, SPACE = 0x81 };

/* A digit is DIGIT plus its value. */
static const unsigned char base64_class[256] = {
	['A'] = 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a,
	0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56,
	0x57, 0x58, 0x59,
	['a'] = 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60, 0x61, 0x62, 0x63, 0x64,
	0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70,
	0x71, 0x72, 0x73,
	['0'] = 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d,
	['+'] = 0x7e, ['/'] = 0x7f,
	['='] = PAD,
	[' '] = SPACE, ['\t'] = SPACE, ['\r'] = SPACE, ['\n'] = SPACE,
};

/* The bytes that two or three digits at the end stand for. */
static unsigned char *
put_rest(struct decoder *d, unsigned char *to)
{
	if (d->count == 2) {
		*to++ = (unsigned char)(d->bits >> 4);
	} else if (d->count == 3) {
		*to++ = (unsigned char)(d->bits >> 10);
		*to++ = (unsigned char)(d->bits >> 2);
	}
	d->bad |= d->count == 1;
	d->bits = 0;
	d->count = 0;
	return to;
}

static unsigned char *
put_digit(struct decoder *d, unsigned value, unsigned char *to)
{
	d->bad |= d->ended;
	d->bits = d->bits << 6 | value;
	if (++d->count < 4)
		return to;
	*to++ = (unsigned char)(d->bits >> 16);
	*to++ = (unsigned char)(d->bits >> 8);
	*to++ = (unsigned char)d->bits;
	d->bits = 0;
	d->count = 0;
	return to;
}

/*
 * Padding ends the data (RFC 2045 section 6.8), but where people glue encoded
 * pieces together more follows.
 */
static unsigned char *
put_padding(struct decoder *d, unsigned char *to)
{
	d->bad |= d->count < 2 && !d->ended;
	d->ended = true;
	return put_rest(d, to);
}

/* Four digits at once, or nothing. */
static bool
put_four(const unsigned char *p, unsigned char *to)
{
	unsigned a = base64_class[p[0]], b = base64_class[p[1]];
	unsigned c = base64_class[p[2]], d = base64_class[p[3]];

	if (!(a & b & c & d & DIGIT))
		return false;
	to[0] = (unsigned char)((a & 0x3f) << 2 | (b & 0x3f) >> 4);
	to[1] = (unsigned char)((b & 0x0f) << 4 | (c & 0x3f) >> 2);
	to[2] = (unsigned char)((c & 0x03) << 6 | (d & 0x3f));
	return true;
}

static int
base64_push(struct decoder *d, struct bytes in, struct buf *out)
{
	unsigned char *to = buf_room(out, in.n + 3);

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c;

		while (d->count == 0 && !d->ended && in.n - i >= 4 &&
		    put_four(in.p + i, to)) {
			i += 4;
			to += 3;
		}
		if (i == in.n)
			break;
		c = base64_class[in.p[i]];
		if (c & DIGIT)
			to = put_digit(d, c & 0x3f, to);
		else if (c == PAD)
			to = put_padding(d, to);
		else
			d->bad |= c == ALIEN;
	}
	out->len = (size_t)(to - out->data);
	return 0;
}

static int
base64_end(struct decoder *d, struct buf *out)
{
	unsigned char *to = buf_room(out, 3);

	if (to == NULL)
		return -1;
	d->bad |= d->count != 0;
	out->len = (size_t)(put_rest(d, to) - out->data);
	return 0;
}

int
decode_base64(struct bytes in, struct buf *out)
{
	struct decoder d;

	decoder_begin(&d, ENCODING_BASE64, false);
	return base64_push(&d, in, out) < 0 ? -1 : base64_end(&d, out);
}

/* ---- quoted-printable ---- */

enum qp_state { QP_TEXT, QP_EQUAL, QP_HEX, QP_SOFT, QP_SOFT_CR };

/* A hexadecimal digit is HEX plus its value. */
#define HEX 0x10
static const unsigned char hex_class[256] = {
	['0'] = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
	['A'] = 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
	['a'] = 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
};

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static int
put_held(struct decoder *d, struct buf *out)
{
	size_t n = d->held;

	d->held = 0;
	return buf_add(out, d->hold, n);
}

static int
hold(struct decoder *d, unsigned char c, struct buf *out)
{
	if (d->held == sizeof d->hold && put_held(d, out) < 0)
		return -1;
	d->hold[d->held++] = c;
	return 0;
}

static struct bytes
up_to(struct bytes in, unsigned char c)
{
	const unsigned char *end = memchr(in.p, c, in.n);

	return end == NULL ? in : bytes_make(in.p, (size_t)(end - in.p));
}

/* Appends text; white space that may be the end of a line is held. */
static int
put_plain(struct decoder *d, struct bytes text, struct buf *out)
{
	size_t n = text.n;

	while (n > 0 && is_blank(text.p[n - 1]))
		n--;
	if (n > 0 && (put_held(d, out) < 0 || buf_add(out, text.p, n) < 0))
		return -1;
	for (; n < text.n; n++)
		if (hold(d, text.p[n], out) < 0)
			return -1;
	return 0;
}

/* A run of text, or one byte that is none, in QP_TEXT: how many were used, or -1. */
static ssize_t
qp_text(struct decoder *d, struct bytes in, struct buf *out)
{
	struct bytes text = up_to(up_to(up_to(in, '\n'), '\r'), '=');
	unsigned char c = in.p[0];

	if (text.n > 0)
		return put_plain(d, text, out) < 0 ? -1 : (ssize_t)text.n;
	if (c == '=') {
		d->state = QP_EQUAL;
		return put_held(d, out) < 0 ? -1 : 1;
	}
	d->held = 0;	/* RFC 2045 section 6.7 (3): added on the way */
	return buf_byte(out, c) < 0 ? -1 : 1;
}

/* No escape after all: what was held of it is text. */
static ssize_t
qp_broken(struct decoder *d, struct buf *out)
{
	d->bad = true;
	if (buf_byte(out, '=') < 0 ||
	    (d->state == QP_HEX && buf_byte(out, (unsigned char)d->bits) < 0))
		return -1;
	d->state = QP_TEXT;
	return 0;
}

/* One byte behind an equals sign: how many were used. */
static ssize_t
qp_escape(struct decoder *d, unsigned char c, struct buf *out)
{
	int hex = ascii_hex(c);

	if (d->state == QP_SOFT_CR) {
		d->state = QP_TEXT;
		return c == '\n';
	}
	if (d->state == QP_HEX) {
		if (hex < 0)
			return qp_broken(d, out);
		d->state = QP_TEXT;
		hex |= ascii_hex((unsigned char)d->bits) << 4;
		return buf_byte(out, (unsigned char)hex) < 0 ? -1 : 1;
	}
	if (c == '\n' || c == '\r') {
		d->state = c == '\n' ? QP_TEXT : QP_SOFT_CR;
		d->held = 0;
		return 1;
	}
	if (d->state == QP_EQUAL && hex >= 0) {
		d->state = QP_HEX;
		d->bits = c;
		return 1;
	}
	if (!is_blank(c) || d->held == sizeof d->hold)
		return qp_broken(d, out);
	d->state = QP_SOFT;
	d->hold[d->held++] = c;
	return 1;
}

/* Length of the text up to a byte that means something: sixteen at a time. */
static size_t
qp_run(struct bytes in)
{
	size_t n = 0;

	while (in.n - n >= LANES) {
		lanes v = lanes_load(in.p + n);

		if (lanes_any((lanes)((v == '=') | (v == '\n') | (v == '\r'))))
			break;
		n += LANES;
	}
	while (n < in.n && in.p[n] != '=' && in.p[n] != '\n' && in.p[n] != '\r')
		n++;
	return n;
}

/* An escape or a soft line break that is all there: its length, or 0. */
static size_t
qp_whole_escape(struct bytes in, unsigned char **to)
{
	unsigned high, low;

	if (in.n < 3)
		return 0;
	if (in.p[1] == '\n')
		return 2;
	if (in.p[1] == '\r')
		return in.p[2] == '\n' ? 3 : 0;
	high = hex_class[in.p[1]];
	low = hex_class[in.p[2]];
	if ((high & low & HEX) == 0)
		return 0;
	*(*to)++ = (unsigned char)(high << 4 | (low & 0x0f));
	return 3;
}

/* How much white space from floor to the end of the output hold() would have. */
static size_t
qp_blanks(const unsigned char *floor, const unsigned char *to)
{
	size_t n = 0;

	while (to > floor && is_blank(to[-1])) {
		to--;
		n++;
	}
	return n == 0 ? 0 : (n - 1) % DECODE_HOLD_MAX + 1;
}

/*
 * Text and what is whole in it, with nothing held: how much of in that was. What
 * comes out is no longer than what goes in; white space at its end is held.
 */
static size_t
qp_whole(struct decoder *d, struct bytes in, unsigned char **to)
{
	unsigned char *floor = *to;	/* behind what is no white space of the text */
	size_t at = 0, n;

	while (at < in.n) {
		unsigned char c = in.p[at];

		if (c == '=') {
			n = qp_whole_escape(bytes_from(in, at), to);
			if (n == 0)
				break;
			floor = *to;
		} else if (c == '\n' || c == '\r') {
			*to -= qp_blanks(floor, *to);
			*(*to)++ = c;
			floor = *to;
			n = 1;
		} else {
			n = qp_run(bytes_from(in, at));
			memcpy(*to, in.p + at, n);
			*to += n;
		}
		at += n;
	}
	d->held = qp_blanks(floor, *to);
	*to -= d->held;
	memcpy(d->hold, *to, d->held);
	return at;
}

static int
qp_push(struct decoder *d, struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		unsigned char *to = buf_room(out, in.n);
		ssize_t n = 0;

		if (to == NULL)
			return -1;
		if (d->state == QP_TEXT && d->held == 0) {
			n = (ssize_t)qp_whole(d, in, &to);
			out->len = (size_t)(to - out->data);
		}
		if (n == 0)
			n = d->state == QP_TEXT ? qp_text(d, in, out) :
			    qp_escape(d, in.p[0], out);
		if (n < 0)
			return -1;
		in = bytes_from(in, (size_t)n);
	}
	return 0;
}

static int
qp_end(struct decoder *d, struct buf *out)
{
	/* a soft line break whose line end belongs to the boundary */
	if (d->state == QP_HEX)
		return qp_broken(d, out) < 0 ? -1 : 0;
	return 0;
}

int
decode_q(struct bytes in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		int c = bytes_escaped(bytes_from(in, i), '=');

		if (c >= 0)
			i += 2;
		else
			c = in.p[i] == '_' ? ' ' : in.p[i];
		if (buf_byte(out, (unsigned char)c) < 0)
			return -1;
	}
	return 0;
}

/* ---- any ---- */

int
decoder_push(struct decoder *d, struct bytes in, struct buf *out)
{
	switch (d->encoding) {
	case ENCODING_BASE64:
		return base64_push(d, in, out);
	case ENCODING_QUOTED_PRINTABLE:
		return qp_push(d, in, out);
	default:
		return buf_bytes(out, in);
	}
}

int
decoder_end(struct decoder *d, struct buf *out)
{
	int rc = 0;

	if (d->encoding == ENCODING_BASE64)
		rc = base64_end(d, out);
	else if (d->encoding == ENCODING_QUOTED_PRINTABLE)
		rc = qp_end(d, out);
	else if (d->encoding == ENCODING_UNKNOWN)
		d->bad = true;
	if (rc == 0 && d->strict && d->bad) {
		errno = EILSEQ;
		return -1;
	}
	return rc;
}
