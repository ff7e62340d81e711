/*
 * What guessing passwords costs: time before the answer.
 * Runs as: root.
 */
#include <errno.h>

#include "clock.h"
#include "conn.h"

#define NOW ((uint32_t)(clock_ms() / 1000))

/*
 * A right password waits as a wrong one does: else who guesses need not wait
 * for a refusal, the missing of a quick OK would be one.
 */
void
delay_begin(struct conn *c, struct attempt *a, uint64_t begun)
{
	struct bytes secret = a->secret == NULL ? BYTES("") : bytes_of(a->secret);

	a->begun = begun;
	if (guess_before(c->run_dir, &c->remote, bytes_of(a->name), secret,
	    NOW, &a->guess) < 0)
		log_warn("session=%s guesses are not counted: %s/" GUESS_FILE
		    ": %s", c->session, c->run_dir, strerror(errno));
	clock_wait(a->begun + (a->guess.slow - 1) * c->conf.failure_delay * 1000);
}

/* However little was done for a refusal: it is answered at its time. */
void
delay_end(struct conn *c, const struct attempt *a)
{
	enum guess_end end = a->result == CHAN_OK ? GUESS_RIGHT
	    : a->result == CHAN_REFUSED ? GUESS_WRONG : GUESS_UNDECIDED;

	(void)guess_after(c->run_dir, &a->guess, end, NOW);
	if (a->result == CHAN_REFUSED)
		clock_wait(a->begun + a->guess.slow * c->conf.failure_delay * 1000);
}
