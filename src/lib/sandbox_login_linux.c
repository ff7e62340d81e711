/*
 * The cage of login on Linux.
 * Runs as: root, then as service-user.
 */
#include <sys/prctl.h>

#include "ids.h"
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_login.h"	/* made from sandbox_login.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_login(const char *root, uid_t uid, gid_t gid)
{
	if (no_way_up() < 0
	    || restrict_resources(login_limits, COUNT(login_limits)) < 0
	    || ids_cage(root, uid, gid) < 0)
		return -1;
	/* A change of uid made it dumpable again as fs.suid_dumpable says. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
	    || restrict_files(NULL, 0) < 0)
		return -1;
	return restrict_calls(login_filter, COUNT(login_filter));
}
