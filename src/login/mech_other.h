/*
 * CRAM-MD5, EXTERNAL, ANONYMOUS, and APOP of POP3.
 */
#ifndef LOGIN_MECH_OTHER_H
#define LOGIN_MECH_OTHER_H

#include "mech.h"

enum mech_result mech_cram(struct talk *t);
enum mech_result mech_external(struct talk *t);
enum mech_result mech_anonymous(struct talk *t);

/* The command APOP, by its arguments: the verdict is in t. */
enum mech_result mech_apop(struct talk *t, struct bytes args);

/* The client's certificate was verified. */
bool external_possible(const struct login *l);

#endif
