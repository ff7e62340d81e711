/*
 * STORE and UID STORE, also conditional (RFC 7162 section 3.1.3).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "messagelimit.h"

struct store_args {
	struct runs uids;
	struct mail_store change;
	bool silent;
};

/* SP "(" "UNCHANGEDSINCE" SP mod-sequence ")" if it is there. */
static int
read_modifier(struct session *s, struct lex *x, struct mail_store *change)
{
	if (lex_space(x) < 0)
		return -1;
	if (lex_peek(x) != '(')
		return 0;
	if (lex_char(x, '(') < 0 || !lex_word(x, "UNCHANGEDSINCE"))
		return lex_fail(x, EINVAL, "UNCHANGEDSINCE was expected");
	if (lex_space(x) < 0
	    || lex_number(x, INT64_MAX, &change->unchanged_since) < 0
	    || lex_char(x, ')') < 0 || lex_space(x) < 0)
		return -1;
	change->conditional = true;
	session_enable_condstore(s);
	return 0;
}

static int
read_item(struct lex *x, struct store_args *a)
{
	a->change.how = FLAGS_SET;
	if (lex_peek(x) == '+' && lex_char(x, '+') == 0)
		a->change.how = FLAGS_ADD;
	else if (lex_peek(x) == '-' && lex_char(x, '-') == 0)
		a->change.how = FLAGS_REMOVE;
	a->silent = lex_word(x, "FLAGS.SILENT");
	if (!a->silent && !lex_word(x, "FLAGS"))
		return lex_fail(x, EINVAL, "FLAGS was expected");
	return lex_space(x);
}

/* 1 when one of the messages takes the change, 0 when none will, -1 with errno. */
static int
somebody_takes(struct session *s, const struct store_args *a)
{
	struct mail_cursor *cursor;
	struct mail_row row;
	int r;

	if (a->uids.n == 0)
		return 0;
	if (mailbox_rows(s->box, &a->uids, &cursor) < 0)
		return -1;
	mail_cursor_rows_alone(cursor);
	do
		r = mail_cursor_next(cursor, &row);
	while (r == 1 && a->change.conditional
	    && row.modseq > a->change.unchanged_since);
	mail_cursor_end(cursor);
	return r;
}

/* Its number, made only for a message that gets it; -1 with errno. */
static int
number_keyword(struct session *s, const struct store_args *a, struct bytes name)
{
	int n = mailbox_keyword_number(s->box, name, false), takes;

	if (n >= 0 || errno != ENOENT || a->change.how == FLAGS_REMOVE)
		return n;
	takes = somebody_takes(s, a);
	if (takes == 1)
		return mailbox_keyword_number(s->box, name, true);
	if (takes == 0)
		errno = name.n > MAIL_KEYWORD_LENGTH_MAX ? EINVAL : ENOENT;
	return -1;
}

/* Keywords become numbers; what nobody has or gets has none. */
static struct outcome
number_keywords(struct session *s, const struct flag_list *f, struct store_args *a)
{
	struct mail_store *ch = &a->change;

	for (size_t i = 0; i < f->n; i++) {
		int n = number_keyword(s, a, f->keywords[i]);

		if (n >= 0)
			keyword_put(&ch->keywords, (unsigned)n);
		else if (errno == E2BIG)
			return no(CODE_LIMIT, "The mailbox has no room for more keywords");
		else if (errno == EINVAL)
			return no(CODE_LIMIT, "Keyword too long");
		else if (errno != ENOENT)
			return failed(errno);
	}
	return ok("");
}

/* ---- telling ---- */

/*
 * The client knows its own change by now, and why one was refused. What others
 * did just before is told without both; should more have happened since, all is
 * left to the end of the command, where a change may then be told twice but none
 * is lost.
 */
static int
tell_others(struct session *s, const struct mail_stored *st)
{
	struct mail_changes ch;
	struct runs others = RUNS_INIT, untold = RUNS_INIT;
	int r = 0;

	if (mailbox_changes(s->box, &ch) < 0)
		return -1;
	if (ch.modseq == st->modseq) {
		r = runs_subtract(&others, &ch.changed, &st->stored);
		if (r == 0)
			r = runs_subtract(&untold, &others, &st->modified);
		if (r == 0)
			r = tell_flags(s, &untold, false);
		if (r == 0)
			mailbox_told_modseq(s->box, st->modseq);
		session_contexts(s, &others, CONTEXT_CHANGED);
	}
	runs_free(&untold);
	runs_free(&others);
	mail_changes_free(&ch);
	return r;
}

