/*
 * What is known of a message: columns, and the reading that fills them.
 *
 * Columns with text begin with a version.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "crlf.h"
#include "facts.h"
#include "imaptext.h"
#include "text.h"
#include "textcheck.h"

#define TEXT_VERSION 1

void
facts_begin(struct facts *f, struct mailbox *b)
{
	*f = (struct facts){ .box = b, .source = SOURCE_INIT(b) };
	f->header = BUF_INIT(HEADER_MAX);
	f->text = BUF_INIT(IMAPTEXT_MAX);
	f->column = BUF_INIT(2 * IMAPTEXT_MAX);
	f->part = BUF_INIT(SORTKEY_MAX);
}

void
facts_take(struct facts *f, uint32_t uid)
{
	f->uid = uid;
	source_take(&f->source, uid);
	if (f->has_tree)
		mime_tree_free(&f->tree);
	f->has_tree = f->parsed = f->has_header = false;
	buf_clear(&f->header);
}

void
facts_end(struct facts *f)
{
	facts_take(f, 0);
	source_end(&f->source);
	buf_free(&f->header);
	buf_free(&f->text);
	buf_free(&f->column);
	buf_free(&f->part);
}

static bool
column_get(struct facts *f, enum mail_column which, struct bytes *out)
{
	return mailbox_column(f->box, f->uid, which, out) == 1;
}

/* ---- reading ---- */

/*
 * Length of the header in the bytes at hand, when its end is in them: an empty
 * line, or the end of the message.
 */
static bool
header_ends(const struct facts *f, struct bytes b, size_t *length)
{
	bool complete;

	*length = header_length(b, &complete);
	return complete || b.n == f->source.msg.size;
}

/* A header that is longer than the first read: collected in pieces. */
static int
read_long_header(struct facts *f)
{
	struct bytes piece;
	size_t length;

	for (;;) {
		if (source_at(&f->source, f->header.len, HEADER_MAX - f->header.len,
		    &piece) == -1 || buf_bytes(&f->header, piece) == -1)
			return -1;
		if (piece.n == 0 || f->header.len == HEADER_MAX)
			return 0;
		if (header_ends(f, buf_contents(&f->header), &length)) {
			f->header.len = length;
			return 0;
		}
	}
}

int
facts_header(struct facts *f, struct bytes *out)
{
	struct bytes begin;
	size_t length;

	if (!f->has_header) {
		if (source_begin(&f->source, SOURCE_FIRST, &begin) == -1)
			return -1;
		if (header_ends(f, begin, &length))
			buf_add(&f->header, begin.p, length);
		else if (read_long_header(f) == -1)
			return -1;
		if (f->header.error != 0) {
			errno = f->header.error;
			return -1;
		}
		f->has_header = true;
	}
	*out = buf_contents(&f->header);
	return 0;
}

static int
push_all(struct facts *f, struct mime_parser *parser)
{
	struct bytes piece;
	uint64_t at = 0;

	do {
		if (source_at(&f->source, at, SOURCE_WINDOW, &piece) == -1 ||
		    mime_push(parser, piece) == -1)
			return -1;
		at += piece.n;
	} while (piece.n > 0);
	return 0;
}

/* Parses the message, with the fields that IMAP's texts need. */
static int
parse(struct facts *f)
{
	struct mime_parser *parser;

	if (source_open(&f->source) == -1)
		return -1;
	parser = mime_begin();
	if (parser == NULL)
		return -1;
	if (push_all(f, parser) == -1) {
		mime_abort(parser);
		return -1;
	}
	if (f->has_tree)
		mime_tree_free(&f->tree);
	f->has_tree = f->parsed = false;
	if (mime_end(parser, &f->tree) == -1)
		return -1;
	f->has_tree = f->parsed = true;
	buf_clear(&f->column);
	if (mime_write(&f->tree, &f->column) == 0)
		mailbox_column_put(f->box, f->uid, COLUMN_PARTS, buf_contents(&f->column));
	return 0;
}

int
facts_tree(struct facts *f, const struct mime_tree **out)
{
	struct bytes column;

	*out = &f->tree;
	if (f->has_tree)
		return 0;
	if (source_open(&f->source) == -1)
		return -1;
	if (column_get(f, COLUMN_PARTS, &column) &&
	    mime_read(column, f->source.msg.size, &f->tree) == 0) {
		f->has_tree = true;
		return 0;
	}
	return parse(f);
}

int
facts_size(struct facts *f, const struct mail_row *row, uint64_t *size)
{
	struct crlf state = { 0 };
	struct bytes all;

	if (source_open(&f->source) == -1)
		return -1;
	if (f->source.msg.size > SOURCE_WINDOW)
		return mailbox_row_size(f->box, row->uid, size);
	if (source_begin(&f->source, (size_t)f->source.msg.size, &all) == -1)
		return -1;
	*size = crlf_size(&state, all);
	mailbox_row_size_put(f->box, row, *size);
	return 0;
}

/* ---- IMAP's texts ---- */

static bool
get_text(struct facts *f, enum mail_column which, struct bytes *out)
{
	if (!column_get(f, which, out) || out->n < 1 || out->p[0] != TEXT_VERSION)
		return false;
	*out = bytes_from(*out, 1);
	return textcheck_list(*out);
}

static void
keep_text(struct facts *f, enum mail_column which, struct bytes *out)
{
	mailbox_column_put(f->box, f->uid, which, buf_contents(&f->text));
	*out = bytes_from(buf_contents(&f->text), 1);
}

