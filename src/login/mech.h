/*
 * SASL mechanisms, as AUTHENTICATE and AUTH use them alike.
 */
#ifndef LOGIN_MECH_H
#define LOGIN_MECH_H

#include "ask.h"
#include "mechanisms.h"

enum mech_result {
	MECH_GO_ON,			/* the client or conn has said something */
	MECH_DECIDED,			/* conn has: the verdict */
	MECH_CANCELLED,			/* the client sent `*` */
	MECH_BAD,			/* no base64, too long, or not what the mechanism wants */
	MECH_LOST,			/* errno */
};

/* One exchange. What is heard is in l's arena, which will be wiped. */
struct talk {
	struct login *l;
	const struct mech *m;
	struct bytes initial;		/* argument of the command; p NULL: none, or used up */
	struct bytes tag;		/* for conn */
	struct verdict verdict;
};

struct mech {
	const char *name;
	enum mechanism kind;
	int secret;			/* kind of secret without which it is of no use, or -1 */
	bool (*can)(const struct login *l);	/* NULL: always */
	/* Talks until there is a verdict, or something else than MECH_GO_ON. */
	enum mech_result (*run)(struct talk *t);
};

/* The n-th mechanism that is possible as things stand; NULL: there are no more. */
const struct mech *mech_possible(const struct login *l, unsigned n);

/* The one of that name, if it is possible. */
const struct mech *mech_by_name(const struct login *l, struct bytes name);

/* The whole exchange. initial is base64, `=` for an empty response, or p NULL. */
enum mech_result mech_run(struct talk *t);

/* ---- for mechanisms ---- */

/*
 * Challenges the client and takes its response. The first time, an initial
 * response is taken instead.
 */
enum mech_result talk_hear(struct talk *t, struct bytes challenge,
    struct bytes *response);

/* conn tries a name and a password: MECH_DECIDED. */
enum mech_result talk_login(struct talk *t, const struct credentials *c);

/*
 * A request of an exchange, CHAN_SASL_BEGIN or CHAN_SASL_STEP, with its token;
 * q has the texts that the mechanism uses, and is wiped. MECH_GO_ON with conn's
 * challenge, or MECH_DECIDED.
 */
enum mech_result talk_ask(struct talk *t, struct chan_req *q, struct bytes token,
    struct bytes *challenge);

/* Carries tokens between client and conn, whatever is in them. */
enum mech_result talk_tokens(struct talk *t);

#endif
