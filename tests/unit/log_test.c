/*
 * Client text in a log line cannot pose as a field.
 * Runs as: the person who builds.
 */
#include "log.h"
#include "test.h"

static void
quoting_leaves_no_field_end(void)
{
	CHECK_EQ_TEXT(log_quote(BYTES("alice")), "alice");
	CHECK_EQ_TEXT(log_quote(BYTES("x rip=10.0.0.1")),
	    "x\\20rip\\3d10.0.0.1");
	CHECK_EQ_TEXT(log_quote(BYTES("a\r\nb\x1b\"\\")), "a\\0d\\0ab\\1b\\22\\5c");
	CHECK_EQ_TEXT(log_quote(BYTES("\xc3\xa4%s")), "\\c3\\a4%s");
}

static void
quoting_cuts_long_text(void)
{
	unsigned char big[1000];
	const char *q;

	memset(big, 0xff, sizeof big);
	q = log_quote(bytes_make(big, sizeof big));
	CHECK_EQ_INT(strlen(q), 3 * LOG_QUOTE_MAX + 3);
	memset(big, 'a', sizeof big);
	q = log_quote(bytes_make(big, LOG_QUOTE_MAX));
	CHECK_EQ_INT(strlen(q), LOG_QUOTE_MAX);
}

TEST_MAIN(TEST(quoting_leaves_no_field_end), TEST(quoting_cuts_long_text))