/* .SILENT is about the client's own change only (RFC 9051 section 6.4.6). */
static int
tell_silently(struct session *s, const struct mail_stored *st, bool with_uid)
{
	struct runs own = RUNS_INIT;
	int r = runs_subtract(&own, &st->stored, &st->others);

	if (r == 0)
		r = tell_modseqs(s, &own, with_uid);
	if (r == 0)
		r = tell_flags(s, &st->others, with_uid);
	runs_free(&own);
	return r;
}

static int
tell_stored(struct session *s, const struct mail_stored *st, bool silent,
    bool with_uid)
{
	int r;

	tell_keywords(s);
	r = silent ? tell_silently(s, st, with_uid) : tell_flags(s, &st->stored, with_uid);
	/* Why it was refused: section 3.1.3 recommends to say so. */
	if (r == 0)
		r = tell_flags(s, &st->modified, with_uid);
	session_contexts(s, &st->stored, CONTEXT_CHANGED);
	if (r < 0 || st->modseq_before != mailbox_view_modseq(s->box))
		return r < 0 ? -1 : tell_others(s, st);
	mailbox_told_modseq(s->box, st->modseq);
	return 0;
}

/* RFC 2180 section 4.2: with .SILENT it is no error; UIDs that are not there are none. */
static struct outcome
some_gone(const struct store_args *a, const struct mail_stored *st, bool with_uid)
{
	if (with_uid || st->stored.count + st->modified.count == a->uids.count)
		return ok("STORE completed");
	return a->silent
	    ? ok_code(CODE_EXPUNGEISSUED, "STORE completed; some messages are gone")
	    : no(CODE_EXPUNGEISSUED, "Some of the messages are gone");
}

/*
 * MODIFIED names UIDs for UID STORE, else sequence numbers; OK or NO stays
 * (RFC 7162 section 3.1.3, example 11).
 */
static struct outcome
some_modified(struct session *s, const struct mail_stored *st, bool with_uid,
    struct outcome o)
{
	if ((with_uid ? runs_copy(&s->code_set, &st->modified)
	    : session_sequence(s, &st->modified, &s->code_set)) < 0)
		return failed(errno);
	if (o.code.code == CODE_NONE)
		o.text = "Some messages were changed meanwhile";
	o.code.code = CODE_MODIFIED;
	o.code.set = &s->code_set;
	return o;
}

static struct outcome
stored(struct session *s, const struct store_args *a, const struct mail_stored *st,
    bool with_uid)
{
	struct outcome o = some_gone(a, st, with_uid);

	if (tell_stored(s, st, a->silent, with_uid) < 0)
		return failed(errno);
	return st->modified.n > 0 ? some_modified(s, st, with_uid, o) : o;
}

/* ---- the command ---- */

static int
read_args(struct session *s, struct call *c, struct store_args *a,
    struct flag_list *flags)
{
	struct lex *x = &c->args;

	if (call_messages(s, c, &a->uids) < 0
	    || read_modifier(s, x, &a->change) < 0 || read_item(x, a) < 0
	    || lex_flags(x, flags) < 0)
		return -1;
	a->change.flags = flags->flags;
	return lex_end(x);
}

static struct outcome
change_flags(struct session *s, struct call *c, struct store_args *a)
{
	struct flag_list flags;
	struct mail_stored st = { 0 };
	struct outcome o;
	uint32_t lowest;

	if (read_args(s, c, a, &flags) < 0)
		return bad_syntax(&c->args);
	o = number_keywords(s, &flags, a);
	if (o.result != RESULT_OK)
		return o;
	if (limit_cut(s, &a->uids, &lowest) < 0
	    || mailbox_store(s->box, &a->uids, &a->change, &st) < 0)
		return failed(errno);
	o = limit_said(s, lowest, stored(s, a, &st, call_uid(c)));
	mail_stored_free(&st);
	return o;
}

struct outcome
cmd_store(struct session *s, struct call *c)
{
	struct store_args a = { 0 };
	struct outcome o = change_flags(s, c, &a);

	runs_free(&a.uids);
	return o;
}
