/*
 * A hostile login against the request table of conn: whatever is short, too
 * long, out of turn or unknown ends the channel, without a byte of answer.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../src/conn/conn.h"
#include "clock.h"
#include "log.h"
#include "test.h"

#define WAIT_MS 20000
#define STEPS_MAX 6

static int channel = -1;		/* login's end */
static pid_t conn_pid;

/* conn's end, in a process of its own; the client is a socket without a peer. */
static void
conn_child(int fd, const char *config)
{
	struct buf why = BUF_INIT(4096);
	struct conn c = { .control = -1, .link = -1, .chan = fd, .session = "test",
	    .run_dir = "/nonexistent/run",
	    .service = SERVICE_POP3, .remote = { AF_INET, { 192, 0, 2, 1 }, 99 },
	    .local = { AF_INET, { 192, 0, 2, 2 }, 110 } };
	struct entry e = { 0 };

	log_level(LOG_EMERG);
	c.client = open("/dev/null", O_RDWR);
	c.signer_door = c.client;		/* nobody is behind it */
	if (config_parse(&c.conf, bytes_of(config), "test", &why) < 0)
		_exit(9);
	_exit(requests_serve(&c, &e) == 0 ? 0 : 1);
}

static void
start(const char *config)
{
	int pair[2];

	CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	conn_pid = fork();
	if (conn_pid == 0) {
		close(pair[0]);
		conn_child(pair[1], config);
	}
	close(pair[1]);
	channel = pair[0];
}

