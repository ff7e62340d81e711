/*
 * Locked accounts, by shadow(5).
 * Runs as: root (conn).
 */
#include <shadow.h>
#include <string.h>

#include "locked.h"

bool
account_locked(const char *user)
{
	const struct spwd *s = getspnam(user);
	const char *hash;
	bool locked;

	if (s == NULL || s->sp_pwdp == NULL)
		return false;
	/* `useradd` leaves "!" or "!!", Debian's packages "!*". */
	hash = s->sp_pwdp + strspn(s->sp_pwdp, "!");
	locked = hash > s->sp_pwdp && *hash != '\0' && *hash != '*';
	explicit_bzero(s->sp_pwdp, strlen(s->sp_pwdp));
	return locked;
}
