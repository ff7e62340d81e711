/*
 * What another server noted of a Maildir folder: the UIDs, keywords and POP3
 * unique-ids of its messages by the names of their files.
 *
 * The parsers are pure and believe nothing: lines they do not understand are
 * passed over, and every number and count has a limit. Names point into the
 * text that was parsed, which must stay.
 */
#ifndef STORE_FOREIGN_H
#define STORE_FOREIGN_H

#include "buf.h"
#include "mail.h"

#define DOVECOT_UIDLIST "dovecot-uidlist"
#define DOVECOT_KEYWORDS "dovecot-keywords"
#define DOVECOT_SUBSCRIPTIONS "subscriptions"
#define COURIER_UIDLIST "courierimapuiddb"
#define COURIER_KEYWORDS "courierimapkeywords"
#define COURIER_KEYWORDS_LIST ":list"
#define COURIER_SUBSCRIPTIONS "courierimapsubscribed"
#define COURIER_SIZES "courierpop3dsizelist"

#define FOREIGN_FILE_MAX ((size_t)256 << 20)
#define FOREIGN_SMALL_FILE_MAX ((size_t)8 << 20)
#define FOREIGN_MESSAGES_MAX ((size_t)16 << 20)

struct foreign_message {
	struct bytes name;		/* foreign_key() of its file's name */
	char *uidl;			/* NULL: as it is without one */
	struct keyword_set keywords;	/* Courier: those it has */
	uint32_t uid;			/* 0: none yet */
	bool there;			/* a file has this name ... */
	bool done;			/* ... and that UID */
};

struct foreign {
	const char *source;		/* name of the file that was read */
	bool courier;
	uint32_t uidvalidity;		/* 0: it says none */
	uint32_t uid_next;
	struct foreign_message *v;	/* by name, after foreign_sort() */
	size_t n, cap;
	char *keyword[MAIL_KEYWORDS_MAX];
	struct buf text[3];		/* what names point into */
};

/*
 * The part of a file's name that tells which message it is: what stands
 * before the flags, without the U= that we put there.
 */
struct bytes foreign_key(struct bytes file);

/* A message with that key; E2BIG beyond FOREIGN_MESSAGES_MAX. */
int foreign_add(struct foreign *f, struct bytes key, uint32_t uid);
/* Sorts by name; of two with one name or one UID only one stays. */
void foreign_sort(struct foreign *f);
struct foreign_message *foreign_find(const struct foreign *f, struct bytes key);
/* The number of a keyword, a new one when it has none; -1 when all are taken. */
int foreign_keyword(struct foreign *f, struct bytes name);
void foreign_free(struct foreign *f);

/*
 * Of Dovecot: versions 1 and 3 of the list, of which Courier's courierimapuiddb
 * is the first. -1 with EILSEQ when it begins with nothing that is known.
 */
int foreign_uidlist(struct bytes text, struct foreign *out);
void foreign_dovecot_keywords(struct bytes text, struct foreign *out);

/*
 * Of Courier. The list of keywords, and the file of one message in the same
 * directory, count for messages that are there already, sorted.
 */
void foreign_courier_keywords(struct bytes text, struct foreign *out);
void foreign_courier_message(struct bytes text, struct foreign *out,
    struct foreign_message *m);
/* "TICK" and name of such a file; false when it is none. */
bool foreign_courier_update(struct bytes file, uint64_t *tick, struct bytes *key);
/* POP3's list adds messages that the other has not: sort again. */
int foreign_courier_sizes(struct bytes text, struct foreign *out);

/*
 * Names of mailboxes from a list of subscriptions, as ours; fn's non-zero ends
 * it and is returned.
 */
int foreign_dovecot_subscriptions(struct bytes text,
    int (*fn)(void *arg, struct bytes name), void *arg);
int foreign_courier_subscriptions(struct bytes text,
    int (*fn)(void *arg, struct bytes name), void *arg);

/*
 * Reads what is noted in a folder's directory: 1, or 0 when there is nothing;
 * where two servers left notes those that were changed last count. -1.
 */
int foreign_load(int dir, struct foreign *out);

#endif
