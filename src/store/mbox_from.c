/*
 * mbox: what is a From_ line, and which header fields are ours.
 * Runs as: the mailbox owner.
 */
#include <time.h>

#include "mbox_scan.h"

#define FROM_WORDS_MAX 16

/* The line's words; -1 when there are more than a From_ line can have. */
static int
split_words(struct bytes line, struct bytes word[FROM_WORDS_MAX])
{
	int n = 0;

	while (line.n > 0) {
		struct bytes w = bytes_split(&line, ' ');

		if (w.n == 0)
			continue;
		if (n == FROM_WORDS_MAX)
			return -1;
		word[n++] = w;
	}
	return n;
}

static int
place_in(const char *names, struct bytes w)
{
	if (w.n != 3)
		return -1;
	for (int i = 0; names[3 * i] != '\0'; i++)
		if (bytes_case_equal(bytes_make(names + 3 * i, 3), w))
			return i;
	return -1;
}

/* HH:MM or HH:MM:SS */
static bool
clock_time(struct bytes w, struct tm *tm)
{
	int *const to[] = { &tm->tm_hour, &tm->tm_min, &tm->tm_sec };
	static const uint64_t max[] = { 23, 59, 60 };
	uint64_t v;
	int n = 0;

	for (; w.n > 0; n++) {
		struct bytes part = bytes_split(&w, ':');

		if (n == 3 || part.n > 2 || bytes_number(part, max[n], &v) < 0)
			return false;
		*to[n] = (int)v;
	}
	return n >= 2;
}

/* [+-]HHMM in seconds; names of zones are the writer's, who was this host. */
static bool
zone_seconds(struct bytes w, int64_t *zone)
{
	uint64_t v;
	int64_t s;

	if (w.n != 5 || (w.p[0] != '+' && w.p[0] != '-')
	    || bytes_number(bytes_from(w, 1), 9999, &v) < 0)
		return false;
	s = (int64_t)(v / 100 * 3600 + v % 100 * 60);
	*zone = w.p[0] == '-' ? -s : s;
	return true;
}

/*
 * Behind the time stand, in any of the orders that programs write, a year and
 * perhaps a zone: "2026", "2026 +0100", "+0100 2026", "CET 2026".
 */
static bool
year_and_zone(const struct bytes *word, int n, struct tm *tm, bool *zoned,
    int64_t *zone)
{
	uint64_t v;
	bool found = false;

	for (int i = 0; i < n && i < 2; i++) {
		if (word[i].n == 4 && bytes_number(word[i], 9999, &v) == 0
		    && v >= 1970) {
			tm->tm_year = (int)v - 1900;
			found = true;
		} else {
			*zoned = zone_seconds(word[i], zone);
		}
	}
	return found;
}

static bool
date_at(const struct bytes *word, int n, int64_t *date)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { .tm_isdst = -1 };
	uint64_t day;
	int64_t zone = 0;
	bool zoned = false;

	if (n < 5 || place_in(days, word[0]) < 0)
		return false;
	tm.tm_mon = place_in(months, word[1]);
	if (tm.tm_mon < 0 || bytes_number(word[2], 31, &day) < 0 || day == 0
	    || !clock_time(word[3], &tm)
	    || !year_and_zone(word + 4, n - 4, &tm, &zoned, &zone))
		return false;
	tm.tm_mday = (int)day;
	*date = zoned ? (int64_t)timegm(&tm) - zone : (int64_t)mktime(&tm);
	return true;
}

bool
mbox_from_line(struct bytes line, int64_t *date)
{
	struct bytes word[FROM_WORDS_MAX];
	int n;

	if (!bytes_starts(line, BYTES("From ")))
		return false;
	n = split_words(bytes_from(line, 5), word);
	/* The sender may be empty or hold spaces: look for the weekday. */
	for (int i = 0; i + 5 <= n; i++)
		if (date_at(word + i, n - i, date))
			return true;
	return false;
}

enum mbox_field
mbox_field(struct bytes line, struct bytes *value)
{
	static const char *const names[MBOX_FIELDS] = {
		[MBOX_STATUS] = "Status",
		[MBOX_X_STATUS] = "X-Status",
		[MBOX_X_KEYWORDS] = "X-Keywords",
		[MBOX_X_UID] = "X-UID",
		[MBOX_X_IMAP] = "X-IMAP",
		[MBOX_X_IMAPBASE] = "X-IMAPbase",
		[MBOX_CONTENT_LENGTH] = "Content-Length",
	};
	struct bytes name = bytes_split(&line, ':');

	for (enum mbox_field f = MBOX_OTHER + 1; f < MBOX_FIELDS; f++)
		if (bytes_case_equal(bytes_of(names[f]), name)) {
			*value = bytes_trim(line);
			return f;
		}
	return MBOX_OTHER;
}