static int
finish(void)
{
	int status = -1;

	if (channel >= 0)
		close(channel);
	channel = -1;
	CHECK(waitpid(conn_pid, &status, 0) == conn_pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
ask(const struct chan_req *q, struct chan_rep *rep)
{
	uint64_t deadline = clock_ms() + WAIT_MS;

	if (chan_send(channel, q, sizeof *q, deadline) < 0)
		return -1;
	return chan_recv(channel, rep, sizeof *rep, deadline);
}

static int
ask_type(uint32_t type, struct chan_rep *rep)
{
	static struct chan_req q;

	q = (struct chan_req){ .type = type };
	return ask(&q, rep);
}

/* The channel is at its end, and nothing was in it. */
static bool
hung_up(void)
{
	char byte;
	ssize_t n = recv(channel, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Each row: requests that are answered, then one that must not be. */
static void
out_of_turn(void)
{
	static const struct {
		uint32_t good[STEPS_MAX];
		uint32_t bad;
	} rows[] = {
		{ { 0 }, 0 }, { { 0 }, CHAN_SIGNER }, { { 0 }, CHAN_CLIENT },
		{ { 0 }, CHAN_PROXY }, { { 0 }, CHAN_LOGIN },
		{ { 0 }, CHAN_SASL_BEGIN }, { { 0 }, CHAN_SASL_STEP },
		{ { 0 }, CHAN_REQUEST_END }, { { 0 }, UINT32_MAX },
		{ { 0 }, 1u << 31 },
		{ { CHAN_HELLO }, CHAN_HELLO }, { { CHAN_HELLO }, CHAN_LOGIN },
		{ { CHAN_HELLO }, CHAN_PROXY }, { { CHAN_HELLO }, 77 },
		{ { CHAN_HELLO, CHAN_SIGNER }, CHAN_SIGNER },
		{ { CHAN_HELLO, CHAN_SIGNER }, CHAN_LOGIN },
		{ { CHAN_HELLO, CHAN_CLIENT }, CHAN_CLIENT },
		{ { CHAN_HELLO, CHAN_CLIENT }, CHAN_HELLO },
		{ { CHAN_HELLO }, CHAN_SASL_BEGIN },
		{ { CHAN_HELLO, CHAN_CLIENT }, CHAN_SASL_STEP },
		{ { CHAN_HELLO, CHAN_CLIENT, CHAN_LOGIN }, CHAN_SASL_STEP },
		{ { CHAN_HELLO, CHAN_CLIENT }, CHAN_PROXY },
		{ { 0 }, CHAN_CLIENT_CA },
		{ { CHAN_HELLO, CHAN_CLIENT_CA }, CHAN_CLIENT_CA },
	};
	struct chan_rep rep;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		start("tls-key /nonexistent\ntls-certificate /nonexistent\n");
		for (size_t s = 0; rows[i].good[s] != 0; s++)
			CHECK_EQ_INT(ask_type(rows[i].good[s], &rep), 0);
		CHECK_EQ_INT(ask_type(rows[i].bad, &rep), -1);
		CHECK(hung_up());
		if (!CHECK_EQ_INT(finish(), 1))
			printf("# row %zu\n", i);
	}
}

static void
cut_short(void)
{
	static const size_t lengths[] = { 0, 1, 4, sizeof(struct chan_req) / 2,
	    sizeof(struct chan_req) - 1 };
	static struct chan_req q;

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		q.type = CHAN_HELLO;
		start("");
		CHECK_EQ_INT(chan_send(channel, &q, lengths[i], 0), 0);
		CHECK_EQ_INT(shutdown(channel, SHUT_WR), 0);
		CHECK(hung_up());
		CHECK_EQ_INT(finish(), 1);
	}
}

/* What is behind a request is the next one, and judged as that. */
static void
too_long(void)
{
	static struct chan_req q[2];
	struct chan_rep rep;

	q[0].type = CHAN_HELLO;
	memset(&q[1], 0xff, sizeof q[1]);
	start("");
	CHECK_EQ_INT(chan_send(channel, q, sizeof q, 0), 0);
	CHECK_EQ_INT(chan_recv(channel, &rep, sizeof rep, clock_ms() + WAIT_MS), 0);
	CHECK(hung_up());
	CHECK_EQ_INT(finish(), 1);
}

/* A count over its text, in any of the five; a tls that is neither 0 nor 1; a token. */
static void
bad_counts(void)
{
	static struct chan_req q;
	struct chan_text *const texts[] = { &q.user, &q.authzid, &q.secret, &q.tag,
	    &q.client };
	struct chan_rep rep;

	for (size_t i = 0; i <= sizeof texts / sizeof texts[0] + 1; i++) {
		q = (struct chan_req){ .type = CHAN_HELLO };
		if (i < sizeof texts / sizeof texts[0])
			texts[i]->n = CHAN_TEXT_MAX + 1;
		else if (i == sizeof texts / sizeof texts[0])
			q.tls = 2;
		else
			q.follow = 1;
		start("");
		CHECK_EQ_INT(ask(&q, &rep), -1);
		CHECK(hung_up());
		CHECK_EQ_INT(finish(), 1);
	}
}

static void
begin(const char *config)
{
	struct chan_rep rep;

	start(config);
	CHECK_EQ_INT(ask_type(CHAN_HELLO, &rep), 0);
	CHECK_EQ_INT(ask_type(CHAN_CLIENT, &rep), 0);
	CHECK_EQ_INT(rep.service, SERVICE_POP3);
}

static void
impossible_logins(void)
{
	static struct chan_req q;
	struct chan_rep rep;
	static const char *const names[] = { "", "a\nb", "a:b", "../etc", "\x7f" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		q = (struct chan_req){ .type = CHAN_LOGIN };
		chan_put(&q.user, bytes_of(names[i]));
		chan_put(&q.secret, BYTES("x"));
		begin("failure-delay 0\n");
		CHECK_EQ_INT(ask(&q, &rep), 0);
		CHECK_EQ_INT(rep.result, CHAN_REFUSED);
		CHECK_EQ_INT(rep.text.n, 0);
		finish();
	}
}

static void
nul_inside(void)
{
	static struct chan_req q;
	struct chan_text *const texts[] = { &q.user, &q.secret };
	struct chan_rep rep;

	for (size_t i = 0; i < 2; i++) {
		q = (struct chan_req){ .type = CHAN_LOGIN };
		chan_put(&q.user, BYTES("root"));
		chan_put(&q.secret, BYTES("x"));
		chan_put(texts[i], BYTES("root\0x"));
		begin("failure-delay 0\n");
		CHECK_EQ_INT(ask(&q, &rep), 0);
		CHECK_EQ_INT(rep.result, CHAN_REFUSED);
		finish();
	}
	q = (struct chan_req){ .type = CHAN_LOGIN };
	chan_put(&q.tag, BYTES("a\0b"));
	begin("failure-delay 0\n");
	CHECK_EQ_INT(ask(&q, &rep), -1);
	CHECK(hung_up());
	finish();
}

/* One more than max-failures is not answered any more. */
static void
too_many_failures(void)
{
	struct chan_rep rep;

	begin("failure-delay 0\nmax-failures 3\n");
	for (int i = 0; i < 3; i++) {
		CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), 0);
		CHECK_EQ_INT(rep.result, CHAN_REFUSED);
	}
	CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), -1);
	CHECK(hung_up());
	CHECK_EQ_INT(finish(), 1);
}

