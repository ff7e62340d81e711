/*
 * Dates of header fields (RFC 5322 section 3.3 and 4.3).
 */
#ifndef DATE_H
#define DATE_H

#include "bytes.h"

struct mail_date {
	int64_t seconds;		/* since 1970, zone applied */
	int64_t day;			/* midnight of the date as written, as if in UTC */
	int zone;			/* minutes east of UTC */
};

/*
 * The date in the value of a field as stored. The day of the week and comments
 * are skipped, a missing time is 00:00:00, a missing or unknown zone is UTC.
 * False when no date can be read.
 */
bool date_parse(struct bytes value, struct mail_date *out);

/* Days since 1970-01-01 of a day of the Gregorian calendar; month 1 to 12. */
int64_t date_days(int64_t year, unsigned month, unsigned day);

#endif
