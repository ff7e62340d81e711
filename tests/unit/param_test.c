/*
 * Values with parameters: RFC 2231's examples, broken ones and floods.
 * Runs as: the person who builds.
 */
#include "param.h"
#include "test.h"

/* type/subtype; name=value, where * marks an extended one. */
static const char *
shown(struct bytes value, bool decoded)
{
	static struct buf out = { .max = 65536 };
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct content c;

	buf_clear(&out);
	CHECK_EQ_INT(content_parse(value, &a, &c), 0);
	buf_bytes(&out, c.type);
	buf_byte(&out, '/');
	buf_bytes(&out, c.subtype);
	for (size_t i = 0; i < c.n; i++) {
		buf_byte(&out, ';');
		buf_bytes(&out, c.params[i].name);
		buf_text(&out, c.params[i].extended ? "*=" : "=");
		if (decoded)
			CHECK_EQ_INT(param_decode(&c.params[i], &out), 0);
		else
			buf_bytes(&out, c.params[i].value);
	}
	arena_free(&a);
	return buf_string(&out);
}

static const struct { struct bytes in; const char *raw, *decoded; } cases[] = {
	{ BYTES(""), "/", NULL },
	{ BYTES(" text/plain "), "text/plain", NULL },
	{ BYTES("text/plain; charset=us-ascii (Plain text)"),
	  "text/plain;charset=us-ascii", NULL },
	{ BYTES("text/plain; charset=\"us-ascii\""),
	  "text/plain;charset=us-ascii", NULL },
	{ BYTES("text / plain ;charset = x;"), "text/plain;charset=x", NULL },
	{ BYTES("attachment"), "attachment/", NULL },
	{ BYTES("attachment; filename=\"a\\\"b\\\\c\""),
	  "attachment/;filename=a\"b\\c", NULL },
	{ BYTES("(c) text(c)/(c)html(c);(c)a(c)=(c)b (c)"), "text/html;a=b", NULL },
	/* RFC 2231 section 3, 4, 4.1 */
	{ BYTES("message/external-body; access-type=URL;\r\n"
	    "    URL*0=\"ftp://\";\r\n    URL*1=\"cs.utk.edu/pub/moore\""),
	  "message/external-body;access-type=URL;URL=ftp://cs.utk.edu/pub/moore",
	  NULL },
	{ BYTES("application/x-stuff;\r\n title*=us-ascii'en-us'This%20is"
	    "%20%2A%2A%2Afun%2A%2A%2A"), "application/x-stuff;"
	  "title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
	  "application/x-stuff;title*=This is ***fun***" },
	{ BYTES("application/x-stuff\r\n title*0*=us-ascii'en'This%20is%20"
	    "even%20more%20\r\n title*1*=%2A%2A%2Afun%2A%2A%2A%20\r\n"
	    " title*2=\"isn't it!\""), "application/x-stuff;title*=us-ascii'en'"
	  "This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!",
	  "application/x-stuff;title*=This is even more ***fun*** isn't it!" },
	/* out of order, holes, doubles */
	{ BYTES("a/b; n*1=y; n*0=x; n*3=lost"), "a/b;n=xy", NULL },
	{ BYTES("a/b; n*1=y"), "a/b", NULL },
	{ BYTES("a/b; x=1; X=2; y=3"), "a/b;x=1;y=3", NULL },
	{ BYTES("a/b; n=plain; n*=utf-8''%C3%A9"),
	  "a/b;n=plain;n*=utf-8''%C3%A9", "a/b;n=plain;n*=\xc3\xa9" },
	{ BYTES("a/b; n*=iso-8859-1''%E9"), "a/b;n*=iso-8859-1''%E9",
	  "a/b;n*=\xc3\xa9" },
	{ BYTES("a/b; n*=caf%E9"), "a/b;n*=caf%E9", "a/b;n*=caf\xc3\xa9" },
	{ BYTES("a/b; n*=''%4"), "a/b;n*=''%4", "a/b;n*=%4" },
	{ BYTES("a/b; n*0=a; n*1*=%42"), "a/b;n*=''a%42", "a/b;n*=aB" },
	{ BYTES("a/b; n*x=1; *=2"), "a/b;n*x=1;*=2", NULL },
	/* as many write them */
	{ BYTES("a/b; name=two words.txt; x=1"), "a/b;name=two words.txt;x=1", NULL },
	{ BYTES("a/b charset=utf-8 format=flowed"),
	  "a/b;charset=utf-8;format=flowed", NULL },
	{ BYTES("a/b; name=\"=?utf-8?Q?caf=C3=A9?=\""),
	  "a/b;name==?utf-8?Q?caf=C3=A9?=", "a/b;name=caf\xc3\xa9" },
	{ BYTES("a/b; name=x/y:z@[1]"), "a/b;name=x/y:z@[1]", NULL },
	/* broken */
	{ BYTES(";;a=b;;"), "/;a=b", NULL },
	{ BYTES("/"), "/", NULL },
	{ BYTES("a/b; =c; d; e="), "a/b;e=", NULL },
	{ BYTES("a/b; n=\"open"), "a/b;n=open", NULL },
	{ BYTES("a/b; n=\"open\\"), "a/b;n=open\\", NULL },
	{ BYTES("a/b (open; n=x"), "a/b", NULL },
	{ BYTES("a/b; n=\"x\0y\""), "a/b;n=xy", NULL },
	{ BYTES("a/b; n=x\0y"), "a/b;n=xy", NULL },
	{ BYTES("\"a/b\""), "/", NULL },
};

