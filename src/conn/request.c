/*
 * Serves login's requests: a table in which everything is forbidden until an
 * earlier request unlocked it. An honest login cannot surprise us, so a
 * surprise ends the connection without an answer.
 * Runs as: root.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "control.h"
#include "keys.h"
#include "process.h"
#include "signer.h"
#include "verify.h"

#define BIT(request) CHAN_BIT(request)
#define CHALLENGED BIT(0)		/* the last answer was CHAN_CHALLENGE */

/* One request, and what goes back for it. */
struct turn {
	struct conn *c;
	const struct chan_req *q;
	struct entry *e;
	uint64_t begun;			/* when the request was there */
	struct bytes token;		/* came behind it */
	struct chan_rep rep;
	int fd;				/* to be passed, or -1 */
	struct buf follow;		/* sent behind rep, then wiped */
	bool entered;			/* nothing more will be asked */
};

struct row {
	/* 0, or -1: hang up. */
	int (*serve)(struct turn *);
	struct chan_rule rule;
};

static int
serve_hello(struct turn *t)
{
	t->rep.result = CHAN_OK;
	return chan_put(&t->rep.text, bytes_of(t->c->session));
}

static int
serve_signer(struct turn *t)
{
	t->fd = signer_link(&t->c->conf, t->c->signer_door,
	    SIGNER_DOOR_MS);
	t->rep.result = t->fd < 0 ? CHAN_UNAVAILABLE : CHAN_OK;
	/* For who does not believe login: the signer says on it what it signed. */
	if (t->fd >= 0 && t->c->conf.tls_client_ca[0] != '\0')
		t->c->link = fcntl(t->fd, F_DUPFD_CLOEXEC, LOGIN_DOOR_FD + 1);
	return 0;
}

static int
serve_client_ca(struct turn *t)
{
	t->rep.result = keys_client_ca(&t->c->conf, &t->follow) < 0
	    ? CHAN_UNAVAILABLE : CHAN_OK;
	if (t->rep.result != CHAN_OK)
		buf_clear(&t->follow);		/* as much as there was room for */
	return 0;
}

static int
serve_client(struct turn *t)
{
	struct conn *c = t->c;
	char rip[NETADDR_TEXT_MAX];

	if (c->client < 0 && client_from_master(c) < 0)
		return -1;
	netaddr_text(&c->remote, rip);
	log_debug("connect: rip=%s proto=%s session=%s", rip,
	    service_facts[c->service].name, c->session);
	t->rep.result = CHAN_OK;
	t->rep.service = c->service;
	t->rep.flags = client_flags(c) | verify_kinds(&c->conf) * CHAN_SECRETS;
	t->fd = c->client;
	c->given = true;
	if (mechanism_on(&c->conf, MECHANISM_APOP)) {
		verify_stamp(c->stamp);
		(void)buf_text(&t->follow, c->stamp);
	}
	return chan_put(&t->rep.text, bytes_of(rip));
}

