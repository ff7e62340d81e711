/*
 * Finding sections of a message (RFC 9051 section 6.4.5.1).
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "section.h"
#include "section_walk.h"

static void
range(struct section *s, uint64_t begin, uint64_t end, uint64_t octets)
{
	s->begin = begin;
	s->end = end;
	s->octets = octets;
}

static int
memory(struct section *s, struct buf *text)
{
	if (text->error != 0) {
		errno = text->error;
		return -1;
	}
	s->memory = true;
	s->text = buf_contents(text);
	s->octets = text->len;
	return 0;
}

static int
add_crlf(struct buf *out, struct crlf *state, struct bytes b)
{
	unsigned char *room = buf_room(out, 2 * b.n + 1);

	if (room == NULL)
		return -1;
	out->len += crlf_convert(state, b, room);
	return 0;
}

/* ---- header fields ---- */

static bool
is_named(const struct fetch_item *item, struct bytes name)
{
	size_t i;

	for (i = 0; i < item->n_fields; i++)
		if (bytes_case_equal(item->fields[i], name))
			return true;
	return false;
}

/* The block's fields that the item wants, and its empty line. */
static int
subset(const struct fetch_item *item, struct bytes block, struct buf *scratch,
    struct section *s)
{
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field field;
	struct crlf state = { 0 };
	size_t end = 0;

	while (header_next(&c, &field)) {
		end = field.offset + field.whole.n;
		if (is_named(item, field.name) == (item->text == SECTION_FIELDS))
			add_crlf(scratch, &state, field.whole);
	}
	add_crlf(scratch, &state, bytes_from(block, end));
	return memory(s, scratch);
}

/* Bytes of a range as stored, as many as a header may have. */
static int
read_range(struct facts *f, uint64_t begin, uint64_t end, struct buf *out)
{
	struct bytes piece;

	if (end - begin > HEADER_MAX)
		end = begin + HEADER_MAX;
	while (begin < end) {
		if (source_at(&f->source, begin, end - begin, &piece) == -1 ||
		    buf_bytes(out, piece) == -1)
			return -1;
		if (piece.n == 0)
			break;
		begin += piece.n;
	}
	return 0;
}

static int
fields_of_part(struct facts *f, const struct fetch_item *item,
    const struct mime_part *m, struct buf *scratch, struct section *s)
{
	struct buf block = BUF_INIT(HEADER_MAX);
	int r = read_range(f, m->header, m->body, &block);

	if (r == 0)
		r = subset(item, buf_contents(&block), scratch, s);
	buf_free(&block);
	return r;
}

/* ---- the message's own header and text, without its structure ---- */

static int
find_fields(struct facts *f, const struct fetch_item *item, struct buf *scratch,
    struct section *s)
{
	struct bytes block;
	bool cached = item->text == SECTION_FIELDS &&
	    facts_keeps(item->fields, item->n_fields);

	if ((cached ? facts_fields(f, &block) : facts_header(f, &block)) == -1)
		return -1;
	return subset(item, block, scratch, s);
}

/* HEADER and TEXT of a message whose header is longer than is held in memory. */
static int
find_long(struct facts *f, bool text, struct section *s)
{
	const struct mime_tree *tree;

	if (facts_tree(f, &tree) == -1)
		return -1;
	if (text)
		range(s, tree->v[0].body, tree->v[0].end, tree->v[0].body_octets);
	else
		range(s, 0, tree->v[0].body, tree->v[0].header_octets);
	return 0;
}

static int
find_top(struct facts *f, const struct fetch_item *item, uint64_t size,
    struct buf *scratch, struct section *s)
{
	struct bytes header;
	struct crlf state = { 0 };

