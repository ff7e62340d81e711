/*
 * Searching in the text of parts, and previews of it.
 * Runs as: the person who builds.
 */
#include "test.h"
#include "text.h"

static struct mime_part
part_of(enum mime_encoding encoding, const char *charset, unsigned flags)
{
	struct mime_part p = { .kind = MIME_TEXT, .encoding = (uint8_t)encoding,
	    .flags = (uint8_t)flags, .charset_n = (uint8_t)strlen(charset) };

	memcpy(p.charset, charset, p.charset_n);
	return p;
}

static const struct {
	enum mime_encoding encoding;
	const char *charset, *text, *needle;
	bool found;
} searches[] = {
	{ ENCODING_7BIT, "", "Hello World", "lo wo", true },
	{ ENCODING_7BIT, "", "Hello World", "lowo", false },
	{ ENCODING_7BIT, "", "Hello", "", true },
	{ ENCODING_7BIT, "", "", "x", false },
	{ ENCODING_8BIT, "utf-8", "un Caf\xc3\xa9 noir", "CAF\xc3\x89", true },
	{ ENCODING_8BIT, "iso-8859-1", "un Caf\xe9 noir", "caf\xc3\xa9 N", true },
	{ ENCODING_8BIT, "utf-8", "e\xcc\x81t\xc3\xa9", "\xc3\xa9t\xc3\xa9", true },
	{ ENCODING_8BIT, "utf-8", "caf\xc3\xa9", "cafe", true },
	{ ENCODING_8BIT, "", "caf\xe9", "f\xc3\xa9", true },
	{ ENCODING_QUOTED_PRINTABLE, "utf-8", "Caf=C3=A9 so=\nft=20x",
	  "caf\xc3\xa9 soft X", true },
	{ ENCODING_QUOTED_PRINTABLE, "utf-8", "Caf=C3=A9", "c3", false },
	{ ENCODING_BASE64, "utf-8", "Q2Fmw6kg\nbm9pcg==", "caf\xc3\xa9 noir", true },
	{ ENCODING_BASE64, "utf-8", "Q2Fmw6kg\nbm9pcg==", "q2f", false },
	{ ENCODING_7BIT, "iso-2022-jp", "\x1b$B2q5D\x1b(B", "\xe4\xbc\x9a\xe8\xad\xb0",
	  true },
	{ ENCODING_7BIT, "iso-2022-jp", "\x1b$B2q5D\x1b(B", "2q5d", false },
	{ ENCODING_7BIT, "utf-7", "a+AOk-b", "\xc3\xa9", true },
	{ ENCODING_8BIT, "gb2312", "\xbb\xe1\xd2\xe9 A", "\xe4\xbc\x9a\xe8\xae\xae a",
	  true },
	{ ENCODING_UNKNOWN, "x-nonsense", "as it is", "IT", true },
};

/* Cut at every place: the answer is the same. */
static void
searching(void)
{
	for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++) {
		struct mime_part p = part_of(searches[i].encoding,
		    searches[i].charset, 0);
		struct bytes text = bytes_of(searches[i].text);
		struct buf needle = BUF_INIT(100);

		CHECK_EQ_INT(fold_text(bytes_of(searches[i].needle), &needle), 0);
		for (size_t at = 0; at <= text.n; at++) {
			struct text_search s;
			struct matcher m;

			matcher_begin(&m, buf_contents(&needle));
			text_search_begin(&s, &p, &m, 1);
			CHECK(text_search_push(&s, bytes_first(text, at)) >= 0);
			CHECK(text_search_push(&s, bytes_from(text, at)) >= 0);
			if (!CHECK_EQ_INT(text_search_end(&s), searches[i].found))
				printf("#   %s in %s cut at %zu\n",
				    searches[i].needle, searches[i].text, at);
			matcher_end(&m);
		}
		buf_free(&needle);
	}
}

static void
several_needles(void)
{
	struct mime_part p = part_of(ENCODING_7BIT, "", 0);
	struct matcher m[2];
	struct text_search s;

	matcher_begin(&m[0], BYTES("ONE"));
	matcher_begin(&m[1], BYTES("TWO"));
	text_search_begin(&s, &p, m, 2);
	CHECK_EQ_INT(text_search_push(&s, BYTES("this is one, ")), 0);
	CHECK(m[0].found && !m[1].found);
	CHECK_EQ_INT(text_search_end(&s), 0);
	/* the next part: what was found stays, nothing matches across */
	text_search_begin(&s, &p, m, 2);
	CHECK_EQ_INT(text_search_push(&s, BYTES("and tw")), 0);
	CHECK_EQ_INT(text_search_push(&s, BYTES("o")), 1);
	CHECK_EQ_INT(text_search_end(&s), 1);
	matcher_end(&m[0]);
	matcher_end(&m[1]);
}

