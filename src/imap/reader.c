/*
 * The text of a command: lines and literals from the stream, under limits.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "limits.h"
#include "session.h"

/* Enough of a line's end to see the longest announcement of a literal. */
#define TAIL_MAX 32

void
session_deadline(struct session *s)
{
	s->stream.read_deadline = clock_ms() + s->conf->imap_timeout * 1000;
}

/* A row with error 0 ends the table and stands for all others. */
static const struct {
	int error;
	const char *bye;		/* NULL: nobody is there to read it */
	const char *reason;		/* one word, for the log */
	struct response_code code;
} ends[] = {
	{ EPIPE, NULL, "disconnected", { 0 } },
	{ ETIMEDOUT, "Autologout; idle for too long", "timeout", { 0 } },
	{ ECANCELED, "Server is shutting down", "shutdown", { 0 } },
	{ EUSERS, "You have too many connections, and this one was idle longest",
	    "made-way", { .code = CODE_UNAVAILABLE } },
	{ EFBIG, "Too much data for a refused command", "bad-commands", { 0 } },
	{ EPROTO, "Bad compressed data", "error", { 0 } },
	{ 0, NULL, "disconnected", { 0 } },
};

struct outcome
session_broken(struct session *s, int error)
{
	size_t i = 0;

	while (ends[i].error != 0 && ends[i].error != error)
		i++;
	s->end_reason = ends[i].reason;
	return (struct outcome){ .result = RESULT_GONE, .code = ends[i].code,
	    .text = ends[i].bye };
}

struct outcome
session_skip(struct session *s, uint64_t n)
{
	while (n > 0) {
		size_t have;

		if (stream_fill(&s->stream) < 0)
			return session_broken(s, errno);
		have = stream_pending(&s->stream).n;
		if (have > n)
			have = (size_t)n;
		stream_consume(&s->stream, have);
		n -= have;
	}
	return ok("");
}

/* The last bytes of something long. */
struct tail {
	unsigned char p[TAIL_MAX];
	size_t n;
};

static void
tail_add(struct tail *t, struct bytes b)
{
	b = bytes_from(b, b.n > TAIL_MAX ? b.n - TAIL_MAX : 0);
	if (t->n + b.n > TAIL_MAX) {
		size_t gone = t->n + b.n - TAIL_MAX;

		t->n -= gone;
		memmove(t->p, t->p + gone, t->n);
	}
	if (b.n > 0)
		memcpy(t->p + t->n, b.p, b.n);
	t->n += b.n;
}

/*
 * Drops the rest of a line, taking its length off *budget, and looks whether
 * it announces a literal: what follows must not be taken for a command.
 */
static struct outcome
drop_line(struct session *s, struct call *c, uint64_t *budget)
{
	struct tail t = { .n = 0 };
	ssize_t end;
	size_t head;

	do {
		struct bytes have;

		if (stream_fill(&s->stream) < 0)
			return session_broken(s, errno);
		have = stream_pending(&s->stream);
		end = bytes_find(have, '\n');
		if (end >= 0)
			have = bytes_first(have, (size_t)end + 1);
		if (have.n > *budget)
			return session_broken(s, EFBIG);
		*budget -= have.n;
		tail_add(&t, have);
		stream_consume(&s->stream, have.n);
	} while (end < 0);
	c->more = lex_literal_mark(bytes_trim(bytes_make(t.p, t.n)),
	    &c->literal, &head);
	return ok("");
}

static struct outcome
drop_within(struct session *s, struct call *c, uint64_t *budget)
{
	struct outcome o = ok("");

	while (o.result == RESULT_OK && c->more && !c->literal.sync) {
		if (c->literal.size > *budget)
			return session_broken(s, EFBIG);
		*budget -= c->literal.size;
		o = session_skip(s, c->literal.size);
		if (o.result == RESULT_OK)
			o = drop_line(s, c, budget);
	}
	return o;
}

struct outcome
session_drop(struct session *s, struct call *c)
{
	uint64_t budget = LITERAL_SKIP_MAX;

	return drop_within(s, c, &budget);
}

void
call_tag(struct call *c, struct bytes tag)
{
	memcpy(c->tag_text, tag.p, tag.n);
	c->tag = bytes_make(c->tag_text, tag.n);
}

/* A line that does not end within its limit: dropped to its end and refused. */
static struct outcome
line_too_long(struct session *s, struct call *c)
{
	uint64_t budget = LITERAL_SKIP_MAX;
	struct outcome o;

	if (s->command.len == 0) {
		struct lex x = { .rest = stream_pending(&s->stream) };
		struct bytes tag;

		if (lex_tag(&x, &tag) == 0)
			call_tag(c, tag);
	}
	o = drop_line(s, c, &budget);
	if (o.result == RESULT_OK)
		o = drop_within(s, c, &budget);
	return o.result == RESULT_OK ? bad("Command line too long") : o;
}

struct outcome
session_line(struct session *s, struct call *c)
{
	struct bytes line;
	size_t head;

	c->more = false;
	if (stream_line(&s->stream, LEX_LINE_MAX, &line) < 0)
		return errno == E2BIG ? line_too_long(s, c)
		    : session_broken(s, errno);
	c->more = lex_literal_mark(line, &c->literal, &head);
	if (buf_bytes(&s->command, line) < 0
	    || (c->more && buf_text(&s->command, "\r\n") < 0))
		return no(CODE_LIMIT, "Command too large");
	return ok("");
}

void
session_ask(struct session *s, const struct call *c)
{
	if (c->literal.sync)
		stream_text(&s->stream, "+ Ready for the literal\r\n");
}

/* The announced octets, appended to the text. */
static struct outcome
take_octets(struct session *s, uint64_t n)
{
	while (n > 0) {
		struct bytes have;

		if (stream_fill(&s->stream) < 0)
			return session_broken(s, errno);
		have = stream_pending(&s->stream);
		if (have.n > n)
			have.n = (size_t)n;
		if (buf_bytes(&s->command, have) < 0)
			return session_broken(s, errno);
		stream_consume(&s->stream, have.n);
		n -= have.n;
	}
	return ok("");
}

struct outcome
session_hold(struct session *s, struct call *c)
{
	size_t rest = c->args.rest.n, at = s->command.len - rest;
	struct outcome o;

	if (++s->literals > LITERALS_MAX)
		return no(CODE_LIMIT, "Too many literals");
	/* Room is made before the client is asked, so that it cannot fail after. */
	if (c->literal.size > LEX_COMMAND_MAX - s->command.len
	    || buf_room(&s->command, (size_t)c->literal.size) == NULL) {
		buf_clear(&s->command);
		return no(CODE_TOOBIG, "Command too large");
	}
	session_ask(s, c);
	o = take_octets(s, c->literal.size);
	if (o.result == RESULT_OK)
		o = session_line(s, c);
	c->args.rest = bytes_from(buf_contents(&s->command), at);
	return o;
}
