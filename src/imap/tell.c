/*
 * Telling what is in the selected mailbox and what changed there.
 * Runs as: the mailbox owner.
 */
#include "session.h"

/* ---- items of a FETCH response ---- */

void
fetch_begin(struct session *s, uint64_t sequence, uint32_t uid, bool with_uid)
{
	if ((s->enabled & ENABLED_UIDONLY) != 0)
		put_message_begin(&s->out, uid, "UIDFETCH", 0);
	else
		put_message_begin(&s->out, sequence, "FETCH", with_uid ? uid : 0);
}

void
fetch_end(struct session *s)
{
	put_message_end(&s->out);
}

static void
put_keywords(struct session *s, const struct keyword_set *set)
{
	const char *name;

	for (unsigned word = 0; word < MAIL_KEYWORDS_MAX / 64; word++)
		for (uint64_t bits = set->bits[word]; bits != 0; bits &= bits - 1) {
			unsigned i = word * 64 + (unsigned)__builtin_ctzll(bits);

			if ((name = mailbox_keyword(s->box, i)) != NULL)
				put_flag(&s->out, bytes_of(name));
		}
}

void
fetch_flags(struct session *s, const struct mail_row *row)
{
	struct response *r = &s->out;

	put_flags_open(r, row->flags);
	/* IMAP4rev2 has no \Recent. */
	if ((s->enabled & ENABLED_REV2) == 0
	    && runs_contains(mailbox_recent(s->box), row->uid))
		put_word(r, "\\Recent");
	put_keywords(s, &row->keywords);
	put_close(r);
}

void
fetch_modseq(struct session *s, uint64_t modseq)
{
	put_word(&s->out, "MODSEQ");
	put_open(&s->out);
	put_number(&s->out, modseq);
	put_close(&s->out);
	s->told_modseqs = true;
}

static int
tell_rows(struct session *s, const struct runs *uids, bool with_uid, bool with_flags)
{
	const struct runs *view = mailbox_view(s->box);
	struct mail_cursor *cursor;
	struct mail_row row;
	int r;

	if (uids->n == 0)
		return 0;
	if (mailbox_rows(s->box, uids, &cursor) < 0)
		return -1;
	mail_cursor_rows_alone(cursor);
	while ((r = mail_cursor_next(cursor, &row)) == 1) {
		fetch_begin(s, runs_rank(view, row.uid), row.uid,
		    with_uid || session_tells_uid(s));
		if (with_flags)
			fetch_flags(s, &row);
		if (session_condstore(s))
			fetch_modseq(s, row.modseq);
		fetch_end(s);
	}
	mail_cursor_end(cursor);
	return r;
}

int
tell_flags(struct session *s, const struct runs *uids, bool with_uid)
{
	return tell_rows(s, uids, with_uid, true);
}

int
tell_modseqs(struct session *s, const struct runs *uids, bool with_uid)
{
	return session_condstore(s) ? tell_rows(s, uids, with_uid, false) : 0;
}

/* ---- the mailbox ---- */

static void
put_all_keywords(struct session *s)
{
	unsigned n = mailbox_keywords(s->box);
	const char *name;

	for (unsigned i = 0; i < n; i++)
		if ((name = mailbox_keyword(s->box, i)) != NULL)
			put_flag(&s->out, bytes_of(name));
	s->told_keywords = n;
}

#define ALL_FLAGS (FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DELETED | FLAG_DRAFT)

static void
tell_all_flags(struct session *s)
{
	struct response *r = &s->out;

	put_untagged(r, "FLAGS");
	put_open(r);
	put_system_flags(r, ALL_FLAGS);
	put_all_keywords(s);
	put_close(r);
	put_end(r);

	put_condition_begin(r, BYTES(""), "OK");
	put_code_open(r, CODE_PERMANENTFLAGS);
	put_open(r);
	if (!mailbox_read_only(s->box)) {
		put_system_flags(r, ALL_FLAGS);
		put_all_keywords(s);
		if (mailbox_keywords(s->box) < MAIL_KEYWORDS_MAX)
			put_word(r, "\\*");
	}
	put_close(r);
	put_code_close(r);
	put_text(r, mailbox_read_only(s->box) ? "No flag can be changed"
	    : "Flags that are kept");
	put_end(r);
}

void
tell_keywords(struct session *s)
{
	/* UINT_MAX is what SELECT sets: nothing was told yet. */
	if (mailbox_keywords(s->box) != s->told_keywords)
		tell_all_flags(s);
}

/* Whenever the size of the mailbox changes, by expunges too (RFC 3501 section 7.3.2). */
static void
tell_recent(struct session *s)
{
	uint64_t recent = mailbox_recent(s->box)->count;

	if ((s->enabled & ENABLED_REV2) != 0 || recent == s->told_recent)
		return;
	put_untagged_number(&s->out, recent, "RECENT");
	put_end(&s->out);
	s->told_recent = recent;
}

