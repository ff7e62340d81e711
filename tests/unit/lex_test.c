/*
 * The reader of IMAP commands: each production at and past its edges.
 * Runs as: the person who builds.
 */
#include "buf.h"
#include "imapdate.h"
#include "lex.h"
#include "mail.h"
#include "test.h"

static struct arena arena = ARENA_INIT((size_t)1 << 20);

static struct lex
lexer(const char *text, size_t n)
{
	return (struct lex){ .rest = bytes_make(text, n), .arena = &arena };
}

#define LEX(text) lexer(text, sizeof(text) - 1)

struct string_case {
	struct bytes in;
	const char *want;		/* NULL: refused */
	size_t left;			/* bytes that are not read */
};

#define CASE(in, want, left) { { (const unsigned char *)(in), sizeof(in) - 1 }, want, left }

static void
string_cases(const struct string_case *v, size_t n,
    int (*read)(struct lex *, struct bytes *))
{
	for (size_t i = 0; i < n; i++) {
		struct lex x = { .rest = v[i].in, .arena = &arena };
		struct bytes got;
		int r = read(&x, &got);

		CHECK_EQ_INT(r, v[i].want == NULL ? -1 : 0);
		if (r < 0) {
			CHECK(x.error != NULL && x.why != 0);
			CHECK_EQ_INT(x.rest.n, v[i].in.n);
			continue;
		}
		CHECK_EQ_BYTES(got, bytes_of(v[i].want));
		CHECK_EQ_INT(x.rest.n, v[i].left);
	}
	arena_reset(&arena);
}

#define CASES(read, ...) do { \
	static const struct string_case v[] = { __VA_ARGS__ }; \
	string_cases(v, sizeof v / sizeof v[0], read); \
} while (0)

static void
tags_and_atoms(void)
{
	CASES(lex_tag, CASE("a1 NOOP", "a1", 5), CASE("A]b", "A]b", 0),
	    CASE("+a", NULL, 0), CASE("a+b", "a", 2), CASE(" a", NULL, 0),
	    CASE("", NULL, 0), CASE("\xc3\xa4", NULL, 0), CASE("\"a\"", NULL, 0));
	CASES(lex_atom, CASE("INBOX.x-1&+ ", "INBOX.x-1&+", 1),
	    CASE("a]b", "a", 2), CASE("a(", "a", 1), CASE("a\\", "a", 1),
	    CASE("a\x7f", "a", 1), CASE("%", NULL, 0), CASE("\0x", NULL, 0));
}

static void
tag_length(void)
{
	char text[LEX_TAG_MAX + 1];
	struct bytes tag;

	memset(text, 'a', sizeof text);
	struct lex x = lexer(text, LEX_TAG_MAX);

	CHECK_EQ_INT(lex_tag(&x, &tag), 0);
	x = lexer(text, LEX_TAG_MAX + 1);
	CHECK_EQ_INT(lex_tag(&x, &tag), -1);
	CHECK_EQ_INT(x.why, E2BIG);
	CHECK_EQ_INT(tag.n, LEX_TAG_MAX);	/* untouched by the failure */
}