	if (item->text == SECTION_ALL) {
		if (source_open(&f->source) == -1)
			return -1;
		range(s, 0, f->source.msg.size, size);
		return 0;
	}
	if (item->text == SECTION_FIELDS || item->text == SECTION_FIELDS_NOT)
		return find_fields(f, item, scratch, s);
	if (facts_header(f, &header) == -1)
		return -1;
	if (header.n == HEADER_MAX)
		return find_long(f, item->text == SECTION_TEXT, s);
	if (item->text == SECTION_TEXT) {
		uint64_t octets = crlf_size(&state, header);

		range(s, header.n, f->source.msg.size, size > octets ? size - octets : 0);
		return 0;
	}
	add_crlf(scratch, &state, header);
	return memory(s, scratch);
}

/* ---- parts ---- */

static int
find_in_part(struct facts *f, const struct fetch_item *item,
    const struct mime_part *m, struct buf *scratch, struct section *s)
{
	switch (item->text) {
	case SECTION_ALL:
	case SECTION_TEXT:
		range(s, m->body, m->end, m->body_octets);
		return 0;
	case SECTION_HEADER:
	case SECTION_MIME:
		range(s, m->header, m->body, m->header_octets);
		return 0;
	case SECTION_FIELDS:
	case SECTION_FIELDS_NOT:
		break;
	}
	return fields_of_part(f, item, m, scratch, s);
}

static int
find_part(struct facts *f, const struct fetch_item *item, struct buf *scratch,
    struct section *s)
{
	const struct mime_tree *tree;
	const struct mime_part *part;

	if (facts_tree(f, &tree) == -1)
		return -1;
	part = mime_section(tree, item->part, item->depth);
	if (part != NULL && item->text != SECTION_ALL && item->text != SECTION_MIME)
		part = mime_message(tree, part);
	if (part == NULL) {
		s->nil = true;
		return 0;
	}
	return find_in_part(f, item, part, scratch, s);
}

/* ---- BINARY ---- */

/* Text whose line ends are more than two octets (RFC 2781): they are not ours to mend. */
static bool
wide(const struct mime_part *part)
{
	static const char *const charsets[] = { "utf-16", "utf-32", "ucs-2", "ucs-4",
	    "iso-10646-ucs-" };
	struct bytes name = bytes_make(part->charset, part->charset_n);

	for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
		if (name.n >= strlen(charsets[i]) && bytes_case_equal(
		    bytes_first(name, strlen(charsets[i])), bytes_of(charsets[i])))
			return true;
	return false;
}

/* What encoding a part's octets have; ENOTSUP when nobody knows. */
static int
find_encoding(const struct mime_part *part, struct section *s)
{
	s->lines = true;
	if (part == NULL || part->kind == MIME_MULTIPART || part->kind == MIME_MESSAGE)
		return 0;	/* these have none (RFC 2045 section 6.4) */
	s->encoding = part->encoding;
	if (s->encoding == ENCODING_UNKNOWN) {
		errno = ENOTSUP;
		return -1;
	}
	/* What base64 hides has its own line ends, but text is sent with CRLF. */
	if (s->encoding == ENCODING_BASE64)
		s->lines = part->kind == MIME_TEXT && !wide(part);
	return 0;
}

static int
find_binary(struct facts *f, const struct fetch_item *item, uint64_t size,
    struct section *s)
{
	const struct mime_tree *tree;
	const struct mime_part *part = NULL;

	s->binary = true;
	if (source_open(&f->source) == -1)
		return -1;
	range(s, 0, f->source.msg.size, size);
	if (item->depth > 0) {
		if (facts_tree(f, &tree) == -1)
			return -1;
		part = mime_section(tree, item->part, item->depth);
		if (part == NULL) {
			s->nil = true;
			return 0;
		}
		range(s, part->body, part->end, 0);
	}
	return find_encoding(part, s);
}

int
section_find(struct facts *f, const struct fetch_item *item, uint64_t size,
    struct buf *scratch, struct section_mark *mark, struct section *out)
{
	*out = (struct section){ 0 };
	buf_clear(scratch);
	if (item->kind != FETCH_SECTION) {
		if (find_binary(f, item, size, out) == -1)
			return -1;
		return out->nil ? 0 : section_measure(f, out, mark);
	}
	if (item->depth > 0)
		return find_part(f, item, scratch, out);
	return find_top(f, item, size, scratch, out);
}
