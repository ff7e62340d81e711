/*
 * Reading FETCH's items and modifiers.
 *
 * Runs as: the mailbox owner (imap).
 */
#include "buf.h"
#include "fetch_program.h"
#include "limits.h"

/* Labels are short but for field names, which stand in the command. */
#define LABEL_MAX LEX_COMMAND_MAX

struct word {
	const char *name;
	enum fetch_kind kind;
	bool peek;
	enum section_text text;
};

static const struct word words[] = {
	{ "UID",		FETCH_UID,		true, 0 },
	{ "FLAGS",		FETCH_FLAGS,		true, 0 },
	{ "INTERNALDATE",	FETCH_INTERNALDATE,	true, 0 },
	{ "RFC822.SIZE",	FETCH_SIZE,		true, 0 },
	{ "ENVELOPE",		FETCH_ENVELOPE,		true, 0 },
	{ "BODYSTRUCTURE",	FETCH_BODYSTRUCTURE,	true, 0 },
	{ "BODY",		FETCH_BODY,		true, 0 },
	{ "MODSEQ",		FETCH_MODSEQ,		true, 0 },
	{ "SAVEDATE",		FETCH_SAVEDATE,		true, 0 },
	{ "PREVIEW",		FETCH_PREVIEW,		true, 0 },
	{ "EMAILID",		FETCH_EMAILID,		true, 0 },
	{ "THREADID",		FETCH_THREADID,		true, 0 },
	{ "RFC822",		FETCH_SECTION,		false, SECTION_ALL },
	{ "RFC822.HEADER",	FETCH_SECTION,		true, SECTION_HEADER },
	{ "RFC822.TEXT",	FETCH_SECTION,		false, SECTION_TEXT },
};

/* These are followed by a section. */
static const struct word sections[] = {
	{ "BODY[",		FETCH_SECTION,		false, 0 },
	{ "BODY.PEEK[",		FETCH_SECTION,		true, 0 },
	{ "BINARY[",		FETCH_BINARY,		false, 0 },
	{ "BINARY.PEEK[",	FETCH_BINARY,		true, 0 },
	{ "BINARY.SIZE[",	FETCH_BINARY_SIZE,	true, 0 },
};

/* Longer ones first: a name may be the beginning of another. */
static const struct {
	const char *name;
	enum section_text text;
} texts[] = {
	{ "HEADER.FIELDS.NOT",	SECTION_FIELDS_NOT },
	{ "HEADER.FIELDS",	SECTION_FIELDS },
	{ "HEADER",		SECTION_HEADER },
	{ "TEXT",		SECTION_TEXT },
	{ "MIME",		SECTION_MIME },
};

static const struct {
	const char *name;
	unsigned kinds;
} macros[] = {
	{ "ALL",  1u << FETCH_FLAGS | 1u << FETCH_INTERNALDATE | 1u << FETCH_SIZE |
	    1u << FETCH_ENVELOPE },
	{ "FAST", 1u << FETCH_FLAGS | 1u << FETCH_INTERNALDATE | 1u << FETCH_SIZE },
	{ "FULL", 1u << FETCH_FLAGS | 1u << FETCH_INTERNALDATE | 1u << FETCH_SIZE |
	    1u << FETCH_ENVELOPE | 1u << FETCH_BODY },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- sections ---- */

/* nz-number *("." nz-number), and the point in front of a section-text. */
static int
parse_part(struct lex *x, struct fetch_item *item)
{
	uint32_t *part = arena_array(x->arena, SECTION_DEPTH_MAX, sizeof(*part));
	uint64_t v;

	if (part == NULL)
		return lex_fail(x, errno, "Command too large");
	item->part = part;
	for (;;) {
		if (item->depth == SECTION_DEPTH_MAX)
			return lex_fail(x, E2BIG, "Section has too many parts");
		if (lex_nz_number(x, UINT32_MAX, &v) == -1)
			return -1;
		part[item->depth++] = (uint32_t)v;
		if (lex_peek(x) != '.')
			return 0;
		x->rest = bytes_from(x->rest, 1);
		if (!ascii_digit((unsigned char)lex_peek(x)))
			return 0;
	}
}

/*
 * A field name may be any astring. What no field can be called would make the
 * response unreadable for some, and finds nothing.
 */
static bool
good_field_name(struct bytes name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] >= 0x7f)
			return false;
	return true;
}

static int
parse_fields(struct lex *x, struct fetch_item *item)
{
	struct bytes *fields = arena_array(x->arena, HEADER_FIELDS_MAX, sizeof(*fields));

	if (fields == NULL)
		return lex_fail(x, errno, "Command too large");
	item->fields = fields;
	if (lex_space(x) == -1 || lex_char(x, '(') == -1)
		return -1;
	for (;;) {
		if (item->n_fields == HEADER_FIELDS_MAX)
			return lex_fail(x, E2BIG, "Too many header fields");
		if (lex_astring(x, &fields[item->n_fields]) == -1)
			return -1;
		if (!good_field_name(fields[item->n_fields++]))
			return lex_fail(x, EINVAL, "No header field has such a name");
		if (lex_peek(x) != ' ')
			return lex_char(x, ')');
		x->rest = bytes_from(x->rest, 1);
	}
}

