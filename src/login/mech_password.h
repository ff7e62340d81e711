/*
 * Mechanisms that send the password.
 */
#ifndef LOGIN_MECH_PASSWORD_H
#define LOGIN_MECH_PASSWORD_H

#include "mech.h"

enum mech_result mech_plain(struct talk *t);
enum mech_result mech_login(struct talk *t);

#endif
