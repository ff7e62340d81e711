/*
 * The templates that connections are forked from: of login and of conn.
 * Runs as: root.
 *
 * Both are executed anew when either ends, and when the configuration was read
 * again: conn's holds the other's door.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "log.h"
#include "master.h"
#include "program.h"

#define RETRY_MS 1000		/* after a template that did not last so long */
#define FORK_MS 10000		/* for a fork; the template may only just have begun */

/* Both ends of the door and the process: 0 in that, as of fork(2). */
static pid_t
split(struct template *t, int *door)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	t->pid = fork();
	error = errno;
	if (t->pid == 0) {
		*door = pair[1];
		return 0;
	}
	close(pair[1]);
	if (t->pid > 0)
		t->door = pair[0];
	else
		close(pair[0]);
	errno = error;
	return t->pid;
}

/* Its forks live on; it ends when nobody can ask it any more. */
static void
drop(struct template *t)
{
	if (t->pid > 0)
		close(t->door);
	t->pid = 0;
}

static int
start_login(struct templates *t)
{
	const struct passwd *pw = program_account(t->conf);
	struct process_fd door = { .number = DOOR_FD };

	if (pw == NULL)
		return -1;
	if (split(&t->login, &door.fd) == 0)
		program_become_caged(t->conf, PROGRAM_PATH("login"),
		    CONTROL_OPTION, pw, &door, 1);
	return t->login.pid;
}

static int
start_conn(struct templates *t)
{
	char name[] = "conn", option[] = CONTROL_OPTION;
	char *argv[] = { name, option, NULL };
	struct process_fd doors[] = {
		{ .number = DOOR_FD }, { t->login.door, LOGIN_DOOR_FD },
	};

	if (split(&t->conn, &doors[0].fd) == 0)
		program_become(t->conf, PROGRAM_PATH("conn"), argv, doors,
		    sizeof doors / sizeof doors[0]);
	return t->conn.pid;
}

void
templates_drop(struct templates *t)
{
	drop(&t->conn);
	drop(&t->login);
	t->again_at = 0;
}

void
templates_kill(struct templates *t)
{
	struct template *both[] = { &t->conn, &t->login };

	for (size_t i = 0; i < 2; i++) {
		if (both[i]->pid > 0)
			kill(both[i]->pid, SIGKILL);
		drop(both[i]);
	}
}

/* Both of them run, as far as we know. */
static int
make_ready(struct templates *t)
{
	if (t->conn.pid > 0 && t->login.pid > 0)
		return 0;
	drop(&t->conn);
	drop(&t->login);
	if (clock_ms() < t->again_at) {
		errno = EAGAIN;
		return -1;
	}
	t->again_at = clock_ms() + RETRY_MS;
	return start_login(t) < 0 || start_conn(t) < 0 ? -1 : 0;
}

pid_t
templates_fork(struct templates *t, int control)
{
	uint64_t deadline = clock_ms() + FORK_MS;
	char word = 0;
	int32_t pid;

	if (make_ready(t) < 0)
		return -1;
	if (chan_send_fd(t->conn.door, &word, sizeof word, control, deadline) == 0
	    && chan_recv(t->conn.door, &pid, sizeof pid, deadline) == 0) {
		if (pid < 0)
			errno = EAGAIN;
		return pid;
	}
	templates_kill(t);
	return -1;
}

bool
templates_reaped(struct templates *t, pid_t pid, int status)
{
	struct template *which = pid == t->conn.pid ? &t->conn
	    : pid == t->login.pid ? &t->login : NULL;

	if (which == NULL)
		return false;
	drop(which);
	/* It says itself why it went, unless it could not. */
	if (WIFSIGNALED(status))
		log_warn("a template ended by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	/* The template of login makes way for a new one: at once. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_SOFTWARE)
		t->again_at = 0;
	return true;
}
