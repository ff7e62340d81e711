/*
 * The loop: reads a line, finds its row, runs it, answers.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "limits.h"
#include "log.h"
#include "session.h"
#include "shrink.h"

static const struct row *
find_row(struct bytes name)
{
	for (const struct row *r = rows; r->name != NULL; r++)
		if (bytes_case_equal(bytes_of(r->name), name))
			return r;
	return NULL;
}

static struct outcome
run_line(struct session *s, struct bytes line)
{
	struct command c = { 0 };
	const struct row *row;
	const char *wrong;
	struct bytes rest;

	if (!command_name(line, &c.name, &rest))
		return bad("this is no command");
	row = find_row(c.name);
	if (row == NULL)
		return bad("unknown command");
	if ((row->states & s->state) == 0)
		return bad("not after login");
	wrong = command_arguments(rest, row->args, &c);
	if (wrong != NULL)
		return bad(wrong);
	if (c.message != 0 && drop_uid(&s->drop, c.message, &c.uid) < 0)
		return err(NULL, "no such message");
	return row->run(s, &c);
}

/* Drops input up to the end of the line; -1 when there is too much of it. */
static int
skip_line(struct stream *in)
{
	size_t skipped = 0;

	while (skipped < COMMAND_SKIP_MAX) {
		struct bytes have;
		ssize_t end;

		if (stream_fill(in) < 0)
			return -1;
		have = stream_pending(in);
		end = bytes_find(have, '\n');
		stream_consume(in, end < 0 ? have.n : (size_t)end + 1);
		if (end >= 0)
			return 0;
		skipped += have.n;
	}
	errno = E2BIG;
	return -1;
}

/* How a session ends whose input fails (RFC 1939 section 3: no update). */
static struct outcome
no_line(struct session *s, int error)
{
	static const struct {
		int error;
		const char *reason;
		struct outcome outcome;
	} ends[] = {
		{ ETIMEDOUT, "timeout", { RESULT_FAILED, NULL,
		    "autologout: no command for too long" } },
		{ E2BIG, "bad-commands", { RESULT_FAILED, NULL,
		    "command line too long" } },
		{ ECANCELED, "shutdown", { RESULT_FAILED, "SYS/TEMP",
		    "the server is shutting down" } },
		{ EUSERS, "made-way", { RESULT_FAILED, "SYS/TEMP",
		    "you have too many connections, and this one was idle longest" } },
		{ 0, "disconnected", { .result = RESULT_GONE } },
	};
	size_t i = 0;

	while (ends[i].error != 0 && ends[i].error != error)
		i++;
	s->end_reason = ends[i].reason;
	return ends[i].outcome;
}

/* A client that takes long between two commands may take longer. */
static void
shrink(struct session *s)
{
	stream_shrink(&s->stream);
	mailbox_shrink(s->drop.box);
	mail_shrink(s->mail);
	shrink_process();
}

static struct outcome
next_command(struct session *s)
{
	struct bytes line;
	uint64_t now = clock_ms(), end = now + s->conf->pop3_timeout * 1000;

	s->stream.read_deadline = now + SHRINK_AFTER_MS < end ? now + SHRINK_AFTER_MS : end;
	if (stream_fill(&s->stream) < 0 && errno == ETIMEDOUT)
		shrink(s);
	s->stream.read_deadline = end;
	if (stream_line(&s->stream, COMMAND_LINE_MAX, &line) == 0)
		return run_line(s, line);
	if (errno == E2BIG && skip_line(&s->stream) == 0)
		return bad("command line too long");
	return no_line(s, errno);
}

static struct outcome
welcome(const struct session *s)
{
	if (s->drop.unreadable > 0)
		log_warn("unreadable messages=%llu",
		    (unsigned long long)s->drop.unreadable);
	return ok("%llu messages (%llu octets)",
	    (unsigned long long)drop_count(&s->drop),
	    (unsigned long long)s->drop.octets);
}

/* What a missing message is in a session, a missing home is before it. */
void
session_refuse(struct session *s, int error)
{
	struct outcome o = failure(error == ENOENT ? EIO : error);

	if (error != EBUSY)
		log_error("cannot open mail: home %s: %s",
		    log_quote(bytes_of(s->home)), strerror(error));
	s->end_reason = error == EBUSY ? "in-use" : "error";
	o.result = RESULT_FAILED;
	answer(s, &o);
	stream_end(&s->stream);
}

void
session_run(struct session *s, struct mail *mail)
{
	struct outcome o;

	s->mail = mail;
	if (drop_open(&s->drop, mail) < 0) {
		session_refuse(s, errno);
		return;
	}
	o = welcome(s);
	s->state = STATE_TRANSACTION;
	for (answer(s, &o); !s->over; answer(s, &o))
		o = next_command(s);
	drop_close(&s->drop);
	stream_end(&s->stream);
}
