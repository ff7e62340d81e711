/*
 * Base subjects (RFC 5256 section 2.1), message identifiers and folded text
 * (RFC 5051).
 * Runs as: the person who builds.
 */
#include "fold.h"
#include "subject.h"
#include "test.h"

static const struct {
	const char *in, *out;
	bool reply;
} subjects[] = {
	{ "", "", false },
	{ "plain", "plain", false },
	{ "Re: plain", "plain", true },
	{ "RE : plain", "plain", true },
	{ "Fwd: Fw: re: plain", "plain", true },
	{ "re[2]: plain", "plain", true },
	{ "Re [list]  : plain", "plain", true },
	{ "[list] plain", "plain", false },
	{ "[list] Re: [list] plain", "plain", true },
	{ "[a][b] [c]Re: x", "x", true },
	{ "[only]", "[only]", false },
	{ "[a] [only]", "[only]", false },
	{ "Re: [only]", "[only]", true },
	{ "[a] re:", "", true },
	{ "Re:", "", true },
	{ "plain (fwd)", "plain", true },
	{ "plain (fwd) (FWD)  ", "plain", true },
	{ "(fwd)", "", true },
	{ "[fwd: plain]", "plain", true },
	{ "[Fwd: Re: [list] plain (fwd)]", "plain", true },
	{ "[fwd: [fwd: deep]]", "deep", true },
	{ "[fwd: open", "[fwd: open", false },
	{ "Re: [fwd: x] y", "y", true },
	{ "real: no reply", "real: no reply", false },
	{ "fwdd: x", "fwdd: x", false },
	{ "re x: y", "re x: y", false },
	{ "[unclosed x", "[unclosed x", false },
	{ "[a[b] x", "[a[b] x", false },
	{ "a\t\tb \r\n  c", "a b c", false },
	{ "=?utf-8?Q?Re:_caf=C3=A9?=", "caf\xc3\xa9", true },
	{ "=?utf-8?B?UmU6?= =?utf-8?Q?_x?=", "x", true },
};

static void
base_subjects(void)
{
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		struct buf b = BUF_INIT(1000);
		bool reply;

		CHECK_EQ_INT(subject_base(bytes_of(subjects[i].in), &b, &reply), 0);
		bool text = CHECK_EQ_TEXT(buf_string(&b), subjects[i].out);
		bool same = CHECK(reply == subjects[i].reply);

		if (!text || !same)
			printf("#   %s\n", subjects[i].in);
		buf_free(&b);
	}
}

static const struct { const char *in, *out; } ids[] = {
	{ "", "" },
	{ "<a@b>", "a@b|" },
	{ " <a@b>\r\n\t<c@d> ", "a@b|c@d|" },
	{ "<a@b><c@d>", "a@b|c@d|" },
	/* RFC 5256 section 3: one spelling */
	{ "<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", "01KF8JCEOCBS0045PS@xxx.yyy.com|" },
	{ "<1234   @   local(blah)  .machine .example>", "1234@local.machine.example|" },
	{ "<\"a\\\"b\"@c>", "a\"b@c|" },
	{ "<a@[d l]>", "a@[dl]|" },
	/* RFC 5256 section 3: not in message identifiers */
	{ "Your message of \"Thu, <x@y>\" <a@b> (comment <c@d>)", "a@b|" },
	{ "no angles a@b", "" },
	{ "<no-at>", "" },
	{ "<>", "" },
	{ "<@>", "" },
	{ "<a@b", "" },
	{ "<a@b <c@d>", "c@d|" },
	{ "<<a@b>>", "a@b|" },
	{ "(unclosed <a@b>", "" },
	{ "\"unclosed <a@b>", "" },
	{ "(ends \\", "" },
};

static void
message_ids(void)
{
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct buf b = BUF_INIT(1000);
		struct bytes rest = bytes_of(ids[i].in);

		while (msgid_next(&rest, &b) > 0)
			buf_byte(&b, '|');
		if (!CHECK_EQ_TEXT(buf_string(&b), ids[i].out))
			printf("#   %s\n", ids[i].in);
		buf_free(&b);
	}
}

static const struct { const char *in, *out; } folds[] = {
	{ "", "" },
	{ "abcXYZ019[`{\x7f", "ABCXYZ019[`{\x7f" },
	{ "a longer text of ascii letters, more than lanes",
	  "A LONGER TEXT OF ASCII LETTERS, MORE THAN LANES" },
	/* RFC 5051 section 2: title case of U+01C4, decomposed */
	{ "\xc7\x84", "Dz\xcc\x8c" },
	{ "caf\xc3\xa9", "CAFE\xcc\x81" },
	{ "CAF\xc3\x89", "CAFE\xcc\x81" },
	{ "\xc3\x9f", "\xc3\x9f" },
	{ "\xef\xac\x81", "fi" },		/* no title case of its own, then compatibility */
	{ "\xce\xb1\xcf\x82\xcf\x83", "\xce\x91\xce\xa3\xce\xa3" },
	{ "\xd0\xb6", "\xd0\x96" },
	{ "\xe2\x84\xaa", "K" },		/* KELVIN SIGN */
	{ "\xef\xbd\x81", "A" },		/* full width */
	{ "\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1" },
	{ "a\xff" "b", "A\xff" "B" },
};

static void
folded(void)
{
	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
		struct buf b = BUF_INIT(1000);

		CHECK_EQ_INT(fold_text(bytes_of(folds[i].in), &b), 0);
		CHECK_EQ_TEXT(buf_string(&b), folds[i].out);
		buf_free(&b);
	}
}

/* Every needle of a text is found, wherever the text is cut, and no other. */
static void
matches_across_pieces(void)
{
	struct bytes text = BYTES("ABABABC-ABABD");

	for (size_t from = 0; from < text.n; from++)
		for (size_t n = 1; from + n <= text.n; n++)
			for (size_t piece = 1; piece <= text.n; piece++) {
				struct bytes rest = text;
				struct matcher m;

				matcher_begin(&m, bytes_make(text.p + from, n));
				for (; rest.n > 0; rest = bytes_from(rest, piece))
					CHECK(matcher_push(&m,
					    bytes_first(rest, piece)) >= 0);
				CHECK(m.found);
				matcher_end(&m);
			}
}

static void
matches_nothing_else(void)
{
	static const char *const needles[] = { "ABC-ABD", "BABABABC", "D-" };
	struct bytes text = BYTES("ABABABC-ABABD");
	struct matcher m;

	for (size_t i = 0; i < sizeof needles / sizeof needles[0]; i++)
		for (size_t piece = 1; piece <= text.n; piece++) {
			struct bytes rest = text;

			matcher_begin(&m, bytes_of(needles[i]));
			for (; rest.n > 0; rest = bytes_from(rest, piece))
				CHECK_EQ_INT(matcher_push(&m,
				    bytes_first(rest, piece)), 0);
			matcher_end(&m);
		}
	matcher_begin(&m, BYTES("AB"));
	CHECK_EQ_INT(matcher_push(&m, BYTES("xA")), 0);
	matcher_break(&m);
	CHECK_EQ_INT(matcher_push(&m, BYTES("B")), 0);
	matcher_end(&m);
	matcher_begin(&m, BYTES(""));
	CHECK(m.found);
	matcher_end(&m);
}

TEST_MAIN(TEST(base_subjects), TEST(message_ids), TEST(folded),
    TEST(matches_across_pieces), TEST(matches_nothing_else))
