/*
 * EXPUNGE, COPY, MOVE and their UID forms.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "messagelimit.h"

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

/* Leaves those that are \Deleted: these count for MESSAGELIMIT (RFC 9738 3.1). */
static int
only_deleted(struct session *s, struct runs *uids)
{
	struct runs deleted = RUNS_INIT;
	struct mail_cursor *cursor;
	struct mail_row row;
	int r;

	if (mailbox_rows(s->box, uids, &cursor) < 0)
		return -1;
	mail_cursor_rows_alone(cursor);
	while ((r = mail_cursor_next(cursor, &row)) == 1)
		if ((row.flags & FLAG_DELETED) != 0
		    && (r = runs_add(&deleted, row.uid, row.uid)) < 0)
			break;
	mail_cursor_end(cursor);
	runs_free(uids);
	*uids = deleted;
	return r;
}

static struct outcome
uid_expunge(struct session *s, struct runs *uids)
{
	uint32_t lowest;

	if ((limit_exceeded(s, uids->count) && only_deleted(s, uids) < 0)
	    || limit_cut(s, uids, &lowest) < 0
	    || mailbox_expunge(s->box, uids, NULL) < 0)
		return failed(errno);
	return limit_said(s, lowest, expunged(s, "UID EXPUNGE completed"));
}

struct outcome
cmd_uid_expunge(struct session *s, struct call *c)
{
	struct runs uids = RUNS_INIT;
	struct outcome o;

	if (call_messages(s, c, &uids) < 0 || lex_end(&c->args) < 0)
		o = bad_syntax(&c->args);
	else
		o = uid_expunge(s, &uids);
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
	session_made(s, done->uidvalidity, &s->code_to);
	*code = (struct response_code){ .code = CODE_COPYUID,
	    .number = done->uidvalidity, .set = &s->code_set,
	    .to = &s->code_to };
}

static struct outcome
copy_or_move(struct session *s, const struct runs *uids, struct bytes to,
    bool move, struct response_code *code)
{
	struct mail_copied done = { 0 };
	int error = mailbox_copy(s->box, uids, to, move, &done) < 0 ? errno : 0;
	bool all_gone = uids->n > 0 && done.from.n == 0;

	copyuid(s, &done, code);
	mail_copied_free(&done);
	if (error != 0)
		return error == ENOENT
		    ? no(CODE_TRYCREATE, "No such mailbox; make it first")
		    : failed(error);
	/* RFC 5530: their EXPUNGE is told with this answer or a later one. */
	return all_gone ? no(CODE_EXPUNGEISSUED, "The messages are gone")
	    : ok(move ? "MOVE completed" : "COPY completed");
}

/* MOVE may do a part of its work; COPY does all or nothing (RFC 9738 3.1). */
static struct outcome
copy_within(struct session *s, struct runs *uids, struct bytes to, bool move,
    struct response_code *code, uint32_t *lowest)
{
	if (limit_cut(s, uids, lowest) < 0)
		return failed(errno);
	return *lowest != 0 && !move
	    ? limit_refused(s->conf->message_limit, *lowest)
	    : copy_or_move(s, uids, to, move, code);
}

static struct outcome
read_and_copy(struct session *s, struct call *c, bool move,
    struct response_code *code, uint32_t *lowest)
{
	struct runs uids = RUNS_INIT;
	struct bytes to;
	struct outcome o;

	if (call_messages(s, c, &uids) < 0 || lex_space(&c->args) < 0
	    || lex_mailbox(&c->args, &to) < 0 || lex_end(&c->args) < 0)
		o = bad_syntax(&c->args);
	else
		o = copy_within(s, &uids, to, move, code, lowest);
	runs_free(&uids);
	return o;
}

struct outcome
cmd_copy(struct session *s, struct call *c)
{
	struct response_code code = { .code = CODE_NONE };
	uint32_t lowest = 0;
	struct outcome o = read_and_copy(s, c, false, &code, &lowest);

	if (o.result == RESULT_OK)
		o.code = code;
	return o;
}

/* RFC 6851 section 4.3: COPYUID is told before the messages go. */
struct outcome
cmd_move(struct session *s, struct call *c)
{
	struct response_code code = { .code = CODE_NONE };
	uint32_t lowest = 0;
	struct outcome o = read_and_copy(s, c, true, &code, &lowest);

	if (code.code != CODE_NONE)
		put_condition(&s->out, BYTES(""), "OK", &code, "Moved");
	if (o.result != RESULT_OK)
		return o;
	return limit_said(s, lowest, expunged(s, "MOVE completed"));
}
