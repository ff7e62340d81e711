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
#include <sysexits.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "log.h"
#include "master.h"
#include "process.h"

#define CONN_PATH LIBEXECDIR "/conn"
#define MASTER_PATH "/usr/sbin:/usr/bin:/sbin:/bin"
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

static int
make_env(const struct config *conf, struct process_env *e)
{
	struct buf text = BUF_INIT(65536);
	bool good = config_dump(conf, false, &text) == 0 && buf_string(&text) != NULL;

	if (good)
		process_env_add(e, CONFIG_ENV, buf_string(&text));
	process_env_add(e, "PATH", MASTER_PATH);
	process_env_copy(e, "TZ");
	buf_free(&text);
	return good && process_env_done(e) != NULL ? 0 : -1;
}

static noreturn void
become_conn(const struct config *conf, int control)
{
	const struct process_fd fds[] = {
		{ DIAGNOSTICS_FD, DIAGNOSTICS_FD }, { log_fd(), LOG_FD },
		{ control, CONTROL_FD },
	};
	char name[] = "conn", option[] = CONTROL_OPTION;
	char *argv[] = { name, option, NULL };
	struct process_env e = { 0 };

	if (make_env(conf, &e) == 0
	    && process_place(fds, sizeof fds / sizeof fds[0]) == 0)
		process_exec(CONN_PATH, argv, process_env_done(&e));
	log_error("cannot start " CONN_PATH ": %s", strerror(errno));
	_exit(EX_OSERR);
}

/* Both ends of the control pair and the process: all of it or nothing. */
static int
start(struct pool *p, struct child *c)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	c->pid = fork();
	error = errno;
	if (c->pid == 0)
		become_conn(p->conf, pair[1]);
	close(pair[1]);
	if (c->pid > 0) {
		c->control = pair[0];
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

int
pool_refill(struct pool *p)
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

/* ---- ending ---- */

static void
close_control(struct child *c)
{
	if (c->control >= 0)
		close(c->control);
	c->control = -1;
}

static void
forget(struct pool *p, struct child *c)
{
	if (c->address.family != 0)
		tally_remove(&p->addresses, &c->address);
	if (c->user.family != 0)
		tally_remove(&p->users, &c->user);
	*(c->busy ? &p->busy : &p->idle) -= 1;
	close_control(c);
	RB_REMOVE(child_tree, &p->tree, c);
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

void
pool_reap(struct pool *p)
{
	struct child wanted = { 0 }, *c;
	int status;

	while ((wanted.pid = waitpid(-1, &status, WNOHANG)) > 0) {
		c = RB_FIND(child_tree, &p->tree, &wanted);
		if (c == NULL)
			continue;
		report_end(c, status);
		/* Spares that die at once must not keep us busy making them. */
		if (!c->busy && !c->told)
			p->refill_at = clock_ms() + RETRY_MS;
		forget(p, c);
	}
}

void
pool_retire_spares(struct pool *p)
{
	struct child *c;

	for (c = pool_first(p); c != NULL; c = pool_next(c))
		if (!c->busy && !c->told) {
			c->told = true;
			kill(c->pid, SIGTERM);
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
	tally_free(&p->addresses);
	tally_free(&p->users);
}

/* ---- clients ---- */

/* A spare that is not on its way out, or a new one. */
static struct child *
find_spare(struct pool *p)
{
	struct child *c;

	for (c = p->idle > 0 ? pool_first(p) : NULL; c != NULL; c = pool_next(c))
		if (!c->busy && !c->told && c->control >= 0)
			return c;
	return start_spare(p);
}

/* What a peer counts as; a trusted proxy counts as those it speaks for. */
static struct netaddr
counted_as(const struct pool *p, int client)
{
	struct netaddr a;

	if (netaddr_peer(client, &a) < 0 || a.family == AF_UNIX
	    || netaddr_in(&a, bytes_of(p->conf->trusted_proxies)))
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

static int
hand_over(struct pool *p, int client, enum service service, struct child **to)
{
	const struct control_client msg = { .service = service };
	struct child *c;

	while ((c = find_spare(p)) != NULL) {
		if (chan_send_fd(c->control, &msg, sizeof msg, client,
		    clock_ms()) == 0) {
			*to = c;
			return 0;
		}
		/* It is dying, or so slow that it is of no use. */
		close_control(c);
		kill(c->pid, SIGTERM);
	}
	return -1;
}

static enum refusal
admit(struct pool *p, int client, enum service service)
{
	struct netaddr address = counted_as(p, client);
	enum refusal r = count(p, &address);
	struct child *c;

	if (r != ADMITTED)
		return r;
	if (hand_over(p, client, service, &c) < 0) {
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

void
pool_admit(struct pool *p, int client, enum service service)
{
	enum refusal r = admit(p, client, service);

	if (r != ADMITTED) {
		refuse_client(client, service, r);
		report_refusal(client, service, r);
	}
	close(client);
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

static bool
may(struct pool *p, struct child *c, const struct control_question *q)
{
	switch (q->kind) {
	case CONTROL_ADDRESS:
		return recount(&p->addresses, &c->address,
		    netaddr_network(&q->address), p->conf->max_per_address);
	case CONTROL_USER:
		return recount(&p->users, &c->user, tally_user(q->uid),
		    p->conf->max_per_user);
	default:
		return false;
	}
}

bool
pool_answer(struct pool *p, struct child *c)
{
	struct control_answer a;
	struct control_question q;
	ssize_t n = recv(c->control, &q, sizeof q, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n == sizeof q) {
		a.allowed = may(p, c, &q);
		if (chan_send(c->control, &a, sizeof a, clock_ms()) == 0)
			return true;
	}
	close_control(c);
	return false;
}
