/*
 * Reading FETCH's items and modifiers (RFC 9051 section 6.4.5 and 9, RFC 3516,
 * RFC 7162, RFC 8970, RFC 9394).
 * Runs as: the person who builds.
 */
#include "../../src/imap/fetch_program.h"
#include "../../src/imap/limits.h"
#include "buf.h"
#include "test.h"

static struct arena arena = { .max = 32 << 20 };

static struct lex
reader(const char *text)
{
	arena_reset(&arena);
	return (struct lex){ .rest = bytes_of(text), .arena = &arena };
}

/* Labels of all items, or the error in parentheses. */
static const char *
items(const char *text)
{
	static struct buf out = { .max = 1 << 20 };
	struct lex x = reader(text);
	struct fetch_program p;

	buf_clear(&out);
	if (fetch_parse(&x, &p) == -1 || lex_end(&x) == -1) {
		buf_printf(&out, "(%s)", x.why == E2BIG ? "limit" : "bad");
		return buf_string(&out);
	}
	for (size_t i = 0; i < p.n; i++) {
		if (i > 0)
			buf_byte(&out, ' ');
		buf_bytes(&out, p.item[i].label);
		if (!p.item[i].peek)
			buf_byte(&out, '!');
	}
	return buf_string(&out);
}

static void
single_items(void)
{
	CHECK_EQ_TEXT(items("flags"), "FLAGS");
	CHECK_EQ_TEXT(items("RFC822.SIZE"), "RFC822.SIZE");
	CHECK_EQ_TEXT(items("(UID)"), "UID");
	CHECK_EQ_TEXT(items("(UID body bodystructure)"), "UID BODY BODYSTRUCTURE");
	CHECK_EQ_TEXT(items("(RFC822 RFC822.HEADER rfc822.text)"),
	    "RFC822! RFC822.HEADER RFC822.TEXT!");
	CHECK_EQ_TEXT(items("(MODSEQ SAVEDATE)"), "MODSEQ SAVEDATE");
}

/* A macro stands alone. */
static void
macros(void)
{
	CHECK_EQ_TEXT(items("FAST"), "FLAGS INTERNALDATE RFC822.SIZE");
	CHECK_EQ_TEXT(items("all"), "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE");
	CHECK_EQ_TEXT(items("FULL"), "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY");
	CHECK_EQ_TEXT(items("(ALL)"), "(bad)");
	CHECK_EQ_TEXT(items("(FLAGS FAST)"), "(bad)");
}

static void
sections(void)
{
	CHECK_EQ_TEXT(items("BODY[]"), "BODY[]!");
	CHECK_EQ_TEXT(items("body.peek[text]"), "BODY[TEXT]");
	CHECK_EQ_TEXT(items("BODY.PEEK[1.2.MIME]"), "BODY[1.2.MIME]");
	CHECK_EQ_TEXT(items("BODY[4.2.2.1]"), "BODY[4.2.2.1]!");
	CHECK_EQ_TEXT(items("BODY.PEEK[3.header]"), "BODY[3.HEADER]");
	CHECK_EQ_TEXT(items("(BODY.PEEK[HEADER.FIELDS (date \"From\" X-A)] UID)"),
	    "BODY[HEADER.FIELDS (date From X-A)] UID");
	CHECK_EQ_TEXT(items("BODY.PEEK[2.HEADER.FIELDS.NOT (\"a b\" \"q\\\"\")]"),
	    "BODY[2.HEADER.FIELDS.NOT (\"a b\" \"q\\\"\")]");
	CHECK_EQ_TEXT(items("BINARY[1.1]"), "BINARY[1.1]!");
	CHECK_EQ_TEXT(items("(BINARY.SIZE[2] BINARY.PEEK[])"), "BINARY.SIZE[2] BINARY[]");
}

static void
wrong_sections(void)
{
	static const char *const wrong[] = {
		"BODY[", "BODY[1", "BODY[1.]", "BODY[.1]", "BODY[0]", "BODY[1.0]",
		"BODY[MIME]", "BODY[HEADER.FIELDS]", "BODY[HEADER.FIELDS ()]",
		"BODY[HEADER.FIELDS (a]", "BODY[HEADERS]", "BODY[TEXT.1]", "BODY[1TEXT]",
		"BODY[4294967296]", "BINARY[TEXT]", "BINARY[1.HEADER]", "BINARY.SIZE[1]<0.1>",
		"BODY.PEEK", "BODYSTRUCTUR", "BODY []", "", "()", "(FLAGS", "(FLAGS  UID)",
		"FLAGS UID", "BODY[HEADER.FIELDS (\"\x80\")]", "BODY[HEADER.FIELDS (\"a\tb\")]",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!CHECK_EQ_TEXT(items(wrong[i]), "(bad)"))
			printf("#   %s\n", wrong[i]);
}

