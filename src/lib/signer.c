/*
 * A way to the signer.
 * Runs as: root.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "control.h"
#include "program.h"
#include "signer.h"

/* A child's child: nobody here waits for its end. */
static int
start(const struct config *conf)
{
	const struct passwd *pw = program_account(conf);
	struct process_fd door = { .number = DOOR_FD };
	int pair[2];
	pid_t between;

	if (pw == NULL
	    || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	between = fork();
	door.fd = pair[1];
	if (between == 0) {
		if (fork() != 0)
			_exit(0);
		program_become_caged(conf, PROGRAM_PATH("signer"), NULL, pw,
		    &door, 1);
	}
	close(pair[1]);
	while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR)
		continue;
	return pair[0];
}

int
signer_link(const struct config *conf, int door, uint64_t ms)
{
	int pair[2], r, through = door < 0 ? start(conf) : door;
	char word = 0;

	if (through < 0
	    || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	r = chan_send_fd(through, &word, sizeof word, pair[1], clock_ms() + ms);
	close(pair[1]);
	if (through != door)
		close(through);
	if (r == 0)
		return pair[0];
	close(pair[0]);
	return -1;
}
