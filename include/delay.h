/*
 * What guessing passwords costs: time before the answer.
 */
#ifndef DELAY_H
#define DELAY_H

#include "guess.h"

/* Where and how one attempt is counted. */
struct delay {
	const char *dir;		/* of the table of guesses */
	const struct netaddr *from;
	uint64_t ms;			/* of a first refusal */
	uint64_t begun;			/* clock_ms(); 0: not counted yet */
	struct guess guess;
};

/*
 * Counts an attempt before it is made, and waits; secret is NULL or empty when
 * each try looks different. -1 with errno when it could not be counted: then
 * it is as a first one. begun is when it came.
 */
int delay_begin(struct delay *d, const char *name, const char *secret,
    uint64_t begun);

/* What became of it; a wrong one is waited for until its time has come. */
void delay_end(const struct delay *d, enum guess_end end);

#endif
