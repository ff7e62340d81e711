/*
 * SELECT, EXAMINE, CLOSE, UNSELECT.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <limits.h>

#include "commands.h"
#include "oldname.h"
#include "qresync.h"

void
session_unselect(struct session *s)
{
	if (s->box == NULL)
		return;
	session_no_contexts(s);
	mailbox_columns_flush(s->box);
	mailbox_close(s->box);
	s->box = NULL;
	runs_free(&s->saved);
	s->batches = (struct asked_batches){ 0 };
	if (s->state == STATE_SELECTED)
		s->state = STATE_AUTH;
}

static void
say(struct session *s, enum code code, uint64_t number, const char *text)
{
	struct response_code c = { .code = code, .number = number };

	put_condition(&s->out, BYTES(""), "OK", &c, text);
}

/* What SELECT says of the mailbox (RFC 3501 and 9051 section 6.3.1 and 6.3.2). */
static int
describe(struct session *s)
{
	struct mailbox_status st;
	struct response_code id = { .code = CODE_MAILBOXID };
	const struct runs *view = mailbox_view(s->box);

	if (mailbox_status_now(s->box, STATUS_COUNTS, &st) < 0)
		return -1;
	s->told_keywords = UINT_MAX;
	s->told_recent = UINT64_MAX;
	s->told_whole = mailbox_view_modseq(s->box);
	tell_keywords(s);
	tell_exists(s);
	if ((s->enabled & (ENABLED_REV2 | ENABLED_UIDONLY)) == 0
	    && runs_contains(view, st.first_unseen))
		say(s, CODE_UNSEEN, runs_rank(view, st.first_unseen),
		    "The first unseen message");
	say(s, CODE_UIDVALIDITY, st.uidvalidity, "UIDs are valid");
	/* Of the view, not of now: what came since is new to the client. */
	say(s, CODE_UIDNEXT, mailbox_view_uidnext(s->box), "The next UID");
	say(s, CODE_HIGHESTMODSEQ, mailbox_view_modseq(s->box),
	    "The highest mod-sequence");
	id.text = bytes_make(st.id, strnlen(st.id, sizeof st.id));
	if (id.text.n > 0)
		put_condition(&s->out, BYTES(""), "OK", &id, "The mailbox's id");
	return 0;
}

struct select_args {
	struct bytes name;
	struct bytes given;		/* the same as the client called it */
	bool condstore;
	struct qresync qresync;
};

static int
select_param(struct session *s, struct lex *x, struct select_args *a)
{
	if (lex_word(x, "CONDSTORE")) {
		a->condstore = true;
		return 0;
	}
	if (!lex_word(x, "QRESYNC"))
		return lex_fail(x, EINVAL, "Unknown parameter");
	if ((s->enabled & ENABLED_QRESYNC) == 0)
		return lex_fail(x, EINVAL, "QRESYNC was not enabled");
	if (qresync_read(x, &a->qresync) < 0)
		return -1;
	return session_uidonly(s) && a->qresync.match_sequence.n > 0
	    ? lex_fail(x, EOPNOTSUPP, "Message numbers are not used any more") : 0;
}

static int
select_args(struct session *s, struct lex *x, struct select_args *a)
{
	if (lex_mailbox(x, &a->name) < 0)
		return -1;
	a->given = x->given;
	if (lex_peek(x) != ' ')
		return lex_end(x);
	if (lex_space(x) < 0 || lex_char(x, '(') < 0)
		return -1;
	do
		if (select_param(s, x, a) < 0)
			return -1;
	while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')') < 0 ? -1 : lex_end(x);
}

static struct outcome
open_mailbox(struct session *s, const struct select_args *a, bool read_only)
{
	if (s->box != NULL) {
		session_unselect(s);
		say(s, CODE_CLOSED, 0, "The previous mailbox is closed");
	}
	if (mailbox_open(s->mail, a->name, read_only, &s->box) < 0) {
		s->box = NULL;
		return failed(errno);
	}
	s->state = STATE_SELECTED;
	if (a->condstore)
		s->enabled |= ENABLED_CONDSTORE;
	if (describe(s) < 0 || qresync_tell(s, &a->qresync) < 0) {
		int error = errno;

		session_unselect(s);
		return failed(error);
	}
	/* IMAP4rev2 names the mailbox (RFC 9051 section 6.3.2). */
	if ((s->enabled & ENABLED_REV2) != 0)
		tell_list(s, NULL, a->name, a->given);
	return mailbox_read_only(s->box)
	    ? ok_code(CODE_READ_ONLY, "Mailbox opened read-only")
	    : ok_code(CODE_READ_WRITE, "Mailbox opened");
}

static struct outcome
select_mailbox(struct session *s, struct call *c, bool read_only)
{
	struct select_args a = { 0 };
	struct outcome o;

	if (select_args(s, &c->args, &a) < 0)
		o = bad_syntax(&c->args);
	else
		o = open_mailbox(s, &a, read_only);
	qresync_free(&a.qresync);
	return o;
}

struct outcome
cmd_select(struct session *s, struct call *c)
{
	return select_mailbox(s, c, s->read_only);
}

struct outcome
cmd_examine(struct session *s, struct call *c)
{
	return select_mailbox(s, c, true);
}

/* Expunges in silence; only messages that the client was told of. */
struct outcome
cmd_close(struct session *s, struct call *c)
{
	int r = 0;

	(void)c;
	if (!mailbox_read_only(s->box))
		r = mailbox_expunge(s->box, mailbox_view(s->box), NULL);
	if (r < 0 && errno != ESTALE)
		return failed(errno);
	session_unselect(s);
	return ok("CLOSE completed");
}

struct outcome
cmd_unselect(struct session *s, struct call *c)
{
	(void)c;
	session_unselect(s);
	return ok("UNSELECT completed");
}
