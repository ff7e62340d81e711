/*
 * The loop of mailreeved: waits for clients, children, questions, signals.
 * Runs as: root.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "master.h"

#define ACCEPT_BATCH 64			/* clients of one listener in one turn */
#define PAUSE_MS 500			/* when the system has no memory for sockets */
#define IDLE_EXIT_MS 10000		/* under systemd Accept=no or inetd wait */
#define FAREWELL_MS 5000		/* for sessions after their SIGTERM */

static volatile sig_atomic_t got_hup, got_term, got_child;

static void
note(int signal)
{
	switch (signal) {
	case SIGHUP:
		got_hup = 1;
		break;
	case SIGCHLD:
		got_child = 1;
		break;
	default:
		got_term = 1;
	}
}

/* Blocked but while we wait: *during gets the mask for that. */
static void
catch_signals(sigset_t *during)
{
	static const int caught[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };
	struct sigaction act = { .sa_handler = note };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
		sigaction(caught[i], &act, NULL);
		sigaddset(&blocked, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, during);
	sigdelset(during, SIGHUP);	/* blocked since main() */
	signal(SIGPIPE, SIG_IGN);
}

/* ---- accepting ---- */

static void
take_reserve(struct master *m)
{
	if (m->reserve < 0)
		m->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * No descriptor left for a client: the one kept in reserve lets us take it and
 * say so. Otherwise it would wait, and we would spin. False when not even that
 * helps, because the whole system has none left.
 */
static bool
accept_to_refuse(struct master *m, const struct listener *l)
{
	int fd;

	if (m->reserve < 0)
		return false;
	close(m->reserve);
	m->reserve = -1;
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		refuse_client(fd, l->service, NO_MEANS);
		close(fd);
		log_error("no descriptors left: a client was turned away");
	}
	take_reserve(m);
	return fd >= 0;
}

static void
pause_accepting(struct master *m)
{
	log_error("accept: %s: pausing", strerror(errno));
	m->pause_until = clock_ms() + PAUSE_MS;
}

/* True when there may be more to accept. */
static bool
accept_one(struct master *m, const struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		pool_admit(&m->pool, fd, l->service);
		return true;
	}
	switch (errno) {
	case EINTR:
	case ECONNABORTED:
		return true;
	case EMFILE:
	case ENFILE:
		if (accept_to_refuse(m, l))
			return true;
		pause_accepting(m);
		return false;
	case ENOBUFS:
	case ENOMEM:
		pause_accepting(m);
		return false;
	default:
		return false;
	}
}

static void
accept_some(struct master *m, const struct listener *l)
{
	for (int i = 0; i < ACCEPT_BATCH; i++)
		if (!accept_one(m, l))
			return;
}

/* ---- reload and drain ---- */

int
master_load_config(const struct master *m, struct config *conf, struct buf *why)
{
	if (m->config_path != NULL)
		return config_load(conf, m->config_path, false, why);
	return config_inherit(conf, why);
}

static int
reload_listeners(struct master *m, const struct config *conf, struct buf *why)
{
	struct listeners fresh;

	if (m->listeners.inherited)
		return 0;
	if (listeners_open(&fresh, &m->listeners, conf, why) < 0)
		return -1;
	m->listeners = fresh;
	return 0;
}

/* A bad new configuration changes nothing. */
static void
reload(struct master *m)
{
	struct buf why = BUF_INIT(8192);
	struct config fresh;

	notify_reloading();
	log_open("mailreeved");
	if (master_load_config(m, &fresh, &why) < 0
	    || check_system(&fresh, &why) > 0
	    || reload_listeners(m, &fresh, &why) < 0) {
		log_error("the old configuration stays: %s", buf_string(&why));
		config_free(&fresh);
	} else {
		config_free(&m->conf);
		m->conf = fresh;
		log_level(config_log_priority(&m->conf));
		pool_retire_spares(&m->pool);
		templates_renew(&m->pool.templates);
		log_info("configuration read again");
	}
	buf_free(&why);
	notify("READY=1\n");
}

static void
begin_drain(struct master *m)
{
	log_info("ending: %llu connections have %llu seconds",
	    (unsigned long long)m->pool.busy,
	    (unsigned long long)m->conf.drain_timeout);
	notify("STOPPING=1\n");
	listeners_close(&m->listeners);
	/* Its place is another daemon's now, perhaps. */
	status_close(m->status);
	m->status = -1;
	pool_retire_spares(&m->pool);
	m->draining = true;
	m->deadline = clock_ms() + m->conf.drain_timeout * 1000;
}

/* The sessions' time is up: each is told, and says so to its client. */
static void
tell_sessions(struct master *m)
{
	pool_signal(&m->pool, SIGTERM);
	m->told = true;
	m->deadline = clock_ms() + FAREWELL_MS;
}

/* False when it is time to go. */
static bool
go_on_draining(struct master *m, bool asked_again)
{
	if (m->pool.busy + m->pool.idle == 0)
		return false;
	if (m->told && clock_ms() >= m->deadline) {
		log_warn("%llu connections did not end", (unsigned long long)
		    (m->pool.busy + m->pool.idle));
		return false;
	}
	if (!m->told && (asked_again || m->pool.busy == 0
	    || clock_ms() >= m->deadline))
		tell_sessions(m);
	return true;
}

