/*
 * Channel messages of a hostile login against conn's request table, with the
 * rest of conn replaced by what is written here.
 *
 * The input is a list of requests in short form: type, tls, five counts of two
 * bytes, one byte to fill the texts with, mechanism, count of the token. What is asserted: an answer is given
 * only for a request whose turn it was.
 */
#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/conn/conn.h"
#include "keys.h"
#include "log.h"

#define REQUEST_BYTES 15
/* More would fill the socket before anybody reads: POLLOUT ends at a quarter of it. */
#define REQUESTS_MAX 6

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool gate_open;			/* the password is right */

int
signer_link(const struct config *conf, int door)
{
	(void)conf, (void)door;
	return -1;
}

int
keys_client_ca(const struct config *conf, struct buf *pem)
{
	(void)conf;
	return buf_text(pem, "PEM");
}

int
client_from_master(struct conn *c)
{
	(void)c;
	return -1;
}

uint32_t
client_flags(const struct conn *c)
{
	(void)c;
	return CHAN_PEER_PROXY;
}

int
client_proxied(struct conn *c, struct bytes source, struct bytes port,
    struct bytes destination)
{
	(void)c;
	return source.n == 4 && port.n == 2 && destination.n == 4 ? 0 : -1;
}

bool
client_counts(struct conn *c, uint32_t kind, uid_t uid)
{
	(void)c, (void)kind, (void)uid;
	return true;
}

/* One challenge to the mechanism that is an exchange, two requests to the other. */
static enum chan_result
begin(struct exchange *x, const struct chan_req *q, struct bytes token)
{
	log_assert(token.n == q->follow && x->mechanism == q->mechanism);
	(void)buf_bytes(&x->challenge, token);
	return CHAN_CHALLENGE;
}

static enum chan_result
step(struct exchange *x, const struct chan_req *q, struct bytes token)
{
	log_assert(token.n == q->follow && x->challenge.len == 0);
	if (token.n > 0 && token.p[0] == 'c') {
		(void)buf_bytes(&x->challenge, token);
		return CHAN_CHALLENGE;
	}
	memcpy(x->user, "ann", 4);
	return CHAN_OK;
}

const struct verifier verifiers[MECHANISMS] = {
	[MECHANISM_PLAIN] = { begin, step, NULL },
};

int
delay_begin(struct delay *d, const char *name, const char *secret,
    uint64_t begun)
{
	(void)name, (void)secret;
	d->begun = begun;
	d->guess = (struct guess){ .kind = GUESS_NEW, .slow = 1 };
	return 0;
}

void
delay_end(const struct delay *d, enum guess_end end)
{
	(void)end;
	log_assert(d->begun != 0);
}

void
gate_decide(struct conn *c, struct attempt *a, struct bytes authzid)
{
	(void)c;
	log_assert(authzid.n <= CHAN_TEXT_MAX);
	log_assert(strlen(a->name) > 0 && strlen(a->name) <= USER_NAME_MAX);
	log_assert(a->secret == NULL || strlen(a->secret) <= CHAN_TEXT_MAX);
	a->result = gate_open ? CHAN_OK : CHAN_REFUSED;
}

struct model {
	unsigned seen[CHAN_REQUEST_END];
	unsigned failures;
	bool challenged;
	bool in;
};

static bool
may_try(struct model *m, const struct chan_req *q)
{
	return m->seen[CHAN_CLIENT] > 0 && m->failures < 3 && q->tag.n <= 255
	    && (q->tag.n == 0 || q->tag.p[0] != 0);
}

/* A login or an exchange has come to its end. */
static void
tried(struct model *m, bool good)
{
	m->in = good && gate_open;
	m->failures += !m->in;
}