static void
refusal_takes_its_time(void)
{
	uint64_t begun;
	struct chan_rep rep;

	begin("failure-delay 1\n");
	begun = clock_ms();
	CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), 0);
	CHECK(clock_ms() - begun >= 990);
	finish();
}

static void
proxy_request(struct chan_req *q, const char *source, size_t n, size_t port)
{
	*q = (struct chan_req){ .type = CHAN_PROXY };
	chan_put(&q->user, bytes_make(source, n));
	chan_put(&q->authzid, bytes_make("\x0a\0\0\1", 4));
	chan_put(&q->secret, bytes_make("\1\2\3", port));
}

static void
trusted_proxy(void)
{
	static const char config[] = "trusted-proxies 192.0.2.0/24\nfailure-delay 0\n";
	static struct chan_req q;
	struct chan_rep rep;
	struct bytes text;

	begin(config);
	proxy_request(&q, "\x7f\0\0\1", 4, 2);
	CHECK_EQ_INT(ask(&q, &rep), 0);
	CHECK_EQ_INT(rep.result, CHAN_OK);
	CHECK_EQ_INT(rep.flags, 0);		/* the loopback of the proxy's host */
	CHECK(chan_get(&rep.text, &text));
	CHECK_EQ_BYTES(text, BYTES("127.0.0.1"));
	CHECK_EQ_INT(ask(&q, &rep), -1);		/* once */
	CHECK(hung_up());
	finish();
	begin(config);					/* not after a login */
	CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), 0);
	CHECK_EQ_INT(ask(&q, &rep), -1);
	finish();
}

static void
bad_proxy_claims(void)
{
	static const struct {
		size_t address, port;
	} rows[] = { { 0, 2 }, { 3, 2 }, { 5, 2 }, { 4, 1 }, { 4, 3 }, { 4, 0 } };
	static struct chan_req q;
	struct chan_rep rep;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin("trusted-proxies 192.0.2.1\n");
		proxy_request(&q, "abcdef", rows[i].address, rows[i].port);
		CHECK_EQ_INT(ask(&q, &rep), -1);
		CHECK(hung_up());
		finish();
	}
	begin("trusted-proxies 192.0.2.2\n");		/* somebody else */
	proxy_request(&q, "abcd", 4, 2);
	CHECK_EQ_INT(ask(&q, &rep), -1);
	finish();
}

/* ---- exchanges: CRAM-MD5's begins without a file ---- */

#define CRAM "mechanisms CRAM-MD5\nfailure-delay 0\nsecrets /nonexistent\n"

/* A request of an exchange with n bytes of token, of which sent come. */
static int
ask_sasl(uint32_t type, uint32_t mechanism, size_t n, size_t sent,
    struct chan_rep *rep)
{
	static unsigned char token[CHAN_TOKEN_MAX + 1];
	static struct chan_req q;
	uint64_t deadline = clock_ms() + WAIT_MS;

	q = (struct chan_req){ .type = type, .mechanism = mechanism,
	    .follow = (uint32_t)n };
	if (chan_send(channel, &q, sizeof q, deadline) < 0
	    || chan_send(channel, token, sent, deadline) < 0
	    || (sent < n && shutdown(channel, SHUT_WR) < 0))
		return -1;
	return chan_recv(channel, rep, sizeof *rep, deadline);
}

/* The challenge that comes behind an answer. */
static void
take_challenge(const struct chan_rep *rep)
{
	unsigned char text[CHAN_TOKEN_MAX];

	CHECK_EQ_INT(rep->result, CHAN_CHALLENGE);
	if (CHECK(rep->follow > 0 && rep->follow <= sizeof text))
		CHECK_EQ_INT(chan_recv(channel, text, rep->follow,
		    clock_ms() + WAIT_MS), 0);
}

static void
begin_exchange(const char *config)
{
	struct chan_rep rep;

	begin(config);
	CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, MECHANISM_CRAM_MD5, 0, 0, &rep), 0);
	take_challenge(&rep);
}

static void
mechanisms_that_are_off(void)
{
	static const uint32_t bad[] = { MECHANISM_PLAIN, MECHANISM_SCRAM_SHA_1,
	    MECHANISM_EXTERNAL, MECHANISM_ANONYMOUS, MECHANISM_APOP, MECHANISMS,
	    UINT32_MAX };
	struct chan_rep rep;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		begin(i == 0 ? "" : CRAM);
		CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, bad[i], 0, 0, &rep), -1);
		CHECK(hung_up());
		CHECK_EQ_INT(finish(), 1);
	}
	begin(CRAM);				/* and passwords are refused unseen */
	CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), 0);
	CHECK_EQ_INT(rep.result, CHAN_REFUSED);
	finish();
}

