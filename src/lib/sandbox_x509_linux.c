/*
 * The cage of the verifier x509 on Linux.
 * Runs as: root, then as service-user.
 */
#include "sandbox.h"
#include "sandbox_linux.h"

#include "sandbox_x509.h"	/* made from sandbox_x509.list */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_x509(const char *root, uid_t uid, gid_t gid)
{
	static const struct sandbox_list list = { x509_limits,
	    COUNT(x509_limits), x509_filter, COUNT(x509_filter) };

	return close_cage(&list, root, uid, gid);
}
