/*
 * What login asks of conn (chan.h). Each answers when conn has answered.
 */
#ifndef LOGIN_ASK_H
#define LOGIN_ASK_H

#include "login.h"

/*
 * Tells conn that the cage is closed. Its answer is waited for with that to
 * the next question, and fills in name. 0, or -1: nothing is of use any more.
 */
int ask_hello(struct login *l);

/* A link to the signer; -1: there is none here (or no conn: ask on). */
int ask_signer(void);

/* PEM text of clients' issuers: 0, or -1. */
int ask_client_ca(struct buf *pem);

/*
 * Waits for a client, as long as it takes, and fills in fd, service, local and
 * remote. *proxied: its PROXY header comes first. 0, or -1.
 */
int ask_client(struct login *l, int *fd, bool *proxied);

/* Whom the proxy or front end speaks for; asks for CHAN_OK. */
struct proxy_header;
enum chan_result ask_proxy(struct login *l, const struct proxy_header *h);

/*
 * Tries these credentials. text gets the message for the user, printable and
 * cut, perhaps empty. When conn does not answer, CHAN_UNAVAILABLE and
 * *gone set.
 */
#define ASK_TEXT_MAX 200
struct verdict {
	enum chan_result result;
	char text[ASK_TEXT_MAX + 1];
	bool gone;
};
struct verdict ask_login(struct login *l, const struct credentials *c,
    struct bytes tag);

/*
 * Puts names into a request, prepared (sasl.h). What can be nobody's name goes to
 * conn as nobody's.
 */
void ask_names(struct chan_req *q, struct bytes user, struct bytes authzid);

/*
 * One request of an exchange: type, mechanism and the mechanism's own texts are
 * in q, which is wiped. With CHAN_CHALLENGE, challenge is in l's arena.
 */
struct verdict ask_sasl(struct login *l, struct chan_req *q,
    const char *mechanism, struct bytes tag, struct bytes token,
    struct bytes *challenge);

#endif
