/*
 * Dates of header fields.
 * Runs as: the person who builds.
 */
#include "date.h"
#include "test.h"

static const struct {
	const char *in;
	int64_t seconds, day;
	int zone;
} cases[] = {
	/* RFC 5322 appendix A */
	{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, 880070400, -360 },
	{ "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 1057017600, 120 },
	{ "Thu, 13 Feb 1969 23:32:54 -0330", -27723426, -27820800, -210 },
	{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
	  "               -0330 (Newfoundland Time)", -27723480, -27820800, -210 },
	{ "21 Nov 97 09:55:06 GMT", 880106106, 880070400, 0 },
	{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706,
	  880070400, -360 },
	/* obsolete zones and years, section 4.3 */
	{ "Sat, 1 Jan 00 00:00:00 EST", 946702800, 946684800, -300 },
	{ "1 Jan 100 00:00 UT", 946684800, 946684800, 0 },
	{ "1 Jan 49 00:00 PDT", 2493097200, 2493072000, -420 },
	{ "1 Jan 50 00:00 Z", -631152000, -631152000, 0 },
	{ "1 Jan 2020 00:00:00 CEST", 1577836800, 1577836800, 0 },
	/* in use */
	{ "Wed, 1 Jan 2020 00:00:00 +0000 (UTC)", 1577836800, 1577836800, 0 },
	{ "1-Jan-2020 01:02:03 +0100", 1577836923, 1577836800, 60 },
	{ "Wed Jan  1 01:02:03 2020", 1577840523, 1577836800, 0 },
	{ "Wed Jan  1 01:02:03 PST 2020", 1577869323, 1577836800, -480 },
	{ "Wed, 01 January 2020 01:02:03.250 +0100", 1577836923, 1577836800, 60 },
	{ "Sat, 31 Dec 2016 23:59:60 +0000", 1483228800, 1483142400, 0 },
	{ "29 Feb 2000 12:00 -0000", 951825600, 951782400, 0 },
	/* RFC 5256 section 2.2: what is invalid is left out */
	{ "1 Jan 2020", 1577836800, 1577836800, 0 },
	{ "1 Jan 2020 25:00:00 +0000", 1577836800, 1577836800, 0 },
	{ "1 Jan 2020 00:00:00 +9999", 1577836800, 1577836800, 0 },
	{ "1 Jan 2020 00:00:00 +123456789", 1577836800, 1577836800, 0 },
	{ "(c(o)m\\)ment) 1 Jan 2020 00:00", 1577836800, 1577836800, 0 },
};

static void
reads(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mail_date d = { 0 };

		unsigned before = test_failures;

		CHECK(date_parse(bytes_of(cases[i].in), &d));
		CHECK_EQ_INT(d.seconds, cases[i].seconds);
		CHECK_EQ_INT(d.day, cases[i].day);
		CHECK_EQ_INT(d.zone, cases[i].zone);
		if (test_failures > before)
			printf("#   %s\n", cases[i].in);
	}
}

static void
refuses(void)
{
	static const char *const bad[] = {
		"", "nothing", "Jan", "1 Jan", "32 Jan 2020", "0 Jan 2020",
		"29 Feb 1900", "1 Foo 2020", "1 Jan 2", "1 Jan 20200", "(1 Jan 2020",
		"99999999999999999999 Jan 2020", "1 Jan (2020", "\\",
	};
	struct mail_date d;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!CHECK(!date_parse(bytes_of(bad[i]), &d)))
			printf("#   %s\n", bad[i]);
}

static void
days(void)
{
	CHECK_EQ_INT(date_days(1970, 1, 1), 0);
	CHECK_EQ_INT(date_days(2000, 2, 29), 11016);
	CHECK_EQ_INT(date_days(1969, 12, 31), -1);
	CHECK_EQ_INT(date_days(0, 1, 1), -719528);
	CHECK_EQ_INT(date_days(9999, 12, 31), 2932896);
}

TEST_MAIN(TEST(reads), TEST(refuses), TEST(days))
