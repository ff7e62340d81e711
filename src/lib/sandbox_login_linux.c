/*
 * The cage of login on Linux.
 * Runs as: root, then as service-user.
 */
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_login.h"	/* made from sandbox_login.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_login(const char *root, uid_t uid, gid_t gid)
{
	static const struct sandbox_list list = { login_limits,
	    COUNT(login_limits), login_filter, COUNT(login_filter) };

	return close_cage(&list, root, uid, gid);
}
