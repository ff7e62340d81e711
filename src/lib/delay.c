/*
 * Waits for what guessing passwords costs.
 * Runs as: root (conn).
 */
#include "clock.h"
#include "delay.h"

#define NOW ((uint32_t)(clock_ms() / 1000))

/*
 * A right password waits as a wrong one does: else who guesses need not wait
 * for a refusal, the missing of a quick OK would be one.
 */
int
delay_begin(struct delay *d, const char *name, const char *secret,
    uint64_t begun)
{
	int r = guess_before(d->dir, d->from, bytes_of(name),
	    secret == NULL ? BYTES("") : bytes_of(secret), NOW, &d->guess);

	d->begun = begun;
	clock_wait(begun + (d->guess.slow - 1) * d->ms);
	return r;
}

/* However little was done for a refusal: it is answered at its time. */
void
delay_end(const struct delay *d, enum guess_end end)
{
	(void)guess_after(d->dir, &d->guess, end, NOW);
	if (end == GUESS_WRONG)
		clock_wait(d->begun + d->guess.slow * d->ms);
}
