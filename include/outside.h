/*
 * Messages between conn and a verifier: mailreeve-verify(8).
 *
 * A verifier is a program that conn starts for one SASL exchange, because what
 * the client sends has to be parsed, and what parses it may not be root: `token`
 * (OAUTHBEARER, XOAUTH2), `gss` (GSSAPI) and `x509` (EXTERNAL). conn starts `VERIFIER HOW UID GID` as
 * root, the channel at CHANNEL_FD. It reads what needs root (keys), closes its
 * cage, and only then receives: one ask for each message of the client, one
 * answer to each ask. After an answer that is no challenge, or when the channel
 * ends, it ends.
 *
 * A verifier that ends without an answer could not do its work, and said why
 * in the log.
 */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include "chan.h"

struct outside_ask {
	uint32_t n;		/* bytes that follow, at most CHAN_TOKEN_MAX: what a client said at once */
};

enum outside_verdict {
	OUTSIDE_CHALLENGE = 1,	/* send it to the client, and ask with its response */
	OUTSIDE_ACCEPTED,
	OUTSIDE_REFUSED,
};

/*
 * Texts a verdict does not use are empty.
 *
 *		CHALLENGE	ACCEPTED	REFUSED
 * challenge	for the client	-		-
 * user		-		account		who it claimed to be, perhaps empty
 * authzid	-		asked for, or empty	-
 * why		-		-		for the log: OUTSIDE_WHY_MAX of printable
 *						ASCII without `"`, `\` and `=`
 */
struct outside_answer {
	uint32_t verdict;		/* enum outside_verdict */
	struct chan_text challenge;
	struct chan_text user;
	struct chan_text authzid;
	struct chan_text why;
};

#define OUTSIDE_WHY_MAX 120

static inline bool
outside_why_may_have(unsigned char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
}

/* ---- outside.c: the side of conn ---- */

/*
 * Steps of an exchange that a verifier decides; conn starts it at the begin.
 * See include/exchange.h.
 */
struct exchange;
struct chan_req;
enum chan_result outside_begin(struct exchange *x, const struct chan_req *q,
    struct bytes token);
enum chan_result outside_step(struct exchange *x, const struct chan_req *q,
    struct bytes token);
void outside_end(struct exchange *x);

/*
 * EXTERNAL, one step: the token is the handshake of TLS. x509 has a link of
 * login to the signer at DOOR_FD, and its only challenge, which is no client's,
 * says whose the certificate is.
 */
enum chan_result outside_external(struct exchange *x, const struct chan_req *q,
    struct bytes token);

#endif
