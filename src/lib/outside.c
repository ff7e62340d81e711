/*
 * Exchanges that a verifier decides: starts it, carries messages, and believes
 * no more of its answers than what they can be.
 * Runs as: root.
 */
#include <sys/socket.h>

#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "control.h"
#include "exchange.h"
#include "log.h"
#include "outside.h"
#include "program.h"

#define ANSWER_MS 10000			/* for a verifier to start, and for each answer */
#define END_MS 1000			/* for one that closed its channel */

struct kind {
	const char *name;
	const char *path;
};

/* One exchange at a time, and so one verifier. */
static struct {
	const struct kind *kind;
	pid_t pid;			/* 0: none */
	int watch;			/* tells its end */
	int chan;
	char why[OUTSIDE_WHY_MAX + 1];
} verifier;

static const struct kind *
kind_of(const struct exchange *x)
{
	static const struct kind token = { "token", PROGRAM_PATH("token") };
	static const struct kind gss = { "gss", PROGRAM_PATH("gss") };
	static const struct kind x509 = { "x509", PROGRAM_PATH("x509") };

	return x->mechanism == MECHANISM_GSSAPI ? &gss
	    : x->mechanism == MECHANISM_EXTERNAL ? &x509 : &token;
}

/* What it is to know of the exchange: for gss, whose keys, and who reads along. */
static const char *
how_of(const struct exchange *x, const struct chan_req *q)
{
	static const char *const hows[2][2] = {
		{ "pop-clear", "pop" }, { "imap-clear", "imap" },
	};

	if (x->mechanism != MECHANISM_GSSAPI)
		return mechanism_name(x->mechanism);
	return hows[service_facts[x->service].imap][q->tls == 1];
}

static int
start(const struct exchange *x, const struct chan_req *q)
{
	const struct passwd *pw = program_account(x->conf);
	struct process_fd to[] = { { -1, CHANNEL_FD }, { x->link, DOOR_FD } };
	size_t n = x->mechanism == MECHANISM_EXTERNAL ? 2 : 1;
	int pair[2];

	if (pw == NULL
	    || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	to[0].fd = pair[1];
	verifier.kind = kind_of(x);
	verifier.pid = child_fork(&verifier.watch);
	if (verifier.pid == 0)
		program_become_caged(x->conf, verifier.kind->path, how_of(x, q), pw,
		    to, n);
	close(pair[1]);
	verifier.chan = pair[0];
	if (verifier.pid > 0)
		return 0;
	verifier.pid = 0;
	close(pair[0]);
	return -1;
}

static enum chan_result
fail(struct exchange *x, const char *why)
{
	x->why = why;
	return CHAN_UNAVAILABLE;
}

/* A reason is for the log, and nothing in it may pose as a field. */
static const char *
reason(const struct chan_text *t)
{
	if (!chan_string(t, verifier.why, OUTSIDE_WHY_MAX))
		return "verifier gave no reason";
	for (const char *c = verifier.why; *c != '\0'; c++)
		if (!outside_why_may_have((unsigned char)*c))
			return "verifier gave no reason";
	return verifier.why;
}

/* The answer as the exchange's, when it can be one. */
static enum chan_result
take(struct exchange *x, const struct outside_answer *a)
{
	struct bytes text;

	switch (a->verdict) {
	case OUTSIDE_CHALLENGE:
		if (chan_get(&a->challenge, &text)
		    && buf_bytes(&x->challenge, text) == 0)
			return CHAN_CHALLENGE;
		break;
	case OUTSIDE_ACCEPTED:
		x->authzid = a->authzid;
		if (chan_string(&a->user, x->user, EXCHANGE_NAME_MAX)
		    && x->user[0] != '\0' && chan_get(&a->authzid, &text))
			return CHAN_OK;
		break;
	case OUTSIDE_REFUSED:
		if (!chan_string(&a->user, x->user, EXCHANGE_NAME_MAX))
			x->user[0] = '\0';
		x->why = reason(&a->why);
		return CHAN_REFUSED;
	}
	x->user[0] = '\0';
	x->authzid.n = 0;
	return fail(x, "verifier made no sense");
}

enum chan_result
outside_step(struct exchange *x, const struct chan_req *q, struct bytes token)
{
	const struct outside_ask ask = { .n = (uint32_t)token.n };
	struct outside_answer answer;
	uint64_t deadline = clock_ms() + ANSWER_MS;
	int r = chan_send(verifier.chan, &ask, sizeof ask, deadline);

	(void)q;
	if (r == 0)
		r = chan_send(verifier.chan, token.p, token.n, deadline);
	if (r == 0)
		r = chan_recv(verifier.chan, &answer, sizeof answer, deadline);
	return r < 0 ? fail(x, "verifier did not answer") : take(x, &answer);
}

enum chan_result
outside_begin(struct exchange *x, const struct chan_req *q, struct bytes token)
{
	if (start(x, q) < 0)
		return fail(x, "verifier cannot be started");
	return outside_step(x, q, token);
}

/* One that did its work, or whose client went, has nothing left to do. */
void
outside_end(struct exchange *x)
{
	if (verifier.pid == 0)
		return;
	close(verifier.chan);
	if (child_ends(verifier.watch, END_MS) < 0) {
		log_error("session=%s %s does not end: killed", x->session,
		    verifier.kind->name);
		child_kill(verifier.watch);
	}
	close(verifier.watch);
	(void)child_reap(verifier.pid, verifier.kind->name);
	verifier.pid = 0;
}