static void
strings(void)
{
	CASES(lex_string, CASE("\"\" x", "", 2), CASE("\"a b\"", "a b", 0),
	    CASE("\"a\\\"b\\\\\"", "a\"b\\", 0), CASE("\"a\\b\"", NULL, 0),
	    CASE("\"a", NULL, 0), CASE("\"a\\\"", NULL, 0),
	    CASE("\"a\rb\"", NULL, 0), CASE("\"a\0b\"", NULL, 0),
	    CASE("\"\xc3\xa4\"", "\xc3\xa4", 0), CASE("\"\xe4\"", NULL, 0),
	    CASE("atom", NULL, 0), CASE("", NULL, 0));
	CASES(lex_string, CASE("{3}\r\nabc", "abc", 0),
	    CASE("{3+}\r\nabcd", "abc", 1), CASE("{0}\r\n", "", 0),
	    CASE("{4}\r\na\r\nb x", "a\r\nb", 2), CASE("{3}\r\n\xe4xx", "\xe4xx", 0),
	    CASE("{4}\r\nabc", NULL, 0), CASE("{3}abc", NULL, 0),
	    CASE("{3}\nabc", NULL, 0), CASE("{}\r\n", NULL, 0),
	    CASE("{-1}\r\nabc", NULL, 0), CASE("{3", NULL, 0),
	    CASE("{3}x\r\nabc", NULL, 0), CASE("{3}\r\na\0c", NULL, 0),
	    CASE("~{3}\r\nabc", NULL, 0),
	    CASE("{99999999999999999999}\r\nabc", NULL, 0));
	CASES(lex_astring, CASE("a]b(", "a]b", 1), CASE("\"x\" y", "x", 2),
	    CASE("{1}\r\nx", "x", 0), CASE("NIL", "NIL", 0), CASE("(", NULL, 0));
	CASES(lex_list_mailbox, CASE("a/%*] x", "a/%*]", 2),
	    CASE("\"%\"", "%", 0), CASE("(", NULL, 0));
	CASES(lex_literal8, CASE("~{3}\r\nabc", "abc", 0),
	    CASE("{3}\r\nabc", NULL, 0));
}

static void
nil_or_string(void)
{
	struct lex x = LEX("nil \"NIL\" NILx");
	struct bytes b;
	bool nil;

	CHECK_EQ_INT(lex_nstring(&x, &b, &nil), 0);
	CHECK(nil && b.p == NULL);
	CHECK_EQ_INT(lex_space(&x), 0);
	CHECK_EQ_INT(lex_nstring(&x, &b, &nil), 0);
	CHECK(!nil);
	CHECK_EQ_BYTES(b, BYTES("NIL"));
	CHECK_EQ_INT(lex_space(&x), 0);
	CHECK_EQ_INT(lex_nstring(&x, &b, &nil), -1);
}

static void
mailboxes(void)
{
	CASES(lex_mailbox, CASE("inbox", "INBOX", 0), CASE("\"InBox\"", "INBOX", 0),
	    CASE("inbox/Sub", "INBOX/Sub", 0), CASE("inboxes", "inboxes", 0),
	    CASE("{5}\r\ninbox", "INBOX", 0), CASE("&AOQ-", "\xc3\xa4", 0),
	    CASE("a&-b", "a&b", 0), CASE("\"\xc3\xa4\"", NULL, 0),
	    CASE("&AOQ", NULL, 0), CASE("&AAo-", NULL, 0), CASE("\"a\tb\"", NULL, 0));

	struct lex x = LEX("&AOQ-");
	struct bytes name;

	x.utf8 = true;
	CHECK_EQ_INT(lex_mailbox(&x, &name), 0);
	CHECK_EQ_BYTES(name, BYTES("&AOQ-"));
	x = LEX("\"\xc3\xa4\"");
	x.utf8 = true;
	CHECK_EQ_INT(lex_mailbox(&x, &name), 0);
	CHECK_EQ_BYTES(name, BYTES("\xc3\xa4"));
	x = LEX("&bad");
	CHECK_EQ_INT(lex_mailbox(&x, &name), -1);
	CHECK_EQ_INT(x.why, EILSEQ);
	arena_reset(&arena);
}

static void
mailbox_length(void)
{
	char text[LEX_MAILBOX_MAX + 1];
	struct bytes name;

	memset(text, 'm', sizeof text);
	struct lex x = lexer(text, LEX_MAILBOX_MAX);

	CHECK_EQ_INT(lex_mailbox(&x, &name), 0);
	CHECK_EQ_INT(name.n, LEX_MAILBOX_MAX);
	x = lexer(text, sizeof text);
	CHECK_EQ_INT(lex_mailbox(&x, &name), -1);
	CHECK_EQ_INT(x.why, E2BIG);
	arena_reset(&arena);
}

