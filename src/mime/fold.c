/*
 * i;unicode-casemap (RFC 5051).
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>
#include <utf8proc.h>

#include "charset.h"
#include "fold.h"
#include "lanes.h"

#define DECOMPOSED_MAX 32		/* Unicode's longest is 18 */
#define FOLDED_MAX 56			/* ... and becomes 33 bytes */
#define KEPT 512
#define WORD 8

/* Upper-cases ASCII; false (and nothing done) when the bytes are not ASCII alone. */
static bool
upper_lanes(unsigned char *to, const unsigned char *from)
{
	lanes v = lanes_load(from);

	if (lanes_any(v & 0x80))
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

/* A character folded: Unicode's longest become 18, of up to three bytes each. */
struct folded {
	uint32_t code;			/* 0: none (it is ASCII, and never asked for) */
	uint32_t n;
	unsigned char p[FOLDED_MAX];
};

static void
fold_char(uint32_t code, struct folded *f)
{
	utf8proc_int32_t parts[DECOMPOSED_MAX];
	/* Full size from the beginning, so that it never grows. */
	struct buf out = { .data = f->p, .cap = FOLDED_MAX, .max = FOLDED_MAX };
	utf8proc_ssize_t n;
	int boundary = 0;

	n = utf8proc_decompose_char(title(code), parts, DECOMPOSED_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
	if (n < 0 || n > DECOMPOSED_MAX)
		utf8_put(&out, code);
	else
		for (utf8proc_ssize_t i = 0; i < n; i++)
			utf8_put(&out, (uint32_t)parts[i]);
	f->code = code;
	f->n = (uint32_t)out.len;
}

/* Text of one language has few characters: what they fold to is kept. */
static struct folded *kept;

void
fold_shrink(void)
{
	free(kept);
	kept = NULL;
}

static const struct folded *
folded(uint32_t code)
{
	static struct folded one;
	struct folded *f;

	if (kept == NULL)
		kept = calloc(KEPT, sizeof *kept);
	f = kept == NULL ? &one : &kept[code % KEPT];
	if (f->code != code)
		fold_char(code, f);
	return f;
}

/* utf8_char() with a short way for the scripts between ASCII and U+0800. */
static inline size_t
next_char(struct bytes in, uint32_t *code)
{
	if (in.n < 2 || in.p[0] < 0xc2 || in.p[0] >= 0xe0 || (in.p[1] & 0xc0) != 0x80)
		return utf8_char(in, code);
	*code = (uint32_t)(in.p[0] & 0x1f) << 6 | (in.p[1] & 0x3f);
	return 2;
}

/*
 * Folds what there is room for, each byte that is left to fold has one: how
 * much of *in is done; *in becomes the rest and *to the end of what was made.
 */
static void
fold_some(struct bytes *in, unsigned char **to, const unsigned char *end)
{
	const struct folded *f;
	uint32_t code;
	size_t n;

	for (;;) {
		n = fold_ascii(*in, *to);
		*to += n;
		*in = bytes_from(*in, n);
		if (in->n == 0)
			return;
		n = next_char(*in, &code);
		if (n == 0) {
			*(*to)++ = in->p[0];
			*in = bytes_from(*in, 1);
			continue;
		}
		f = folded(code);
		/* Few are longer than what is copied at once. */
		if ((size_t)(end - *to) < (f->n < WORD ? WORD : f->n) + in->n - n)
			return;
		if (f->n <= WORD)
			memcpy(*to, f->p, WORD);
		else
			memcpy(*to, f->p, f->n);
		*to += f->n;
		*in = bytes_from(*in, n);
	}
}

int
fold_text(struct bytes utf8, struct buf *out)
{
	size_t want = utf8.n;

	while (utf8.n > 0) {
		unsigned char *to = buf_room(out, want);

		if (to == NULL)
			return -1;
		fold_some(&utf8, &to, out->data + out->cap);
		out->len = (size_t)(to - out->data);
		/* What it stopped at grows. */
		want = utf8.n + FOLDED_MAX;
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
