/*
 * Makes room for one more connection of a user.
 * Runs as: root.
 *
 * How long a session has been idle is what the kernel knows of its client's
 * socket: nothing is asked of a process that belongs to the user.
 */
#include <signal.h>

#include "clock.h"
#include "log.h"
#include "master.h"

/*
 * Who is still on the way to a session is busy. Of what is no TCP socket, the
 * oldest is as good as the idlest.
 */
static uint64_t
idle_of(const struct pool *p, const struct child *c)
{
	int64_t ms = idle_ms(c->socket);

	if (c->control >= 0 && !p->conf->pam_session)
		return 0;
	return ms >= 0 ? (uint64_t)ms : clock_ms() - c->since;
}

static struct child *
find_idlest(struct pool *p, const struct netaddr *user, uint64_t *ms)
{
	struct child *c, *idlest = NULL;

	for (c = pool_first(p); c != NULL; c = pool_next(c)) {
		uint64_t idle;

		if (c->user.family == 0 || !netaddr_same(&c->user, user))
			continue;
		idle = idle_of(p, c);
		if (idlest == NULL || idle > *ms) {
			idlest = c;
			*ms = idle;
		}
	}
	return idlest;
}

bool
room_make(struct pool *p, const struct netaddr *user)
{
	char rip[NETADDR_TEXT_MAX] = "-";
	uint64_t ms = 0;
	struct child *c = find_idlest(p, user, &ms);
	uint32_t uid;

	if (c == NULL)
		return false;
	if (c->address.family != 0)
		netaddr_text(&c->address, rip);
	memcpy(&uid, user->ip, sizeof uid);
	log_info("made way: rip=%s uid=%u idle=%llus pid=%ld "
	    "why=\"max-connections-per-user reached\"", rip, (unsigned)uid,
	    (unsigned long long)(ms / 1000), (long)c->pid);
	tally_remove(&p->users, &c->user);
	c->user = (struct netaddr){ .family = 0 };
	c->told = true;
	kill(c->pid, SIGUSR1);
	return true;
}
