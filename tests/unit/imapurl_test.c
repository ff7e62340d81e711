/*
 * IMAP URLs: what names a message here, and what does not.
 * Runs as: the person who builds.
 */
#include "imapurl.h"
#include "test.h"

static struct arena arena = ARENA_INIT(1 << 20);

static bool
bad(const char *url)
{
	struct imapurl u;

	return imapurl_parse(bytes_of(url), &arena, &u) == -1;
}

static void
whole(void)
{
	struct imapurl u;

	if (!CHECK(imapurl_parse(BYTES("/iNbox/a%20b;UIDVALIDITY=12/;UID=3"
	    "/;SECTION=1.MIME/;PARTIAL=5.9"), &arena, &u) == 0))
		return;
	CHECK_EQ_BYTES(u.mailbox, BYTES("INBOX/a b"));
	CHECK_EQ_INT(u.uidvalidity, 12);
	CHECK_EQ_INT(u.uid, 3);
	CHECK_EQ_BYTES(u.section, BYTES("1.MIME"));
	CHECK(u.partial);
	CHECK_EQ_INT(u.first, 5);
	CHECK_EQ_INT(u.count, 9);
}

static void
short_ones(void)
{
	struct imapurl u;

	if (!CHECK(imapurl_parse(BYTES("/a/b/;uid=4294967295"), &arena, &u) == 0))
		return;
	CHECK_EQ_BYTES(u.mailbox, BYTES("a/b"));
	CHECK_EQ_INT(u.uidvalidity, 0);
	CHECK_EQ_INT(u.uid, UINT32_MAX);
	CHECK_EQ_INT(u.section.n, 0);
	CHECK(!u.partial);
	CHECK(imapurl_parse(BYTES("/%C3%BC/;UID=1/;PARTIAL=7"), &arena, &u) == 0);
	CHECK_EQ_BYTES(u.mailbox, BYTES("\303\274"));
	CHECK_EQ_INT(u.count, 0);
}

static void
refused(void)
{
	static const char *const urls[] = {
		"", "/", "//", "a/;UID=1", "/a", "/a/", "/a;UID=1", "/;UID=1",
		"/a/;UID=", "/a/;UID=0", "/a/;UID=4294967296", "/a/;UID=1/",
		"/a/;UID=1x", "/a;UIDVALIDITY=0/;UID=1", "/a/;UID=1/;SECTION=",
		"/a/;UID=1/;PARTIAL=", "/a/;UID=1/;PARTIAL=1.0",
		"/a/;UID=1/;PARTIAL=1.", "/a/;UID=1/;PARTIAL=1.2.3",
		"/a/;UID=1/;PARTIAL=1/;SECTION=1", "/a b/;UID=1", "/a%/;UID=1",
		"/a%4/;UID=1", "/a%zz/;UID=1", "/%00/;UID=1", "/%ff/;UID=1",
		"/a%0a/;UID=1", "/a?SUBJECT%20x", "//host/a/;UID=1",
		"imap://host/a/;UID=1", "/a/;UID=1;EXPIRE=x",
		"/a/;UID=1/;SECTION=1;URLAUTH=x",
	};

	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
		if (!CHECK(bad(urls[i])))
			printf("# %s\n", urls[i]);
	arena_free(&arena);
}

TEST_MAIN(TEST(whole), TEST(short_ones), TEST(refused))
