/*
 * The cage of the verifier gss on Linux.
 * Runs as: root, then as service-user.
 */
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_gss.h"	/* made from sandbox_gss.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_gss(const char *root, uid_t uid, gid_t gid)
{
	static const struct sandbox_list list = { gss_limits,
	    COUNT(gss_limits), gss_filter, COUNT(gss_filter) };

	return close_cage(&list, root, uid, gid);
}