static int
serve_proxy(struct turn *t)
{
	struct conn *c = t->c;
	char rip[NETADDR_TEXT_MAX];
	struct bytes source, port, destination;

	if (!chan_get(&t->q->user, &source) || !chan_get(&t->q->secret, &port)
	    || !chan_get(&t->q->authzid, &destination)
	    || client_proxied(c, source, port, destination) < 0)
		return -1;
	netaddr_text(&c->remote, rip);
	t->rep.result = client_counts(c, CONTROL_ADDRESS, 0) ? CHAN_OK : CHAN_LIMIT;
	t->rep.flags = client_flags(c);
	return chan_put(&t->rep.text, bytes_of(rip));
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

static void
count_attempt(struct turn *t)
{
	struct conn *c = t->c;
	struct attempt *who = &t->e->who;

	who->delay = (struct delay){ .dir = c->run_dir, .from = &c->remote,
	    .ms = c->conf.failure_delay * 1000 };
	if (delay_begin(&who->delay, who->name, who->secret, t->begun) < 0)
		log_warn("session=%s guesses are not counted: %s/" GUESS_FILE
		    ": %s", c->session, c->run_dir, strerror(errno));
}

static void
report_and_wait(struct attempt *who, const struct conn *c, bool tls)
{
	report_attempt(c, who, tls);
	delay_end(&who->delay, who->result == CHAN_OK ? GUESS_RIGHT
	    : who->result == CHAN_REFUSED ? GUESS_WRONG : GUESS_UNDECIDED);
}

/* Lets in whom a mechanism or, at the gate, PAM believes; says so in the log. */
static void
conclude(struct turn *t, const struct chan_text *as)
{
	struct conn *c = t->c;
	struct attempt *who = &t->e->who;
	struct bytes authzid = BYTES("");

	(void)chan_get(as, &authzid);
	(void)chan_get(&t->q->client, &who->via);
	if (who->delay.begun == 0)
		count_attempt(t);
	if (who->result == CHAN_OK) {
		process_deadline(c->conf.pam_timeout * 1000, "PAM");
		gate_decide(c, who, authzid);
		process_deadline(0, NULL);
	}
	report_and_wait(who, c, t->q->tls == 1);
	fill_reply(who, &t->rep);
	buf_free(&who->said);
	who->name = who->secret = NULL;
	who->via = BYTES("");
	t->e->tls = t->q->tls == 1;
	t->entered = who->result == CHAN_OK;
	if (!t->entered)
		c->failures++;
}

/* Who asked about a name and left has made a guess, unless he proved himself. */
static void
end_exchange(struct conn *c, struct entry *e)
{
	struct exchange *x = &c->exchange;

	if (e->who.name != NULL && e->who.delay.begun != 0) {
		e->who.result = CHAN_CHALLENGE;
		report_attempt(c, &e->who, e->tls);
		if (x->proved)
			delay_end(&e->who.delay, GUESS_UNDECIDED);
	}
	if (verifiers[x->mechanism].end != NULL)
		verifiers[x->mechanism].end(x);
	buf_wipe(&x->challenge);
	explicit_bzero(x, sizeof *x);
}

static int
serve_login(struct turn *t)
{
	struct conn *c = t->c;
	char name[CHAN_TEXT_MAX + 1] = "", secret[CHAN_TEXT_MAX + 1] = "";
	struct attempt *who = &t->e->who;

	if (c->failures >= c->conf.max_failures
	    || !chan_string(&t->q->tag, t->e->tag, TAG_MAX))
		return -1;
	end_exchange(c, t->e);
	t->e->read_only = false;
	*who = (struct attempt){ .name = name, .secret = secret,
	    .said = BUF_INIT(CHAN_TEXT_MAX), .result = CHAN_REFUSED };
	if (!mechanism_on(&c->conf, MECHANISM_PLAIN)
	    && !mechanism_on(&c->conf, MECHANISM_LOGIN))
		who->why = "mechanisms has neither PLAIN nor LOGIN";
	else if (!chan_string(&t->q->user, name, USER_NAME_MAX) || name[0] == '\0'
	    || !chan_string(&t->q->secret, secret, CHAN_TEXT_MAX))
		who->why = "no name and password can be like this";
	else
		who->result = CHAN_OK;
	conclude(t, &t->q->authzid);
	explicit_bzero(secret, sizeof secret);
	return 0;
}

static int
take_step(struct turn *t, exchange_step *step)
{
	struct conn *c = t->c;
	struct exchange *x = &c->exchange;
	struct attempt *who = &t->e->who;
	enum chan_result r;

	if (step == NULL || c->failures >= c->conf.max_failures
	    || !chan_string(&t->q->tag, t->e->tag, TAG_MAX))
		return -1;
	process_deadline(c->conf.pam_timeout * 1000, "SASL");
	buf_clear(&x->challenge);
	r = step(x, t->q, t->token);
	process_deadline(0, NULL);
	t->e->tls = t->q->tls == 1;
	if (r == CHAN_CHALLENGE) {
		t->rep.result = r;
		/* What is said of a name costs what a guess does, proof or not. */
		if (x->user[0] != '\0' && who->delay.begun == 0)
			count_attempt(t);
		return buf_bytes(&t->follow, buf_contents(&x->challenge));
	}
	who->result = r;
	who->why = x->why;
	who->app.uid = x->uid;
	conclude(t, &x->authzid);
	t->e->read_only = x->read_only;
	end_exchange(c, t->e);
	return 0;
}

static int
serve_sasl_begin(struct turn *t)
{
	struct conn *c = t->c;

	if (c->exchanges++ == EXCHANGES_MAX
	    || !mechanism_on(&c->conf, t->q->mechanism))
		return -1;
	end_exchange(c, t->e);
	c->exchange = (struct exchange){ .conf = &c->conf, .stamp = c->stamp,
	    .session = c->session, .link = c->link, .service = c->service,
	    .mechanism = t->q->mechanism, .challenge = BUF_INIT(CHAN_TOKEN_MAX) };
	t->e->who = (struct attempt){ .name = c->exchange.user,
	    .said = BUF_INIT(CHAN_TEXT_MAX) };
	return take_step(t, verifiers[t->q->mechanism].begin);
}

static int
serve_sasl_step(struct turn *t)
{
	return take_step(t, verifiers[t->c->exchange.mechanism].step);
}

static const struct row rows[CHAN_REQUEST_END] = {
	[CHAN_HELLO]	= { serve_hello,  { .once = true } },
	[CHAN_SIGNER]	= { serve_signer, { .after = BIT(CHAN_HELLO), .once = true } },
	[CHAN_CLIENT_CA] = { serve_client_ca, { .after = BIT(CHAN_HELLO), .once = true } },
	[CHAN_CLIENT]	= { serve_client, { .after = BIT(CHAN_HELLO), .once = true } },
	[CHAN_PROXY]	= { serve_proxy,  { .after = BIT(CHAN_CLIENT), .once = true,
	    .before = BIT(CHAN_LOGIN) | BIT(CHAN_SASL_BEGIN) } },
	[CHAN_LOGIN]	= { serve_login,  { .after = BIT(CHAN_CLIENT) } },
	[CHAN_SASL_BEGIN] = { serve_sasl_begin, { .after = BIT(CHAN_CLIENT),
	    .follow = CHAN_TOKEN_MAX } },
	[CHAN_SASL_STEP] = { serve_sasl_step, { .after = CHALLENGED,
	    .follow = CHAN_TOKEN_MAX } },
};

/* The row of a request that may be made now, or NULL. */
static const struct row *
allowed(const struct conn *c, const struct chan_req *q)
{
	const struct row *r = &rows[q->type < CHAN_REQUEST_END ? q->type : 0];

	return r->serve != NULL && chan_allowed(q, &r->rule, c->done) ? r : NULL;
}

static int
send_answer(struct turn *t)
{
	uint64_t deadline = clock_ms() + CONN_LINGER_MS;
	int r;

	t->rep.follow = (uint32_t)t->follow.len;
	r = t->fd < 0
	    ? chan_send(t->c->chan, &t->rep, sizeof t->rep, deadline)
	    : chan_send_fd(t->c->chan, &t->rep, sizeof t->rep, t->fd, deadline);
	if (t->fd >= 0 && t->fd != t->c->client)
		close(t->fd);
	if (r == 0 && t->follow.len > 0)
		r = chan_send(t->c->chan, t->follow.data, t->follow.len, deadline);
	return r;
}

/* One request: 0 go on, 1 somebody is in, -1 with errno. */
static int
serve(struct conn *c, const struct chan_req *q, struct entry *e)
{
	unsigned char token[CHAN_TOKEN_MAX];
	struct turn t = { .c = c, .q = q, .e = e, .begun = clock_ms(), .fd = -1,
	    .token = bytes_make(token, q->follow), .follow = BUF_INIT(CHAN_PEM_MAX) };
	const struct row *row = allowed(c, q);
	int r;

	if (row == NULL) {
		log_warn("session=%s login asked for %u out of turn or badly: "
		    "hanging up", c->session, (unsigned)q->type);
		errno = EPROTO;
		return -1;
	}
	r = chan_recv(c->chan, token, q->follow, t.begun + CONN_LINGER_MS);
	if (r == 0)
		r = row->serve(&t);
	explicit_bzero(token, q->follow);
	c->done = (c->done & ~CHALLENGED) | BIT(q->type);
	if (t.rep.result == CHAN_CHALLENGE)
		c->done |= CHALLENGED;
	if (r == 0)
		r = send_answer(&t);
	buf_wipe(&t.follow);
	return r < 0 ? -1 : t.entered;
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
	int r = 0, saved;

	while (r == 0) {
		r = chan_recv(c->chan, &q, sizeof q, request_deadline(c));
		if (r == 0)
			r = serve(c, &q, e);
		explicit_bzero(&q, sizeof q);
	}
	saved = errno;
	end_exchange(c, e);
	errno = saved;
	return r < 0 ? -1 : 0;
}
