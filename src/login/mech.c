/*
 * SASL mechanisms PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login).
 * Runs as: _mailreeve.
 */
#include "base64.h"
#include "mech.h"
#include "sasl.h"

static bool
finish_plain(const struct bytes response[], struct credentials *c)
{
	struct sasl_plain parts;

	if (sasl_plain(response[0], &parts) < 0)
		return false;
	c->authzid = parts.authzid;
	c->user = parts.authcid;
	c->secret = parts.password;
	return true;
}

static bool
finish_login(const struct bytes response[], struct credentials *c)
{
	c->authzid = (struct bytes){ 0 };
	c->user = response[0];
	c->secret = response[1];
	return c->user.n > 0 && c->secret.n > 0
	    && bytes_find(c->user, '\0') < 0 && bytes_find(c->secret, '\0') < 0;
}

const struct mechanism mechanisms[] = {
	{ "PLAIN", 1, { "" }, finish_plain },
	/* Username: and Password: */
	{ "LOGIN", 2, { "VXNlcm5hbWU6", "UGFzc3dvcmQ6" }, finish_login },
};
const unsigned mechanisms_count = sizeof mechanisms / sizeof mechanisms[0];

const struct mechanism *
mech_by_name(struct bytes name)
{
	for (unsigned i = 0; i < mechanisms_count; i++)
		if (bytes_case_equal(name, bytes_of(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

/* One response, decoded into the arena. */
static enum mech_result
decode(struct login *l, struct bytes text, struct bytes *out)
{
	unsigned char *to = arena_alloc(&l->arena, BASE64_DECODED_MAX(text.n) + 1);
	ssize_t n;

	if (to == NULL)
		return MECH_LOST;
	n = base64_decode(text, to);
	if (n < 0)
		return MECH_BAD;
	*out = bytes_make(to, (size_t)n);
	return MECH_READY;
}

/* Challenges the client; its answer is wiped before this returns. */
static enum mech_result
ask_client_for(struct login *l, const char *challenge, struct bytes *out)
{
	struct buf line = BUF_INIT(2 * SASL_LINE_MAX);
	enum mech_result r = MECH_LOST;
	struct bytes text;

	if (wire_printf(&l->wire, "+ %s\r\n", challenge) == 0
	    && wire_line(&l->wire, &line, SASL_LINE_MAX) == 0) {
		text = bytes_trim(buf_contents(&line));
		r = bytes_equal(text, BYTES("*")) ? MECH_CANCELLED
		    : decode(l, text, out);
	}
	buf_wipe(&line);
	return r;
}

enum mech_result
mech_run(struct login *l, const struct mechanism *m, struct bytes initial,
    struct credentials *c)
{
	struct bytes response[MECH_ROUNDS_MAX] = { 0 };
	enum mech_result r;

	if (bytes_equal(initial, BYTES("=")))
		initial.n = 0;
	for (unsigned i = 0; i < m->rounds; i++) {
		if (i == 0 && initial.p != NULL)
			r = decode(l, initial, &response[i]);
		else
			r = ask_client_for(l, m->challenge[i], &response[i]);
		if (r != MECH_READY)
			return r;
	}
	c->mechanism = m->name;
	return m->finish(response, c) ? MECH_READY : MECH_BAD;
}
