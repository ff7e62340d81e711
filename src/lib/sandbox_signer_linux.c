/*
 * The cage of the signer on Linux.
 * Runs as: root, then as service-user.
 */
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_signer.h"	/* made from sandbox_signer.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_signer(const char *root, uid_t uid, gid_t gid)
{
	static const struct sandbox_list list = { signer_limits,
	    COUNT(signer_limits), signer_filter, COUNT(signer_filter) };

	return close_cage(&list, root, uid, gid);
}
