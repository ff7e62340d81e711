/*
 * SASLprep (RFC 4013): what becomes of names and passwords.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "prep.h"
#include "saslprep.h"
#include "test.h"

#define ROOM 64

static const struct {
	const char *text, *want;	/* want NULL: refused */
} rows[] = {
	/* RFC 4013 section 3 */
	{ "I\u00adX", "IX" }, { "user", "user" }, { "USER", "USER" },
	{ "\u00aa", "a" }, { "\u2168", "IX" }, { "\a", NULL },
	{ "\u0627" "1", NULL },
	/* mapped */
	{ "a\u00a0b", "a b" }, { "\u3000", " " }, { "a\u200bb", "ab" },
	{ "\u00ad", NULL }, { "", NULL },
	/* composed */
	{ "Jo\u0308rg", "J\u00f6rg" }, { "J\u00f6rg", "J\u00f6rg" },
	{ "\uff41\uff42", "ab" }, { "\uac00", "\uac00" },
	{ "\u1112\u1161\u11ab", "\ud55c" },
	/* prohibited, or nobody's */
	{ "a\nb", NULL }, { "a\x7f", NULL }, { "a\xc2\x85", NULL }, { "\ufffd", NULL },
	{ "\ue000", NULL }, { "\u0378", NULL }, { "\xf0\x9f\xbf\xbe", NULL },
	/* no UTF-8 */
	{ "J\xf6rg", NULL }, { "\xc3", NULL }, { "\xed\xa0\x80", NULL },
	/* from right to left */
	{ "\u0627\u0628", "\u0627\u0628" }, { "\u06271\u0628", "\u06271\u0628" },
	{ "\u0627x\u0628", NULL }, { "1\u0627", NULL },
};

static void
becomes_what_the_rfc_says(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf out = BUF_INIT(ROOM);
		const char *want = rows[i].want;
		int r;

		errno = 0;
		r = saslprep(bytes_of(rows[i].text), &out);
		if (want == NULL ? !CHECK_EQ_INT(r, -1) || !CHECK_EQ_INT(errno, EILSEQ)
		    : !CHECK_EQ_INT(r, 0)
		    || !CHECK_EQ_BYTES(buf_contents(&out), bytes_of(want)))
			printf("# row %zu\n", i);
		buf_free(&out);
	}
}

static void
a_nul_ends_nothing(void)
{
	struct buf out = BUF_INIT(ROOM);

	CHECK_EQ_INT(saslprep(BYTES("ann\0x"), &out), -1);
	CHECK_EQ_INT(saslprep(BYTES("\xc3\xb6\0x"), &out), -1);
	CHECK_EQ_INT(out.len, 0);
	buf_free(&out);
}

/* U+FDFA becomes 18 characters, 33 octets. */
static void
may_grow_up_to_its_bound(void)
{
	struct buf out = BUF_INIT(33), less = BUF_INIT(32), four = BUF_INIT(4);

	CHECK_EQ_INT(saslprep(BYTES("\xef\xb7\xba"), &out), 0);
	CHECK_EQ_INT(out.len, 33);
	CHECK_EQ_INT(saslprep(BYTES("\xef\xb7\xba"), &less), -1);
	CHECK_EQ_INT(saslprep(BYTES("abcd"), &four), 0);
	buf_clear(&four);
	CHECK_EQ_INT(saslprep(BYTES("abcde"), &four), -1);
	buf_free(&out);
	buf_free(&less);
	buf_free(&four);
}

static void
passwords_for_pam_are_only_looked_at(void)
{
	CHECK(prep_allowed(BYTES("p\xc2\xaa \xc2\xa0")));
	CHECK(!prep_allowed(BYTES("p\x01")));
	CHECK(!prep_allowed(BYTES("p\xc3")));
	CHECK(!prep_allowed(BYTES("p\xef\xbf\xbd")));
}

TEST_MAIN(
	TEST(becomes_what_the_rfc_says),
	TEST(a_nul_ends_nothing),
	TEST(may_grow_up_to_its_bound),
	TEST(passwords_for_pam_are_only_looked_at)
)
