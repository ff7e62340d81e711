/*
 * Fuzz target: a whole conversation before login, IMAP's or POP3's, over a
 * socket. conn refuses every password.
 * Runs as: the person who builds.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "../../src/login/ask.h"
#include "../../src/login/proxied.h"
#include "clock.h"
#include "log.h"

#define INPUT_FUZZED ((size_t)16384)	/* its answers fit into the socket */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* In the place of src/login/ask.c. */
struct verdict
ask_login(struct login *l, const struct credentials *c, struct bytes tag)
{
	(void)l, (void)tag;
	if (c->mechanism == NULL)
		abort();
	return (struct verdict){ .result = CHAN_REFUSED };
}

/* Without TLS nobody asks. */
int
ask_signer(void)
{
	abort();
}

/* In its place again: names are names to anybody here. */
void
ask_names(struct chan_req *q, struct bytes user, struct bytes authzid)
{
	(void)chan_put(&q->user, bytes_first(user, CHAN_TEXT_MAX));
	(void)chan_put(&q->authzid, bytes_first(authzid, CHAN_TEXT_MAX));
}

/* One challenge, of what the client said, then no. */
struct verdict
ask_sasl(struct login *l, struct chan_req *q, const char *mechanism,
    struct bytes tag, struct bytes token, struct bytes *challenge)
{
	(void)l, (void)tag;
	if (mechanism == NULL || token.n > CHAN_TOKEN_MAX)
		abort();
	*challenge = token;
	return (struct verdict){ .result = q->type == CHAN_SASL_BEGIN
	    ? CHAN_CHALLENGE : CHAN_REFUSED };
}

/* In the place of src/login/proxied.c. */
enum ending
proxied_by(struct login *l, const struct proxy_header *h)
{
	if (!l->front_end)
		abort();
	l->front_end = !h->client;
	return h->source_port[1] == 1 ? END_LIMIT : END_QUIET;
}

/* Once: its strings are never freed. */
static void
configure(struct config *conf)
{
	static const char text[] = "max-failures 20\nanonymous-user guest\n"
	    "mechanisms PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5 ANONYMOUS APOP\n";
	struct buf why = BUF_INIT(4096);

	if (config_parse(conf, bytes_of(text), "fuzz", &why) < 0)
		abort();
}

/*
 * The first byte chooses the protocol, whether a password may be sent, and
 * whether the client is a front end.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct config conf;
	struct login l = {
		.conf = &conf, .name = "fuzz", .remote = "192.0.2.1",
		.command = BUF_INIT(2 * COMMAND_MAX),
		.arena = ARENA_INIT(4 * COMMAND_MAX),
		.secrets = UINT32_MAX, .stamp = "<1@x>",
	};
	int fd[2];
	enum outcome o;

	if (n < 1 || n > INPUT_FUZZED
	    || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
		return 0;
	log_level(LOG_EMERG);
	if (conf.mechanisms == NULL)
		configure(&conf);
	l.service = &service_facts[(p[0] & 1) != 0 ? SERVICE_IMAP : SERVICE_POP3];
	l.local = (p[0] & 2) != 0;
	l.front_end = (p[0] & 4) != 0;
	if (write(fd[1], p + 1, n - 1) != (ssize_t)(n - 1)
	    || shutdown(fd[1], SHUT_WR) < 0)
		abort();
	wire_init(&l.wire, fd[0], clock_ms() + 5000);
	o = l.service->imap ? imap_login(&l) : pop3_login(&l);
	if (o == OUT_NEXT || o == OUT_LOGGED_IN || l.command.len != 0
	    || l.bad_commands > BAD_COMMANDS_MAX
	    || l.failures > conf.max_failures)
		abort();
	buf_free(&l.wire.out);
	tls_free(l.wire.tls);
	buf_free(&l.command);
	arena_free(&l.arena);
	close(fd[0]);
	close(fd[1]);
	return 0;
}
