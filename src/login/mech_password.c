/*
 * SASL mechanisms PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login).
 * Runs as: _mailreeve.
 */
#include "mech_password.h"
#include "sasl.h"

enum mech_result
mech_plain(struct talk *t)
{
	struct credentials c = { .mechanism = t->m->name };
	struct sasl_plain parts;
	struct bytes response;
	enum mech_result r = talk_hear(t, BYTES(""), &response);

	if (r != MECH_GO_ON)
		return r;
	if (sasl_plain(response, &parts) < 0)
		return MECH_BAD;
	c.authzid = parts.authzid;
	c.user = parts.authcid;
	c.secret = parts.password;
	return talk_login(t, &c);
}

enum mech_result
mech_login(struct talk *t)
{
	struct credentials c = { .mechanism = t->m->name };
	enum mech_result r = talk_hear(t, BYTES("Username:"), &c.user);

	if (r == MECH_GO_ON)
		r = talk_hear(t, BYTES("Password:"), &c.secret);
	if (r != MECH_GO_ON)
		return r;
	if (c.user.n == 0 || c.secret.n == 0 || bytes_find(c.user, '\0') >= 0
	    || bytes_find(c.secret, '\0') >= 0)
		return MECH_BAD;
	return talk_login(t, &c);
}
