/*
 * Patterns of LIST.
 * Runs as: the person who builds.
 */
#include "../../src/imap/pattern.h"
#include "lex.h"
#include "test.h"

static void
patterns(void)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} v[] = {
		{ "*", "a/b/c", true }, { "%", "a", true }, { "%", "a/b", false },
		{ "%", "", true }, { "", "", true }, { "", "a", false },
		{ "a/%", "a/b", true }, { "a/%", "a/b/c", false },
		{ "a/%", "a", false }, { "a*", "a", true }, { "a*", "a/b", true },
		{ "%/%", "a/b", true }, { "%/%", "a/b/c", false },
		{ "*/c", "a/b/c", true }, { "%b", "aab", true },
		{ "%b*", "ab/c", true }, { "*%", "a/b", true },
		{ "%*", "a/b", true }, { "a%c%e", "abcde", true },
		{ "a%c%e", "abc/e", false }, { "*a*b*", "xxaxxbxx", true },
		{ "inbox", "INBOX", true }, { "InBo%", "INBOX", true },
		{ "inbox/x", "INBOX/x", true }, { "inbox/X", "INBOX/x", false },
		{ "Foo", "foo", false }, { "inboxes", "INBOXES", false },
		{ "a", "ab", false }, { "ab", "a", false },
	};

	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
		if (!CHECK_EQ_INT(pattern_matches(bytes_of(v[i].pattern),
		    bytes_of(v[i].name)), v[i].want))
			printf("# for %s and %s\n", v[i].pattern, v[i].name);
}

/* What takes others exponential time takes us one step for each pair of bytes. */
static void
many_wildcards(void)
{
	unsigned char name[LEX_MAILBOX_MAX + 1], pattern[2048];

	memset(name, 'a', sizeof name);
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	CHECK(!pattern_matches(bytes_make(pattern, 2047), bytes_make(name, 1022)));
	CHECK(pattern_matches(bytes_make(pattern, 2047), bytes_make(name, 1023)));
	CHECK(!pattern_matches(BYTES("*"), bytes_make(name, sizeof name)));
}

TEST_MAIN(TEST(patterns), TEST(many_wildcards))
