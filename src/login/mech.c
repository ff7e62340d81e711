/*
 * SASL before login: which mechanisms there are, and an exchange of messages
 * with client and conn (RFC 4422, 3501 section 6.2.2, 5034).
 * Runs as: _mailreeve.
 */
#include <errno.h>

#include "base64.h"
#include "mech.h"
#include "mech_bearer.h"
#include "mech_other.h"
#include "mech_password.h"
#include "mech_scram.h"
#include "secrets.h"

/* The order is that of announcement; clients choose themselves. */
static const struct mech mechanisms[] = {
	{ "PLAIN", MECHANISM_PLAIN, -1, NULL, mech_plain },
	{ "LOGIN", MECHANISM_LOGIN, -1, NULL, mech_login },
	{ "SCRAM-SHA-512-PLUS", MECHANISM_SCRAM_SHA_512, SECRET_SCRAM_SHA_512,
	    scram_can_bind, mech_scram },
	{ "SCRAM-SHA-256-PLUS", MECHANISM_SCRAM_SHA_256, SECRET_SCRAM_SHA_256,
	    scram_can_bind, mech_scram },
	{ "SCRAM-SHA-1-PLUS", MECHANISM_SCRAM_SHA_1, SECRET_SCRAM_SHA_1,
	    scram_can_bind, mech_scram },
	{ "SCRAM-SHA-512", MECHANISM_SCRAM_SHA_512, SECRET_SCRAM_SHA_512, NULL,
	    mech_scram },
	{ "SCRAM-SHA-256", MECHANISM_SCRAM_SHA_256, SECRET_SCRAM_SHA_256, NULL,
	    mech_scram },
	{ "SCRAM-SHA-1", MECHANISM_SCRAM_SHA_1, SECRET_SCRAM_SHA_1, NULL,
	    mech_scram },
	{ "CRAM-MD5", MECHANISM_CRAM_MD5, SECRET_CRAM_MD5, NULL, mech_cram },
	{ "EXTERNAL", MECHANISM_EXTERNAL, SECRET_EXTERNAL, external_possible,
	    mech_external },
	{ "ANONYMOUS", MECHANISM_ANONYMOUS, -1, NULL, mech_anonymous },
	{ "OAUTHBEARER", MECHANISM_OAUTHBEARER, -1, NULL, mech_bearer },
	{ "XOAUTH2", MECHANISM_XOAUTH2, -1, NULL, mech_bearer },
	{ "GSSAPI", MECHANISM_GSSAPI, -1, NULL, talk_tokens },
};

#define COUNT (sizeof mechanisms / sizeof mechanisms[0])

/* As the configuration, the stream and the host's files are. */
static bool
possible(const struct login *l, const struct mech *m)
{
	return login_private(l) && mechanism_on(l->conf, m->kind)
	    && (m->secret < 0 || (l->secrets & 1U << m->secret) != 0)
	    && (m->can == NULL || m->can(l));
}

const struct mech *
mech_possible(const struct login *l, unsigned n)
{
	for (size_t i = 0; i < COUNT; i++)
		if (possible(l, &mechanisms[i]) && n-- == 0)
			return &mechanisms[i];
	return NULL;
}

const struct mech *
mech_by_name(const struct login *l, struct bytes name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (bytes_case_equal(name, bytes_of(mechanisms[i].name)))
			return possible(l, &mechanisms[i]) ? &mechanisms[i] : NULL;
	return NULL;
}

enum mech_result
mech_run(struct talk *t)
{
	if (bytes_equal(t->initial, BYTES("=")))
		t->initial.n = 0;
	return t->m->run(t);
}

/* --- the client --- */

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
	return MECH_GO_ON;
}

static int
say_challenge(struct login *l, struct bytes challenge)
{
	unsigned char text[BASE64_ENCODED(768) + 1];
	int r = wire_text(&l->wire, "+ ");

	/* By multiples of three bytes, so that padding comes at the end only. */
	for (; r == 0 && challenge.n > 0; challenge = bytes_from(challenge, 768)) {
		struct bytes piece = bytes_first(challenge, 768);

		base64_encode(piece, text);
		text[BASE64_ENCODED(piece.n)] = '\0';
		r = wire_text(&l->wire, (const char *)text);
	}
	return r < 0 ? -1 : wire_text(&l->wire, "\r\n");
}

/* RFC 5034 section 4: a line over the limit fails the exchange, no more. */
static enum mech_result
read_line(struct login *l, struct buf *line)
{
	enum mech_result r = MECH_GO_ON;

	while (wire_line(&l->wire, line, SASL_LINE_MAX) < 0) {
		if (errno != E2BIG)
			return MECH_LOST;
		buf_wipe(line);
		r = MECH_BAD;
	}
	return r;
}

enum mech_result
talk_hear(struct talk *t, struct bytes challenge, struct bytes *response)
{
	struct login *l = t->l;
	struct buf line = BUF_INIT(2 * SASL_LINE_MAX);
	struct bytes text = t->initial;
	enum mech_result r = MECH_LOST;

	t->initial.p = NULL;
	if (text.p != NULL)
		return decode(l, text, response);
	if (say_challenge(l, challenge) == 0)
		r = read_line(l, &line);
	if (r == MECH_GO_ON) {
		text = bytes_trim(buf_contents(&line));
		r = bytes_equal(text, BYTES("*")) ? MECH_CANCELLED
		    : decode(l, text, response);
	}
	buf_wipe(&line);
	return r;
}

/* --- conn --- */

enum mech_result
talk_login(struct talk *t, const struct credentials *c)
{
	if (wire_flush(&t->l->wire) < 0)
		return MECH_LOST;
	t->verdict = ask_login(t->l, c, t->tag);
	return MECH_DECIDED;
}

enum mech_result
talk_ask(struct talk *t, struct chan_req *q, struct bytes token,
    struct bytes *challenge)
{
	q->mechanism = t->m->kind;
	if (token.n > CHAN_TOKEN_MAX)
		return MECH_BAD;
	if (wire_flush(&t->l->wire) < 0)
		return MECH_LOST;
	t->verdict = ask_sasl(t->l, q, t->m->name, t->tag, token, challenge);
	return t->verdict.result == CHAN_CHALLENGE ? MECH_GO_ON : MECH_DECIDED;
}

enum mech_result
talk_tokens(struct talk *t)
{
	struct chan_req q = { .type = CHAN_SASL_BEGIN };
	struct bytes response, challenge = BYTES("");
	enum mech_result r;

	do {
		r = talk_hear(t, challenge, &response);
		if (r == MECH_GO_ON)
			r = talk_ask(t, &q, response, &challenge);
		q.type = CHAN_SASL_STEP;
	} while (r == MECH_GO_ON);
	return r;
}
