/*
 * The structure of messages: sections, limits one past their edge, and the
 * form in which it is kept.
 * Runs as: the person who builds.
 */
#include <errno.h>
#include <stdlib.h>

#include "header.h"
#include "imaptext.h"
#include "mime.h"
#include "test.h"

#define MESSAGE_MAX ((size_t)64 << 20)

static struct mime_tree
parse(struct bytes message)
{
	struct mime_parser *p = mime_begin();
	struct mime_tree t = { 0 };

	if (CHECK(p != NULL)) {
		CHECK_EQ_INT(mime_push(p, message), 0);
		CHECK_EQ_INT(mime_end(p, &t), 0);
	}
	return t;
}

static struct bytes
body_of(struct bytes message, const struct mime_part *p)
{
	return p == NULL ? BYTES("(none)") :
	    bytes_make(message.p + p->body, p->end - p->body);
}

/* The example of RFC 9051 section 6.4.5.1 */
static const char example[] =
    "Subject: top\n"
    "Content-Type: multipart/mixed; boundary=b\n\n"
    "--b\n\none\n"
    "--b\nContent-Type: application/octet-stream\n\ntwo\n"
    "--b\nContent-Type: message/rfc822\n\n"
    "Subject: three\nContent-Type: multipart/mixed; boundary=c\n\n"
    "--c\n\nthree one\n"
    "--c\nContent-Type: application/octet-stream\n\nthree two\n"
    "--c--\n"
    "--b\nContent-Type: multipart/mixed; boundary=d\n\n"
    "--d\nContent-Type: image/gif\n\nfour one\n"
    "--d\nContent-Type: message/rfc822\n\n"
    "Subject: four two\nContent-Type: multipart/mixed; boundary=e\n\n"
    "--e\n\nfour two one\n"
    "--e\nContent-Type: multipart/alternative; boundary=f\n\n"
    "--f\n\nfour two two one\n"
    "--f\nContent-Type: text/richtext\n\nfour two two two\n"
    "--f--\n--e--\n--d--\n--b--\n";

static void
sections(void)
{
	static const struct {
		uint32_t numbers[4];
		size_t n;
		const char *body;
	} cases[] = {
		{ { 1 }, 1, "one" },
		{ { 2 }, 1, "two" },
		{ { 3, 1 }, 2, "three one" },
		{ { 3, 2 }, 2, "three two" },
		{ { 4, 1 }, 2, "four one" },
		{ { 4, 2, 1 }, 3, "four two one" },
		{ { 4, 2, 2, 1 }, 4, "four two two one" },
		{ { 4, 2, 2, 2 }, 4, "four two two two" },
		{ { 5 }, 1, "(none)" },
		{ { 0 }, 1, "(none)" },
		{ { 1, 1 }, 2, "(none)" },
		{ { 2, 1 }, 2, "(none)" },
		{ { 3, 3 }, 2, "(none)" },
		{ { 4, 2, 2, 3 }, 4, "(none)" },
		{ { UINT32_MAX }, 1, "(none)" },
	};
	struct mime_tree t = parse(BYTES(example));

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CHECK_EQ_BYTES(body_of(BYTES(example), mime_section(&t,
		    cases[i].numbers, cases[i].n)), bytes_of(cases[i].body));
	CHECK(mime_section(&t, NULL, 0) == t.v);
	mime_tree_free(&t);
}

static void
messages_in_messages(void)
{
	struct mime_tree t = parse(BYTES(example));
	const struct mime_part *p;
	struct bytes subject;

	p = mime_message(&t, mime_section(&t, (uint32_t[]){ 4, 2 }, 2));
	if (CHECK(p != NULL) &&
	    CHECK(header_find(mime_fields(&t, p), "subject", &subject)))
		CHECK_EQ_BYTES(subject, BYTES(" four two"));
	CHECK(mime_message(&t, t.v) == t.v);
	CHECK(mime_message(&t, mime_section(&t, (uint32_t[]){ 1 }, 1)) == NULL);
	mime_tree_free(&t);
}

/* A message that is one part has that part as its first; it has no other. */
static void
single_part(void)
{
	struct bytes plain = BYTES("A: b\n\ntext\n");
	struct bytes wrapped = BYTES("Content-Type: message/rfc822\n\nA: b\n\n"
	    "text\n");
	struct mime_tree t = parse(plain);

	CHECK_EQ_BYTES(body_of(plain, mime_section(&t, (uint32_t[]){ 1 }, 1)),
	    BYTES("text\n"));
	CHECK(mime_section(&t, (uint32_t[]){ 2 }, 1) == NULL);
	CHECK(mime_section(&t, (uint32_t[]){ 1, 1 }, 2) == NULL);
	mime_tree_free(&t);
	t = parse(wrapped);
	CHECK_EQ_BYTES(body_of(wrapped, mime_section(&t, (uint32_t[]){ 1 }, 1)),
	    BYTES("A: b\n\ntext\n"));
	CHECK_EQ_BYTES(body_of(wrapped, mime_section(&t, (uint32_t[]){ 1, 1 }, 2)),
	    BYTES("text\n"));
	mime_tree_free(&t);
}

