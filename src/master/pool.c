/*
 * The connection processes: spares that wait for a client, and those that have
 * one. The process stays the same when it becomes a session.
 * Runs as: root.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "chan.h"
#include "child.h"
#include "clock.h"
#include "log.h"
#include "master.h"

#define RETRY_MS 1000		/* after a fork that failed or a spare that died */

static int
compare(struct child *a, struct child *b)
{
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

RB_PROTOTYPE(child_tree, child, entry, compare)
RB_GENERATE(child_tree, child, entry, compare)

struct child *
pool_first(struct pool *p)
{
	return RB_MIN(child_tree, &p->tree);
}

struct child *
pool_next(struct child *c)
{
	return RB_NEXT(child_tree, NULL, c);
}

/* ---- starting ---- */

/* Both ends of the control pair and the process: all of it or nothing. */
static int
start(struct pool *p, struct child *c)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	c->pid = templates_fork(&p->templates, pair[1]);
	error = errno;
	close(pair[1]);
	if (c->pid > 0) {
		c->from = p->templates.conn.pid;
		c->control = pair[0];
		c->client = c->socket = c->login = -1;
		return 0;
	}
	close(pair[0]);
	errno = error;
	return -1;
}

static struct child *
start_spare(struct pool *p)
{
	struct child *c = calloc(1, sizeof *c);

	if (c == NULL || start(p, c) < 0) {
		log_error("cannot start a connection process: %s", strerror(errno));
		free(c);
		p->refill_at = clock_ms() + RETRY_MS;
		return NULL;
	}
	RB_INSERT(child_tree, &p->tree, c);
	p->idle++;
	return c;
}

/* Milliseconds to the next try, or -1. */
static int
refill(struct pool *p)
{
	uint64_t now = clock_ms();

	while (p->idle < p->conf->spare_connections
	    && p->busy + p->idle < p->conf->max_connections) {
		if (now < p->refill_at)
			return (int)(p->refill_at - now);
		if (start_spare(p) == NULL)
			return RETRY_MS;
	}
	return -1;
}

static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int
pool_work(struct pool *p)
{
	int again = refill(p), look = templates_look(&p->templates);

	return sooner(sooner(again, look),
	    sooner(probe_look(&p->templates.probe), linger_work(p)));
}

int
pool_drain(struct pool *p)
{
	return linger_work(p);
}

/* ---- ending ---- */

static void
close_control(struct child *c)
{
	if (c->control >= 0)
		close(c->control);
	c->control = -1;
}

static void
report_refusal(int client, enum service service, enum refusal why)
{
	static const char *const reasons[] = {
		[TOO_MANY] = "max-connections reached",
		[TOO_MANY_HERE] = "max-connections-per-address reached",
		[NO_MEANS] = "no connection process to be had",
	};
	char rip[NETADDR_TEXT_MAX] = "-";
	struct netaddr a;

	if (netaddr_peer(client, &a) == 0)
		netaddr_text(&a, rip);
	log_warn("turned away: rip=%s proto=%s why=\"%s\"", rip,
	    service_facts[service].name, reasons[why]);
}

/* Says it to the client and to the log. */
static void
turn_away(int client, enum service service, enum refusal why)
{
	refuse_client(client, service, why);
	report_refusal(client, service, why);
	close(client);
}

/* What of it was the session's. */
static void
leave(struct pool *p, struct child *c)
{
	if (c->client >= 0)
		turn_away(c->client, c->service, NO_MEANS);
	if (c->user.family != 0)
		tally_remove(&p->users, &c->user);
	c->client = -1;
	c->user.family = 0;
	close_control(c);
	RB_REMOVE(child_tree, &p->tree, c);
}

static void
forget(struct pool *p, struct child *c)
{
	if (c->login_until != 0)
		linger_end(p, c);
	else
		leave(p, c);
	if (c->address.family != 0)
		tally_remove(&p->addresses, &c->address);
	*(c->busy ? &p->busy : &p->idle) -= 1;
	if (c->socket >= 0)
		close(c->socket);
	if (c->login >= 0)
		close(c->login);
	free(c);
}

