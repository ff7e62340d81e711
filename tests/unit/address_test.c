/*
 * Address lists: RFC 5322's examples, obsolete and broken ones.
 * Runs as: the person who builds.
 */
#include "address.h"
#include "test.h"

static void
show(struct buf *out, const struct address *a)
{
	if (a->kind == ADDRESS_GROUP_END) {
		buf_text(out, "};");
		return;
	}
	buf_bytes(out, a->name);
	buf_byte(out, '|');
	buf_bytes(out, a->route);
	buf_byte(out, '|');
	buf_bytes(out, a->mailbox);
	if (a->kind == ADDRESS_GROUP) {
		buf_text(out, "{");
		return;
	}
	buf_byte(out, '|');
	buf_bytes(out, a->host);
	buf_byte(out, ';');
}

/* name|route|mailbox|host; and ||group{ ... }; */
static const char *
listed(struct bytes value)
{
	static struct buf out = { .max = 65536 };
	struct addresses a;
	struct address one;
	int rc;

	buf_clear(&out);
	addresses_begin(&a, value);
	while ((rc = addresses_next(&a, &one)) > 0)
		show(&out, &one);
	CHECK_EQ_INT(rc, 0);
	addresses_end(&a);
	return buf_string(&out);
}

struct address_case {
	struct bytes in;
	const char *out;
};

static void
check(const struct address_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_EQ_TEXT(listed(cases[i].in), cases[i].out);
}

#define CHECK_CASES(cases) check((cases), sizeof (cases) / sizeof (cases)[0])

/* RFC 5322 appendix A.1 and A.5, A.6 */
static void
examples(void)
{
	static const struct address_case cases[] = {
		{ BYTES(" John Doe <jdoe@machine.example>"),
		  "John Doe||jdoe|machine.example;" },
		{ BYTES("\"Joe Q. Public\" <john.q.public@example.com>"),
		  "Joe Q. Public||john.q.public|example.com;" },
		{ BYTES("Mary Smith <mary@x.test>, jdoe@example.org, Who? "
		    "<one@y.test>"), "Mary Smith||mary|x.test;||jdoe|example.org;"
		    "Who?||one|y.test;" },
		{ BYTES("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" "
		    "<sysservices@example.net>"), "||boss|nil.test;"
		    "Giant; \"Big\" Box||sysservices|example.net;" },
		{ BYTES("A Group:Ed Jones <c@a.test>,joe@where.test,John "
		    "<jdoe@one.test>;"), "||A Group{Ed Jones||c|a.test;"
		    "||joe|where.test;John||jdoe|one.test;};" },
		{ BYTES("Undisclosed recipients:;"),
		  "||Undisclosed recipients{};" },
		{ BYTES("Pete(A nice \\) chap) <pete(his account)@silly.test"
		    "(his host)>"), "Pete||pete|silly.test;" },
		{ BYTES("A Group(Some people)\r\n     :Chris Jones <c@(Chris's "
		    "host.)public.example>,\r\n joe@example.org,\r\n  John "
		    "<jdoe@one.test> (my dear friend); (the end of the group)"),
		  "||A Group{Chris Jones||c|public.example;||joe|example.org;"
		  "John||jdoe|one.test;};" },
		{ BYTES("(Empty list)(start)Hidden recipients  :(nobody(that I "
		    "know))  ;"), "||Hidden recipients{};" },
		{ BYTES("Joe Q. Public <john.q.public@example.com>"),
		  "Joe Q. Public||john.q.public|example.com;" },
		{ BYTES("Mary Smith <@node.test,@other.test:mary@example.net>, "
		    ", jdoe@test  . example"), "Mary Smith|@node.test,@other.test"
		    "|mary|example.net;||jdoe|test.example;" },
		{ BYTES("John Doe <jdoe@machine(comment).  example>"),
		  "John Doe||jdoe|machine.example;" },
	};

	CHECK_CASES(cases);
}

static void
in_use(void)
{
	static const struct address_case cases[] = {
		{ BYTES("ann@example.org (Ann Lee)"), "Ann Lee||ann|example.org;" },
		{ BYTES("<ann@example.org> (Ann)"), "Ann||ann|example.org;" },
		{ BYTES("Ann (from work) <ann@example.org>"),
		  "Ann||ann|example.org;" },
		{ BYTES("\"a@b\" <c@d>"), "a@b||c|d;" },
		{ BYTES("a@b <a@b>"), "a@b||a|b;" },
		{ BYTES("\"john doe\"@example.org"), "||john doe|example.org;" },
		{ BYTES("\"a\\\"b\"@x"), "||a\"b|x;" },
		{ BYTES("john . q . public@example . org"),
		  "||john.q.public|example.org;" },
		{ BYTES("u@[IPv6:2001:db8::1], v@[192.0.2.1]"),
		  "||u|[IPv6:2001:db8::1];||v|[192.0.2.1];" },
		{ BYTES("=?utf-8?Q?Doe,_John?= <j@x>"),
		  "=?utf-8?Q?Doe,_John?=||j|x;" },
		{ BYTES("=?utf-8?B?QQ==?= =?utf-8?B?Qg==?= <j@x>"),
		  "=?utf-8?B?QQ==?= =?utf-8?B?Qg==?=||j|x;" },
		{ BYTES("Jos\xc3\xa9 <jos\xc3\xa9@ex\xc3\xa4mple.org>"),
		  "Jos\xc3\xa9||jos\xc3\xa9|ex\xc3\xa4mple.org;" },
		{ BYTES("a@b; c@d;"), "||a|b;||c|d;" },
		{ BYTES("  a@b ,\r\n\tc@d"), "||a|b;||c|d;" },
		{ BYTES("\"quoted\" \"two\" bare <a@b>"),
		  "quoted two bare||a|b;" },
		{ BYTES("A.B. Smith <a@b>"), "A.B. Smith||a|b;" },
		{ BYTES("\"\" <a@b>"), "||a|b;" },
		{ BYTES("list:;, a@b"), "||list{};||a|b;" },
		{ BYTES("x: a@b; y: c@d;"), "||x{||a|b;};||y{||c|d;};" },
	};

	CHECK_CASES(cases);
}

