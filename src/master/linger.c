/*
 * Logins that outlive their sessions: they carry what the session said last,
 * and end. One that does not is broken: it counts as a connection of its
 * address until it is killed.
 * Runs as: root.
 */
#include "child.h"
#include "clock.h"
#include "log.h"
#include "master.h"
#include "visit.h"

#define SLACK_MS 10000

bool
linger_begin(struct pool *p, struct child *c)
{
	if (c->login < 0 || child_ends(c->login, 0) == 0)
		return false;
	c->login_until = clock_ms() + VISIT_REST_MS(p->conf->write_timeout);
	TAILQ_INSERT_TAIL(&p->lingerers, c, lingering);
	return true;
}

void
linger_end(struct pool *p, struct child *c)
{
	TAILQ_REMOVE(&p->lingerers, c, lingering);
	c->login_until = 0;
}

/* All have the same time, and so the first is the next. */
int
linger_work(struct pool *p)
{
	uint64_t now = clock_ms();
	struct child *c;

	while ((c = TAILQ_FIRST(&p->lingerers)) != NULL && c->login_until <= now) {
		char rip[NETADDR_TEXT_MAX] = "-";

		if (c->address.family != 0)
			netaddr_text(&c->address, rip);
		log_error("login of connection process %ld does not end: killed "
		    "rip=%s", (long)c->pid, rip);
		child_kill(c->login);
		linger_end(p, c);
		c->login_until = now + SLACK_MS;
		TAILQ_INSERT_TAIL(&p->lingerers, c, lingering);
	}
	return c == NULL ? -1 : (int)(c->login_until - now);
}
