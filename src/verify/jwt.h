/*
 * Signed tokens of an issuer whose keys are known: RFC 7519, 8725.
 */
#ifndef VERIFY_JWT_H
#define VERIFY_JWT_H

#include <time.h>

#include "json.h"

#define JWT_KEYS_MAX 64			/* that one signature is tried with */
#define JWT_LEEWAY 60			/* seconds by which clocks may differ */
#define JWT_NAME_MAX 255

struct jwt_policy {
	const json_t *keys;		/* the JWK set */
	const char *issuer;
	const char *audience;
	time_t now;
};

/*
 * NULL when token is good, and then name has the account: the claim
 * preferred_username, or sub when there is none. Otherwise why it is not.
 */
const char *jwt_check(struct bytes token, const struct jwt_policy *p,
    char name[JWT_NAME_MAX + 1]);

#endif