static void
reads(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_EQ_TEXT(shown(cases[i].in, false), cases[i].raw);
		if (cases[i].decoded != NULL)
			CHECK_EQ_TEXT(shown(cases[i].in, true), cases[i].decoded);
	}
}

/* CVE-2026-27859 and its like: many parameters cost no more than PARAM_MAX. */
static void
flood(void)
{
	struct buf in = BUF_INIT((size_t)1 << 20);
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct content c;

	buf_text(&in, "a/b");
	for (int i = 0; i < 50000; i++)
		buf_printf(&in, "; n*%d=x", i);
	CHECK_EQ_INT(content_parse(buf_contents(&in), &a, &c), 0);
	CHECK_EQ_INT(c.n, 1);
	CHECK_EQ_INT(c.params[0].value.n, PARAM_MAX);
	arena_free(&a);
	buf_free(&in);
}

static void
finds(void)
{
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct content c;

	CHECK_EQ_INT(content_parse(BYTES("a/b; n*=''x; N=y; m*=''z"), &a, &c), 0);
	CHECK_EQ_BYTES(content_param(&c, "n")->value, BYTES("y"));
	CHECK_EQ_BYTES(content_param(&c, "M")->value, BYTES("''z"));
	CHECK(content_param(&c, "o") == NULL);
	CHECK_EQ_BYTES(content_token(BYTES(" (x) Base64 (y)")), BYTES("Base64"));
	arena_free(&a);
}

static void
uris(void)
{
	static const struct { const char *value, *uri; } t[] = {
		{ " (a) http://e/b (c) (d (e)) ", "http://e/b" },
		{ "http://e/b_(c)", "http://e/b_(c)" },
		{ "image (1).png (c)", "image (1).png" },
		{ "two words.png", "two words.png" },
		{ "(a)\r\n http://e/\r\n b\r\n (c)\r\n", "http://e/\r\n b" },
		{ "\"http://e/\r\n b\" (c)", "http://e/\r\n b" },
		{ "\"never closed", "never closed" },
		{ "\"", "" },
		{ " (never closed", "" },
		{ "http://e/b (never closed", "http://e/b" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_EQ_BYTES(content_uri(bytes_of(t[i].value)), bytes_of(t[i].uri));
}

TEST_MAIN(TEST(reads), TEST(flood), TEST(finds), TEST(uris))
