/*
 * One exchange of SASL as conn sees it: what login brings of the client's
 * messages, and what a mechanism makes of it.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "buf.h"
#include "chan.h"
#include "mechanisms.h"
#include "secrets.h"
#include "service.h"

#define EXCHANGE_NAME_MAX 255		/* as the system's own LOGIN_NAME_MAX */
#define EXCHANGE_SAID_MAX 160		/* nonce, salt and count of SCRAM; CRAM-MD5's challenge */

struct exchange {
	const struct config *conf;
	const char *stamp;		/* of APOP: the one in this connection's greeting */
	const char *session;		/* the connection's name in the log */
	int link;			/* of login to the signer, or -1 */
	enum service service;
	enum mechanism mechanism;
	char user[EXCHANGE_NAME_MAX + 1];	/* who it is, for the log until that is proved */
	struct chan_text authzid;	/* whom to act for; empty: the same */
	const char *why;		/* of a refusal, the truth for the log */
	struct buf challenge;		/* goes back with CHAN_CHALLENGE */
	bool read_only;			/* the session may change nothing */
	/* verify.c and its like, between two requests */
	struct secret secret;		/* the user's, or what a stranger's would be like */
	uid_t uid;			/* whose own secret it is; 0: the administrator gave it */
	bool known, proved;
	size_t said_n;
	char said[EXCHANGE_SAID_MAX];	/* the challenge that must be answered */
};

/*
 * One request of an exchange: CHAN_OK when x->user is proved to be the one (who
 * may come in is not its business), CHAN_CHALLENGE, or a refusal with x->why.
 */
typedef enum chan_result exchange_step(struct exchange *x,
    const struct chan_req *q, struct bytes token);

struct verifier {
	exchange_step *begin;		/* NULL: the mechanism has no exchange */
	exchange_step *step;		/* NULL: one request is all */
	void (*end)(struct exchange *x);	/* gives back what the two took, or NULL */
};

#endif
