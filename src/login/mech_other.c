/*
 * CRAM-MD5 (RFC 2195), EXTERNAL (RFC 4422 appendix A), ANONYMOUS (RFC 4505), and
 * APOP (RFC 1939 section 7).
 * Runs as: _mailreeve.
 */
#include "mech_other.h"
#include "sasl.h"
#include "utf8.h"

#define TRACE_MAX 255			/* characters: RFC 4505 section 3 */

/* The challenge comes first: there can be no initial response (RFC 4959 section 3). */
enum mech_result
mech_cram(struct talk *t)
{
	struct chan_req q = { .type = CHAN_SASL_BEGIN };
	struct bytes challenge, response;
	struct sasl_digest d;
	enum mech_result r;

	if (t->initial.p != NULL)
		return MECH_BAD;
	r = talk_ask(t, &q, BYTES(""), &challenge);
	if (r == MECH_GO_ON)
		r = talk_hear(t, challenge, &response);
	if (r != MECH_GO_ON)
		return r;
	if (sasl_digest(response, &d) < 0)
		return MECH_BAD;
	q = (struct chan_req){ .type = CHAN_SASL_STEP };
	ask_names(&q, d.user, BYTES(""));
	chan_put(&q.secret, bytes_make(d.digest, sizeof d.digest));
	return talk_ask(t, &q, BYTES(""), &challenge);
}

enum mech_result
mech_apop(struct talk *t, struct bytes args)
{
	struct chan_req q = { .type = CHAN_SASL_BEGIN };
	struct sasl_digest d;
	struct bytes none;

	if (sasl_digest(args, &d) < 0)
		return MECH_BAD;
	ask_names(&q, d.user, BYTES(""));
	chan_put(&q.secret, bytes_make(d.digest, sizeof d.digest));
	return talk_ask(t, &q, BYTES(""), &none);
}

bool
external_possible(const struct login *l)
{
	return l->wire.tls != NULL && tls_has_client(l->wire.tls);
}

/*
 * The authorization identity, or nothing: the certificate says who it is. That it
 * is the client's, the handshake shows to who does not believe us.
 */
enum mech_result
mech_external(struct talk *t)
{
	struct chan_req q = { .type = CHAN_SASL_BEGIN };
	struct bytes authzid;
	enum mech_result r = talk_hear(t, BYTES(""), &authzid);

	if (r != MECH_GO_ON)
		return r;
	if (authzid.n > 0)
		ask_names(&q, authzid, BYTES(""));
	if (authzid.n > 0 && q.user.n == 0)
		return MECH_BAD;
	return talk_ask(t, &q, tls_client_handshake(t->l->wire.tls), &authzid);
}

/* The trace is for the log, where the client's name would stand. */
enum mech_result
mech_anonymous(struct talk *t)
{
	struct chan_req q = { .type = CHAN_SASL_BEGIN };
	struct bytes trace;
	enum mech_result r = talk_hear(t, BYTES(""), &trace);

	if (r != MECH_GO_ON)
		return r;
	if (trace.n > (size_t)TRACE_MAX * 4 || !utf8_valid(trace))
		return MECH_BAD;
	login_note(t->l, trace);
	return talk_ask(t, &q, trace, &trace);
}
