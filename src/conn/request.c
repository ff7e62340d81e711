/*
 * Serves login's requests: a table in which everything is forbidden until an
 * earlier request unlocked it. An honest login cannot surprise us, so a
 * surprise ends the connection without an answer.
 * Runs as: root.
 */
#include <errno.h>

#include "clock.h"
#include "conn.h"
#include "control.h"
#include "log.h"
#include "process.h"

#define BIT(request) (1U << (request))
#define CHALLENGED BIT(0)		/* the last answer was CHAN_CHALLENGE */

/* What goes back for one request. */
struct answer {
	uint64_t begun;			/* when the request was there */
	struct bytes token;		/* came behind the request */
	struct chan_rep rep;
	int fd;				/* to be passed, or -1 */
	struct buf follow;		/* sent behind rep, then wiped */
	bool entered;			/* nothing more will be asked */
};

struct row {
	/* 0, or -1: hang up. */
	int (*serve)(struct conn *, const struct chan_req *, struct answer *,
	    struct entry *);
	unsigned after;			/* requests that must have been served */
	unsigned before;		/* requests that must not have been */
	bool once;
	uint32_t follow;		/* most that may come behind it */
};

static int
serve_hello(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	(void)q, (void)e;
	a->rep.result = CHAN_OK;
	return chan_put(&a->rep.text, bytes_of(c->session));
}

static int
serve_key(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	(void)q, (void)e;
	a->rep.result = CHAN_OK;
	if (keys_read(&c->conf, &a->follow) < 0) {
		a->rep.result = CHAN_UNAVAILABLE;
		buf_wipe(&a->follow);
	}
	return 0;
}

static int
serve_client(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	char rip[NETADDR_TEXT_MAX];

	(void)q, (void)e;
	if (c->client < 0 && client_from_master(c) < 0)
		return -1;
	netaddr_text(&c->remote, rip);
	log_debug("connect: rip=%s proto=%s session=%s", rip,
	    service_facts[c->service].name, c->session);
	a->rep.result = CHAN_OK;
	a->rep.service = c->service;
	a->rep.flags = client_flags(c);
	a->fd = c->client;
	c->given = true;
	return chan_put(&a->rep.text, bytes_of(rip));
}

static int
serve_proxy(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	char rip[NETADDR_TEXT_MAX];
	struct bytes source, port, destination;

	(void)e;
	if (!chan_get(&q->user, &source) || !chan_get(&q->secret, &port)
	    || !chan_get(&q->authzid, &destination)
	    || client_proxied(c, source, port, destination) < 0)
		return -1;
	netaddr_text(&c->remote, rip);
	a->rep.result = client_counts(c, CONTROL_ADDRESS, 0) ? CHAN_OK : CHAN_LIMIT;
	a->rep.flags = client_flags(c);
	return chan_put(&a->rep.text, bytes_of(rip));
}

/* What login may be told of an attempt. */
static void
fill_reply(const struct attempt *who, struct chan_rep *rep)
{
	struct bytes text = BYTES("");

	if (who->result == CHAN_OK)
		text = bytes_of(who->user);
	else if (who->result != CHAN_REFUSED && who->result != CHAN_UNAVAILABLE)
		text = bytes_first(buf_contents(&who->said), CHAN_TEXT_MAX);
	rep->result = who->result;
	(void)chan_put(&rep->text, text);
}

/* Lets in whom a mechanism or, at the gate, PAM believes; says so in the log. */
static void
conclude(struct conn *c, const struct chan_req *q, const struct chan_text *as,
    struct answer *a, struct entry *e)
{
	struct attempt *who = &e->who;
	struct bytes authzid = BYTES("");

	(void)chan_get(as, &authzid);
	(void)chan_get(&q->client, &who->via);
	delay_begin(c, who, a->begun);
	if (who->result == CHAN_OK) {
		process_deadline(c->conf.pam_timeout * 1000, "PAM");
		gate_decide(c, who, authzid);
		process_deadline(0, NULL);
	}
	report_attempt(c, who, q->tls == 1);
	delay_end(c, who);
	fill_reply(who, &a->rep);
	buf_free(&who->said);
	who->name = who->secret = NULL;
	who->via = BYTES("");
	e->tls = q->tls == 1;
	a->entered = who->result == CHAN_OK;
	if (!a->entered)
		c->failures++;
}

static int
serve_login(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	char name[CHAN_TEXT_MAX + 1] = "", secret[CHAN_TEXT_MAX + 1] = "";
	struct attempt *who = &e->who;

	if (c->failures >= c->conf.max_failures
	    || !chan_string(&q->tag, e->tag, TAG_MAX))
		return -1;
	*who = (struct attempt){ .name = name, .secret = secret,
	    .said = BUF_INIT(CHAN_TEXT_MAX), .result = CHAN_REFUSED };
	if (!mechanism_on(&c->conf, MECHANISM_PLAIN)
	    && !mechanism_on(&c->conf, MECHANISM_LOGIN))
		who->why = "mechanisms has neither PLAIN nor LOGIN";
	else if (!chan_string(&q->user, name, USER_NAME_MAX) || name[0] == '\0'
	    || !chan_string(&q->secret, secret, CHAN_TEXT_MAX))
		who->why = "no name and password can be like this";
	else
		who->result = CHAN_OK;
	conclude(c, q, &q->authzid, a, e);
	explicit_bzero(secret, sizeof secret);
	return 0;
}

static void
end_exchange(struct exchange *x)
{
	if (verifiers[x->mechanism].end != NULL)
		verifiers[x->mechanism].end(x);
	buf_wipe(&x->challenge);
	explicit_bzero(x, sizeof *x);
}

