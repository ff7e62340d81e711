/*
 * The template that logins are forked from: OpenSSL is loaded and ready in it.
 * It never meets a client.
 * Runs as: root.
 *
 * All its children have the same memory layout. When one of them dies by a
 * signal, somebody may be trying out what is where; so the template ends, and
 * mailreeved executes a new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chan.h"
#include "child.h"
#include "clock.h"
#include "control.h"
#include "limits.h"
#include "log.h"
#include "process.h"
#include "template.h"

static void
note(int signal)
{
	(void)signal;
}

/* SIGCHLD comes only while we wait: *during is the mask for that. */
static void
catch_children(sigset_t *during)
{
	struct sigaction act = { .sa_handler = note };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, during);
	sigaction(SIGCHLD, &act, NULL);
}

/* False when one of them died by a signal. */
static bool
reap(void)
{
	bool good = true;
	int end;

	while ((end = child_reap(0, "login")) != CHILD_NONE)
		good = good && end == CHILD_ENDED;
	return good;
}

/* In the child: as if conn had started it, which is told how to watch it. */
static void
begin(int channel, int watch, const sigset_t *mask)
{
	char word = 0;

	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	process_name("login");
	log_part();
	close(DOOR_FD);
	if (chan_send_fd(channel, &word, sizeof word, watch,
	    clock_ms() + CONN_MS) < 0
	    || (channel != CHANNEL_FD && dup3(channel, CHANNEL_FD, O_CLOEXEC) < 0))
		_exit(EX_OSERR);
	if (channel != CHANNEL_FD)
		close(channel);
}

/* True in the child. */
static bool
fork_one(int channel, const sigset_t *mask)
{
	int watch = -1;
	pid_t pid = child_fork(&watch);

	if (pid == 0)
		begin(channel, watch, mask);
	else if (pid < 0)
		log_error("cannot fork: %s", strerror(errno));
	if (pid != 0)
		close(channel);
	if (watch >= 0)
		close(watch);
	return pid == 0;
}

enum template_end
template_serve(void)
{
	struct pollfd p = { .fd = DOOR_FD, .events = POLLIN };
	sigset_t during;
	char word;
	int channel;

	process_name("login-template");
	catch_children(&during);
	for (;;) {
		if (!reap())
			return TEMPLATE_PROBED;
		if (ppoll(&p, 1, NULL, &during) <= 0)
			continue;
		if (chan_recv_fd(DOOR_FD, &word, sizeof word, &channel, 0) < 0)
			return TEMPLATE_UNUSED;
		if (fork_one(channel, &during))
			return TEMPLATE_CHILD;
	}
}