static void
words_and_numbers(void)
{
	struct lex x = LEX("return (BODY.PEEK[] 4294967296 007)");
	uint64_t n;

	CHECK(!lex_word(&x, "RET") && lex_word(&x, "RETURN"));
	CHECK(lex_space(&x) == 0 && lex_char(&x, '(') == 0);
	CHECK(!lex_word(&x, "BODY") && lex_prefix(&x, "body.peek["));
	CHECK(lex_char(&x, ']') == 0 && lex_space(&x) == 0);
	CHECK_EQ_INT(lex_number(&x, UINT32_MAX, &n), -1);
	CHECK_EQ_INT(lex_number(&x, UINT64_MAX, &n), 0);
	CHECK_EQ_INT(n, 4294967296);
	CHECK_EQ_INT(lex_space(&x), 0);
	CHECK_EQ_INT(lex_nz_number(&x, UINT32_MAX, &n), -1);
	CHECK_EQ_INT(lex_number(&x, 7, &n), 0);
	CHECK_EQ_INT(lex_number(&x, 7, &n), -1);
	CHECK_EQ_INT(lex_end(&x), -1);
	CHECK(lex_char(&x, ')') == 0 && lex_end(&x) == 0 && lex_peek(&x) == 0);
}

/* ---- sequence sets ---- */

struct set_case {
	const char *in;
	uint32_t largest;
	bool uids;
	const char *want;		/* runs as text, NULL: refused */
};

static const char *
print(const struct runs *s)
{
	static char text[256];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->n; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%u-%u",
		    i > 0 ? " " : "", s->v[i].first, s->v[i].last);
	return text;
}

static void
sequence_sets(void)
{
	static const struct set_case v[] = {
		{ "1", 5, false, "1-1" }, { "5:3", 5, false, "3-5" },
		{ "1,3,2", 5, false, "1-3" }, { "*", 5, false, "5-5" },
		{ "*:2", 5, false, "2-5" }, { "4:*,1", 5, false, "1-1 4-5" },
		{ "6", 5, false, NULL }, { "1:6", 5, false, NULL },
		{ "*", 0, false, NULL }, { "1", 0, false, NULL },
		{ "0", 5, false, NULL }, { "01", 5, false, NULL },
		{ "1,", 5, false, NULL }, { ",1", 5, false, NULL },
		{ "1:", 5, false, NULL }, { "", 5, false, NULL },
		{ "1::2", 5, false, NULL }, { "4294967296", 5, true, NULL },
		{ "4294967295", 5, true, "4294967295-4294967295" },
		{ "9:*", 5, true, "5-9" }, { "*", 0, true, "" },
		{ "1:*,7", 0, true, "7-7" },
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct lex x = lexer(v[i].in, strlen(v[i].in));
		struct sequence_set set;
		int r = lex_sequence_set(&x, v[i].largest, v[i].uids, &set);

		if (!CHECK_EQ_INT(r, v[i].want == NULL ? -1 : 0))
			printf("# for %s\n", v[i].in);
		if (r == 0) {
			CHECK(!set.saved);
			CHECK_EQ_TEXT(print(&set.set), v[i].want);
		}
		runs_free(&set.set);
	}
}

static void
saved_result(void)
{
	struct lex x = LEX("$ x");
	struct sequence_set set;

	CHECK_EQ_INT(lex_sequence_set(&x, 0, false, &set), 0);
	CHECK(set.saved && set.set.n == 0);
	CHECK_EQ_INT(x.rest.n, 2);
}

