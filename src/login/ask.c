/*
 * What login asks of conn.
 * Runs as: _mailreeve.
 */
#include <errno.h>
#include <stdio.h>

#include "ask.h"
#include "clock.h"
#include "guess.h"
#include "log.h"
#include "proxyheader.h"
#include "saslprep.h"

/* Only bytes that may stand in any answer and in any line of the log. */
static void
printable(struct bytes from, char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < from.n && n < room; i++)
		to[n++] = from.p[i] >= ' ' && from.p[i] < 0x7f
		    ? (char)from.p[i] : '?';
	to[n] = '\0';
}

static void
take_text(const struct chan_rep *rep, char *to, size_t room)
{
	struct bytes text = { 0 };

	(void)chan_get(&rep->text, &text);
	printable(bytes_trim(text), to, room);
}

static struct login *greeted;		/* to whom HELLO's answer is due, or NULL */

/* Before any other answer. */
static int
hear_hello(uint64_t deadline)
{
	struct login *l = greeted;
	struct chan_rep rep;

	greeted = NULL;
	if (l == NULL)
		return 0;
	if (chan_recv(CHANNEL_FD, &rep, sizeof rep, deadline) < 0
	    || rep.result != CHAN_OK)
		return -1;
	take_text(&rep, l->name, sizeof l->name - 1);
	return 0;
}

/* One request and what comes behind it, and the answer; the request is wiped. */
static int
ask_with(struct chan_req *req, struct bytes token, struct chan_rep *rep,
    uint64_t ms)
{
	uint64_t deadline = clock_ms() + ms;
	int r;

	req->follow = (uint32_t)token.n;
	r = chan_send(CHANNEL_FD, req, sizeof *req, deadline);
	explicit_bzero(req, sizeof *req);
	if (r == 0)
		r = chan_send(CHANNEL_FD, token.p, token.n, deadline);
	if (r == 0)
		r = hear_hello(deadline);
	if (r == 0)
		r = chan_recv(CHANNEL_FD, rep, sizeof *rep, deadline);
	return r;
}

static int
ask(struct chan_req *req, struct chan_rep *rep, uint64_t ms)
{
	return ask_with(req, BYTES(""), rep, ms);
}

int
ask_hello(struct login *l)
{
	struct chan_req req = { .type = CHAN_HELLO };

	greeted = l;
	return chan_send(CHANNEL_FD, &req, sizeof req, clock_ms() + CONN_MS);
}

int
ask_signer(void)
{
	struct chan_req req = { .type = CHAN_SIGNER };
	uint64_t deadline = clock_ms() + CONN_MS;
	struct chan_rep rep;
	int fd;

	if (chan_send(CHANNEL_FD, &req, sizeof req, deadline) < 0
	    || hear_hello(deadline) < 0
	    || chan_recv_any(CHANNEL_FD, &rep, sizeof rep, &fd, deadline) < 0)
		return -1;
	return fd;
}

int
ask_client_ca(struct buf *pem)
{
	struct chan_req req = { .type = CHAN_CLIENT_CA };
	struct chan_rep rep;
	unsigned char *to;

	if (ask(&req, &rep, CONN_MS) < 0 || rep.result != CHAN_OK
	    || rep.follow == 0 || rep.follow > CHAN_PEM_MAX)
		return -1;
	to = buf_room(pem, rep.follow);
	if (to == NULL || chan_recv(CHANNEL_FD, to, rep.follow,
	    clock_ms() + CONN_MS) < 0)
		return -1;
	pem->len += rep.follow;
	return 0;
}

int
ask_client(struct login *l, int *fd, bool *proxied)
{
	struct chan_req req = { .type = CHAN_CLIENT };
	struct chan_rep rep;

	if (chan_send(CHANNEL_FD, &req, sizeof req, clock_ms() + CONN_MS) < 0
	    || hear_hello(clock_ms() + CONN_MS) < 0
	    || chan_recv_fd(CHANNEL_FD, &rep, sizeof rep, fd, 0) < 0)
		return -1;
	if (rep.result != CHAN_OK || rep.service >= SERVICES
	    || rep.follow >= sizeof l->stamp) {
		errno = EPROTO;
		return -1;
	}
	l->service = &service_facts[rep.service];
	l->local = (rep.flags & CHAN_PEER_LOCAL) != 0;
	l->front_end = (rep.flags & CHAN_PEER_XCLIENT) != 0;
	*proxied = (rep.flags & CHAN_PEER_PROXY) != 0;
	l->secrets = rep.flags / CHAN_SECRETS;
	take_text(&rep, l->remote, sizeof l->remote - 1);
	return chan_recv(CHANNEL_FD, l->stamp, rep.follow, clock_ms() + CONN_MS);
}

