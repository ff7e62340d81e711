/*
 * Children that a descriptor tells of, on FreeBSD.
 * Runs as: root.
 */
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "chan.h"
#include "child.h"
#include "clock.h"

#define FORK_MS 10000

/* Only the parent has it at first. */
pid_t
child_fork(int *watch)
{
	uint64_t deadline = clock_ms() + FORK_MS;
	char word = 0;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = pdfork(watch, PD_CLOEXEC | PD_DAEMON);
	if (pid > 0)
		(void)chan_send_fd(pair[0], &word, sizeof word, *watch, deadline);
	else if (pid == 0 && chan_recv_fd(pair[1], &word, sizeof word, watch,
	    deadline) < 0)
		_exit(EX_OSERR);
	close(pair[0]);
	close(pair[1]);
	return pid;
}

int
child_ends(int watch, uint64_t ms)
{
	struct pollfd p = { .fd = watch };
	int n;

	while ((n = poll(&p, 1, (int)ms)) < 0 && errno == EINTR)
		continue;
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

void
child_kill(int watch)
{
	(void)pdkill(watch, SIGKILL);
}

/* A hang-up that sends a signal of one's choice is Linux's alone. */
int
child_leash(pid_t pid, int ends[2])
{
	(void)pid;
	ends[0] = ends[1] = -1;
	return 0;
}

/* An orphan goes to the nearest reaper: the child of a child that has ended. */
pid_t
child_sibling(void)
{
	int pair[2];
	pid_t between, pid = -1;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	between = fork();
	if (between == 0) {
		pid = fork();
		if (pid != 0)
			_exit(write(pair[1], &pid, sizeof pid) != sizeof pid);
	}
	close(pair[1]);
	if (between > 0) {
		(void)read(pair[0], &pid, sizeof pid);
		while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	close(pair[0]);
	return between < 0 ? -1 : pid;
}

void
child_adopts(void)
{
	(void)procctl(P_PID, 0, PROC_REAP_ACQUIRE, NULL);
}
