/*
 * Going into the background, and the pid file.
 * Runs as: root.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "master.h"

static int ready_fd = -1;

/* The process that was called: waits for the daemon's word, or for its end. */
static noreturn void
wait_for_daemon(pid_t pid, int fd)
{
	char word;
	int status;

	if (read(fd, &word, 1) == 1)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

void
daemon_start(void)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		log_fatal(EX_OSERR, "cannot go into the background: %s",
		    strerror(errno));
	if (pid > 0) {
		close(pair[1]);
		wait_for_daemon(pid, pair[0]);
	}
	close(pair[0]);
	setsid();
	ready_fd = pair[1];
}

/* Standard error stays when it was sent to a file on purpose. */
static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct stat st;

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (fstat(DIAGNOSTICS_FD, &st) < 0 || !S_ISREG(st.st_mode))
		dup2(null, DIAGNOSTICS_FD);
	close(null);
}

void
daemon_ready(void)
{
	if (ready_fd < 0)
		return;
	leave_terminal();
	if (write(ready_fd, "1", 1) != 1)
		log_warn("whoever started us is gone");
	close(ready_fd);
	ready_fd = -1;
}

static int
write_pid(int fd)
{
	return fchmod(fd, 0644) < 0 || ftruncate(fd, 0) < 0
	    || dprintf(fd, "%ld\n", (long)getpid()) < 0 ? -1 : 0;
}

/* The descriptor stays open: the lock on it says that we live. */
int
pid_file_take(const char *path, struct buf *why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0) {
		buf_printf(why, "pid-file %s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && write_pid(fd) == 0)
		return 0;
	buf_printf(why, "pid-file %s: %s", path, errno == EWOULDBLOCK
	    ? "mailreeved is running already" : strerror(errno));
	close(fd);
	return -1;
}

void
pid_file_remove(const char *path)
{
	(void)unlink(path);
}
