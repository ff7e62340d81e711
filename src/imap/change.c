/*
 * EXPUNGE, COPY, MOVE and their UID forms.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"

struct outcome
expunged(struct session *s, const char *done)
{
	struct outcome o = ok(done);

	if (tell_changes(s, true) < 0)
		return failed(errno);
	if ((s->enabled & ENABLED_QRESYNC) != 0) {
		o.code.code = CODE_HIGHESTMODSEQ;
		o.code.number = mailbox_view_modseq(s->box);
	}
	return o;
}

struct outcome
cmd_expunge(struct session *s, struct call *c)
{
	(void)c;
	if (mailbox_expunge(s->box, mailbox_view(s->box), NULL) < 0)
		return failed(errno);
	return expunged(s, "EXPUNGE completed");
}

struct outcome
cmd_uid_expunge(struct session *s, struct call *c)
{
	struct runs uids = RUNS_INIT;
	struct outcome o;

	if (call_messages(s, c, &uids) < 0 || lex_end(&c->args) < 0)
		o = bad_syntax(&c->args);
	else if (mailbox_expunge(s->box, &uids, NULL) < 0)
		o = failed(errno);
	else
		o = expunged(s, "UID EXPUNGE completed");
	runs_free(&uids);
	return o;
}

/* ---- COPY and MOVE ---- */

/*
 * The answer's COPYUID, whose sets the session keeps until it is sent; none
 * when no message was there to copy.
 */
static void
copyuid(struct session *s, struct mail_copied *done, struct response_code *code)
{
	if (done->from.n == 0)
		return;
	s->code_set = done->from;
	s->code_to = done->to;
	done->from = done->to = RUNS_INIT;
	*code = (struct response_code){ .code = CODE_COPYUID,
	    .number = done->uidvalidity, .set = &s->code_set,
	    .to = &s->code_to };
}

static struct outcome
copy_or_move(struct session *s, const struct runs *uids, struct bytes to,
    bool move, struct response_code *code)
{
	struct mail_copied done = { 0 };
	bool all_gone;

	if (mailbox_copy(s->box, uids, to, move, &done) < 0)
		return errno == ENOENT
		    ? no(CODE_TRYCREATE, "No such mailbox; make it first")
		    : failed(errno);
	all_gone = uids->n > 0 && done.from.n == 0;
	copyuid(s, &done, code);
	mail_copied_free(&done);
	/* RFC 5530: their EXPUNGE is told with this answer or a later one. */
	return all_gone ? no(CODE_EXPUNGEISSUED, "The messages are gone")
	    : ok(move ? "MOVE completed" : "COPY completed");
}

static struct outcome
read_and_copy(struct session *s, struct call *c, bool move,
    struct response_code *code)
{
	struct runs uids = RUNS_INIT;
	struct bytes to;
	struct outcome o;

	if (call_messages(s, c, &uids) < 0 || lex_space(&c->args) < 0
	    || lex_mailbox(&c->args, &to) < 0 || lex_end(&c->args) < 0)
		o = bad_syntax(&c->args);
	else
		o = copy_or_move(s, &uids, to, move, code);
	runs_free(&uids);
	return o;
}

struct outcome
cmd_copy(struct session *s, struct call *c)
{
	struct response_code code = { .code = CODE_NONE };
	struct outcome o = read_and_copy(s, c, false, &code);

	if (o.result == RESULT_OK)
		o.code = code;
	return o;
}

/* RFC 6851 section 4.3: COPYUID is told before the messages go. */
struct outcome
cmd_move(struct session *s, struct call *c)
{
	struct response_code code = { .code = CODE_NONE };
	struct outcome o = read_and_copy(s, c, true, &code);

	if (o.result != RESULT_OK)
		return o;
	if (code.code != CODE_NONE)
		put_condition(&s->out, BYTES(""), "OK", &code, "Moved");
	return expunged(s, "MOVE completed");
}
