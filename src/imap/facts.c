/*
 * What is known of a message: columns, and the reading that fills them.
 *
 * Columns with IMAP text begin with a version. BODYSTRUCTURE holds both
 * forms: version, length of BODY (4 octets, little-endian), BODY, BODYSTRUCTURE.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "facts.h"
#include "imaptext.h"
#include "text.h"
#include "textcheck.h"

#define TEXT_VERSION 1
#define STRUCTURE_HEAD 5	/* version and length of BODY */

void
facts_begin(struct facts *f, struct mailbox *b)
{
	*f = (struct facts){ .box = b, .source = SOURCE_INIT(b) };
	f->header = BUF_INIT(HEADER_MAX);
	f->text = BUF_INIT(IMAPTEXT_MAX);
	f->column = BUF_INIT(2 * IMAPTEXT_MAX);
}

void
facts_take(struct facts *f, uint32_t uid)
{
	f->uid = uid;
	source_take(&f->source, uid);
	if (f->has_tree)
		mime_tree_free(&f->tree);
	f->has_tree = f->has_header = false;
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
	f->has_tree = false;
	if (mime_end(parser, &f->tree) == -1)
		return -1;
	f->has_tree = true;
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

/* ---- ENVELOPE ---- */

int
facts_envelope(struct facts *f, struct bytes *out)
{
	struct bytes header;

	if (column_get(f, COLUMN_ENVELOPE, out) && out->n > 1 &&
	    out->p[0] == TEXT_VERSION) {
		*out = bytes_from(*out, 1);
		if (textcheck_list(*out))
			return 0;
	}
	if (facts_header(f, &header) == -1)
		return -1;
	buf_clear(&f->text);
	buf_byte(&f->text, TEXT_VERSION);
	if (imaptext_envelope(header, 0, &f->text) == -1)
		return -1;
	mailbox_column_put(f->box, f->uid, COLUMN_ENVELOPE, buf_contents(&f->text));
	*out = bytes_from(buf_contents(&f->text), 1);
	return 0;
}

/* ---- BODY and BODYSTRUCTURE ---- */

/* Takes the column apart; false when it is none. */
static bool
split_structure(struct bytes column, struct bytes *body, struct bytes *structure)
{
	size_t n;

	if (column.n < STRUCTURE_HEAD || column.p[0] != TEXT_VERSION)
		return false;
	n = column.p[1] | (size_t)column.p[2] << 8 | (size_t)column.p[3] << 16 |
	    (size_t)column.p[4] << 24;
	column = bytes_from(column, STRUCTURE_HEAD);
	if (n > column.n)
		return false;
	*body = bytes_first(column, n);
	*structure = bytes_from(column, n);
	return true;
}

static int
make_structure(struct facts *f)
{
	size_t n;

	if (parse(f) == -1)
		return -1;
	buf_clear(&f->text);
	buf_add(&f->text, "\1\0\0\0\0", STRUCTURE_HEAD);
	if (imaptext_body(&f->tree, 0, &f->text) == -1)
		return -1;
	n = f->text.len - STRUCTURE_HEAD;
	f->text.data[1] = (unsigned char)(n & 0xff);
	f->text.data[2] = (unsigned char)(n >> 8 & 0xff);
	f->text.data[3] = (unsigned char)(n >> 16 & 0xff);
	f->text.data[4] = (unsigned char)(n >> 24 & 0xff);
	if (imaptext_bodystructure(&f->tree, 0, &f->text) == -1)
		return -1;
	mailbox_column_put(f->box, f->uid, COLUMN_BODYSTRUCTURE, buf_contents(&f->text));
	return 0;
}

static int
structure(struct facts *f, bool extended, struct bytes *out)
{
	struct bytes column, both[2];

	if (column_get(f, COLUMN_BODYSTRUCTURE, &column) &&
	    split_structure(column, &both[0], &both[1]) &&
	    textcheck_list(both[extended])) {
		*out = both[extended];
		return 0;
	}
	if (make_structure(f) == -1 ||
	    !split_structure(buf_contents(&f->text), &both[0], &both[1]))
		return -1;
	*out = both[extended];
	return 0;
}

int
facts_body(struct facts *f, struct bytes *out)
{
	return structure(f, false, out);
}

int
facts_bodystructure(struct facts *f, struct bytes *out)
{
	return structure(f, true, out);
}

/* ---- sort keys ---- */

int
facts_sortkey(struct facts *f, struct sortkey *out)
{
	struct bytes column, header;

	if (column_get(f, COLUMN_SORT, &column) && sortkey_read(column, out) == 0)
		return 0;
	if (facts_header(f, &header) == -1)
		return -1;
	buf_clear(&f->column);
	if (sortkey_make(header, &f->column) == -1 ||
	    sortkey_read(buf_contents(&f->column), out) == -1)
		return -1;
	mailbox_column_put(f->box, f->uid, COLUMN_SORT, buf_contents(&f->column));
	return 0;
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