/* False when nobody has come for a while and somebody else listens for us. */
static bool
go_on_idling(struct master *m)
{
	if (!m->exit_when_idle || m->pool.busy > 0) {
		m->idle_since = 0;
		return true;
	}
	if (m->idle_since == 0)
		m->idle_since = clock_ms();
	return clock_ms() - m->idle_since < IDLE_EXIT_MS;
}

/* False when it is time to go. */
static bool
look_at_signals(struct master *m)
{
	bool term = got_term, child = got_child, hup = got_hup;
	bool drained_before = m->draining;

	got_term = got_child = got_hup = 0;
	if (child)
		pool_reap(&m->pool);
	if (hup && !m->draining)
		reload(m);
	if (term && !m->draining)
		begin_drain(m);
	if (m->draining)
		return go_on_draining(m, term && drained_before);
	return go_on_idling(m);
}

/* ---- waiting ---- */

/*
 * What is waited for: listeners, then children that may have a question, then
 * a signer, twice, and who asks for our status, for which there are no children.
 */
struct waiting {
	struct pollfd *v;
	struct child **whose;
	size_t cap;
	size_t n;
	size_t listeners;
};

static int
make_room(struct waiting *w, size_t n)
{
	struct pollfd *v;
	struct child **whose;

	if (n <= w->cap)
		return 0;
	v = reallocarray(w->v, n * 2, sizeof *v);
	if (v != NULL)
		w->v = v;
	whose = reallocarray(w->whose, n * 2, sizeof *whose);
	if (whose != NULL)
		w->whose = whose;
	if (v == NULL || whose == NULL)
		return -1;
	w->cap = n * 2;
	return 0;
}

static void
wait_also(struct waiting *w, int fd, struct child *c)
{
	w->whose[w->n] = c;
	w->v[w->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Without memory for more, those that fit are waited for. */
static void
collect(struct master *m, struct waiting *w)
{
	size_t most = m->listeners.n + m->pool.busy + m->pool.idle + 3;
	const struct template *signer = templates_awaited(&m->pool.templates);
	const struct probe *probe = &m->pool.templates.probe;
	bool paused = clock_ms() < m->pause_until;
	struct child *c;

	if (make_room(w, most) < 0)
		most = w->cap;
	w->n = 0;
	for (size_t i = 0; i < m->listeners.n && w->n < most && !paused; i++)
		wait_also(w, m->listeners.v[i].fd, NULL);
	w->listeners = w->n;
	for (c = pool_first(&m->pool); c != NULL && w->n < most; c = pool_next(c))
		if (c->control >= 0)
			wait_also(w, c->control, c);
	TAILQ_FOREACH(c, &m->pool.lingerers, lingering)
		if (w->n < most)
			wait_also(w, c->login, c);
	if (signer != NULL && w->n < most)
		wait_also(w, signer->door, NULL);
	if (probe->signer > 0 && probe->link >= 0 && w->n < most)
		wait_also(w, probe->link, NULL);
	if (m->status >= 0 && w->n < most)
		wait_also(w, m->status, NULL);
}

/* What has something to say and is no child. */
static void
hear(struct master *m, int fd)
{
	struct probe *probe = &m->pool.templates.probe;

	if (fd == m->status)
		status_answer(m);
	else if (probe->signer > 0 && fd == probe->link)
		probe_end(probe);
	else
		pool_take_keys(&m->pool);
}

static int
sooner(int ms, uint64_t when)
{
	uint64_t now = clock_ms();
	int left = when <= now ? 0 : when - now > INT32_MAX ? INT32_MAX
	    : (int)(when - now);

	return ms < 0 || left < ms ? left : ms;
}

/* Milliseconds until something is due, or -1. */
static int
next_due(const struct master *m, int work)
{
	int ms = work;

	if (m->draining)
		ms = sooner(ms, m->deadline);
	if (clock_ms() < m->pause_until)
		ms = sooner(ms, m->pause_until);
	if (m->idle_since != 0)
		ms = sooner(ms, m->idle_since + IDLE_EXIT_MS);
	return ms;
}

/*
 * ppoll() that finds work at once delivers no signal: clients that come without
 * a pause would keep us from hearing that others have left.
 */
static void
take_signals(const sigset_t *during)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, during, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static void
wait_and_act(struct master *m, struct waiting *w, const sigset_t *during)
{
	int ms = next_due(m, m->draining ? pool_drain(&m->pool)
	    : pool_work(&m->pool));
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	const size_t n = (collect(m, w), w->n);

	if (ppoll(w->v, n, ms < 0 ? NULL : &t, during) <= 0)
		return;
	take_signals(during);
	/* Questions first: they belong to clients who came earlier. */
	for (size_t i = w->listeners; i < n; i++)
		if (w->v[i].revents != 0 && w->whose[i] == NULL)
			hear(m, w->v[i].fd);
		else if (w->v[i].revents != 0)
			(void)pool_answer(&m->pool, w->whose[i]);
	for (size_t i = 0; i < w->listeners; i++)
		if (w->v[i].revents != 0)
			accept_some(m, &m->listeners.v[i]);
}

void
master_serve(struct master *m)
{
	struct waiting w = { 0 };
	sigset_t during;

	catch_signals(&during);
	take_reserve(m);
	m->status = status_open();
	notify("READY=1\n");
	while (look_at_signals(m))
		wait_and_act(m, &w, &during);
	notify("STOPPING=1\n");
	pool_retire_spares(&m->pool);
	status_close(m->status);
	close(m->reserve);
	free(w.v);
	free(w.whose);
}