static const struct { bool html; const char *in, *out; } previews[] = {
	{ false, "", "" },
	{ false, "  Hello,\r\n\r\n\tworld  \n", "Hello, world" },
	{ false, "a\xc2\xa0" "b\xe2\x80\x8b" "c\x01" "d", "a bcd" },
	{ false, "1 < 2 &amp; <b>", "1 < 2 &amp; <b>" },
	{ true, "<p>Hello</p><p>world</p>", "Hello world" },
	{ true, "a<b>b</b>c<br>d", "abc d" },
	{ true, "<html><head><title>T</title><style>p { }</style></head>"
	    "<body>x<script>if (a<b) c();</script>y</body>", "x y" },
	{ true, "a<!-- comment > <p> -- -->b<!---->c", "abc" },
	{ true, "1 &lt; 2 &amp;&nbsp;&#233;&#xE9;&euro; &unknown; &#0; &",
	  "1 < 2 & \xc3\xa9\xc3\xa9\xe2\x82\xac &unknown; &#0; " },
	{ true, "<a title=\"x > y\" href='>'>link</a>", "link" },
	{ true, "a < b, c<3", "a < b, c<3" },
	{ true, "<p title=it's>shown</p>", "shown" },
	{ true, "<?xml version=\"1.0\"?><!DOCTYPE html><P>x</P>", "x" },
	{ true, "<style>a</STYLE>shown", "shown" },
	{ true, "unclosed <b", "unclosed" },
	{ true, "&amp", "" },
};

static void
previewing(void)
{
	for (size_t i = 0; i < sizeof previews / sizeof previews[0]; i++) {
		struct mime_part p = part_of(ENCODING_8BIT, "utf-8",
		    previews[i].html ? MIME_HTML : MIME_PLAIN);
		struct bytes in = bytes_of(previews[i].in), out;

		for (size_t piece = 1; piece <= in.n + 1; piece++) {
			struct bytes rest = in;
			struct preview v;

			preview_begin(&v, &p);
			for (; rest.n > 0; rest = bytes_from(rest, piece))
				CHECK_EQ_INT(preview_push(&v,
				    bytes_first(rest, piece)), 0);
			CHECK_EQ_INT(preview_end(&v, &out), 0);
			CHECK_EQ_BYTES(bytes_trim(out),
			    bytes_trim(bytes_of(previews[i].out)));
			preview_free(&v);
		}
	}
}

static void
preview_limit(void)
{
	struct mime_part p = part_of(ENCODING_8BIT, "utf-8", MIME_PLAIN);
	struct bytes out;
	struct preview v;

	preview_begin(&v, &p);
	for (int i = 0; i < PREVIEW_CHARS_MAX - 1; i++) {
		CHECK(!v.done);
		CHECK_EQ_INT(preview_push(&v, BYTES("\xf0\x9f\x99\x82")), 0);
	}
	CHECK_EQ_INT(preview_push(&v, BYTES(" \xf0\x9f\x99\x82")), 0);
	CHECK(v.done);
	CHECK_EQ_INT(preview_push(&v, BYTES("x")), 0);
	CHECK_EQ_INT(preview_end(&v, &out), 0);
	CHECK(v.chars <= PREVIEW_CHARS_MAX && out.n <= PREVIEW_BYTES_MAX);
	CHECK(utf8_valid(out));
	preview_free(&v);
}

static const struct { const char *message; int64_t part; } chosen[] = {
	{ "\nx", 0 },
	{ "Content-Type: image/png\n\nx", -1 },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
	  "text/calendar\n\nx\n--b\nContent-Type: text/html\n\nx\n--b--\n", 2 },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: "
	  "Attachment; filename=x\n\nx\n--b\n\nx\n--b--\n", 2 },
	{ "Content-Type: message/rfc822\n\n\nx", 1 },
};

static void
preview_choice(void)
{
	for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
		struct mime_parser *p = mime_begin();
		const struct mime_part *part;
		struct mime_tree t;

		if (!CHECK(p != NULL))
			return;
		CHECK_EQ_INT(mime_push(p, bytes_of(chosen[i].message)), 0);
		CHECK_EQ_INT(mime_end(p, &t), 0);
		part = preview_part(&t);
		CHECK_EQ_INT(part == NULL ? -1 : part - t.v, chosen[i].part);
		mime_tree_free(&t);
	}
}

TEST_MAIN(TEST(searching), TEST(several_needles), TEST(previewing),
    TEST(preview_limit), TEST(preview_choice))
