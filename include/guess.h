/*
 * Who guesses passwords, and how long that takes them: mailreeve-conn(8).
 *
 * All connection processes share one table, whoever started them: a file in a
 * directory that only root may write to. It is of fixed size, holds nothing
 * that cannot be forgotten, and is made anew when it is missing or makes no
 * sense. Passwords are in it as 32 bits of a keyed digest: enough to know the
 * same one again, too few to find it by trying.
 */
#ifndef GUESS_H
#define GUESS_H

#include "bytes.h"
#include "netaddr.h"

#define GUESS_FILE "guesses"
#define GUESS_SLOWEST 8			/* times the delay of a first refusal */

/* Guesses before answers become slower: each further one doubles the delay. */
#define GUESS_FREE_ADDRESS 3
#define GUESS_FREE_GOOD_ADDRESS 12	/* somebody has logged in from there */
#define GUESS_FREE_ACCOUNT 6
#define GUESS_FREE_OWNER 6		/* this user has logged in from there */

#define GUESS_FORGET_S 300		/* one guess is forgotten in this time */
#define GUESS_COUNT_MAX 20		/* more are not remembered */
#define GUESS_GOOD_S (30 * 86400)	/* how long a login makes an address good */

enum guess_kind {
	GUESS_NEW = 1,
	GUESS_AGAIN,		/* the same wrong password as before */
	GUESS_OWNER,		/* from where this user has logged in before */
};

enum guess_end {
	GUESS_RIGHT,
	GUESS_WRONG,
	GUESS_UNDECIDED,	/* nobody said whether the password was right */
};

#define GUESS_ROWS 2

/* One attempt, between guess_before() and guess_after(). */
struct guess {
	enum guess_kind kind;
	unsigned slow;		/* 1, 2, 4 ... GUESS_SLOWEST times the delay */
	uint64_t tag[GUESS_ROWS], good[GUESS_ROWS];
	uint32_t secret;	/* 0: none that could be known again */
	bool owner, counted[GUESS_ROWS];
};

/*
 * Counts an attempt before it is made, so that parallel ones see each other.
 * secret is empty when each try looks different, as in SCRAM. now is in
 * seconds of the monotonic clock. 0, or -1 with errno: then the table cannot
 * be used, and g is that of a first attempt.
 */
int guess_before(const char *dir, const struct netaddr *from,
    struct bytes account, struct bytes secret, uint32_t now, struct guess *g);

/* What became of it. 0, or -1 with errno. */
int guess_after(const char *dir, const struct guess *g, enum guess_end end,
    uint32_t now);

#endif
