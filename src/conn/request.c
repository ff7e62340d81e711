/*
 * Serves login's requests: a table in which everything is forbidden until an
 * earlier request unlocked it. An honest login cannot surprise us, so a
 * surprise ends the connection without an answer.
 * Runs as: root.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "control.h"
#include "log.h"
#include "process.h"

#define BIT(request) (1U << (request))

/* What goes back for one request. */
struct answer {
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
};

static int
serve_hello(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	(void)c, (void)q, (void)e;
	a->rep.result = CHAN_OK;
	return 0;
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
	a->rep.follow = (uint32_t)a->follow.len;
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

/* t as a string in out; false when it cannot be one of at most max bytes. */
static bool
as_string(const struct chan_text *t, char *out, size_t max)
{
	struct bytes b;

	if (!chan_get(t, &b) || b.n > max || bytes_find(b, '\0') >= 0)
		return false;
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	return true;
}

/* However little was done for a refusal: it is answered at this time. */
static void
wait_until(uint64_t when)
{
	struct timespec t = { .tv_sec = (time_t)(when / 1000),
	    .tv_nsec = (long)(when % 1000) * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		continue;
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
decide(struct conn *c, const struct chan_req *q, struct attempt *who)
{
	char name[CHAN_TEXT_MAX + 1], secret[CHAN_TEXT_MAX + 1];
	struct bytes authzid = BYTES(""), via = BYTES("");

	(void)chan_get(&q->authzid, &authzid);
	(void)chan_get(&q->client, &via);
	who->name = name;
	who->secret = secret;
	who->result = CHAN_REFUSED;
	who->why = "no name and password can be like this";
	if (!as_string(&q->user, name, USER_NAME_MAX))
		name[0] = '\0';
	if (as_string(&q->secret, secret, CHAN_TEXT_MAX) && name[0] != '\0') {
		process_deadline(c->conf.pam_timeout * 1000, "PAM");
		gate_decide(c, who, authzid);
		process_deadline(0, NULL);
	}
	explicit_bzero(secret, sizeof secret);
	report_attempt(c, who, q->tls == 1, via);
	who->name = who->secret = NULL;
}

static int
serve_login(struct conn *c, const struct chan_req *q, struct answer *a,
    struct entry *e)
{
	uint64_t start = clock_ms();
	struct attempt *who = &e->who;

	if (c->failures >= c->conf.max_failures
	    || !as_string(&q->tag, e->tag, TAG_MAX))
		return -1;
	*who = (struct attempt){ .said = BUF_INIT(CHAN_TEXT_MAX) };
	decide(c, q, who);
	fill_reply(who, &a->rep);
	buf_free(&who->said);
	e->tls = q->tls == 1;
	a->entered = who->result == CHAN_OK;
	if (!a->entered)
		c->failures++;
	if (who->result == CHAN_REFUSED)
		wait_until(start + c->conf.failure_delay * 1000);
	return 0;
}

static const struct row rows[CHAN_REQUEST_END] = {
	[CHAN_HELLO]	= { serve_hello,  0, 0, true },
	[CHAN_TLS_KEY]	= { serve_key,	  BIT(CHAN_HELLO), 0, true },
	[CHAN_CLIENT]	= { serve_client, BIT(CHAN_HELLO), 0, true },
	[CHAN_PROXY]	= { serve_proxy,  BIT(CHAN_CLIENT), BIT(CHAN_LOGIN), true },
	[CHAN_LOGIN]	= { serve_login,  BIT(CHAN_CLIENT), 0, false },
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
	    || (r->once && (c->done & BIT(q->type)) != 0))
		return NULL;
	return r;
}

static bool
texts_fit(const struct chan_req *q)
{
	struct bytes b;

	return chan_get(&q->user, &b) && chan_get(&q->authzid, &b)
	    && chan_get(&q->secret, &b) && chan_get(&q->tag, &b)
	    && chan_get(&q->client, &b);
}

static int
send_answer(const struct conn *c, const struct answer *a)
{
	uint64_t deadline = clock_ms() + CONN_LINGER_MS;
	int r = a->fd < 0
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
	struct answer a = { .fd = -1, .follow = BUF_INIT(CHAN_KEY_MAX) };
	const struct row *row = texts_fit(q) ? allowed(c, q) : NULL;
	int r;

	if (row == NULL) {
		log_warn("session=%s login asked for %u out of turn or badly: "
		    "hanging up", c->session, (unsigned)q->type);
		errno = EPROTO;
		return -1;
	}
	r = row->serve(c, q, &a, e);
	c->done |= BIT(q->type);
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