/* What may be answered, told another way than conn's table tells it. */
static bool
its_turn(const struct chan_req *q, struct model *m)
{
	bool challenged = m->challenged;
	unsigned count = m->seen[q->type < CHAN_REQUEST_END ? q->type : 0]++;

	m->challenged = false;
	switch (q->type) {
	case CHAN_HELLO:
		return count == 0;
	case CHAN_SIGNER:
	case CHAN_CLIENT_CA:
	case CHAN_CLIENT:
		return count == 0 && m->seen[CHAN_HELLO] > 0;
	case CHAN_PROXY:
		return count == 0 && m->seen[CHAN_CLIENT] > 0
		    && m->seen[CHAN_LOGIN] == 0 && m->seen[CHAN_SASL_BEGIN] == 0
		    && q->user.n == 4 && q->secret.n == 2 && q->authzid.n == 4;
	case CHAN_LOGIN:
		if (!may_try(m, q))
			return false;
		/* A fill of NUL bytes makes names and passwords that are none. */
		tried(m, q->user.n > 0 && q->user.n <= USER_NAME_MAX
		    && q->user.p[0] != 0
		    && (q->secret.n == 0 || q->secret.p[0] != 0));
		return true;
	case CHAN_SASL_BEGIN:
		m->challenged = true;
		return may_try(m, q) && q->mechanism == MECHANISM_PLAIN;
	case CHAN_SASL_STEP:
		if (!challenged || !may_try(m, q))
			return false;
		m->challenged = q->follow > 0 && q->tag.p[0] == 'c';
		if (!m->challenged)
			tried(m, true);
		return true;
	default:
		return false;
	}
}

static void
expand(const uint8_t *p, struct chan_req *q)
{
	struct chan_text *const texts[] = { &q->user, &q->authzid, &q->secret,
	    &q->tag, &q->client };

	memset(q, p[12], sizeof *q);
	q->type = p[0];
	q->tls = p[1];
	q->mechanism = p[13];
	q->follow = p[14];
	for (size_t i = 0; i < 5; i++)
		texts[i]->n = (uint16_t)(p[2 + 2 * i] | p[3 + 2 * i] << 8);
}

static bool
well_formed(const struct chan_req *q)
{
	return q->tls <= 1 && q->user.n <= CHAN_TEXT_MAX
	    && q->authzid.n <= CHAN_TEXT_MAX && q->secret.n <= CHAN_TEXT_MAX
	    && q->tag.n <= CHAN_TEXT_MAX && q->client.n <= CHAN_TEXT_MAX
	    && (q->follow == 0 || q->type == CHAN_SASL_BEGIN
	    || q->type == CHAN_SASL_STEP);
}

/* Sends them all; how many are to be answered. */
static size_t
send_requests(int fd, const uint8_t *p, size_t n, size_t *bytes)
{
	struct model m = { 0 };
	static struct chan_req q;
	unsigned char token[UINT8_MAX];
	bool good = true;
	size_t answers = 0;

	*bytes = 0;
	for (size_t i = 0; i < REQUESTS_MAX && n >= REQUEST_BYTES; i++) {
		expand(p, &q);
		memset(token, p[12], sizeof token);
		p += REQUEST_BYTES;
		n -= REQUEST_BYTES;
		if (chan_send(fd, &q, sizeof q, 0) < 0
		    || chan_send(fd, token, q.follow, 0) < 0)
			abort();
		good = good && !m.in && well_formed(&q) && its_turn(&q, &m);
		if (!good)
			continue;
		answers++;
		*bytes += sizeof(struct chan_rep) + (q.type == CHAN_CLIENT_CA
		    ? 3 : 0)
		    + (m.challenged ? q.follow : 0);
	}
	return answers;
}

static size_t
drain(int fd)
{
	char buf[4096];
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) > 0)
		sum += (size_t)n;
	return sum;
}

/* Once: its strings are never freed. */
static const struct config *
configuration(void)
{
	static const char text[] = "max-failures 3\nlogin-timeout 5\n"
	    "failure-delay 0\nmechanisms PLAIN\nsecrets /nonexistent\n";
	static struct config conf;
	struct buf why = BUF_INIT(4096);

	if (conf.mechanisms == NULL
	    && config_parse(&conf, bytes_of(text), "fuzz", &why) < 0)
		abort();
	return &conf;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct conn c = { .control = -1, .link = -1, .session = "fuzz",
	    .conf = *configuration() };
	struct entry e = { 0 };
	size_t want, answers;
	int pair[2];

	if (n == 0)
		return 0;
	log_level(LOG_EMERG);
	gate_open = (p[0] & 1) != 0;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	c.chan = pair[1];
	c.client = open("/dev/null", O_RDWR);
	answers = send_requests(pair[0], p + 1, n - 1, &want);
	shutdown(pair[0], SHUT_WR);
	(void)requests_serve(&c, &e);
	if (drain(pair[0]) != want || answers > REQUESTS_MAX)
		abort();
	close(c.client);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