static int
parse_text(struct lex *x, struct fetch_item *item)
{
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		if (lex_prefix(x, texts[i].name))
			break;
	if (i == COUNT(texts))
		return lex_fail(x, EINVAL, "Unknown section");
	item->text = texts[i].text;
	if (item->text == SECTION_MIME && item->depth == 0)
		return lex_fail(x, EINVAL, "MIME needs a part number in front");
	if (item->text == SECTION_FIELDS || item->text == SECTION_FIELDS_NOT)
		return parse_fields(x, item);
	return 0;
}

/* "<" number64 "." nz-number64 ">"; sums with it cannot overflow. */
static int
parse_partial(struct lex *x, struct fetch_item *item)
{
	if (lex_peek(x) != '<')
		return 0;
	item->partial = true;
	if (lex_char(x, '<') == -1 || lex_number(x, INT64_MAX, &item->first) == -1 ||
	    lex_char(x, '.') == -1 || lex_nz_number(x, INT64_MAX, &item->count) == -1)
		return -1;
	return lex_char(x, '>');
}

static bool
ends_in_point(const struct lex *x, const unsigned char *begin)
{
	return x->rest.p > begin && x->rest.p[-1] == '.';
}

/* Behind "[": section-spec or section-part, "]", and partial. */
static int
parse_section(struct lex *x, struct fetch_item *item)
{
	const unsigned char *begin = x->rest.p;
	bool point;

	if (ascii_digit((unsigned char)lex_peek(x)) && parse_part(x, item) == -1)
		return -1;
	point = ends_in_point(x, begin) && item->depth > 0;
	if (point || (item->depth == 0 && lex_peek(x) != ']')) {
		if (item->kind != FETCH_SECTION)
			return lex_fail(x, EINVAL, "BINARY takes part numbers only");
		if (parse_text(x, item) == -1)
			return -1;
	}
	if (lex_char(x, ']') == -1)
		return -1;
	return item->kind == FETCH_BINARY_SIZE ? 0 : parse_partial(x, item);
}

/* ---- labels: how the response names a section ---- */

static void
label_field(struct buf *b, struct bytes name)
{
	size_t i;

	if (lex_is_atom(name)) {
		buf_bytes(b, name);
		return;
	}
	buf_byte(b, '"');
	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_byte(b, '\\');
		buf_byte(b, name.p[i]);
	}
	buf_byte(b, '"');
}

static void
label_section(struct buf *b, const struct fetch_item *item)
{
	size_t i;

	for (i = 0; i < item->depth; i++) {
		if (i > 0)
			buf_byte(b, '.');
		buf_number(b, item->part[i]);
	}
	if (item->text == SECTION_ALL)
		return;
	if (item->depth > 0)
		buf_byte(b, '.');
	for (i = 0; i < COUNT(texts); i++)
		if (texts[i].text == item->text)
			buf_text(b, texts[i].name);
	for (i = 0; i < item->n_fields; i++) {
		buf_text(b, i == 0 ? " (" : " ");
		label_field(b, item->fields[i]);
	}
	if (item->n_fields > 0)
		buf_byte(b, ')');
}

static int
make_label(struct lex *x, struct fetch_item *item)
{
	static const char *const names[FETCH_KIND_END] = {
		[FETCH_SECTION] = "BODY[", [FETCH_BINARY] = "BINARY[",
		[FETCH_BINARY_SIZE] = "BINARY.SIZE[",
	};
	struct buf b = BUF_INIT(LABEL_MAX);
	unsigned char *copy = NULL;

	buf_text(&b, names[item->kind]);
	label_section(&b, item);
	buf_byte(&b, ']');
	if (item->partial) {
		buf_byte(&b, '<');
		buf_number(&b, item->first);
		buf_byte(&b, '>');
	}
	if (b.error == 0)
		copy = arena_copy(x->arena, buf_contents(&b));
	item->label = bytes_make(copy, b.len);
	buf_free(&b);
	return copy != NULL ? 0 : lex_fail(x, E2BIG, "Command too large");
}

/* ---- items ---- */

/*
 * What stands behind PREVIEW and does not begin with a modifier of it is the next
 * item, or the modifiers of FETCH behind a single item.
 */
static int
parse_preview(struct lex *x, struct fetch_item *item)
{
	struct lex before = *x;

	if (lex_peek(x) != ' ')
		return 0;
	x->rest = bytes_from(x->rest, 1);
	if (!lex_word(x, "(LAZY")) {
		*x = before;
		return 0;
	}
	item->lazy = true;
	while (lex_peek(x) == ' ')
		if (lex_space(x) == -1 || !lex_word(x, "LAZY"))
			return lex_fail(x, EINVAL, "Unknown PREVIEW modifier");
	return lex_char(x, ')');
}

