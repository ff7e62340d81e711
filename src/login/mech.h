/*
 * SASL mechanisms, as AUTHENTICATE and AUTH use them alike.
 */
#ifndef LOGIN_MECH_H
#define LOGIN_MECH_H

#include "login.h"

#define MECH_ROUNDS_MAX 2

struct mechanism {
	const char *name;
	unsigned rounds;
	const char *challenge[MECH_ROUNDS_MAX];	/* in base64; the first may be answered ahead */
	/* From decoded responses to credentials; false: they make no sense. */
	bool (*finish)(const struct bytes response[], struct credentials *c);
};

extern const struct mechanism mechanisms[];
extern const unsigned mechanisms_count;

const struct mechanism *mech_by_name(struct bytes name);

enum mech_result {
	MECH_READY,			/* c is filled, in l's arena */
	MECH_CANCELLED,			/* the client sent `*` */
	MECH_BAD,			/* no base64, or not what the mechanism wants */
	MECH_LOST,			/* errno */
};

/*
 * The exchange. initial is the argument of the command: base64, `=` for an
 * empty response, or nothing (p NULL).
 */
enum mech_result mech_run(struct login *l, const struct mechanism *m,
    struct bytes initial, struct credentials *c);

#endif
