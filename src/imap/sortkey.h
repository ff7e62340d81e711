/*
 * COLUMN_SORT, COLUMN_TEXTS and COLUMN_ORDERS: what SORT, THREAD and SEARCH
 * compare of a message's header, decoded and folded (i;unicode-casemap) once.
 * Texts that are searched and those that are sorted by stand apart, so that who
 * goes through all of one kind need not read the other.
 *
 * Formats, version SORTKEY_VERSION: numbers little-endian, without gaps.
 *
 *	COLUMN_SORT			COLUMN_TEXTS, COLUMN_ORDERS
 *	u8	version			u8	version
 *	u8	flags			u16	which texts were cut
 *	i64	sent, seconds, UTC	u16	length of each text, 0 of the other kind
 *	i64	day as written, seconds	the texts
 *	u64	hash of Message-ID, 0: none
 *	u64	hash of base subject, 0: empty
 *	u64	hash of each reference, oldest first
 *
 * A text of addresses may have parts, divided by NULs, which no field's text has:
 * what stands in the fields, then, where one is written oddly, what an ENVELOPE has of it.
 */
#ifndef SORTKEY_H
#define SORTKEY_H

#include "buf.h"

#define SORTKEY_VERSION 2

/* The first five are searched, the others sorted by. */
enum sortkey_text {
	KEY_SUBJECT, KEY_FROM, KEY_TO, KEY_CC, KEY_BCC,
	KEY_SORTED,
	KEY_BASE = KEY_SORTED, KEY_FROM_MAILBOX, KEY_TO_MAILBOX, KEY_CC_MAILBOX,
	KEY_FROM_DISPLAY, KEY_TO_DISPLAY,
	KEY_END
};

enum sortkey_flags {
	SORTKEY_REPLY = 1,	/* reply or forward by its subject (RFC 5256 section 3) */
	SORTKEY_DATE = 2,	/* a Date was there and could be read */
};

#define SORTKEY_SEARCH_MAX	8192	/* octets of a text that is searched */
#define SORTKEY_SORT_MAX	500	/* octets of a text that is sorted by */
#define SORTKEY_REFERENCES_MAX	100	/* the last ones count */
#define SORTKEY_MAX		((size_t)64 << 10)

struct sortkey {
	unsigned flags;			/* enum sortkey_flags */
	int64_t sent;
	int64_t day;
	uint64_t id;
	uint64_t subject;
	const unsigned char *refs;	/* sortkey_ref() */
	unsigned n_refs;
};

struct sorttexts {
	unsigned cut;			/* bits 1 << enum sortkey_text: there is more in the header */
	struct bytes text[KEY_END];
};

/*
 * Appends COLUMN_SORT, and the texts of both kinds, of a message with this
 * header: 0, or -1 with errno.
 */
int sortkey_make(struct bytes header, struct buf *key, struct buf *texts);
/* Appends the column of one kind of those texts: those sorted by, or the others. */
int sorttexts_part(const struct sorttexts *texts, bool sorted, struct buf *out);

/*
 * Values point into in. -1 with errno EINVAL when it is not what make made.
 */
int sortkey_read(struct bytes in, struct sortkey *out);
int sorttexts_read(struct bytes in, struct sorttexts *out);

uint64_t sortkey_ref(const struct sortkey *k, unsigned i);

#endif
