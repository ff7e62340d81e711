/*
 * Modified UTF-7, and UTF-8 below it.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "mutf7.h"
#include "test.h"
#include "utf8.h"

static void
both_ways(void)
{
	static const struct {
		const char *mutf7, *utf8;
	} v[] = {
		{ "INBOX", "INBOX" }, { "&-", "&" }, { "a&-b&-", "a&b&" },
		{ "", "" },
		/* RFC 3501 section 5.1.3 */
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		  "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		{ "Entw&APw-rfe", "Entw\xc3\xbcrfe" }, { "&2D3eAA-", "\xf0\x9f\x98\x80" },
		{ "&AOQA9g-", "\xc3\xa4\xc3\xb6" }, { "&AAk-", "\t" },
	};
	struct buf out = BUF_INIT(4096);

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		buf_clear(&out);
		CHECK_EQ_INT(mutf7_decode(bytes_of(v[i].mutf7), &out), 0);
		CHECK_EQ_BYTES(buf_contents(&out), bytes_of(v[i].utf8));
		buf_clear(&out);
		CHECK_EQ_INT(mutf7_encode(bytes_of(v[i].utf8), &out), 0);
		CHECK_EQ_BYTES(buf_contents(&out), bytes_of(v[i].mutf7));
	}
	buf_free(&out);
}

static void
refused(void)
{
	static const char *const v[] = {
		"&",			/* no end */
		"&AOQ", "a&AOQA9",
		"&AOQ-&APY-",		/* superfluous shift */
		"&AGE-",		/* an `a` in base64 */
		"&ACY-",		/* `&` in base64 */
		"&AOR-",		/* bits left that are not 0 */
		"&AOQA-",		/* a sextet too many */
		"&A-", "&AO-",
		"&2D0-",		/* high surrogate alone */
		"&3gA-",		/* low surrogate alone */
		"&2D0AYQ-",
		"&AO/-",		/* `/` is no letter of this base64 */
		"&AOQ=-",
		"\xc3\xa4", "\x80", "\x7f", "a\tb",
	};
	struct buf out = BUF_INIT(4096);

	buf_text(&out, "before");
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		if (!CHECK_EQ_INT(mutf7_decode(bytes_of(v[i]), &out), -1))
			printf("# for %s\n", v[i]);
		CHECK_EQ_INT(errno, EILSEQ);
		CHECK_EQ_BYTES(buf_contents(&out), BYTES("before"));
	}
	buf_free(&out);
}

static void
limit_is_kept(void)
{
	struct buf out = BUF_INIT(3);

	CHECK_EQ_INT(mutf7_decode(BYTES("abcd"), &out), -1);
	CHECK_EQ_INT(errno, E2BIG);
	buf_free(&out);
}

static void
utf8(void)
{
	static const char *const bad[] = {
		"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xc3", "\xe5\x8f", "\xf0\x9f\x98", "\xc3(", "a\xff",
	};
	static const char *const good[] = {
		"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!utf8_valid(bytes_of(bad[i])));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK(utf8_valid(bytes_of(good[i])));
}

TEST_MAIN(TEST(both_ways), TEST(refused), TEST(limit_is_kept), TEST(utf8))
