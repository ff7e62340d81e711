/*
 * Dates of IMAP: `1-Feb-1994` and `01-Feb-1994 12:34:56 +0100`.
 */
#ifndef IMAPDATE_H
#define IMAPDATE_H

#include "bytes.h"

struct civil {
	int64_t year;
	unsigned month;			/* 1 to 12 */
	unsigned day;			/* from 1 */
	unsigned hour, minute, second;
};

/* Seconds since 1970 of a day's midnight in UTC, and all of it in reverse. */
int64_t date_of_day(int64_t year, unsigned month, unsigned day);
struct civil date_civil(int64_t seconds);

/* False for the 30th of February and the like. */
bool date_exists(int64_t year, unsigned month, unsigned day);

/*
 * date-time in UTC with its quotes: "01-Feb-1994 12:34:56 +0000". Times that
 * four digits of a year cannot show become the nearest that they can.
 */
#define DATE_TIME_SIZE 29
void date_time_print(int64_t seconds, char out[DATE_TIME_SIZE]);

#endif
