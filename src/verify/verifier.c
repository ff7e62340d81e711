/*
 * The frame of a verifier: what it is started with, its cage, its messages.
 * Runs as: root until the cage is closed, before a byte of a client; then
 * _mailreeve.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "ids.h"
#include "log.h"
#include "utf8.h"
#include "verifier.h"

#define NAME_MAX_BYTES 255
#define LINGER_MS 10000			/* for conn to take an answer */

/* Everything that needs files or root happens here. */
static void
enter_cage(const struct verify_program *v, struct config *conf, char **argv)
{
	struct buf why = BUF_INIT(4096);

	if (config_inherit(conf, &why) < 0)
		log_fatal(EX_CONFIG, "%s", buf_string(&why));
	buf_free(&why);
	log_level(config_log_priority(conf));
	if (v->prepare(conf, argv[1]) < 0)
		exit(EX_CONFIG);
	if (v->cage(conf->login_root, ids_number(argv[2]), ids_number(argv[3])) < 0)
		log_fatal(EX_OSERR, "cannot enter the cage %s: %m",
		    conf->login_root);
}

/* The client may take its time between two messages, as login lets it. */
static uint64_t
patience(const struct config *conf)
{
	return clock_ms() + conf->login_timeout * 1000 + LINGER_MS;
}

/* One message of the client: 1 go on, 0 the end, -1 a failure. */
static int
serve(const struct verify_program *v, const struct config *conf)
{
	static unsigned char token[CHAN_TOKEN_MAX];
	struct outside_ask ask;
	struct outside_answer answer = { 0 };
	int r;

	if (chan_recv(CHANNEL_FD, &ask, sizeof ask, patience(conf)) < 0)
		return errno == EPIPE ? 0 : -1;
	if (ask.n > sizeof token || chan_recv(CHANNEL_FD, token, ask.n,
	    clock_ms() + LINGER_MS) < 0)
		return -1;
	r = v->step(bytes_make(token, ask.n), &answer);
	explicit_bzero(token, ask.n);
	if (r < 0 || chan_send(CHANNEL_FD, &answer, sizeof answer,
	    clock_ms() + LINGER_MS) < 0)
		return -1;
	return answer.verdict == OUTSIDE_CHALLENGE;
}

int
verifier_run(const struct verify_program *v, int argc, char **argv)
{
	struct config conf;
	int r;

	log_inherit(v->name);
	if (argc != 4)
		log_fatal(EX_USAGE, "a verifier is started by conn: "
		    "see mailreeve-verify(8)");
	enter_cage(v, &conf, argv);
	do
		r = serve(v, &conf);
	while (r > 0);
	return r < 0 ? EX_PROTOCOL : 0;
}

void
verifier_refuse(struct outside_answer *out, const char *why)
{
	struct bytes text = bytes_first(bytes_of(why), OUTSIDE_WHY_MAX);

	out->verdict = OUTSIDE_REFUSED;
	(void)chan_put(&out->why, text);
	for (size_t i = 0; i < text.n; i++)
		if (!outside_why_may_have(text.p[i]))
			out->why.p[i] = '?';
}

int
verifier_challenge(struct outside_answer *out, struct bytes text)
{
	out->verdict = OUTSIDE_CHALLENGE;
	return chan_put(&out->challenge, text);
}

bool
verifier_name(struct bytes name)
{
	struct bytes rest = name;

	while (rest.n > 0) {
		uint32_t c = 0;
		size_t n = utf8_char(rest, &c);

		if (n == 0 || c < ' ' || (c >= 0x7f && c < 0xa0))
			return false;
		rest = bytes_from(rest, n);
	}
	return name.n > 0 && name.n <= NAME_MAX_BYTES;
}