/* A step follows a challenge at once, or never. */
static void
steps_out_of_turn(void)
{
	static struct chan_req q;
	struct chan_rep rep;

	begin_exchange(CRAM);			/* another attempt between */
	CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), 0);
	CHECK_EQ_INT(ask_type(CHAN_SASL_STEP, &rep), -1);
	CHECK(hung_up());
	finish();
	begin_exchange(CRAM);			/* after the verdict */
	CHECK_EQ_INT(ask_type(CHAN_SASL_STEP, &rep), 0);
	CHECK_EQ_INT(rep.result, CHAN_UNAVAILABLE);
	CHECK_EQ_INT(ask_type(CHAN_SASL_STEP, &rep), -1);
	CHECK(hung_up());
	finish();
	begin_exchange("trusted-proxies 192.0.2.0/24\n" CRAM);
	proxy_request(&q, "abcd", 4, 2);	/* no other client any more */
	CHECK_EQ_INT(ask(&q, &rep), -1);
	CHECK(hung_up());
	finish();
}

static void
tokens_have_a_limit(void)
{
	struct chan_rep rep;

	begin(CRAM);
	CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, MECHANISM_CRAM_MD5, CHAN_TOKEN_MAX,
	    CHAN_TOKEN_MAX, &rep), 0);
	take_challenge(&rep);
	CHECK_EQ_INT(ask_sasl(CHAN_SASL_STEP, 0, CHAN_TOKEN_MAX + 1, 0, &rep), -1);
	finish();
	begin(CRAM);
	CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, MECHANISM_CRAM_MD5, 2, 1, &rep), -1);
	CHECK(hung_up());
	CHECK_EQ_INT(finish(), 1);
	begin(CRAM);				/* others have none */
	CHECK_EQ_INT(ask_sasl(CHAN_LOGIN, 0, 1, 1, &rep), -1);
	finish();
}

static void
exchanges_have_a_limit(void)
{
	struct chan_rep rep;

	begin(CRAM);
	for (int i = 0; i < EXCHANGES_MAX; i++) {
		CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, MECHANISM_CRAM_MD5, 0, 0,
		    &rep), 0);
		take_challenge(&rep);
	}
	CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, MECHANISM_CRAM_MD5, 0, 0, &rep), -1);
	CHECK(hung_up());
	finish();
	begin("max-failures 2\n" CRAM);		/* failures count together */
	CHECK_EQ_INT(ask_type(CHAN_LOGIN, &rep), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ_INT(ask_sasl(CHAN_SASL_BEGIN, MECHANISM_CRAM_MD5, 0, 0,
		    &rep), i == 0 ? 0 : -1);
		if (i > 0)
			break;
		take_challenge(&rep);
		CHECK_EQ_INT(ask_type(CHAN_SASL_STEP, &rep), 0);
	}
	CHECK(hung_up());
	finish();
}

/* A front end need not know where the client meant to go. */
static void
trusted_front_end(void)
{
	static const char config[] = "trusted-xclient 192.0.2.0/24\nfailure-delay 0\n";
	static struct chan_req q;
	struct chan_rep rep;
	struct bytes text;

	begin(config);
	proxy_request(&q, "\x7f\0\0\1", 4, 2);
	q.authzid.n = 0;
	CHECK_EQ_INT(ask(&q, &rep), 0);
	CHECK_EQ_INT(rep.result, CHAN_OK);
	CHECK_EQ_INT(rep.flags & (CHAN_PEER_PROXY | CHAN_PEER_XCLIENT), 0);
	CHECK(chan_get(&rep.text, &text));
	CHECK_EQ_BYTES(text, BYTES("127.0.0.1"));
	CHECK_EQ_INT(ask(&q, &rep), -1);		/* once */
	CHECK(hung_up());
	finish();
	begin("trusted-xclient 192.0.2.2\n");		/* somebody else */
	CHECK_EQ_INT(ask(&q, &rep), -1);
	finish();
}

TEST_MAIN(TEST(out_of_turn), TEST(cut_short), TEST(too_long), TEST(bad_counts),
    TEST(impossible_logins), TEST(nul_inside), TEST(too_many_failures),
    TEST(refusal_takes_its_time), TEST(trusted_proxy), TEST(trusted_front_end),
    TEST(bad_proxy_claims),
    TEST(mechanisms_that_are_off), TEST(steps_out_of_turn), TEST(tokens_have_a_limit),
    TEST(exchanges_have_a_limit))
