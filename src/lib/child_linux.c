/*
 * Children that a descriptor tells of, on Linux.
 * Runs as: root.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"

pid_t
child_fork(int *watch)
{
	pid_t pid = fork();
	int error;

	if (pid < 0)
		return -1;
	*watch = (int)syscall(SYS_pidfd_open, pid == 0 ? getpid() : pid, 0);
	if (*watch >= 0)
		return pid;
	if (pid == 0)
		_exit(EX_OSERR);
	error = errno;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	errno = error;
	return -1;
}

int
child_ends(int watch, uint64_t ms)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };
	uint64_t now = clock_ms(), deadline = now + ms;
	int n;

	while ((n = poll(&p, 1, (int)(deadline - now))) < 0 && errno == EINTR) {
		now = clock_ms();
		if (now > deadline)
			now = deadline;
	}
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

void
child_kill(int watch)
{
	(void)syscall(SYS_pidfd_send_signal, watch, SIGKILL, NULL, 0);
}

/* Both ends are armed: at a process's end either may be the first to be closed. */
static int
arm(int fd, pid_t pid)
{
	return fcntl(fd, F_SETSIG, SIGKILL) < 0 || fcntl(fd, F_SETOWN, pid) < 0
	    || fcntl(fd, F_SETFL, O_ASYNC) < 0 ? -1 : 0;
}

/*
 * The hang-up of one end of a pair is told to the owner of the other by a
 * signal (fcntl(2), "Managing signals"), with the rights of who named that owner.
 */
int
child_leash(pid_t pid, int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	return arm(ends[0], pid) < 0 || arm(ends[1], pid) < 0 ? -1 : 0;
}

/*
 * libc knows no such call, and what it does about a fork is of no matter here:
 * the caller has one thread and holds no lock. What libc remembers as the
 * thread's id stays the template's; only locks between processes would tell.
 * systemd's RestrictNamespaces= takes clone3() away, whose flags it cannot see.
 */
pid_t
child_sibling(void)
{
	struct clone_args how = { .flags = CLONE_PARENT };

	pid_t pid = (pid_t)syscall(SYS_clone3, &how, sizeof how);

	return pid >= 0 || errno != ENOSYS ? pid
	    : (pid_t)syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0);
}

void
child_adopts(void)
{
}