int
facts_envelope(struct facts *f, struct bytes *out)
{
	struct bytes header;

	if (get_text(f, COLUMN_ENVELOPE, out))
		return 0;
	if (facts_header(f, &header) == -1)
		return -1;
	buf_clear(&f->text);
	buf_byte(&f->text, TEXT_VERSION);
	if (imaptext_envelope(header, 0, &f->text) == -1)
		return -1;
	keep_text(f, COLUMN_ENVELOPE, out);
	return 0;
}

/* What is not right in every mode is not kept: a column answers all of them. */
static int
structure(struct facts *f, enum mail_column which, struct bytes *out,
    int (*make)(const struct mime_tree *t, unsigned flags, struct buf *out))
{
	bool depends;

	if (get_text(f, which, out))
		return 0;
	if (!f->parsed && parse(f) == -1)
		return -1;
	depends = imaptext_depends(&f->tree);
	buf_clear(&f->text);
	buf_byte(&f->text, TEXT_VERSION);
	if (make(&f->tree, depends && f->rev2 ?
	    IMAPTEXT_UTF8 | IMAPTEXT_REV2 : 0, &f->text) == -1)
		return -1;
	if (depends)
		*out = bytes_from(buf_contents(&f->text), 1);
	else
		keep_text(f, which, out);
	return 0;
}

int
facts_body(struct facts *f, struct bytes *out)
{
	return structure(f, COLUMN_BODY, out, imaptext_body);
}

int
facts_bodystructure(struct facts *f, struct bytes *out)
{
	return structure(f, COLUMN_BODYSTRUCTURE, out, imaptext_bodystructure);
}

/* ---- sort keys ---- */

static void
keep_texts(struct facts *f, const struct sorttexts *texts, bool sorted, enum mail_column which)
{
	buf_clear(&f->part);
	if (sorttexts_part(texts, sorted, &f->part) == 0)
		mailbox_column_put(f->box, f->uid, which, buf_contents(&f->part));
}

/* All three columns from the header. */
static int
make_sort(struct facts *f)
{
	struct sorttexts texts;
	struct bytes header;

	if (facts_header(f, &header) == -1)
		return -1;
	buf_clear(&f->text);
	buf_clear(&f->column);
	if (sortkey_make(header, &f->column, &f->text) == -1)
		return -1;
	mailbox_column_put(f->box, f->uid, COLUMN_SORT, buf_contents(&f->column));
	if (sorttexts_read(buf_contents(&f->text), &texts) == 0) {
		keep_texts(f, &texts, false, COLUMN_TEXTS);
		keep_texts(f, &texts, true, COLUMN_ORDERS);
	}
	return 0;
}

int
facts_sortkey(struct facts *f, struct sortkey *out)
{
	struct bytes column;

	if (column_get(f, COLUMN_SORT, &column) && sortkey_read(column, out) == 0)
		return 0;
	if (make_sort(f) == -1)
		return -1;
	return sortkey_read(buf_contents(&f->column), out);
}

static int
get_texts(struct facts *f, enum mail_column which, struct sorttexts *out)
{
	struct bytes column;

	if (column_get(f, which, &column) && sorttexts_read(column, out) == 0)
		return 0;
	if (make_sort(f) == -1)
		return -1;
	return sorttexts_read(buf_contents(&f->text), out);
}

int
facts_texts(struct facts *f, struct sorttexts *out)
{
	return get_texts(f, COLUMN_TEXTS, out);
}

int
facts_orders(struct facts *f, struct sorttexts *out)
{
	return get_texts(f, COLUMN_ORDERS, out);
}

/* ---- PREVIEW ---- */

static int
push_preview(struct facts *f, const struct mime_part *part, struct preview *v)
{
	uint64_t at = part->body, end = part->end;
	struct bytes piece;

	if (end - at > PREVIEW_READ_MAX)
		end = at + PREVIEW_READ_MAX;
	while (at < end && !v->done) {
		if (source_at(&f->source, at, end - at, &piece) == -1)
			return -1;
		if (piece.n == 0)
			break;
		if (preview_push(v, piece) == -1)
			return -1;
		at += piece.n;
	}
	return 0;
}

static int
make_preview(struct facts *f)
{
	const struct mime_tree *tree;
	const struct mime_part *part;
	struct preview v;
	struct bytes text = { 0 };
	int r = 0;

	if (facts_tree(f, &tree) == -1)
		return -1;
	part = preview_part(tree);
	buf_clear(&f->text);
	buf_byte(&f->text, TEXT_VERSION);
	if (part == NULL)
		return 0;
	preview_begin(&v, part);
	if (push_preview(f, part, &v) == -1 || preview_end(&v, &text) == -1 ||
	    buf_bytes(&f->text, text) == -1)
		r = -1;
	preview_free(&v);
	return r;
}

int
facts_preview(struct facts *f, bool lazy, struct bytes *out)
{
	if (column_get(f, COLUMN_PREVIEW, out) && out->n > 0 &&
	    out->p[0] == TEXT_VERSION && out->n <= 1 + PREVIEW_BYTES_MAX) {
		*out = bytes_from(*out, 1);
		if (utf8_valid(*out))
			return 0;
	}
	if (lazy)
		return 1;
	if (make_preview(f) == -1)
		return -1;
	mailbox_column_put(f->box, f->uid, COLUMN_PREVIEW, buf_contents(&f->text));
	*out = bytes_from(buf_contents(&f->text), 1);
	return 0;
}
