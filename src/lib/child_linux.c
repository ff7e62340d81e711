/*
 * Children that a descriptor tells of, on Linux.
 * Runs as: root.
 */
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
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