static size_t
deepest(const struct mime_tree *t)
{
	size_t most = 0;

	for (size_t i = 0; i < t->n; i++) {
		size_t n = 0;

		for (uint32_t k = (uint32_t)i; k != 0; k = t->v[k].parent)
			n++;
		most = n > most ? n : most;
	}
	return most;
}

static void
depth_limit(void)
{
	static const struct { int levels; size_t depth; bool cut; } cases[] = {
		{ MIME_DEPTH_MAX, MIME_DEPTH_MAX, false },
		{ MIME_DEPTH_MAX + 1, MIME_DEPTH_MAX, true },
		{ 10 * MIME_DEPTH_MAX, MIME_DEPTH_MAX, true },
	};

	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		struct buf m = BUF_INIT(MESSAGE_MAX);
		struct mime_tree t;
		int levels = cases[i / 2].levels;

		for (int k = 0; k < levels; k++)
			if (i % 2 == 0)
				buf_text(&m, "Content-Type: message/rfc822\n\n");
			else
				buf_printf(&m, "Content-Type: multipart/mixed; "
				    "boundary=%d\n\n--%d\n", k, k);
		buf_text(&m, "\nx\n");
		t = parse(buf_contents(&m));
		CHECK_EQ_INT(deepest(&t), cases[i / 2].depth);
		CHECK_EQ_INT((t.v[t.n - 1].flags & MIME_CUT) != 0,
		    cases[i / 2].cut);
		mime_tree_free(&t);
		buf_free(&m);
	}
}

static void
parts_limit(void)
{
	for (int extra = -1; extra <= 1; extra++) {
		struct buf m = BUF_INIT(MESSAGE_MAX);
		struct mime_tree t;
		int children = MIME_PARTS_MAX - 1 + extra;

		buf_text(&m, "Content-Type: multipart/mixed; boundary=b\n\n");
		for (int i = 0; i < children; i++)
			buf_text(&m, "--b\n\nx\n");
		t = parse(buf_contents(&m));
		CHECK_EQ_INT(t.n, extra > 0 ? MIME_PARTS_MAX : children + 1);
		CHECK_EQ_INT(t.v[t.n - 1].body_octets, extra > 0 ? 1 : 3);
		mime_tree_free(&t);
		buf_free(&m);
	}
}