static void
too_many_ranges(void)
{
	struct buf text = BUF_INIT((size_t)1 << 20);
	struct sequence_set set;

	for (unsigned i = 0; i < LEX_RANGES_MAX; i++)
		buf_printf(&text, "%s%u", i > 0 ? "," : "", 2 * i + 1);
	struct lex x = { .rest = buf_contents(&text), .arena = &arena };

	CHECK_EQ_INT(lex_sequence_set(&x, 1, true, &set), 0);
	CHECK_EQ_INT(set.set.count, LEX_RANGES_MAX);
	runs_free(&set.set);
	buf_text(&text, ",1");
	x.rest = buf_contents(&text);
	CHECK_EQ_INT(lex_sequence_set(&x, 1, true, &set), -1);
	CHECK_EQ_INT(x.why, E2BIG);
	buf_free(&text);
}

/* ---- dates ---- */

struct date_case {
	const char *in;
	int64_t want;
	bool good;
};

static void
date_cases(const struct date_case *v, size_t n, int (*read)(struct lex *, int64_t *))
{
	for (size_t i = 0; i < n; i++) {
		struct lex x = lexer(v[i].in, strlen(v[i].in));
		int64_t got = 0;
		bool good = read(&x, &got) == 0 && lex_end(&x) == 0;

		if (!CHECK_EQ_INT(good, v[i].good))
			printf("# for %s\n", v[i].in);
		if (good)
			CHECK_EQ_INT(got, v[i].want);
	}
}

static void
dates(void)
{
	static const struct date_case days[] = {
		{ "1-Jan-1970", 0, true }, { "01-jan-1970", 0, true },
		{ "\"2-Jan-1970\"", 86400, true }, { "29-Feb-2000", 951782400, true },
		{ "29-Feb-2001", 0, false }, { "29-Feb-1900", 0, false },
		{ "0-Jan-1970", 0, false }, { "32-Jan-1970", 0, false },
		{ "1-Foo-1970", 0, false }, { "1-Jan-70", 0, false },
		{ "1-Jan-1970 ", 0, false }, { "\"1-Jan-1970", 0, false },
		{ "31-Dec-9999", 253402214400, true },
		{ "1-Jan-0001", -62135596800, true },
	}, times[] = {
		{ "\"17-Jul-1996 02:44:25 -0700\"", 837596665, true },
		{ "\" 1-Jan-1970 00:00:00 +0000\"", 0, true },
		{ "\"01-Jan-1970 00:30:00 +0100\"", -1800, true },
		{ "\"1-Jan-1970 00:00:00 +0000\"", 0, false },
		{ "\"01-Jan-1970 24:00:00 +0000\"", 0, false },
		{ "\"01-Jan-1970 00:60:00 +0000\"", 0, false },
		{ "\"31-Dec-2016 23:59:60 +0000\"", 1483228800, true },
		{ "\"01-Jan-1970 00:00:00 0000\"", 0, false },
		{ "\"01-Jan-1970 00:00:00 +0060\"", 0, false },
		{ "01-Jan-1970 00:00:00 +0000", 0, false },
	};

	date_cases(days, sizeof days / sizeof days[0], lex_date);
	date_cases(times, sizeof times / sizeof times[0], lex_date_time);
}

static void
dates_printed(void)
{
	static const int64_t v[] = { 0, -1, 951782400, 837596665, 253402300799,
	    -62167219200, 1483228800, 86399 };
	char text[DATE_TIME_SIZE];
	int64_t back;

	date_time_print(837596665, text);
	CHECK_EQ_TEXT(text, "\"17-Jul-1996 09:44:25 +0000\"");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		date_time_print(v[i], text);

		struct lex x = lexer(text, strlen(text));

		CHECK_EQ_INT(lex_date_time(&x, &back), 0);
		CHECK_EQ_INT(back, v[i]);
	}
	date_time_print(INT64_MAX / 2, text);
	CHECK_EQ_TEXT(text, "\"31-Dec-9999 23:59:59 +0000\"");
	date_time_print(INT64_MIN / 2, text);
	CHECK_EQ_TEXT(text, "\"01-Jan-0000 00:00:00 +0000\"");
}

