/*
 * The cage of a session on Linux.
 * Runs as: the mailbox owner.
 */
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_session.h"	/* made from sandbox_session.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_session(char *const paths[], size_t n)
{
	if (no_way_up() < 0
	    || restrict_resources(session_limits, COUNT(session_limits)) < 0
	    || restrict_files(paths, n) < 0)
		return -1;
	return restrict_calls(session_filter, COUNT(session_filter));
}
