/*
 * The end of a child, told when it is a bad one.
 * Runs as: root.
 */
#include <sys/wait.h>

#include <errno.h>
#include <string.h>

#include "child.h"
#include "log.h"

int
child_reap(pid_t pid, const char *name)
{
	int status = 0, flags = pid == 0 ? WNOHANG : 0;
	pid_t got;

	while ((got = waitpid(pid == 0 ? -1 : pid, &status, flags)) < 0
	    && errno == EINTR)
		continue;
	if (got <= 0)
		return CHILD_NONE;
	if (!WIFSIGNALED(status))
		return CHILD_ENDED;
	log_error("%s %ld ended by signal %d (%s)", name, (long)got,
	    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return CHILD_CRASHED;
}