static struct fetch_item *
add_item(struct fetch_program *p, const struct word *w)
{
	struct fetch_item *item = &p->item[p->n++];

	item->kind = w->kind;
	item->peek = w->peek;
	item->text = w->text;
	item->label = bytes_of(w->name);
	p->kinds |= 1u << w->kind;
	p->sets_seen |= !w->peek;
	return item;
}

static int
parse_item(struct lex *x, struct fetch_program *p)
{
	struct fetch_item *item;
	size_t i;

	if (p->n == FETCH_ITEMS_MAX)
		return lex_fail(x, E2BIG, "Too many items");
	for (i = 0; i < COUNT(sections); i++)
		if (lex_prefix(x, sections[i].name)) {
			item = add_item(p, &sections[i]);
			return parse_section(x, item) == -1 ? -1 : make_label(x, item);
		}
	for (i = 0; i < COUNT(words); i++)
		if (lex_word(x, words[i].name)) {
			item = add_item(p, &words[i]);
			return item->kind == FETCH_PREVIEW ? parse_preview(x, item) : 0;
		}
	return lex_fail(x, EINVAL, "Unknown FETCH item");
}

static bool
parse_macro(struct lex *x, struct fetch_program *p)
{
	size_t i, k;

	for (i = 0; i < COUNT(macros); i++)
		if (lex_word(x, macros[i].name))
			break;
	if (i == COUNT(macros))
		return false;
	for (k = 0; k < COUNT(words); k++)
		if (words[k].kind != FETCH_SECTION && (macros[i].kinds & 1u << words[k].kind))
			add_item(p, &words[k]);
	return true;
}

int
fetch_parse(struct lex *x, struct fetch_program *out)
{
	*out = (struct fetch_program){ 0 };
	out->item = arena_array(x->arena, FETCH_ITEMS_MAX, sizeof(*out->item));
	if (out->item == NULL)
		return lex_fail(x, errno, "Command too large");
	if (parse_macro(x, out))
		return 0;
	if (lex_peek(x) != '(')
		return parse_item(x, out);
	x->rest = bytes_from(x->rest, 1);
	for (;;) {
		if (parse_item(x, out) == -1)
			return -1;
		if (lex_peek(x) != ' ')
			return lex_char(x, ')');
		x->rest = bytes_from(x->rest, 1);
	}
}

/* ---- modifiers ---- */

static int
parse_position(struct lex *x, bool *from_end, uint32_t *out)
{
	uint64_t v;

	*from_end = lex_peek(x) == '-';
	if (*from_end)
		x->rest = bytes_from(x->rest, 1);
	if (lex_nz_number(x, UINT32_MAX, &v) == -1)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

int
partial_range_parse(struct lex *x, struct partial_range *out)
{
	uint32_t a, b;
	bool other;

	if (parse_position(x, &out->from_end, &a) == -1 || lex_char(x, ':') == -1 ||
	    parse_position(x, &other, &b) == -1)
		return -1;
	if (other != out->from_end)
		return lex_fail(x, EINVAL, "Both ends of a range count from one side");
	out->first = a < b ? a : b;
	out->last = a < b ? b : a;
	return 0;
}

bool
partial_range_cut(const struct partial_range *r, uint64_t n, uint64_t *first,
    uint64_t *last)
{
	if (r->first > n)
		return false;
	*first = r->first;
	*last = r->last < n ? r->last : n;
	if (r->from_end) {
		uint64_t end = n + 1 - *first;

		*first = n + 1 - *last;
		*last = end;
	}
	return true;
}

static int
parse_modifier(struct lex *x, struct fetch_modifiers *out)
{
	if (!out->changedsince && lex_word(x, "CHANGEDSINCE")) {
		out->changedsince = true;
		return lex_space(x) == -1 ? -1 : lex_number(x, INT64_MAX, &out->modseq);
	}
	if (!out->vanished && lex_word(x, "VANISHED")) {
		out->vanished = true;
		return 0;
	}
	if (!out->partial && lex_word(x, "PARTIAL")) {
		out->partial = true;
		return lex_space(x) == -1 ? -1 : partial_range_parse(x, &out->range);
	}
	return lex_fail(x, EINVAL, "Unknown FETCH modifier");
}

int
fetch_parse_modifiers(struct lex *x, struct fetch_modifiers *out)
{
	*out = (struct fetch_modifiers){ 0 };
	if (x->rest.n == 0)
		return 0;
	if (lex_space(x) == -1 || lex_char(x, '(') == -1)
		return -1;
	for (;;) {
		if (parse_modifier(x, out) == -1)
			return -1;
		if (lex_peek(x) != ' ')
			break;
		x->rest = bytes_from(x->rest, 1);
	}
	return lex_char(x, ')') == -1 ? -1 : lex_end(x);
}
