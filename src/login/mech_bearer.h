/*
 * OAUTHBEARER (RFC 7628) and XOAUTH2.
 */
#ifndef LOGIN_MECH_BEARER_H
#define LOGIN_MECH_BEARER_H

#include "mech.h"

enum mech_result mech_bearer(struct talk *t);

#endif
