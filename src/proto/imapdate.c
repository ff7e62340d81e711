/*
 * The dates of IMAP, read and written.
 * Runs as: the mailbox owner.
 */
#include <stdio.h>

#include "imapdate.h"
#include "lex.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days from 1970-01-01, counting years from March so that leap days come last. */
static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t m = month <= 2 ? month + 9 : month - 3;
	int64_t day_of_year = (153 * m + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4
	    - year_of_era / 100 + day_of_year - 719468;
}

int64_t
date_of_day(int64_t year, unsigned month, unsigned day)
{
	return days_of(year, month, day) * 86400;
}

struct civil
date_civil(int64_t seconds)
{
	int64_t rest = seconds % 86400, days = seconds / 86400;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	days += 719468;

	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t d = days - era * 146097;
	int64_t year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t day_of_year = d - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * day_of_year + 2) / 153;

	return (struct civil){
		.year = year + era * 400 + (m >= 10),
		.month = (unsigned)(m < 10 ? m + 3 : m - 9),
		.day = (unsigned)(day_of_year - (153 * m + 2) / 5 + 1),
		.hour = (unsigned)(rest / 3600),
		.minute = (unsigned)(rest / 60 % 60),
		.second = (unsigned)(rest % 60),
	};
}

bool
date_exists(int64_t year, unsigned month, unsigned day)
{
	struct civil c;

	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	c = date_civil(date_of_day(year, month, day));
	return c.month == month && c.day == day;
}

void
date_time_print(int64_t seconds, char out[DATE_TIME_SIZE])
{
	struct civil c = date_civil(seconds);

	if (c.year < 0)
		c = date_civil(date_of_day(0, 1, 1));
	else if (c.year > 9999)
		c = date_civil(date_of_day(10000, 1, 1) - 1);
	snprintf(out, DATE_TIME_SIZE, "\"%02u-%.3s-%04u %02u:%02u:%02u +0000\"",
	    c.day, months + (size_t)(c.month - 1) * 3, (unsigned)c.year,
	    c.hour, c.minute, c.second);
}

/* ---- reading ---- */

static int
bad_date(struct lex *x)
{
	return lex_fail(x, EINVAL, "Bad date");
}

/* Between min and max digits. */
static int
digits(struct lex *x, size_t min, size_t max, unsigned *out)
{
	size_t n = 0;

	*out = 0;
	while (n < max && n < x->rest.n && ascii_digit(x->rest.p[n]))
		*out = *out * 10 + (unsigned)(x->rest.p[n++] - '0');
	if (n < min)
		return bad_date(x);
	x->rest = bytes_from(x->rest, n);
	return 0;
}

static int
month_name(struct lex *x, unsigned *out)
{
	for (unsigned i = 0; i < 12; i++) {
		struct bytes name = bytes_make(months + (size_t)i * 3, 3);

		if (!bytes_case_starts(x->rest, name))
			continue;
		x->rest = bytes_from(x->rest, 3);
		*out = i + 1;
		return 0;
	}
	return bad_date(x);
}

/* "-" date-month "-" date-year behind a day that was read already. */
static int
month_and_year(struct lex *x, unsigned day, int64_t *midnight)
{
	unsigned month, year;

	if (lex_char(x, '-') < 0 || month_name(x, &month) < 0
	    || lex_char(x, '-') < 0 || digits(x, 4, 4, &year) < 0
	    || !date_exists(year, month, day))
		return bad_date(x);
	*midnight = date_of_day(year, month, day);
	return 0;
}

int
lex_date(struct lex *x, int64_t *day)
{
	bool quoted = lex_peek(x) == '"' && lex_char(x, '"') == 0;
	unsigned number;

	if (digits(x, 1, 2, &number) < 0 || month_and_year(x, number, day) < 0)
		return -1;
	return quoted ? lex_char(x, '"') : 0;
}

/* date-day-fixed: two digits, or SP and one. */
static int
day_fixed(struct lex *x, unsigned *day)
{
	if (lex_peek(x) != ' ')
		return digits(x, 2, 2, day);
	return lex_space(x) < 0 ? -1 : digits(x, 1, 1, day);
}

static int
time_of_day(struct lex *x, int64_t *out)
{
	unsigned h, m, s;

	if (digits(x, 2, 2, &h) < 0 || lex_char(x, ':') < 0
	    || digits(x, 2, 2, &m) < 0 || lex_char(x, ':') < 0
	    || digits(x, 2, 2, &s) < 0)
		return bad_date(x);
	/* 60: a leap second. */
	if (h > 23 || m > 59 || s > 60)
		return bad_date(x);
	*out = (int64_t)h * 3600 + (int64_t)m * 60 + s;
	return 0;
}

/* zone: how far it is east of UTC, in seconds. */
static int
zone(struct lex *x, int64_t *out)
{
	bool west = lex_peek(x) == '-';
	unsigned h, m;

	if (lex_char(x, west ? '-' : '+') < 0 || digits(x, 2, 2, &h) < 0
	    || digits(x, 2, 2, &m) < 0 || m > 59)
		return bad_date(x);
	*out = (int64_t)h * 3600 + (int64_t)m * 60;
	if (west)
		*out = -*out;
	return 0;
}

int
lex_date_time(struct lex *x, int64_t *seconds)
{
	int64_t midnight, time, east;
	unsigned day;

	if (lex_char(x, '"') < 0 || day_fixed(x, &day) < 0
	    || month_and_year(x, day, &midnight) < 0 || lex_space(x) < 0
	    || time_of_day(x, &time) < 0 || lex_space(x) < 0
	    || zone(x, &east) < 0 || lex_char(x, '"') < 0)
		return bad_date(x);
	*seconds = midnight + time - east;
	return 0;
}
