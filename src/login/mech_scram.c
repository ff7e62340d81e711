/*
 * SCRAM and its -PLUS: messages and channel binding (RFC 5802, 7677, 9266).
 * Runs as: _mailreeve.
 *
 * conn has the user's keys, draws the nonce and judges the proof. It is given
 * what was signed in pieces, and puts among them its own words and whom the
 * client wants to act for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base64.h"
#include "mech_scram.h"
#include "scram.h"

#define PROOF_MAX 64			/* of SHA-512 */

/* Names of channel bindings: RFC 9266, RFC 5929. */
static const struct {
	const char *name;
	enum tls_binding kind;
} bindings[] = {
	{ "tls-exporter", TLS_EXPORTER },
	{ "tls-server-end-point", TLS_SERVER_END_POINT },
	{ "tls-unique", TLS_UNIQUE },
};

struct scram {
	struct talk *t;
	struct scram_first first;
	struct bytes ours;		/* conn's words: nonce, salt, count */
	struct bytes binding;		/* what c= must be, decoded */
};

bool
scram_can_bind(const struct login *l)
{
	unsigned char data[TLS_BINDING_MAX];

	for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
		if (l->wire.tls != NULL
		    && tls_binding(l->wire.tls, bindings[i].kind, data) > 0)
			return true;
	return false;
}

/* a and behind it b and c, in the arena; p NULL: no memory. */
static struct bytes
join(struct login *l, struct bytes a, struct bytes b, struct bytes c)
{
	unsigned char *to = arena_alloc(&l->arena, a.n + b.n + c.n + 1);

	if (to == NULL)
		return (struct bytes){ 0 };
	memcpy(to, a.p, a.n);
	if (b.n > 0)
		memcpy(to + a.n, b.p, b.n);
	if (c.n > 0)
		memcpy(to + a.n + b.n, c.p, c.n);
	return bytes_make(to, a.n + b.n + c.n);
}

static bool
is_plus(const struct talk *t)
{
	size_t n = strlen(t->m->name);

	return strcmp(t->m->name + n - 5, "-PLUS") == 0;
}

/* The data of the channel binding that the client names, or -1. */
static int
named_binding(const struct scram *s, unsigned char data[TLS_BINDING_MAX])
{
	for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
		if (bytes_equal(s->first.binding, bytes_of(bindings[i].name)))
			return tls_binding(s->t->l->wire.tls, bindings[i].kind, data);
	return -1;
}

/*
 * RFC 5802 section 6. A client that could bind the channel, and was kept from
 * seeing that we can too ('y'), is talking to somebody in the middle. NULL, or
 * what is wrong.
 */
static const char *
look_at_binding(struct scram *s)
{
	unsigned char data[TLS_BINDING_MAX];
	int n = 0;

	if ((s->first.flag == 'p') != is_plus(s->t))
		return "channel-binding-not-as-the-mechanism-says";
	if (s->first.flag == 'y' && scram_can_bind(s->t->l))
		return "server-does-support-channel-binding";
	if (s->first.flag == 'p')
		n = named_binding(s, data);
	if (n < 0)
		return "unsupported-channel-binding-type";
	s->binding = join(s->t->l, s->first.header, bytes_make(data, (size_t)n),
	    BYTES(""));
	return s->binding.p != NULL ? NULL : "no-resources";
}

/*
 * Nobody's guess at a password, so conn need not know; the log does. The reason
 * is told with the answer, and not as a message of the exchange (`e=`): there are
 * clients that wait for ever after one.
 */
static enum mech_result
refuse(struct scram *s, const char *why)
{
	struct verdict *v = &s->t->verdict;

	login_complain(s->t->l, why);
	*v = (struct verdict){ .result = CHAN_REFUSED };
	snprintf(v->text, sizeof v->text, "SCRAM: %s", why);
	return MECH_DECIDED;
}

static enum mech_result
hear_first(struct scram *s)
{
	struct login *l = s->t->l;
	struct bytes message;
	enum mech_result r = talk_hear(s->t, BYTES(""), &message);
	unsigned char *room;

	if (r != MECH_GO_ON)
		return r;
	room = arena_alloc(&l->arena, message.n + 1);
	if (room == NULL)
		return MECH_LOST;
	if (scram_first(message, room, &s->first) == 0)
		return MECH_GO_ON;
	return errno == ENOTSUP ? refuse(s, "extensions-not-supported") : MECH_BAD;
}