static void
broken(void)
{
	static const struct address_case cases[] = {
		{ BYTES(""), "" },
		{ BYTES(" \r\n\t"), "" },
		{ BYTES(",,,;;"), "" },
		{ BYTES("root"), "||root|;" },
		{ BYTES("John Doe"), "John Doe|||;" },
		{ BYTES("@example.org"), "|||example.org;" },
		{ BYTES("a@"), "||a|;" },
		{ BYTES("<>"), "|||;" },
		{ BYTES("<a@b"), "||a|b;" },
		{ BYTES("<a@b, c@d>"), "||a|b;||c|d>;" },
		{ BYTES("a@b@c"), "||a@b|c;" },
		{ BYTES("Name <a@b> <c@d>"), "Name||a|b;||c|d;" },
		{ BYTES("Name <a@b> junk, e@f"), "Name||a|b;||e|f;" },
		{ BYTES("John \"the man <a@b>, c@d"),
		  "John \"the man||a|b;||c|d;" },
		{ BYTES("John (unclosed <a@b>"), "John (unclosed||a|b;" },
		{ BYTES("a@b (comment\\"), "||a|b (comment\\;" },
		{ BYTES("a@b (comment\\)"), "||a|b (comment\\);" },
		{ BYTES("\"ends in backslash\\"), "\"ends in backslash\\|||;" },
		{ BYTES("(only a comment)"), "" },
		{ BYTES("list: a@b, c@d"), "||list{||a|b;||c|d;};" },
		{ BYTES("a: b: c@d;"), "||a{||b: c|d;};" },
		{ BYTES(":;"), "||{};" },
		{ BYTES("a\0b@c\0d"), "||ab|cd;" },
		{ BYTES("<@r,@s>"), "||@r,|s;" },
		{ BYTES("a@b:c"), "||a|b:c;" },
		{ BYTES("=?utf-8?Q?unfinished <a@b>"),
		  "=?utf-8?Q?unfinished||a|b;" },
		{ BYTES("\\ <a@b>"), "\\||a|b;" },
	};

	CHECK_CASES(cases);
}

static void
sort_keys(void)
{
	static const struct {
		const char *in, *mailbox, *display;
	} cases[] = {
		{ "Ann Lee <ann@x.org>, Bob <b@y>", "ann", "Ann Lee" },
		{ "=?iso-8859-1?Q?Andr=E9?= <andre@x.org>", "andre", "Andr\xc3\xa9" },
		{ "ann@x.org", "ann", "ann@x.org" },
		{ "Friends: ann@x.org;", "Friends", "Friends" },
		{ "", "", "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf b = BUF_INIT(1000);

		CHECK_EQ_INT(address_sort_mailbox(bytes_of(cases[i].in), &b), 0);
		CHECK_EQ_TEXT(buf_string(&b), cases[i].mailbox);
		buf_clear(&b);
		CHECK_EQ_INT(address_sort_display(bytes_of(cases[i].in), &b), 0);
		CHECK_EQ_TEXT(buf_string(&b), cases[i].display);
		buf_free(&b);
	}
}

static void
search_text(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "<user (a) @ (b) x.org>", "b <user@x.org>, " },
		{ "ann@x.org (Ann \\(Lee\\))", "Ann (Lee) <ann@x.org>, " },
		{ "\"Le \\\"X\\\"\" <x@y>, =?utf-8?q?=C3=A9?= <e@y>",
		  "Le \"X\" <x@y>, \xc3\xa9 <e@y>, " },
		{ "Friends (us): a @x, b;", "<Friends>, <a@x>, <b>, " },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf b = BUF_INIT(1000);

		CHECK_EQ_INT(address_search_text(bytes_of(cases[i].in), &b), 0);
		CHECK_EQ_TEXT(buf_string(&b), cases[i].out);
		buf_free(&b);
	}
}

TEST_MAIN(TEST(examples), TEST(in_use), TEST(broken), TEST(sort_keys), TEST(search_text))