static void
partials(void)
{
	struct lex x = reader("BODY[]<9223372036854775807.9223372036854775807>");
	struct fetch_program p;

	CHECK_EQ_TEXT(items("BODY.PEEK[]<0.2048>"), "BODY[]<0>");
	CHECK_EQ_TEXT(items("BINARY.PEEK[1]<7.1>"), "BINARY[1]<7>");
	CHECK_EQ_TEXT(items("BODY[]<0.0>"), "(bad)");
	CHECK_EQ_TEXT(items("BODY[]<0>"), "(bad)");
	CHECK_EQ_TEXT(items("BODY[]<-1.1>"), "(bad)");
	CHECK_EQ_TEXT(items("BODY[]<9223372036854775808.1>"), "(bad)");
	CHECK_EQ_TEXT(items("BODY[]<99999999999999999999999.1>"), "(bad)");
	CHECK(fetch_parse(&x, &p) == 0);
	CHECK(p.item[0].first == INT64_MAX && p.item[0].count == INT64_MAX);
}

static void
previews(void)
{
	struct lex x = reader("(PREVIEW (LAZY) UID)");
	struct fetch_program p;

	CHECK(fetch_parse(&x, &p) == 0 && p.n == 2 && p.item[0].lazy);
	CHECK_EQ_TEXT(items("PREVIEW (LAZY LAZY)"), "PREVIEW");
	CHECK_EQ_TEXT(items("(PREVIEW UID)"), "PREVIEW UID");
	CHECK_EQ_TEXT(items("PREVIEW (FUZZY)"), "(bad)");
	CHECK_EQ_TEXT(items("PREVIEW ()"), "(bad)");
}

/* Each limit one past its edge. */
static void
limits(void)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_text(&b, "(UID");
	for (int i = 1; i < FETCH_ITEMS_MAX; i++)
		buf_text(&b, " UID");
	buf_text(&b, ")");
	CHECK(items(buf_string(&b))[0] == 'U');
	b.len--;
	buf_text(&b, " UID)");
	CHECK_EQ_TEXT(items(buf_string(&b)), "(limit)");

	buf_clear(&b);
	buf_text(&b, "BODY[1");
	for (int i = 1; i < SECTION_DEPTH_MAX; i++)
		buf_text(&b, ".1");
	buf_text(&b, "]");
	CHECK(items(buf_string(&b))[0] == 'B');
	b.len--;
	buf_text(&b, ".1]");
	CHECK_EQ_TEXT(items(buf_string(&b)), "(limit)");

	buf_clear(&b);
	buf_text(&b, "BODY[HEADER.FIELDS (a");
	for (int i = 1; i < HEADER_FIELDS_MAX; i++)
		buf_text(&b, " a");
	buf_text(&b, ")]");
	CHECK(items(buf_string(&b))[0] == 'B');
	b.len -= 2;
	buf_text(&b, " a)]");
	CHECK_EQ_TEXT(items(buf_string(&b)), "(limit)");
	buf_free(&b);
}

static int
modifiers(const char *text, struct fetch_modifiers *m)
{
	struct lex x = reader(text);

	return fetch_parse_modifiers(&x, m);
}

static void
modifier_lists(void)
{
	struct fetch_modifiers m;

	CHECK(modifiers("", &m) == 0 && !m.changedsince && !m.partial && !m.vanished);
	CHECK(modifiers(" (CHANGEDSINCE 12345 VANISHED)", &m) == 0 && m.modseq == 12345 && m.vanished);
	CHECK(modifiers(" (partial -3:-1 changedsince 7)", &m) == 0 && m.range.from_end &&
	    m.range.first == 1 && m.range.last == 3 && m.modseq == 7);
	CHECK(modifiers(" (PARTIAL 500:400)", &m) == 0 && m.range.first == 400 && m.range.last == 500);
	CHECK(modifiers(" ()", &m) == -1);
	CHECK(modifiers(" (PARTIAL 1:-2)", &m) == -1);
	CHECK(modifiers(" (PARTIAL 1:*)", &m) == -1);
	CHECK(modifiers(" (PARTIAL 0:1)", &m) == -1);
	CHECK(modifiers(" (CHANGEDSINCE 1 CHANGEDSINCE 2)", &m) == -1);
	CHECK(modifiers(" (CHANGEDSINCE 9223372036854775808)", &m) == -1);
	CHECK(modifiers(" (VANISHED) x", &m) == -1);
}

static void
partial_ranges(void)
{
	struct partial_range head = { false, 2, 4 }, tail = { true, 1, 3 };
	uint64_t first, last;

	CHECK(partial_range_cut(&head, 10, &first, &last) && first == 2 && last == 4);
	CHECK(partial_range_cut(&head, 3, &first, &last) && first == 2 && last == 3);
	CHECK(!partial_range_cut(&head, 1, &first, &last));
	CHECK(partial_range_cut(&tail, 10, &first, &last) && first == 8 && last == 10);
	CHECK(partial_range_cut(&tail, 2, &first, &last) && first == 1 && last == 2);
	CHECK(!partial_range_cut(&tail, 0, &first, &last));
}

TEST_MAIN(TEST(single_items), TEST(macros), TEST(sections), TEST(wrong_sections),
    TEST(partials), TEST(previews), TEST(limits), TEST(modifier_lists),
    TEST(partial_ranges))