/* Whom it is about; conn's words. */
static enum mech_result
ask_challenge(struct scram *s)
{
	struct chan_req q = { .type = CHAN_SASL_BEGIN };

	ask_names(&q, s->first.user, BYTES(""));
	/* As it was signed, and so not prepared. */
	if (chan_put(&q.authzid, s->first.authzid) < 0)
		q.user.n = 0;
	return talk_ask(s->t, &q, BYTES(""), &s->ours);
}

/* The nonce is the client's and, up to the comma, conn's. */
static const char *
look_at_final(const struct scram *s, const struct scram_final *f)
{
	struct bytes rest = s->ours, mine = bytes_split(&rest, ',');
	unsigned char *decoded = arena_alloc(&s->t->l->arena,
	    BASE64_DECODED_MAX(f->binding.n) + 1);
	ssize_t n = decoded == NULL ? -1 : base64_decode(f->binding, decoded);

	if (f->nonce.n != s->first.nonce.n + mine.n
	    || !bytes_starts(f->nonce, s->first.nonce)
	    || !bytes_equal(bytes_from(f->nonce, s->first.nonce.n), mine))
		return "other-error";
	if (n < 0 || !bytes_equal(bytes_make(decoded, (size_t)n), s->binding))
		return "channel-bindings-dont-match";
	return NULL;
}

/* Into q: what was signed before conn's words, the flag of what is behind them. */
static int
put_signed(struct scram *s, struct chan_req *q)
{
	struct bytes before = join(s->t->l, s->first.bare, BYTES(",r="),
	    s->first.nonce);
	struct bytes header = s->first.header;

	return before.p == NULL || chan_put(&q->user, before) < 0
	    || chan_put(&q->authzid, bytes_split(&header, ',')) < 0 ? -1 : 0;
}

/* conn's verdict on the proof, or its signature. */
static enum mech_result
ask_proof(struct scram *s, const struct scram_final *f, struct bytes *signature)
{
	struct chan_req q = { .type = CHAN_SASL_STEP };
	unsigned char proof[BASE64_DECODED_MAX(BASE64_ENCODED(PROOF_MAX))];
	ssize_t n = f->proof.n > BASE64_ENCODED(PROOF_MAX) ? -1
	    : base64_decode(f->proof, proof);
	struct bytes secret;

	if (n < 0)
		return MECH_BAD;
	secret = join(s->t->l, bytes_make(proof, (size_t)n),
	    bytes_from(s->binding, s->first.header.n), BYTES(""));
	if (secret.p == NULL || chan_put(&q.secret, secret) < 0
	    || put_signed(s, &q) < 0)
		return MECH_BAD;
	return talk_ask(s->t, &q, f->behind, signature);
}

/* The client has seen the proof of ours; only now anybody is in. */
static enum mech_result
sign(struct scram *s, struct bytes signature)
{
	unsigned char text[BASE64_ENCODED(PROOF_MAX)];
	struct chan_req q = { .type = CHAN_SASL_STEP };
	struct bytes message, response;
	enum mech_result r;

	if (signature.n > PROOF_MAX)
		return MECH_BAD;
	base64_encode(signature, text);
	message = join(s->t->l, BYTES("v="), bytes_make(text,
	    BASE64_ENCODED(signature.n)), BYTES(""));
	r = talk_hear(s->t, message, &response);
	if (r != MECH_GO_ON)
		return r;
	return response.n > 0 ? MECH_BAD
	    : talk_ask(s->t, &q, BYTES(""), &response);
}

static enum mech_result
prove(struct scram *s)
{
	struct bytes message, signature;
	struct scram_final final;
	const char *error;
	enum mech_result r;

	message = join(s->t->l, BYTES("r="), s->first.nonce, s->ours);
	r = talk_hear(s->t, message, &message);
	if (r != MECH_GO_ON)
		return r;
	if (scram_final(message, &final) < 0)
		return MECH_BAD;
	error = look_at_final(s, &final);
	if (error != NULL)
		return refuse(s, error);
	r = ask_proof(s, &final, &signature);
	return r == MECH_GO_ON ? sign(s, signature) : r;
}

enum mech_result
mech_scram(struct talk *t)
{
	struct scram s = { .t = t };
	enum mech_result r = hear_first(&s);
	const char *wrong;

	if (r != MECH_GO_ON)
		return r;
	wrong = look_at_binding(&s);
	if (wrong != NULL)
		return refuse(&s, wrong);
	r = ask_challenge(&s);
	return r == MECH_GO_ON ? prove(&s) : r;
}
