/*
 * Dates of header fields.
 * Runs as: the mailbox owner.
 */
#include "date.h"
#include "scan.h"

#define TOKENS_MAX 12

/* Numbers, words and signs of a date, comments taken out. */
struct token {
	struct bytes text;
	char before;			/* ':' '+' '-' stood in front of it, or 0 */
};

struct scan {
	struct bytes rest;
	struct token token[TOKENS_MAX];
	size_t n;
};

static size_t
run_length(struct bytes b, bool (*member)(unsigned char))
{
	size_t n = 0;

	while (n < b.n && member(b.p[n]))
		n++;
	return n;
}

static void
scan_tokens(struct scan *s)
{
	char before = 0;

	while (s->rest.n > 0 && s->n < TOKENS_MAX) {
		unsigned char c = s->rest.p[0];
		size_t n = 1;

		if (c == '(') {
			n = scan_or_all(scan_comment(s->rest), s->rest);
		} else if (ascii_digit(c) || ascii_alpha(c)) {
			n = run_length(s->rest,
			    ascii_digit(c) ? ascii_digit : ascii_alpha);
			s->token[s->n++] = (struct token){
			    bytes_first(s->rest, n), before };
			before = 0;
		} else if (c == ':' || c == '+' || c == '-') {
			before = (char)c;
		} else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
			before = 0;
		}
		s->rest = bytes_from(s->rest, n);
	}
}

static int
month_of(struct bytes word)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	if (word.n < 3)
		return 0;
	for (int m = 0; m < 12; m++)
		if (bytes_case_equal(bytes_first(word, 3),
		    bytes_make(names + m * 3, 3)))
			return m + 1;
	return 0;
}

int64_t
date_days(int64_t year, unsigned month, unsigned day)
{
	/* years from March on, so that the leap day is a year's last */
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 +
	    (int64_t)day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static bool
leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static unsigned
month_days(int64_t year, unsigned month)
{
	static const unsigned char days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};

	return days[month - 1] + (month == 2 && leap(year));
}

/* RFC 5322 section 4.3: years of two and three digits. */
static bool
year_of(struct bytes text, int64_t *year)
{
	uint64_t y;

	if (text.n < 2 || bytes_number(text, 9999, &y) < 0)
		return false;
	if (text.n == 2)
		y += y < 50 ? 2000 : 1900;
	else if (text.n == 3)
		y += 1900;
	*year = (int64_t)y;
	return true;
}

/* "1 Jan 2020", and as asctime() and careless programs have it "Jan 1 ... 2020". */
static bool
read_day(const struct token *t, size_t n, size_t month_at, struct mail_date *out,
    size_t *next)
{
	unsigned month = (unsigned)month_of(t[month_at].text);
	uint64_t day;
	int64_t year;

	if (month_at == 0 || month_at + 1 >= n ||
	    bytes_number(t[month_at - 1].text, 31, &day) < 0 ||
	    !year_of(t[month_at + 1].text, &year))
		return false;
	if (day < 1 || day > month_days(year, month))
		return false;
	out->day = date_days(year, month, (unsigned)day) * 86400;
	*next = month_at + 2;
	return true;
}

static bool
read_asctime_day(const struct token *t, size_t n, size_t month_at,
    struct mail_date *out, size_t *next)
{
	unsigned month = (unsigned)month_of(t[month_at].text);
	uint64_t day;
	int64_t year;

	if (month_at + 1 >= n ||
	    bytes_number(t[month_at + 1].text, 31, &day) < 0)
		return false;
	*next = month_at + 2;
	for (size_t i = n; i-- > month_at + 2;)
		if (t[i].text.n == 4 && t[i].before == 0 &&
		    year_of(t[i].text, &year)) {
			if (day < 1 || day > month_days(year, month))
				return false;
			out->day = date_days(year, month, (unsigned)day) * 86400;
			return true;
		}
	return false;
}

/* hour ":" minute [":" second]; seconds of the day, 0 when it is no time. */
static int64_t
read_time(const struct token *t, size_t n, size_t *at)
{
	uint64_t h, m, s = 0;
	size_t i = *at;

	if (i + 1 >= n || t[i + 1].before != ':' ||
	    bytes_number(t[i].text, 23, &h) < 0 ||
	    bytes_number(t[i + 1].text, 59, &m) < 0)
		return 0;
	i += 2;
	if (i < n && t[i].before == ':' &&
	    bytes_number(t[i].text, 60, &s) == 0)
		i++;
	*at = i;
	return (int64_t)(h * 3600 + m * 60 + s);
}

/*
 * RFC 5322 section 4.3. The military zones were used with both signs and mean
 * no more than -0000, as does any other word.
 */
static int
zone_named(struct bytes word)
{
	static const struct { char name[4]; int hours; } zones[] = {
		{ "EDT", -4 }, { "EST", -5 }, { "CDT", -5 }, { "CST", -6 },
		{ "MDT", -6 }, { "MST", -7 }, { "PDT", -7 }, { "PST", -8 },
	};

	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (bytes_case_equal(word, bytes_of(zones[i].name)))
			return zones[i].hours * 60;
	return 0;
}

static int
read_zone(const struct token *t, size_t n, size_t at)
{
	uint64_t v;

	while (at < n && t[at].before == 0 && ascii_digit(t[at].text.p[0]))
		at++;		/* fractions of a second */
	if (at >= n)
		return 0;
	if (t[at].before != '+' && t[at].before != '-')
		return zone_named(t[at].text);
	if (t[at].text.n != 4 || bytes_number(t[at].text, 9959, &v) < 0 ||
	    v % 100 > 59)
		return 0;
	v = v / 100 * 60 + v % 100;
	return t[at].before == '-' ? -(int)v : (int)v;
}

bool
date_parse(struct bytes value, struct mail_date *out)
{
	struct scan s = { .rest = value };
	size_t at, next = 0;
	int64_t time;

	scan_tokens(&s);
	for (at = 0; at < s.n && month_of(s.token[at].text) == 0;)
		at++;
	if (at == s.n || (!read_day(s.token, s.n, at, out, &next) &&
	    !read_asctime_day(s.token, s.n, at, out, &next)))
		return false;
	time = read_time(s.token, s.n, &next);
	out->zone = read_zone(s.token, s.n, next);
	out->seconds = out->day + time - (int64_t)out->zone * 60;
	return true;
}
