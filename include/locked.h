/*
 * Accounts whose password an administrator has locked. Most PAM modules see
 * that only when they are given a password.
 */
#ifndef LOCKED_H
#define LOCKED_H

#include <stdbool.h>

/*
 * Is there a password behind the mark that `usermod -L` puts before it? An
 * account that never had one is not locked: it may have other means to log in.
 */
bool account_locked(const char *user);

#endif