enum chan_result
ask_proxy(struct login *l, const struct proxy_header *h)
{
	struct chan_req req = { .type = CHAN_PROXY };
	struct chan_rep rep;

	chan_put(&req.user, bytes_make(h->source, h->address_size));
	chan_put(&req.authzid, bytes_make(h->destination,
	    h->destination_size));
	chan_put(&req.secret, bytes_make(h->source_port, sizeof h->source_port));
	if (ask(&req, &rep, CONN_MS) < 0)
		return CHAN_UNAVAILABLE;
	/* A front end took the password: how it came there is its own business. */
	if (!l->front_end)
		l->local = (rep.flags & CHAN_PEER_LOCAL) != 0;
	l->front_end = false;
	take_text(&rep, l->remote, sizeof l->remote - 1);
	return rep.result;
}

/* PLAIN/TLSv1.3/TLS_AES_256_GCM_SHA384/Thunderbird */
static void
describe(const struct login *l, const char *mechanism, struct chan_text *out)
{
	char tls[80] = "cleartext", all[CHAN_TEXT_MAX];
	int n;

	if (l->wire.tls != NULL)
		tls_describe(l->wire.tls, tls, sizeof tls);
	n = snprintf(all, sizeof all, "%s/%s%s%s", mechanism, tls,
	    l->client[0] != '\0' ? "/" : "", l->client);
	if (n > 0)
		chan_put(out, bytes_first(bytes_of(all), (size_t)n));
}

/* A name into its place, prepared for comparison. */
static bool
put_name(struct chan_text *to, struct bytes name)
{
	struct buf prepared = BUF_INIT(CHAN_TEXT_MAX);
	int r = saslprep(name, &prepared);

	if (r == 0)
		r = chan_put(to, buf_contents(&prepared));
	buf_free(&prepared);
	return r == 0;
}

void
ask_names(struct chan_req *q, struct bytes user, struct bytes authzid)
{
	if (!put_name(&q->user, user)
	    || (authzid.n > 0 && !put_name(&q->authzid, authzid)))
		q->user.n = q->authzid.n = 0;
}

/* A refusal takes the time and the line in the log of any other. */
static void
fill(struct chan_req *req, const struct credentials *c)
{
	ask_names(req, c->user, c->authzid);
	if (req->user.n == 0 || chan_put(&req->secret, c->secret) < 0)
		req->user.n = req->authzid.n = req->secret.n = 0;
}

/* Tag and client are in it; the time that an attempt may take. */
static uint64_t
prepare(const struct login *l, struct chan_req *req, const char *mechanism,
    struct bytes tag)
{
	req->tls = l->wire.tls != NULL;
	chan_put(&req->tag, tag);
	describe(l, mechanism, &req->client);
	return (l->conf->pam_timeout + GUESS_SLOWEST * l->conf->failure_delay)
	    * 1000 + CONN_MS;
}

static struct verdict
judge(int asked, const struct chan_rep *rep)
{
	struct verdict v = { .result = CHAN_UNAVAILABLE, .gone = asked < 0 };

	if (asked < 0)
		return v;
	v.result = rep->result;
	if (rep->result != CHAN_OK)
		take_text(rep, v.text, ASK_TEXT_MAX);
	return v;
}

struct verdict
ask_login(struct login *l, const struct credentials *c, struct bytes tag)
{
	struct chan_req req = { .type = CHAN_LOGIN };
	uint64_t ms = prepare(l, &req, c->mechanism, tag);
	struct chan_rep rep;

	fill(&req, c);
	return judge(ask(&req, &rep, ms), &rep);
}

/* What comes behind a challenge, in the arena. */
static int
take_challenge(struct login *l, uint32_t n, struct bytes *challenge)
{
	unsigned char *to = n > CHAN_TOKEN_MAX ? NULL
	    : arena_alloc(&l->arena, (size_t)n + 1);

	if (to == NULL || chan_recv(CHANNEL_FD, to, n, clock_ms() + CONN_MS) < 0)
		return -1;
	*challenge = bytes_make(to, n);
	return 0;
}

struct verdict
ask_sasl(struct login *l, struct chan_req *q, const char *mechanism,
    struct bytes tag, struct bytes token, struct bytes *challenge)
{
	uint64_t ms = prepare(l, q, mechanism, tag);
	struct chan_rep rep;
	int r = ask_with(q, token, &rep, ms);

	if (r == 0 && rep.result == CHAN_CHALLENGE)
		r = take_challenge(l, rep.follow, challenge);
	return judge(r, &rep);
}
