/*
 * What every session process knows of itself.
 * Runs as: the mailbox owner.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "netaddr.h"
#include "stream.h"
#include "visit.h"

static int stop_pipe[2];

/*
 * SIGTERM ends waiting, and so does SIGUSR1, by which mailreeved makes room for
 * a newer connection; what is being written to the disk goes on.
 */
static void
on_stop(int number)
{
	const char why = number == SIGUSR1 ? STREAM_MAKE_WAY : 0;
	int saved = errno;

	/* A full pipe has said it already. */
	(void)!write(stop_pipe[1], &why, 1);
	errno = saved;
}

static int
catch_signals(struct visit *v)
{
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	sigset_t held_back;

	sigemptyset(&held_back);
	sigaddset(&held_back, SIGUSR1);		/* by conn: process_hold_back() */
	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0
	    || sigaction(SIGTERM, &stop, NULL) < 0
	    || sigaction(SIGUSR1, &stop, NULL) < 0
	    || signal(SIGPIPE, SIG_IGN) == SIG_ERR
	    || sigprocmask(SIG_UNBLOCK, &held_back, NULL) < 0)
		return -1;
	v->stop_fd = stop_pipe[0];
	return 0;
}

static const char *
env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value == NULL ? otherwise : value;
}

/* conn says it; by hand it is who runs us, at home where HOME says. */
static int
find_owner(struct visit *v)
{
	const struct passwd *pw;

	v->user = getenv("LOGNAME");
	v->home = getenv("HOME");
	if (v->user != NULL && v->home != NULL && v->home[0] == '/')
		return 0;
	errno = ENOENT;
	pw = getpwuid(getuid());
	if (pw == NULL)
		return -1;
	v->user = strdup(pw->pw_name);
	v->home = strdup(pw->pw_dir);
	return v->user == NULL || v->home == NULL ? -1 : 0;
}

/*
 * By hand there is no password: who is at the other end of a network connection
 * has shown none to anybody (an inetd that starts us in conn's place).
 */
static int
refuse_network(void)
{
	struct netaddr peer;

	if (netaddr_peer(CLIENT_IN_FD, &peer) < 0 || peer.family == AF_UNIX)
		return 0;
	log_error("standard input is a network connection: the program for that "
	    "is " LIBEXECDIR "/conn");
	errno = EACCES;
	return -1;
}

/* Every error names whose it is. */
static void
name_in_log(const struct visit *v)
{
	char *text;

	if (asprintf(&text, "user=%s session=%s", log_quote(bytes_of(v->user)),
	    log_quote(bytes_of(v->session))) < 0)
		return;
	log_context(text);
	free(text);
}

int
visit_begin(struct visit *v, const char *proto)
{
	*v = (struct visit){ .proto = proto, .stop_fd = -1 };
	/* By hand, descriptor 2 is a person's, or a tunnel's that shows it. */
	if (getenv("MAILREEVE_SESSION") != NULL)
		log_inherit(proto);
	else
		log_open(proto);
	if (getenv("MAILREEVE_SESSION") == NULL && refuse_network() < 0)
		return -1;
	v->remote = env_or("MAILREEVE_REMOTE", "local");
	v->session = env_or("MAILREEVE_SESSION", "-");
	v->tag = getenv("MAILREEVE_TAG");
	v->tls = getenv("MAILREEVE_TLS") != NULL;
	v->own_relay = getenv("MAILREEVE_RELAY") != NULL;
	v->read_only = getenv("MAILREEVE_READ_ONLY") != NULL;
	if (catch_signals(v) < 0 || find_owner(v) < 0)
		return -1;
	name_in_log(v);
	return 0;
}

void
visit_end(const struct visit *v, const char *reason, const char *counts,
    uint64_t in, uint64_t out)
{
	log_info("logout: rip=%s user=%s proto=%s reason=%s %sin=%llu out=%llu "
	    "session=%s", log_quote(bytes_of(v->remote)),
	    log_quote(bytes_of(v->user)), v->proto, reason, counts,
	    (unsigned long long)in, (unsigned long long)out,
	    log_quote(bytes_of(v->session)));
	/* mailreeved keeps the socket until conn has closed the PAM session. */
	if (v->tag != NULL)
		(void)shutdown(CLIENT_OUT_FD, SHUT_WR);
}

void
visit_await_relay(const struct visit *v, uint64_t ms)
{
	struct pollfd p = { .fd = VISIT_RELAY_FD, .events = POLLIN };
	uint64_t now = clock_ms(), deadline = now + ms;
	int n = -1;

	if (!v->own_relay)
		return;
	errno = EINTR;
	while (n < 0 && errno == EINTR && now <= deadline) {
		n = poll(&p, 1, (int)(deadline - now));
		now = clock_ms();
	}
	if (n == 0)
		log_error("login does not end: killed");
}
