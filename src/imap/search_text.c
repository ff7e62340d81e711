/*
 * SEARCH BODY and TEXT (RFC 9051 section 6.4.4).
 *
 * The body is the text of all parts of type text, and of reports (a bounce names
 * its addressee in message/delivery-status), without transfer encoding and
 * in UTF-8; TEXT is that and all headers, of the message, of its parts, and of
 * messages in it, with encoded words decoded. Parts of other types are left out,
 * as the section allows.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "search_text.h"
#include "text.h"
#include "words.h"

#define HEADER_TEXT_MAX (4 * HEADER_MAX)

static bool
all_found(const struct matcher *m, unsigned n)
{
	while (n > 0 && m[n - 1].found)
		n--;
	return n == 0;
}

static void
break_off(struct matcher *m, unsigned n)
{
	while (n-- > 0)
		matcher_break(&m[n]);
}

/* ---- headers ---- */

/* Fields as lines "Name: text". */
static int
decode_header(struct bytes block, struct buf *out)
{
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field field;

	buf_clear(out);
	while (header_next(&c, &field)) {
		buf_bytes(out, field.name);
		buf_text(out, ": ");
		words_decode(field.value, out);
		buf_byte(out, '\n');
	}
	if (out->error == 0)
		return 0;
	errno = out->error;
	return -1;
}

static int
search_header(struct search_texts *t, struct bytes block)
{
	struct text_search s;
	int r;

	if (decode_header(block, &t->text) == -1)
		return -1;
	break_off(t->needle, t->in_headers);
	text_search_begin(&s, NULL, t->needle, t->in_headers);
	r = text_search_push(&s, buf_contents(&t->text));
	return text_search_end(&s) == -1 || r == -1 ? -1 : 0;
}

/* The header of a part: what is over HEADER_MAX of it is not looked at. */
static int
search_part_header(struct search_texts *t, struct facts *f, const struct mime_part *part)
{
	struct buf block = BUF_INIT(HEADER_MAX);
	uint64_t at = part->header, end = part->body;
	struct bytes piece;
	int r = 0;

	if (end - at > HEADER_MAX)
		end = at + HEADER_MAX;
	for (; r == 0 && at < end; at += piece.n) {
		r = source_at(&f->source, at, end - at, &piece);
		if (r == 0 && piece.n == 0)
			break;
		if (r == 0)
			r = buf_bytes(&block, piece);
	}
	if (r == 0)
		r = search_header(t, buf_contents(&block));
	buf_free(&block);
	return r;
}

/* ---- bodies ---- */

static int
push_body(struct facts *f, const struct mime_part *part, struct text_search *s)
{
	struct bytes piece;
	uint64_t at;
	int r = 0;

	for (at = part->body; r == 0 && at < part->end; at += piece.n) {
		if (source_at(&f->source, at, part->end - at, &piece) == -1)
			return -1;
		if (piece.n == 0)
			break;
		r = text_search_push(s, piece);
	}
	return r;
}

static int
search_body(struct search_texts *t, struct facts *f, const struct mime_part *part)
{
	struct text_search s;
	int r;

	break_off(t->needle, t->n);
	text_search_begin(&s, part, t->needle, t->n);
	r = push_body(f, part, &s);
	return text_search_end(&s) == -1 || r == -1 ? -1 : 0;
}

static bool
has_text(const struct mime_part *part)
{
	return part->kind == MIME_TEXT || (part->flags & MIME_REPORT) != 0;
}

static int
search_part(struct search_texts *t, struct facts *f, const struct mime_part *part)
{
	if (part->body > part->header && !all_found(t->needle, t->in_headers) &&
	    search_part_header(t, f, part) == -1)
		return -1;
	return has_text(part) ? search_body(t, f, part) : 0;
}

int
search_texts(struct search_texts *t, struct facts *f)
{
	const struct mime_tree *tree;
	struct bytes header;
	size_t i;

	t->text.max = HEADER_TEXT_MAX;
	if (t->in_headers > 0) {	/* often it is there already */
		if (facts_header(f, &header) == -1 || search_header(t, header) == -1)
			return -1;
		if (all_found(t->needle, t->n))
			return 0;
	}
	if (facts_tree(f, &tree) == -1)
		return -1;
	if (has_text(&tree->v[0]))
		return search_body(t, f, &tree->v[0]);
	for (i = 1; i < tree->n && !all_found(t->needle, t->n); i++)
		if (search_part(t, f, &tree->v[i]) == -1)
			return -1;
	return 0;
}
