/*
 * Mechanisms that send a bearer token.
 * Runs as: _mailreeve.
 */
#include "mech_bearer.h"

/*
 * A challenge tells the client that its token is no good, and what it says then
 * does not matter (RFC 7628 section 3.2.3): also one that cancels, or goes away,
 * was refused, and conn is to know of it.
 */
enum mech_result
mech_bearer(struct talk *t)
{
	enum mech_result r = talk_tokens(t);
	struct chan_req q = { .type = CHAN_SASL_STEP };
	struct bytes challenge;

	if (r == MECH_DECIDED || t->verdict.result != CHAN_CHALLENGE)
		return r;
	t->verdict = ask_sasl(t->l, &q, t->m->name, t->tag, BYTES(""), &challenge);
	return r == MECH_LOST ? MECH_LOST : MECH_DECIDED;
}