/* ---- flags ---- */

static void
flags(void)
{
	struct lex x = LEX("(\\SEEN \\deleted $Work \\Foo \\Recent a) x");
	struct flag_list f;

	CHECK_EQ_INT(lex_flags(&x, &f), 0);
	CHECK_EQ_INT(f.flags, FLAG_SEEN | FLAG_DELETED);
	CHECK(f.recent);
	if (CHECK_EQ_INT(f.n, 2)) {
		CHECK_EQ_BYTES(f.keywords[0], BYTES("$Work"));
		CHECK_EQ_BYTES(f.keywords[1], BYTES("a"));
	}
	CHECK_EQ_INT(x.rest.n, 2);
	x = LEX("()");
	CHECK(lex_flags(&x, &f) == 0 && f.flags == 0 && f.n == 0);
	x = LEX("\\Draft b");
	CHECK(lex_flags(&x, &f) == 0 && f.flags == FLAG_DRAFT && f.n == 1);
	x = LEX("(a b");
	CHECK_EQ_INT(lex_flags(&x, &f), -1);
	x = LEX("(\\* )");
	CHECK_EQ_INT(lex_flags(&x, &f), -1);
	x = LEX("( a)");
	CHECK_EQ_INT(lex_flags(&x, &f), -1);
	x = LEX("");
	CHECK_EQ_INT(lex_flags(&x, &f), -1);
	arena_reset(&arena);
}

static void
too_many_flags(void)
{
	struct buf text = BUF_INIT(65536);
	struct flag_list f;

	for (unsigned i = 0; i <= LEX_FLAGS_MAX; i++)
		buf_printf(&text, "%sk%u", i > 0 ? " " : "", i);
	struct lex x = { .rest = buf_contents(&text), .arena = &arena };

	CHECK_EQ_INT(lex_flags(&x, &f), -1);
	CHECK_EQ_INT(x.why, E2BIG);
	buf_free(&text);
	arena_reset(&arena);
}

/* ---- announcements of literals ---- */

static void
literal_marks(void)
{
	static const struct {
		const char *line;
		bool found, sync, binary;
		uint64_t size;
		size_t head;
	} v[] = {
		{ "a X {3}", true, true, false, 3, 3 },
		{ "a X {3+}", true, false, false, 3, 4 },
		{ "a X ~{12}", true, true, true, 12, 5 },
		{ "a X ~{12+}", true, false, true, 12, 6 },
		{ "{0}", true, true, false, 0, 3 },
		{ "{9223372036854775807}", true, true, false, INT64_MAX, 21 },
		{ "{9223372036854775808}", false, false, false, 0, 0 },
		{ "{}", false, false, false, 0, 0 }, { "3}", false, false, false, 0, 0 },
		{ "{3-}", false, false, false, 0, 0 }, { "{3} ", false, false, false, 0, 0 },
		{ "", false, false, false, 0, 0 }, { "}", false, false, false, 0, 0 },
		{ "+}", false, false, false, 0, 0 }, { "{+}", false, false, false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct literal_mark m;
		size_t head;
		bool found = lex_literal_mark(bytes_of(v[i].line), &m, &head);

		if (!CHECK_EQ_INT(found, v[i].found))
			printf("# for %s\n", v[i].line);
		if (!found)
			continue;
		CHECK(m.sync == v[i].sync && m.binary == v[i].binary);
		CHECK(m.size == v[i].size && head == v[i].head);
	}
}

TEST_MAIN(TEST(tags_and_atoms), TEST(tag_length), TEST(strings),
    TEST(nil_or_string), TEST(mailboxes), TEST(mailbox_length),
    TEST(words_and_numbers), TEST(sequence_sets), TEST(saved_result),
    TEST(too_many_ranges), TEST(dates), TEST(dates_printed), TEST(flags),
    TEST(too_many_flags), TEST(literal_marks))
