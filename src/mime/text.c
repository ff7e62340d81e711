/*
 * The text of a part as a stream, and searching it.
 * Runs as: the mailbox owner.
 */
#include "crlf.h"
#include "text.h"

/*
 * One piece may grow: six bytes of UTF-7 or two of a double-byte set become a
 * few of UTF-8, one character folds to at most 18.
 */
#define TEXT_MAX ((size_t)64 << 20)
#define SEARCH_PIECE ((size_t)8192)

void
text_begin(struct text *t, const struct mime_part *part)
{
	static const struct mime_part header = { .encoding = ENCODING_7BIT };

	if (part == NULL)
		part = &header;
	decoder_begin(&t->decoder, (enum mime_encoding)part->encoding, false);
	charset_begin(&t->charset, bytes_make(part->charset, part->charset_n));
	t->decoded = BUF_INIT(TEXT_MAX);
	t->utf8 = BUF_INIT(TEXT_MAX);
}

static bool
is_identity(const struct text *t)
{
	return t->decoder.encoding != ENCODING_BASE64 &&
	    t->decoder.encoding != ENCODING_QUOTED_PRINTABLE;
}

/* Most text is ASCII, and then it is UTF-8 already. */
static int
convert(struct text *t, struct bytes in, struct bytes *out)
{
	*out = in;
	if (t->charset.ascii && t->charset.held == 0 && crlf_is_7bit(in))
		return 0;
	buf_clear(&t->utf8);
	if (charset_push(&t->charset, in, &t->utf8) < 0)
		return -1;
	*out = buf_contents(&t->utf8);
	return 0;
}

int
text_push(struct text *t, struct bytes piece, struct bytes *out)
{
	if (is_identity(t))
		return convert(t, piece, out);
	buf_clear(&t->decoded);
	if (decoder_push(&t->decoder, piece, &t->decoded) < 0)
		return -1;
	return convert(t, buf_contents(&t->decoded), out);
}

int
text_end(struct text *t, struct bytes *out)
{
	int rc, end;

	buf_clear(&t->decoded);
	buf_clear(&t->utf8);
	rc = decoder_end(&t->decoder, &t->decoded);
	if (rc == 0)
		rc = charset_push(&t->charset, buf_contents(&t->decoded),
		    &t->utf8);
	end = charset_end(&t->charset, &t->utf8);
	*out = buf_contents(&t->utf8);
	return rc < 0 ? -1 : end;
}

void
text_free(struct text *t)
{
	buf_free(&t->decoded);
	buf_free(&t->utf8);
}

void
text_search_begin(struct text_search *s, const struct mime_part *part,
    struct matcher *needles, size_t n)
{
	text_begin(&s->text, part);
	s->folded = BUF_INIT(TEXT_MAX);
	s->needles = needles;
	s->n = n;
	for (size_t i = 0; i < n; i++)
		matcher_break(&needles[i]);
}

static int
match(struct text_search *s, struct bytes utf8)
{
	int all = 1;

	buf_clear(&s->folded);
	if (fold_text(utf8, &s->folded) < 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		int rc = matcher_push(&s->needles[i], buf_contents(&s->folded));

		if (rc < 0)
			return -1;
		all &= rc;
	}
	return all;
}

/* In pieces that stay in the processor's cache, with all that becomes of them. */
int
text_search_push(struct text_search *s, struct bytes piece)
{
	struct bytes utf8;
	int rc = 0;

	while (rc == 0 && piece.n > 0) {
		if (text_push(&s->text, bytes_first(piece, SEARCH_PIECE), &utf8) < 0)
			return -1;
		rc = match(s, utf8);
		piece = bytes_from(piece, SEARCH_PIECE);
	}
	return rc;
}

int
text_search_end(struct text_search *s)
{
	struct bytes utf8;
	int rc = text_end(&s->text, &utf8);

	if (rc == 0)
		rc = match(s, utf8);
	text_free(&s->text);
	buf_free(&s->folded);
	return rc;
}
