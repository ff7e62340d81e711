/*
 * Client text in a log line cannot pose as a field.
 * Runs as: the person who builds.
 */
#include <unistd.h>

#include "log.h"
#include "test.h"

/* What the next lines leave at descriptor 2, until heard() ends it. */
static int
hear(int pair[2])
{
	int old = dup(DIAGNOSTICS_FD);

	if (pipe(pair) < 0 || dup2(pair[1], DIAGNOSTICS_FD) < 0)
		return -1;
	return old;
}

static void
heard(int pair[2], int old, char *text, size_t size)
{
	ssize_t n = read(pair[0], text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	dup2(old, DIAGNOSTICS_FD);
	close(old);
	close(pair[0]);
	close(pair[1]);
}

static void
errors_name_whose_they_are(void)
{
	char text[4096], name[2000];
	int pair[2], old = hear(pair);

	log_context("user=ann session=x");
	log_info("news");
	log_warn("trouble\n: %s", "no");
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	log_context(name);
	log_warn("%s", name);
	heard(pair, old, text, sizeof text);
	CHECK(strstr(text, "]: news\n") != NULL);
	CHECK(strstr(text, "]: trouble?: no user=ann session=x\n") != NULL);
	CHECK(text[strlen(text) - 1] == '\n');
	log_context("");
}

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

TEST_MAIN(TEST(quoting_leaves_no_field_end), TEST(quoting_cuts_long_text),
    TEST(errors_name_whose_they_are))
