/*
 * SCRAM and its -PLUS (RFC 5802).
 */
#ifndef LOGIN_MECH_SCRAM_H
#define LOGIN_MECH_SCRAM_H

#include "mech.h"

enum mech_result mech_scram(struct talk *t);

/* This connection has a channel binding, so that -PLUS is offered. */
bool scram_can_bind(const struct login *l);

#endif