static int
take_step(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e, exchange_step *step)
{
	struct exchange *x = &c->exchange;
	enum chan_result r;

	if (step == NULL || c->failures >= c->conf.max_failures
	    || !chan_string(&q->tag, e->tag, TAG_MAX))
		return -1;
	process_deadline(c->conf.pam_timeout * 1000, "SASL");
	buf_clear(&x->challenge);
	r = step(x, q, a->token);
	process_deadline(0, NULL);
	if (r == CHAN_CHALLENGE) {
		a->rep.result = r;
		return buf_bytes(&a->follow, buf_contents(&x->challenge));
	}
	e->who = (struct attempt){ .name = x->user, .result = r, .why = x->why,
	    .said = BUF_INIT(CHAN_TEXT_MAX) };
	conclude(c, q, &x->authzid, a, e);
	end_exchange(x);
	return 0;
}

static int
serve_sasl_begin(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	if (c->exchanges++ == EXCHANGES_MAX || !mechanism_on(&c->conf, q->mechanism))
		return -1;
	end_exchange(&c->exchange);
	c->exchange.conf = &c->conf;
	c->exchange.mechanism = q->mechanism;
	c->exchange.challenge = BUF_INIT(CHAN_TOKEN_MAX);
	return take_step(c, q, a, e, verifiers[q->mechanism].begin);
}

static int
serve_sasl_step(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	return take_step(c, q, a, e, verifiers[c->exchange.mechanism].step);
}

static const struct row rows[CHAN_REQUEST_END] = {
	[CHAN_HELLO]	= { serve_hello,  0, 0, true, 0 },
	[CHAN_TLS_KEY]	= { serve_key,	  BIT(CHAN_HELLO), 0, true, 0 },
	[CHAN_CLIENT]	= { serve_client, BIT(CHAN_HELLO), 0, true, 0 },
	[CHAN_PROXY]	= { serve_proxy,  BIT(CHAN_CLIENT),
	    BIT(CHAN_LOGIN) | BIT(CHAN_SASL_BEGIN), true, 0 },
	[CHAN_LOGIN]	= { serve_login,  BIT(CHAN_CLIENT), 0, false, 0 },
	[CHAN_SASL_BEGIN] = { serve_sasl_begin, BIT(CHAN_CLIENT), 0, false,
	    CHAN_TOKEN_MAX },
	[CHAN_SASL_STEP] = { serve_sasl_step, CHALLENGED, 0, false, CHAN_TOKEN_MAX },
};

/* The row of a request that may be made now, or NULL. */
static const struct row *
allowed(const struct conn *c, const struct chan_req *q)
{
	const struct row *r;

	if (q->type >= CHAN_REQUEST_END || rows[q->type].serve == NULL || q->tls > 1)
		return NULL;
	r = &rows[q->type];
	if ((c->done & r->after) != r->after || (c->done & r->before) != 0
	    || (r->once && (c->done & BIT(q->type)) != 0) || q->follow > r->follow)
		return NULL;
	return r;
}

static int
send_answer(const struct conn *c, struct answer *a)
{
	uint64_t deadline = clock_ms() + CONN_LINGER_MS;
	int r;

	a->rep.follow = (uint32_t)a->follow.len;
	r = a->fd < 0
	    ? chan_send(c->chan, &a->rep, sizeof a->rep, deadline)
	    : chan_send_fd(c->chan, &a->rep, sizeof a->rep, a->fd, deadline);

	if (r == 0 && a->follow.len > 0)
		r = chan_send(c->chan, a->follow.data, a->follow.len, deadline);
	return r;
}

/* One request: 0 go on, 1 somebody is in, -1 with errno. */
static int
serve(struct conn *c, const struct chan_req *q, struct entry *e)
{
	unsigned char token[CHAN_TOKEN_MAX];
	struct answer a = { .begun = clock_ms(), .fd = -1,
	    .token = bytes_make(token, q->follow), .follow = BUF_INIT(CHAN_KEY_MAX) };
	const struct row *row = chan_sound(q) ? allowed(c, q) : NULL;
	int r;

	if (row == NULL) {
		log_warn("session=%s login asked for %u out of turn or badly: "
		    "hanging up", c->session, (unsigned)q->type);
		errno = EPROTO;
		return -1;
	}
	r = chan_recv(c->chan, token, q->follow, a.begun + CONN_LINGER_MS);
	if (r == 0)
		r = row->serve(c, q, &a, e);
	explicit_bzero(token, q->follow);
	c->done = (c->done & ~CHALLENGED) | BIT(q->type);
	if (a.rep.result == CHAN_CHALLENGE)
		c->done |= CHALLENGED;
	if (r == 0)
		r = send_answer(c, &a);
	buf_wipe(&a.follow);
	return r < 0 ? -1 : a.entered;
}

/*
 * login's own time limit is the one that a client hears of; this one is for a
 * login that has stopped keeping time.
 */
static uint64_t
request_deadline(const struct conn *c)
{
	return clock_ms() + c->conf.login_timeout * 1000 + CONN_LINGER_MS;
}

int
requests_serve(struct conn *c, struct entry *e)
{
	struct chan_req q;
	int r = 0;

	while (r == 0) {
		r = chan_recv(c->chan, &q, sizeof q, request_deadline(c));
		if (r == 0)
			r = serve(c, &q, e);
		explicit_bzero(&q, sizeof q);
	}
	return r < 0 ? -1 : 0;
}
