/*
 * INPROGRESS (RFC 9585): how far a command is whose work on the mailbox takes
 * long.
 * Runs as: the mailbox owner.
 */
#include <poll.h>

#include "limits.h"
#include "session.h"

void
progress_tell(struct session *s, struct bytes tag, uint64_t done, uint64_t total,
    const char *what)
{
	struct response *out = &s->out;

	put_condition_begin(out, BYTES(""), "OK");
	put_code_open(out, CODE_INPROGRESS);
	put_open(out);
	put_string(out, tag);
	put_number(out, done);
	put_number(out, total);
	put_close(out);
	put_code_close(out);
	put_text(out, what);
	put_end(out);
	stream_flush(&s->stream);
}

/*
 * Only between responses, since the work may be part of making one; and only
 * to a client that reads, since others wait for our locks.
 */
static bool
may_tell(const struct session *s)
{
	const struct buf *out = &s->stream.out;
	struct pollfd p = { s->stream.out_fd, POLLOUT, 0 };

	return (out->len == 0 || out->data[out->len - 1] == '\n')
	    && poll(&p, 1, 0) == 1;
}

static void
progress(void *arg, uint64_t done, uint64_t total)
{
	struct session *s = arg;
	uint64_t now = clock_ms();

	if (now - s->progress_at < PROGRESS_SECONDS * 1000 || done > total
	    || !may_tell(s))
		return;
	s->progress_at = now;
	progress_tell(s, s->progress_tag, done, total, "Still at work");
}

void
progress_begin(struct session *s, struct bytes tag)
{
	s->progress_at = clock_ms();
	s->progress_tag = tag;
	mail_progress(s->mail, progress, s);
}

void
progress_end(struct session *s)
{
	mail_progress(s->mail, NULL, NULL);
}
