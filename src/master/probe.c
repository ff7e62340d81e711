/*
 * Whether the signer still answers: one that hangs would fail each handshake.
 * Runs as: root.
 *
 * It is asked when connections come, for which it is there, on a link as theirs,
 * and what there is only a refusal for: what was signed on that link. Whatever
 * comes back shows that it is at work.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "log.h"
#include "master.h"
#include "sign.h"
#include "signer.h"

#define ANSWER_MS 10000			/* then it hangs */
#define APART_MS 5000			/* from question to question */

void
probe_ask(struct probe *p, pid_t signer, int door)
{
	struct sign_req q = { .type = SIGN_SIGNED };
	uint64_t now = clock_ms();

	if (p->signer != 0 || now < p->next)
		return;
	p->next = now + APART_MS;
	p->link = signer_link(NULL, door, 0);
	/* A door that is full is one that nobody looks at; for the rest there is a next time. */
	if (p->link < 0 && errno != ETIMEDOUT)
		return;
	if (p->link >= 0)
		(void)chan_send(p->link, &q, sizeof q, now);
	p->signer = signer;
	p->due = now + ANSWER_MS;
}

void
probe_end(struct probe *p)
{
	if (p->signer != 0 && p->link >= 0)
		close(p->link);
	p->signer = 0;
	p->link = -1;
}

int
probe_look(struct probe *p)
{
	uint64_t now = clock_ms();

	if (p->signer == 0)
		return -1;
	if (now < p->due)
		return (int)(p->due - now);
	log_error("the signer does not answer: killed");
	(void)kill(p->signer, SIGKILL);
	probe_end(p);
	return -1;
}
