/*
 * Starts login, the process that talks to the stranger: by asking its template
 * for a fork, or, where there is none, by executing it.
 * Runs as: root.
 *
 * login begins as root and closes its cage itself, as its first act and before
 * it is given any client: the loader and libcrypto need their files, and after
 * the chroot there are none. Its arguments are the uid and gid to become. It has
 * no client until it asked for one, and conn
 * answers that only after HELLO, which login sends from inside its cage.
 */
#include <sys/socket.h>

#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "conn.h"
#include "program.h"

static int
execute_login(struct conn *c, int chan)
{
	const struct process_fd to = { chan, CHANNEL_FD };
	const struct passwd *pw = program_account(&c->conf);

	if (pw == NULL)
		return -1;
	c->login_pid = child_fork(&c->login);
	if (c->login_pid == 0)
		program_become_caged(&c->conf, PROGRAM_PATH("login"), NULL, pw,
		    &to, 1);
	close(chan);
	return c->login_pid < 0 ? -1 : child_leash(c->login_pid, c->leash);
}

/* chan goes before the answer is waited for, so that no answer is an end. */
static int
fork_login(struct conn *c, int chan)
{
	uint64_t deadline = clock_ms() + CONN_FORK_MS;
	char word = 0;
	int r = chan_send_fd(c->login_door, &word, sizeof word, chan, deadline);

	close(chan);
	close(c->login_door);
	return r < 0 ? -1
	    : chan_recv_fd(c->chan, &word, sizeof word, &c->login, deadline);
}

int
login_start(struct conn *c)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	c->chan = pair[0];
	return c->login_door < 0 ? execute_login(c, pair[1])
	    : fork_login(c, pair[1]);
}

void
login_end(struct conn *c)
{
	if (child_ends(c->login, CONN_LINGER_MS) < 0) {
		log_error("session=%s login does not end: killed", c->session);
		child_kill(c->login);
		(void)child_ends(c->login, CONN_LINGER_MS);
	}
	/* Whose child it is learns of its status. */
	if (c->login_pid > 0)
		(void)child_reap(c->login_pid, "login");
	close(c->login);
	c->login = -1;
}