void
tell_exists(struct session *s)
{
	put_untagged_number(&s->out, mailbox_view(s->box)->count, "EXISTS");
	put_end(&s->out);
	tell_recent(s);
}

static void
tell_highest(struct session *s, const char *text)
{
	struct response_code code = { .code = CODE_HIGHESTMODSEQ,
	    .number = s->told_whole };

	put_condition(&s->out, BYTES(""), "OK", &code, text);
}

void
session_enable_condstore(struct session *s)
{
	if (session_condstore(s))
		return;
	s->enabled |= ENABLED_CONDSTORE;
	if (s->box != NULL)
		tell_highest(s, "Mod-sequences are on");
}

/* ---- messages that went ---- */

void
tell_vanished(struct session *s, const struct runs *uids, bool earlier)
{
	struct response *r = &s->out;

	if (uids->n == 0)
		return;
	put_untagged(r, "VANISHED");
	if (earlier) {
		put_open(r);
		put_word(r, "EARLIER");
		put_close(r);
	}
	put_set(r, uids);
	put_end(r);
}

/*
 * From the last to the first, so that the numbers of those still to be told
 * stay what they are.
 */
static void
tell_expunged(struct session *s, const struct runs *uids)
{
	const struct runs *view = mailbox_view(s->box);

	for (size_t i = uids->n; i-- > 0;) {
		struct run run = uids->v[i];
		uint64_t sequence = runs_rank(view, run.last);

		for (uint64_t n = (uint64_t)run.last - run.first + 1; n > 0; n--) {
			put_untagged_number(&s->out, sequence--, "EXPUNGE");
			put_end(&s->out);
		}
	}
}

static int
tell_gone(struct session *s, const struct runs *uids)
{
	/* RFC 9586 section 3.4: UIDONLY has no EXPUNGE either. */
	if ((s->enabled & (ENABLED_QRESYNC | ENABLED_UIDONLY)) != 0)
		tell_vanished(s, uids, false);
	else
		tell_expunged(s, uids);
	return mailbox_told_vanished(s->box, uids);
}

/* ---- all of it ---- */

/*
 * A client takes the highest mod-sequence that it was told of for the state it has, unless
 * told otherwise; with that it would never hear of expunges that had to wait,
 * should the connection break now (RFC 7162 section 3.2).
 */
static void
note_told(struct session *s, const struct mail_changes *ch, bool all)
{
	if (all)
		s->told_whole = ch->modseq;
	else if (s->told_modseqs && (s->enabled & ENABLED_QRESYNC) != 0)
		tell_highest(s, "Not all was told yet");
	s->told_modseqs = false;
}

static int
tell_changed(struct session *s, const struct mail_changes *ch)
{
	tell_keywords(s);
	if (tell_flags(s, &ch->changed, false) < 0)
		return -1;
	mailbox_told_modseq(s->box, ch->modseq);
	session_contexts(s, &ch->changed, CONTEXT_CHANGED);
	return 0;
}

static int
tell_difference(struct session *s, const struct mail_changes *ch, bool expunge,
    unsigned what)
{
	bool gone = expunge && (what & TELL_EXPUNGE) != 0;
	bool flags = (what & TELL_FLAGS) != 0;

	/* In front of EXPUNGE, and also where that has to wait (RFC 5267 4.3.4). */
	if ((what & TELL_EXPUNGE) != 0)
		session_contexts(s, &ch->vanished, CONTEXT_GONE);
	if (gone && ch->vanished.n > 0 && tell_gone(s, &ch->vanished) < 0)
		return -1;
	if ((what & TELL_NEW) != 0 && ch->arrived.n > 0) {
		if (mailbox_told_arrived(s->box, &ch->arrived) < 0)
			return -1;
		tell_exists(s);
		session_contexts(s, &ch->arrived, CONTEXT_ARRIVED);
		session_arrived(s, &ch->arrived);
	}
	if (gone)
		tell_recent(s);
	if (flags && tell_changed(s, ch) < 0)
		return -1;
	note_told(s, ch, (gone || ch->vanished.n == 0) && (flags || ch->changed.n == 0));
	return 0;
}

int
tell_changes(struct session *s, bool expunge)
{
	return tell_events(s, expunge, TELL_ALL);
}

int
tell_events(struct session *s, bool expunge, unsigned what)
{
	struct mail_changes changes;
	int r;

	if (mailbox_sync(s->box) < 0 || mailbox_changes(s->box, &changes) < 0)
		return -1;
	r = tell_difference(s, &changes, expunge, what);
	mail_changes_free(&changes);
	if (r == 0)
		session_contexts_turn(s);
	return r;
}
