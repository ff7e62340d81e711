/*
 * A folder's keywords: names and numbers in one text file, and, for numbers
 * that have no letter in file names, who has them in another.
 *
 * mailreeve-keywords holds lines "NUMBER NAME". Keywords 0 to 25 are the
 * letters a to z of file names. mailreeve-flags holds lines "UID NUMBER ...";
 * the last line for a UID counts, and lines are only added, under the folder's
 * lock, until the file is written anew.
 */
#ifndef STORE_KEYWORDS_H
#define STORE_KEYWORDS_H

#include "mail.h"

#define KEYWORDS_FILE "mailreeve-keywords"
#define FLAGS_FILE "mailreeve-flags"
#define KEYWORD_LETTERS 26

struct keywords {
	char *name[MAIL_KEYWORDS_MAX];	/* NULL: no such number */
	uint64_t file_mark;		/* of the file they were read from */
};

/* Reads them anew when the file changed. Missing or bad lines are passed over. */
void keywords_load(struct keywords *k, int dir);
void keywords_free(struct keywords *k);

/* One more than the largest number. */
unsigned keywords_count(const struct keywords *k);

/*
 * Number of a keyword (ASCII case does not matter). ENOENT; when create, under
 * the lock, it is made: E2BIG when all are taken, EINVAL when it is no atom.
 */
int keywords_number(struct keywords *k, int dir, struct bytes name, bool create);

/* What a cheap look tells about such a file: it differs when the file does. */
#define KEYWORDS_NO_FILE 1
uint64_t keywords_file_mark(int dir, const char *name);

struct uid_keywords {
	uint32_t uid;
	struct keyword_set set;		/* numbers from KEYWORD_LETTERS on */
};

/* The whole file, sorted by UID, on the heap; a line cut short is none. */
int keywords_flags_load(int dir, struct uid_keywords **v, size_t *n);

/*
 * Adds lines for n messages. When the file has far more lines than live
 * messages need it is written anew with those that live() says yes to.
 */
int keywords_flags_add(int dir, const struct uid_keywords *v, size_t n,
    bool (*live)(void *arg, uint32_t uid), void *arg);

/* What was added is durable. */
int keywords_flags_sync(int dir);

/* True when some keyword of the set has no letter. */
bool keywords_need_flags(const struct keyword_set *set);

static inline uint32_t
keywords_letters(const struct keyword_set *set)
{
	return (uint32_t)(set->bits[0] & ((1U << KEYWORD_LETTERS) - 1));
}

#endif
