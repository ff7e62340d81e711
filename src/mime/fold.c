/*
 * i;unicode-casemap (RFC 5051).
 * Runs as: the mailbox owner.
 */
#include <utf8proc.h>

#include "charset.h"
#include "fold.h"

#define DECOMPOSED_MAX 32		/* Unicode's longest is 18 */
#define LANES 16

typedef unsigned char lanes __attribute__((vector_size(LANES)));

/* Upper-cases ASCII; false (and nothing done) when the bytes are not ASCII alone. */
static bool
upper_lanes(unsigned char *to, const unsigned char *from)
{
	lanes v;
	uint64_t half[2];

	memcpy(&v, from, sizeof v);
	memcpy(half, &v, sizeof half);
	if (((half[0] | half[1]) & 0x8080808080808080) != 0)
		return false;
	v -= (lanes)((v >= 'a') & (v <= 'z')) & 32;
	memcpy(to, &v, sizeof v);
	return true;
}

/* Folds the ASCII that in begins with: how long it is. to has room for it. */
static size_t
fold_ascii(struct bytes in, unsigned char *to)
{
	size_t n = 0;

	while (in.n - n >= LANES && upper_lanes(to + n, in.p + n))
		n += LANES;
	for (; n < in.n && in.p[n] < 0x80; n++)
		to[n] = ascii_upper(in.p[n]);
	return n;
}

/* The library knows a capital of sharp s; UnicodeData.txt has none, and it counts. */
static utf8proc_int32_t
title(uint32_t code)
{
	return code == 0xdf ? 0xdf : utf8proc_totitle((utf8proc_int32_t)code);
}

static int
fold_char(uint32_t code, struct buf *out)
{
	utf8proc_int32_t parts[DECOMPOSED_MAX];
	utf8proc_ssize_t n;
	int boundary = 0;

	n = utf8proc_decompose_char(title(code), parts, DECOMPOSED_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
	if (n < 0 || n > DECOMPOSED_MAX)
		return utf8_put(out, code);
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (utf8_put(out, (uint32_t)parts[i]) < 0)
			return -1;
	return 0;
}

int
fold_text(struct bytes utf8, struct buf *out)
{
	while (utf8.n > 0) {
		unsigned char *to = buf_room(out, utf8.n);
		uint32_t code;
		size_t n;
		int rc;

		if (to == NULL)
			return -1;
		n = fold_ascii(utf8, to);
		out->len += n;
		utf8 = bytes_from(utf8, n);
		if (utf8.n == 0)
			break;
		n = utf8_char(utf8, &code);
		rc = n == 0 ? buf_byte(out, utf8.p[0]) : fold_char(code, out);
		if (rc < 0)
			return -1;
		utf8 = bytes_from(utf8, n == 0 ? 1 : n);
	}
	return 0;
}

bool
fold_contains(struct bytes folded, struct bytes folded_needle)
{
	return folded_needle.n == 0 || (folded_needle.n <= folded.n &&
	    memmem(folded.p, folded.n, folded_needle.p, folded_needle.n) != NULL);
}

void
matcher_begin(struct matcher *m, struct bytes folded_needle)
{
	*m = (struct matcher){
		.needle = folded_needle,
		.tail = BUF_INIT(2 * folded_needle.n + 1),
		.found = folded_needle.n == 0,
	};
}

void
matcher_break(struct matcher *m)
{
	buf_clear(&m->tail);
}

void
matcher_end(struct matcher *m)
{
	buf_free(&m->tail);
}

/* Keeps of tail and piece what the beginning of a match could be. */
static int
keep_tail(struct matcher *m, struct bytes piece)
{
	size_t keep = m->needle.n - 1;

	if (piece.n >= keep) {
		buf_clear(&m->tail);
		return buf_bytes(&m->tail, bytes_from(piece, piece.n - keep));
	}
	if (m->tail.len + piece.n > keep)
		buf_consume(&m->tail, m->tail.len + piece.n - keep);
	return buf_bytes(&m->tail, piece);
}

int
matcher_push(struct matcher *m, struct bytes folded)
{
	size_t before = m->tail.len;

	if (m->found || folded.n == 0)
		return m->found;
	if (before > 0) {
		if (buf_bytes(&m->tail,
		    bytes_first(folded, m->needle.n - 1)) < 0)
			return -1;
		m->found = fold_contains(buf_contents(&m->tail), m->needle);
		m->tail.len = before;
	}
	m->found = m->found || fold_contains(folded, m->needle);
	if (!m->found && keep_tail(m, folded) < 0)
		return -1;
	return m->found;
}
