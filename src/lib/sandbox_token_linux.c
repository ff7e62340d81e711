/*
 * The cage of the verifier token on Linux.
 * Runs as: root, then as service-user.
 */
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_token.h"	/* made from sandbox_token.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_token(const char *root, uid_t uid, gid_t gid)
{
	static const struct sandbox_list list = { token_limits,
	    COUNT(token_limits), token_filter, COUNT(token_filter) };

	return close_cage(&list, root, uid, gid);
}
