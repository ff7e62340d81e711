/*
 * IDLE (RFC 2177): telling of changes as they happen, in as little memory as
 * can be while nothing does.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "charset.h"
#include "commands.h"
#include "fold.h"
#include "shrink.h"

/* Long enough for DONE in any case, short enough for nothing else. */
#define DONE_LINE_MAX ((size_t)1024)

/* A client that waits this long is not in the midst of something. */
#define UPKEEP_FIRST_MS 1000
/* Between two pieces of what was put off. */
#define UPKEEP_MS 20

void
session_shrink(struct session *s)
{
	if (s->box != NULL)
		mailbox_shrink(s->box);
	arena_free(&s->arena);
	buf_free(&s->command);
	stream_shrink(&s->stream);
	mail_shrink(s->mail);
	charset_shrink();
	fold_shrink();
	shrink_process();
}

/* When the next piece is due: 0 when none is. */
static uint64_t
upkeep(struct session *s, uint64_t due)
{
	if (due == 0 || s->box == NULL || clock_ms() < due)
		return due;
	return mailbox_upkeep(s->box) > 0 ? clock_ms() + UPKEEP_MS : 0;
}

/* 1 input, 0 something else or the time that is due, -1 with errno. */
static int
fill_until(struct session *s, uint64_t autologout, uint64_t due)
{
	int r;

	if (due != 0 && due < s->stream.read_deadline)
		s->stream.read_deadline = due;
	r = stream_fill(&s->stream);
	s->stream.wake_fd = -1;
	if (r < 0 && errno == ETIMEDOUT && clock_ms() < autologout)
		return 0;
	return r;
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int
session_wait_quietly(struct session *s, uint64_t autologout, uint64_t due)
{
	s->stream.read_deadline = autologout;
	return fill_until(s, autologout, due);
}

int
session_wait(struct session *s, uint64_t autologout, uint64_t due)
{
	uint64_t poll = mail_poll_seconds(s->mail) * (uint64_t)1000;

	s->stream.read_deadline = autologout;
	s->stream.wake_fd = s->box == NULL && s->notify == NULL ? -1
	    : mail_events_fd(s->mail);
	if ((s->box != NULL && s->stream.wake_fd < 0) || session_polls(s))
		s->stream.wake_fd = -1;
	if ((s->stream.wake_fd < 0 || !mail_events_suffice(s->mail))
	    && (s->box != NULL || session_polls(s))
	    && clock_ms() + poll < autologout)
		s->stream.read_deadline = clock_ms() + poll;
	return fill_until(s, autologout, sooner(due, session_contexts_due(s)));
}

static struct outcome
read_done(struct session *s)
{
	struct bytes line;

	if (stream_line(&s->stream, DONE_LINE_MAX, &line) < 0) {
		if (errno != E2BIG)
			return session_broken(s, errno);
		if (stream_skip_line(&s->stream) < 0)
			return session_broken(s, errno);
		return bad("DONE was expected");
	}
	return bytes_case_equal(line, BYTES("DONE")) ? ok("IDLE completed")
	    : bad("DONE was expected");
}

/* Tells what is new. -1 with ESTALE when the mailbox is gone. */
static int
look(struct session *s)
{
	return session_look(s, true) < 0 && errno == ESTALE ? -1 : 0;
}

struct outcome
cmd_idle(struct session *s, struct call *c)
{
	uint64_t autologout = s->stream.read_deadline;
	uint64_t due = clock_ms() + UPKEEP_FIRST_MS;
	int r;

	(void)c;
	stream_text(&s->stream, "+ idling\r\n");
	/* What happened before is told at once, not with the next change. */
	r = look(s);
	while (r == 0) {
		if (stream_flush(&s->stream) < 0)
			return session_broken(s, errno);
		due = upkeep(s, due);
		if (due == 0)
			session_shrink(s);
		r = session_wait(s, autologout, due);
		if (r == 0)
			r = look(s);
	}
	/* That the mailbox is gone is said at the end of the command. */
	if (r < 0 && errno == ESTALE)
		return ok("IDLE completed");
	return r < 0 ? session_broken(s, errno) : read_done(s);
}