static void
report_end(const struct child *c, int status)
{
	char rip[NETADDR_TEXT_MAX] = "-";

	if (c->address.family != 0)
		netaddr_text(&c->address, rip);
	if (WIFSIGNALED(status) && !c->told)
		log_warn("connection process %ld ended by signal %d (%s) rip=%s",
		    (long)c->pid, WTERMSIG(status), strsignal(WTERMSIG(status)), rip);
}

static void
retire_spares(struct pool *p)
{
	struct child *c;

	for (c = pool_first(p); c != NULL; c = pool_next(c))
		if (!c->busy && !c->told) {
			c->told = true;
			kill(c->pid, SIGTERM);
		}
}

void
pool_retire_spares(struct pool *p)
{
	templates_drop(&p->templates);
	retire_spares(p);
}

void
pool_take_keys(struct pool *p)
{
	if (templates_heard(&p->templates))
		retire_spares(p);
}

void
pool_reap(struct pool *p)
{
	struct child wanted = { 0 }, *c;
	int status;

	while ((wanted.pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (templates_reaped(&p->templates, wanted.pid, status)) {
			retire_spares(p);
			continue;
		}
		c = RB_FIND(child_tree, &p->tree, &wanted);
		if (c == NULL)
			continue;
		report_end(c, status);
		/* Nobody has logged in: a fork, whose layout others share. */
		if (WIFSIGNALED(status) && !c->told && c->user.family == 0)
			pool_retire_spares(p);
		/* Its login never came: one of the templates hangs. */
		if (!c->ready && !c->told && c->from == p->templates.conn.pid) {
			log_warn("connection process %ld ended before its login "
			    "came: new templates", (long)c->pid);
			templates_kill(&p->templates);
			retire_spares(p);
		}
		/* Spares that die at once must not keep us busy making them. */
		if (!c->busy && !c->told)
			p->refill_at = clock_ms() + RETRY_MS;
		if (linger_begin(p, c))
			leave(p, c);
		else
			forget(p, c);
	}
}

void
pool_signal(struct pool *p, int signal)
{
	struct child *c;

	for (c = pool_first(p); c != NULL; c = pool_next(c)) {
		c->told = true;
		kill(c->pid, signal);
	}
}

void
pool_free(struct pool *p)
{
	struct child *c;

	while ((c = pool_first(p)) != NULL)
		forget(p, c);
	while ((c = TAILQ_FIRST(&p->lingerers)) != NULL) {
		child_kill(c->login);
		forget(p, c);
	}
	templates_free(&p->templates);
	tally_free(&p->addresses);
	tally_free(&p->users);
}

/* ---- clients ---- */

/* The best spare that is not on its way out, or a new one. */
static struct child *
find_spare(struct pool *p)
{
	struct child *c, *soon = NULL;

	for (c = p->idle > 0 ? pool_first(p) : NULL; c != NULL; c = pool_next(c)) {
		if (c->busy || c->told || c->control < 0)
			continue;
		if (c->ready)
			return c;
		soon = c;
	}
	return soon != NULL ? soon : start_spare(p);
}

/* What a peer counts as; a trusted proxy counts as those it speaks for. */
static struct netaddr
counted_as(const struct pool *p, int client)
{
	struct netaddr a;

	if (netaddr_peer(client, &a) < 0 || a.family == AF_UNIX
	    || netaddr_in(&a, bytes_of(p->conf->trusted_proxies))
	    || netaddr_in(&a, bytes_of(p->conf->trusted_xclient)))
		return (struct netaddr){ .family = 0 };
	return netaddr_network(&a);
}

static enum refusal
count(struct pool *p, const struct netaddr *address)
{
	if (p->busy >= p->conf->max_connections)
		return TOO_MANY;
	if (address->family == 0
	    || tally_add(&p->addresses, address, p->conf->max_per_address) == 0)
		return ADMITTED;
	return errno == EAGAIN ? TOO_MANY_HERE : NO_MEANS;
}

/* It is dying, or so slow that it is of no use. */
static void
give_up(struct child *c)
{
	close_control(c);
	kill(c->pid, SIGTERM);
}

/* Gives the client to its process: 0, or -1 and it is still only here. */
static int
hand_over(struct child *c, int client, enum service service)
{
	const struct control_client msg = { .service = service };

	if (chan_send_fd(c->control, &msg, sizeof msg, client, clock_ms()) < 0) {
		give_up(c);
		return -1;
	}
	c->socket = client;
	c->since = clock_ms();
	return 0;
}

/*
 * To one that is ready; a client whose process has yet to get there waits here,
 * so that it can be told when that fails.
 */
static struct child *
provide(struct pool *p, int client, enum service service)
{
	struct child *c;

	while ((c = find_spare(p)) != NULL) {
		if (!c->ready) {
			c->client = client;
			c->service = service;
			return c;
		}
		if (hand_over(c, client, service) == 0)
			return c;
	}
	return NULL;
}

static enum refusal
admit(struct pool *p, int client, enum service service)
{
	struct netaddr address = counted_as(p, client);
	enum refusal r = count(p, &address);
	struct child *c;

	if (r != ADMITTED)
		return r;
	c = provide(p, client, service);
	if (c == NULL) {
		if (address.family != 0)
			tally_remove(&p->addresses, &address);
		return NO_MEANS;
	}
	c->busy = true;
	c->address = address;
	p->idle--;
	p->busy++;
	return ADMITTED;
}

/* Reset while it waited: there is nobody to serve, and none to count it for. */
static bool
is_gone(int client)
{
	struct netaddr a;

	return netaddr_peer(client, &a) < 0 && errno == ENOTCONN;
}

void
pool_admit(struct pool *p, int client, enum service service)
{
	enum refusal r;

	if (is_gone(client)) {
		close(client);
		return;
	}
	r = admit(p, client, service);
	if (r != ADMITTED)
		turn_away(client, service, r);
}

/* ---- questions ---- */

/* Counts the child as key in one tally, and no longer as what it was there. */
static bool
recount(struct tally *t, struct netaddr *now, struct netaddr key, uint64_t max)
{
	if (tally_add(t, &key, max) < 0)
		return false;
	if (now->family != 0)
		tally_remove(t, now);
	*now = key;
	return true;
}

/* When a user has too many, the newest connection wins. */
static bool
count_user(struct pool *p, struct child *c, struct netaddr user)
{
	do
		if (recount(&p->users, &c->user, user, p->conf->max_per_user))
			return true;
	while (errno == EAGAIN && room_make(p, &user));
	return false;
}

static bool
may(struct pool *p, struct child *c, const struct control_question *q)
{
	switch (q->kind) {
	case CONTROL_ADDRESS:
		return recount(&p->addresses, &c->address,
		    netaddr_network(&q->address), p->conf->max_per_address);
	case CONTROL_USER:
		return count_user(p, c, tally_user(q->uid));
	default:
		return false;
	}
}

/* Its login waits in its cage: whoever waits for it comes. */
static void
take_ready(struct child *c)
{
	int client = c->client;

	c->ready = true;
	c->client = -1;
	if (client >= 0 && hand_over(c, client, c->service) < 0)
		turn_away(client, c->service, NO_MEANS);
}

/* With each question comes what tells of login's end. */
static bool
hear(struct child *c, struct control_question *q)
{
	int fd;

	if (chan_recv_any(c->control, q, sizeof *q, &fd, clock_ms()) < 0)
		return false;
	if (fd >= 0 && c->login >= 0)
		close(c->login);
	if (fd >= 0)
		c->login = fd;
	return true;
}

/* Without TLS its login has ended already. */
static void
ask_no_more(struct child *c)
{
	close_control(c);
	if (c->login < 0 || child_ends(c->login, 0) < 0)
		return;
	close(c->login);
	c->login = -1;
}

bool
pool_answer(struct pool *p, struct child *c)
{
	struct control_answer a;
	struct control_question q;

	if (c->login_until != 0) {
		forget(p, c);
		return false;
	}
	if (!hear(c, &q)) {
		if (errno == ETIMEDOUT)
			return true;
	} else if (q.kind == CONTROL_READY && !c->ready) {
		take_ready(c);
		return true;
	} else {
		a.allowed = may(p, c, &q);
		if (chan_send(c->control, &a, sizeof a, clock_ms()) == 0)
			return true;
	}
	ask_no_more(c);
	return false;
}
