/*
 * RETR and TOP.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "body.h"
#include "log.h"
#include "session.h"

static struct outcome
send_message(struct session *s, const struct command *c, struct top *top)
{
	struct outcome status = ok("message follows");
	struct message msg;
	int r, saved;

	if (mailbox_message(s->drop.box, c->uid, &msg) < 0)
		return failed(errno);
	write_status(s, &status);
	r = body_send(&s->stream, &msg, top, !s->drop.utf8);
	saved = errno;
	message_close(&msg);
	if (r == 0)
		return outcome_of(RESULT_SENT);
	/* Half an answer cannot be taken back: only the end tells the client. */
	if (s->stream.out_error == 0)
		log_error("message uid=%u cannot be read: %s", c->uid,
		    strerror(saved));
	return outcome_of(RESULT_GONE);
}

struct outcome
run_retr(struct session *s, const struct command *c)
{
	s->tally.retr++;
	return send_message(s, c, NULL);
}

struct outcome
run_top(struct session *s, const struct command *c)
{
	struct top top = { .lines = c->lines };

	s->tally.top++;
	return send_message(s, c, &top);
}