/* CVE-2024-23185 and its like: the rest of a huge header is counted, not kept. */
static void
huge_header(void)
{
	struct buf m = BUF_INIT(MESSAGE_MAX), out = BUF_INIT(IMAPTEXT_MAX);
	struct mime_tree t;

	while (m.len < 3 * HEADER_MAX)
		buf_printf(&m, "X-%zu: 0123456789 0123456789 0123456789\n", m.len);
	buf_text(&m, "Subject: too late\n\nbody\n");
	t = parse(buf_contents(&m));
	CHECK_EQ_INT(t.v[0].body, m.len - 5);
	CHECK_EQ_INT(t.v[0].body_octets, 6);
	CHECK_EQ_INT(t.kept.len, 0);
	CHECK_EQ_INT(imaptext_envelope(bytes_first(buf_contents(&m), HEADER_MAX), 0,
	    &out), 0);
	CHECK_EQ_TEXT(buf_string(&out),
	    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	mime_tree_free(&t);
	buf_free(&m);
	buf_free(&out);
}

/* CVE-2024-23184 and its like: many addresses, and a text that is too long. */
static void
flooded_envelope(void)
{
	struct buf m = BUF_INIT(MESSAGE_MAX), out = BUF_INIT(IMAPTEXT_MAX);
	size_t n = 0;

	buf_text(&m, "From: list:");
	while (m.len < HEADER_MAX / 2)
		buf_text(&m, " a@b,\n");
	buf_text(&m, "Subject: ");
	for (size_t i = 0; i < IMAPTEXT_STRING_MAX + 1; i++)
		buf_byte(&m, 's');
	buf_byte(&m, '\n');
	CHECK_EQ_INT(imaptext_envelope(buf_contents(&m), 0, &out), 0);
	for (const char *p = buf_string(&out);
	    (p = strstr(p, "(NIL NIL \"a\" \"b\")")) != NULL; p++)
		n++;
	/* in From, Sender and Reply-To; the group's beginning counts */
	CHECK_EQ_INT(n, 3 * (IMAPTEXT_ADDRESSES_MAX - 1));
	CHECK(strstr(buf_string(&out), "(NIL NIL NIL NIL)) ((NIL") != NULL);
	CHECK(out.len > IMAPTEXT_STRING_MAX);
	CHECK_EQ_INT(strspn((const char *)out.data + 6, "s"),
	    IMAPTEXT_STRING_MAX);
	buf_free(&m);
	buf_free(&out);
}

/* What does not fit is replaced by less, not by half of it. */
static void
small_buffers(void)
{
	struct mime_tree t = parse(BYTES(example));
	struct buf out = BUF_INIT(100);

	CHECK_EQ_INT(imaptext_bodystructure(&t, 0, &out), 0);
	CHECK_EQ_TEXT(buf_string(&out), "(\"TEXT\" \"PLAIN\" NIL NIL NIL "
	    "\"7BIT\" 622 51 NIL NIL NIL NIL)");
	buf_free(&out);
	out = BUF_INIT(42);
	CHECK_EQ_INT(imaptext_envelope(BYTES(example), 0, &out), 0);
	CHECK_EQ_TEXT(buf_string(&out),
	    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	buf_free(&out);
	out = BUF_INIT(10);
	CHECK_EQ_INT(imaptext_envelope(BYTES(example), 0, &out), -1);
	CHECK_EQ_INT(errno, E2BIG);
	buf_free(&out);
	mime_tree_free(&t);
}

static void
column(void)
{
	struct mime_tree t = parse(BYTES(example)), back;
	struct buf b = BUF_INIT(MESSAGE_MAX);
	size_t accepted = 0;

	CHECK_EQ_INT(mime_write(&t, &b), 0);
	CHECK(b.len < 16 * t.n);
	CHECK_EQ_INT(mime_read(buf_contents(&b), sizeof example - 1, &back), 0);
	CHECK_EQ_INT(back.n, t.n);
	mime_tree_free(&back);
	/* whatever one byte is changed to, reading ends well or refuses */
	for (size_t i = 0; i < b.len * 256; i++) {
		unsigned char was = b.data[i / 256];

		b.data[i / 256] = (unsigned char)i;
		if (mime_read(buf_contents(&b), sizeof example - 1, &back) == 0) {
			accepted++;
			mime_tree_free(&back);
		}
		b.data[i / 256] = was;
	}
	CHECK(accepted >= b.len && accepted < b.len * 128);
	mime_tree_free(&t);
	buf_free(&b);
}

static void
string_forms(void)
{
	static const struct { struct bytes in; unsigned flags; const char *out; } cases[] = {
		{ { NULL, 0 }, 0, "NIL" },
		{ BYTES(""), 0, "\"\"" },
		{ BYTES("a b"), 0, "\"a b\"" },
		{ BYTES("a\"\\"), 0, "\"a\\\"\\\\\"" },
		{ BYTES("a\0b"), 0, "\"ab\"" },
		{ BYTES("\t\x7f"), 0, "\"\t\x7f\"" },
		{ BYTES("a\r\nb"), 0, "{4}\r\na\r\nb" },
		{ BYTES("\xc3\xa9"), 0, "{2}\r\n\xc3\xa9" },
		{ BYTES("\xc3\xa9\0"), 0, "{2}\r\n\xc3\xa9" },
		{ BYTES("\xc3\xa9\""), IMAPTEXT_UTF8, "\"\xc3\xa9\\\"\"" },
		{ BYTES("\xe9"), IMAPTEXT_UTF8, "{1}\r\n\xe9" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf b = BUF_INIT(100);

		CHECK_EQ_INT(imaptext_nstring(cases[i].in, cases[i].flags, &b), 0);
		CHECK_EQ_TEXT(buf_string(&b), cases[i].out);
		buf_free(&b);
	}
}

/* A boundary at every distance, behind one line or some that begin with one hyphen. */
static void
boundary_anywhere(void)
{
	for (size_t k = 0; k < 400; k++) {
		const char *filling = k % 2 == 0 ? "\n-23456789abcdefghi" : "0123456789abcdefghi";
		size_t n = k / 2, lines = k % 2 == 0 ? (n + 18) / 19 : 0;
		struct buf m = BUF_INIT(MESSAGE_MAX);
		struct mime_tree t;

		buf_text(&m, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n");
		for (size_t i = 0; i < n; i++)
			buf_byte(&m, (unsigned char)filling[i % 19]);
		buf_text(&m, "\n--b\n\n2\n-\n--b--\n");
		t = parse(buf_contents(&m));
		if (CHECK(t.n == 3)) {
			CHECK_EQ_INT(body_of(buf_contents(&m), &t.v[1]).n, n);
			CHECK_EQ_INT(t.v[1].body_octets, n + lines);
			CHECK_EQ_BYTES(body_of(buf_contents(&m), &t.v[2]), BYTES("2\n-"));
		}
		mime_tree_free(&t);
		buf_free(&m);
	}
}

TEST_MAIN(TEST(sections), TEST(messages_in_messages), TEST(single_part),
    TEST(depth_limit), TEST(parts_limit), TEST(huge_header),
    TEST(flooded_envelope), TEST(small_buffers), TEST(column),
    TEST(string_forms), TEST(boundary_anywhere))
