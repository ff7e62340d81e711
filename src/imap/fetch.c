/*
 * FETCH and UID FETCH (RFC 9051 section 6.4.5, RFC 7162, RFC 9394).
 *
 * A message that vanished is left out, and the answer says EXPUNGEISSUED (RFC
 * 2180 section 4.1.2): NO to FETCH, whose client cannot be told before it
 * asks again; OK to UID FETCH, where it is told in front of the answer. What
 * cannot be read of a message is left out as well, the others are sent, and
 * the answer is NO with the reason.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "commands.h"
#include "facts.h"
#include "fetch_program.h"
#include "limits.h"
#include "log.h"
#include "messagelimit.h"
#include "objectid.h"
#include "rows.h"
#include "section.h"

/* Messages that are made \Seen in one change, just before they are sent. */
#define SEEN_BLOCK 32

/* Text that is made for one item: header fields, which HEADER_MAX bounds. */
#define SCRATCH_MAX (4 * HEADER_MAX)

/* Items for which rows need dates and sizes, and those for which they may. */
#define NEEDS_DATES (1u << FETCH_INTERNALDATE | 1u << FETCH_SIZE | 1u << FETCH_SAVEDATE)
/* Items that rows alone answer. */
#define ROWS_ONLY (1u << FETCH_UID | 1u << FETCH_FLAGS | 1u << FETCH_MODSEQ)
#define SECTIONS (1u << FETCH_SECTION | 1u << FETCH_BINARY | 1u << FETCH_BINARY_SIZE)

struct fetch {
	struct session *s;
	struct fetch_program program;
	struct fetch_modifiers modifiers;
	bool with_uid;
	struct rows rows;
	struct facts facts;
	struct buf scratch;
	/* the message at hand */
	const struct mail_row *row;
	bool begun;			/* its response was begun */
	bool flags_told;
	struct runs seen;		/* those of the block that became \Seen, */
	struct runs all_seen;		/* and those of all blocks, for contexts */
	/* what went wrong, for the answer */
	int error;
	bool gone;
};

/* Where the last large section ended, from command to command of the session. */
static struct section_mark mark;

/* ---- one item ---- */

/* \Seen was set by this very command. */
static bool
newly_seen(const struct fetch *f)
{
	return f->seen.n > 0 && runs_contains(&f->seen, f->row->uid);
}

/* Begins the response with its first item: one without any is no response. */
static void
begin(struct fetch *f)
{
	if (f->begun)
		return;
	f->begun = true;
	fetch_begin(f->s, rows_sequence(&f->rows, f->row->uid), f->row->uid,
	    f->with_uid || (newly_seen(f) && session_tells_uid(f->s)));
}

static void
put_label(struct fetch *f, const struct fetch_item *item)
{
	begin(f);
	put_raw(&f->s->out, item->label);
}

static int
put_uid(struct fetch *f, const struct fetch_item *item)
{
	(void)item;
	begin(f);
	/* begin() has put it, unless the response is a UIDFETCH. */
	if (session_uidonly(f->s)) {
		put_word(&f->s->out, "UID");
		put_number(&f->s->out, f->row->uid);
	}
	return 0;
}

static int
put_flags(struct fetch *f, const struct fetch_item *item)
{
	(void)item;
	begin(f);
	fetch_flags(f->s, f->row);
	f->flags_told = true;
	return 0;
}

static int
put_modseq(struct fetch *f, const struct fetch_item *item)
{
	(void)item;
	begin(f);
	fetch_modseq(f->s, f->row->modseq);
	return 0;
}

static int
put_internaldate(struct fetch *f, const struct fetch_item *item)
{
	put_label(f, item);
	put_date_time(&f->s->out, f->row->internaldate);
	return 0;
}

static int
put_savedate(struct fetch *f, const struct fetch_item *item)
{
	put_label(f, item);
	if (f->row->savedate != 0)
		put_date_time(&f->s->out, f->row->savedate);
	else
		put_nil(&f->s->out);
	return 0;
}

static int
get_size(struct fetch *f, uint64_t *size)
{
	*size = f->row->size;
	return f->row->size_known ? 0 : facts_size(&f->facts, f->row, size);
}

static int
put_size(struct fetch *f, const struct fetch_item *item)
{
	uint64_t size;

	if (get_size(f, &size) == -1)
		return -1;
	put_label(f, item);
	put_number(&f->s->out, size);
	return 0;
}

static int
put_text_of(struct fetch *f, const struct fetch_item *item,
    int (*get)(struct facts *facts, struct bytes *out))
{
	struct bytes text;

	if (get(&f->facts, &text) == -1)
		return -1;
	put_label(f, item);
	put_raw(&f->s->out, text);
	return 0;
}

static int
put_envelope(struct fetch *f, const struct fetch_item *item)
{
	return put_text_of(f, item, facts_envelope);
}

static int
put_body(struct fetch *f, const struct fetch_item *item)
{
	return put_text_of(f, item, facts_body);
}

static int
put_bodystructure(struct fetch *f, const struct fetch_item *item)
{
	return put_text_of(f, item, facts_bodystructure);
}

static int
put_preview(struct fetch *f, const struct fetch_item *item)
{
	struct bytes text;
	int r = facts_preview(&f->facts, item->lazy, &text);

	if (r == -1)
		return -1;
	put_label(f, item);
	if (r == 1)
		put_nil(&f->s->out);
	else
		put_string(&f->s->out, text);
	return 0;
}

static int
put_objectid(struct fetch *f, const struct fetch_item *item)
{
	struct objectid id;

	if ((item->kind == FETCH_EMAILID ? objectid_email(&f->facts, &id)
	    : objectid_thread(&f->facts, &id)) == -1)
		return -1;
	put_label(f, item);
	put_open(&f->s->out);
	put_raw(&f->s->out, objectid_bytes(&id));
	put_close(&f->s->out);
	return 0;
}

static int
find_section(struct fetch *f, const struct fetch_item *item, struct section *out)
{
	uint64_t size = 0;

	if (section_needs_size(item) && get_size(f, &size) == -1)
		return -1;
	return section_find(&f->facts, item, size, &f->scratch, &mark, out);
}

static int
put_section(struct fetch *f, const struct fetch_item *item)
{
	struct section section;

	if (find_section(f, item, &section) == -1)
		return -1;
	put_label(f, item);
	if (section.nil) {
		put_nil(&f->s->out);
		return 0;
	}
	if (section_send(&f->facts, item, &section, &mark, &f->s->out))
		return 0;
	errno = EILSEQ;		/* shorter than its size says */
	return -1;
}

static int
put_binary_size(struct fetch *f, const struct fetch_item *item)
{
	struct section section;

	if (find_section(f, item, &section) == -1)
		return -1;
	put_label(f, item);
	put_number(&f->s->out, section.nil ? 0 : section.octets);
	return 0;
}

static int (*const put_item[FETCH_KIND_END])(struct fetch *f,
    const struct fetch_item *item) = {
	[FETCH_UID] = put_uid,
	[FETCH_FLAGS] = put_flags,
	[FETCH_INTERNALDATE] = put_internaldate,
	[FETCH_SIZE] = put_size,
	[FETCH_ENVELOPE] = put_envelope,
	[FETCH_BODY] = put_body,
	[FETCH_BODYSTRUCTURE] = put_bodystructure,
	[FETCH_SECTION] = put_section,
	[FETCH_BINARY] = put_section,
	[FETCH_BINARY_SIZE] = put_binary_size,
	[FETCH_MODSEQ] = put_modseq,
	[FETCH_SAVEDATE] = put_savedate,
	[FETCH_PREVIEW] = put_preview,
	[FETCH_EMAILID] = put_objectid,
	[FETCH_THREADID] = put_objectid,
};

/* ---- one message ---- */

static void
note_failure(struct fetch *f, int error)
{
	if (error == ENOENT) {
		f->gone = true;
		return;
	}
	f->error = error;
	log_warn("mailbox=%s uid=%u cannot be read: %s",
	    log_quote(mailbox_name_of(f->s->box)), f->row->uid, strerror(error));
}

/* The client is told of \Seen with the data (RFC 7162 section 3.2.4). */
static void
tell_seen(struct fetch *f)
{
	if (!newly_seen(f))
		return;
	if (!f->flags_told)
		put_flags(f, NULL);
	if (session_condstore(f->s) && !fetch_wants(&f->program, FETCH_MODSEQ))
		put_modseq(f, NULL);
}

static void
put_message(struct fetch *f, const struct mail_row *row)
{
	size_t i;

	f->row = row;
	f->begun = f->flags_told = false;
	facts_take(&f->facts, row->uid);
	if (f->with_uid && !session_uidonly(f->s))
		begin(f);
	for (i = 0; i < f->program.n; i++)
		if (put_item[f->program.item[i].kind](f, &f->program.item[i]) == -1)
			note_failure(f, errno);
	tell_seen(f);
	if (f->begun)
		fetch_end(f->s);
}

/* ---- \Seen ---- */

static int
unseen(const struct rows *r, struct runs *out)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if ((r->row[i].flags & FLAG_SEEN) == 0 &&
		    runs_add(out, r->row[i].uid, r->row[i].uid) == -1)
			return -1;
	return 0;
}

/*
 * Sets \Seen for the block. A mailbox where that fails can be read all the same.
 * Returns up to which mod-sequence the client will have been told, or 0.
 */
static uint64_t
set_seen(struct fetch *f)
{
	struct mail_store change = { .how = FLAGS_ADD, .flags = FLAG_SEEN };
	struct mail_stored stored;
	struct runs uids = RUNS_INIT;
	uint64_t told = 0;

	if (unseen(&f->rows, &uids) == 0 && uids.n > 0 &&
	    mailbox_store(f->s->box, &uids, &change, &stored) == 0) {
		runs_copy(&f->seen, &stored.stored);
		if (stored.modseq_before == mailbox_view_modseq(f->s->box))
			told = stored.modseq;
		mail_stored_free(&stored);
		if (rows_again(&f->rows) == -1)
			f->error = errno;
	}
	runs_free(&uids);
	return told;
}

/* ---- all messages ---- */

static bool
marks_seen(const struct fetch *f)
{
	return f->program.sets_seen && !mailbox_read_only(f->s->box);
}

static void
put_block(struct fetch *f)
{
	uint64_t told = 0;
	size_t i;

	runs_clear(&f->seen);
	if (marks_seen(f))
		told = set_seen(f);
	for (i = 0; i < f->rows.n && f->s->stream.out_error == 0; i++)
		put_message(f, &f->rows.row[i]);
	if (told != 0)
		mailbox_told_modseq(f->s->box, told);
	for (i = 0; f->s->contexts != NULL && i < f->seen.n; i++)
		runs_add(&f->all_seen, f->seen.v[i].first, f->seen.v[i].last);
	mailbox_columns_flush(f->s->box);
}

static enum rows_want
wanted(const struct fetch_program *p)
{
	size_t i;

	if ((p->kinds & ~ROWS_ONLY) == 0)
		return ROWS_ALONE;

	for (i = 0; i < p->n; i++) {
		unsigned kind = 1u << p->item[i].kind;

		if ((kind & NEEDS_DATES) != 0 ||
		    ((kind & SECTIONS) != 0 && section_needs_size(&p->item[i])))
			return ROWS_DATES;
	}
	return ROWS_MESSAGES;
}

static void
put_messages(struct fetch *f, const struct runs *uids)
{
	int r;

	rows_begin(&f->rows, f->s->box, uids, wanted(&f->program));
	while ((r = rows_next(&f->rows, marks_seen(f) ? SEEN_BLOCK : ROWS_BLOCK)) == 1 &&
	    f->s->stream.out_error == 0)
		put_block(f);
	if (r == -1)
		f->error = errno;
	f->gone |= f->rows.found < f->rows.asked;
	rows_end(&f->rows);
}

static struct outcome
answer(const struct fetch *f, bool by_uid)
{
	if (f->error == ENOTSUP)
		return no(CODE_UNKNOWN_CTE, "Unknown Content-Transfer-Encoding");
	if (f->error != 0)
		return failed(f->error);
	if (!f->gone)
		return ok("FETCH completed");
	if (by_uid)
		return ok_code(CODE_EXPUNGEISSUED, "FETCH completed; some messages are gone");
	return no(CODE_EXPUNGEISSUED, "Some of the requested messages no longer exist");
}

/* ---- which messages ---- */

/* Replaces set by what change makes of it and other. */
static int
narrow(struct runs *set, const struct runs *other,
    int (*change)(struct runs *to, const struct runs *a, const struct runs *b))
{
	struct runs result = RUNS_INIT;

	if (change(&result, set, other) == -1) {
		runs_free(&result);
		return -1;
	}
	runs_free(set);
	*set = result;
	return 0;
}

static int
apply_partial(const struct partial_range *range, struct runs *uids)
{
	struct runs part = RUNS_INIT;
	uint64_t first, last;
	int r = 0;

	if (partial_range_cut(range, uids->count, &first, &last))
		r = runs_add(&part, runs_nth(uids, first), runs_nth(uids, last));
	if (r == 0)
		r = narrow(uids, &part, runs_intersect);
	runs_free(&part);
	return r;
}

static int
apply_changedsince(struct fetch *f, struct runs *uids)
{
	struct runs changed = RUNS_INIT;
	int r = mailbox_changed_since(f->s->box, f->modifiers.modseq, &changed);

	if (r == 0)
		r = narrow(uids, &changed, runs_intersect);
	runs_free(&changed);
	return r;
}

/* VANISHED (EARLIER) for what the command named, whether it was in the view or not. */
static int
tell_vanished_since(struct fetch *f, const struct runs *named)
{
	struct runs gone = RUNS_INIT;
	int r = mailbox_vanished_since(f->s->box, f->modifiers.modseq, &gone);

	if (r == 0)
		r = narrow(&gone, named, runs_intersect);
	if (r == 0)	/* what is in the view is told as gone later, with its number */
		r = narrow(&gone, mailbox_view(f->s->box), runs_subtract);
	if (r == 0)
		tell_vanished(f->s, &gone, true);
	runs_free(&gone);
	return r;
}

/* ---- the command ---- */

static const char *
wrong_modifiers(const struct fetch *f, const struct call *c)
{
	const struct fetch_modifiers *m = &f->modifiers;

	if ((m->vanished || m->partial) && !call_uid(c))
		return "This modifier is for UID FETCH only";
	if (m->vanished && (f->s->enabled & ENABLED_QRESYNC) == 0)
		return "VANISHED needs ENABLE QRESYNC";
	if (m->vanished && !m->changedsince)
		return "VANISHED needs CHANGEDSINCE";
	return NULL;
}

static void
imply_modseq(struct fetch_program *p)
{
	if (fetch_wants(p, FETCH_MODSEQ) || p->n == FETCH_ITEMS_MAX)
		return;
	p->item[p->n++] = (struct fetch_item){ .kind = FETCH_MODSEQ, .peek = true };
	p->kinds |= 1u << FETCH_MODSEQ;
}

static void
put_all(struct fetch *f, const struct runs *uids)
{
	f->scratch = BUF_INIT(SCRATCH_MAX);
	facts_begin(&f->facts, f->s->box);
	f->facts.rev2 = (f->s->enabled & ENABLED_REV2) != 0;
	put_messages(f, uids);
	facts_end(&f->facts);
	buf_free(&f->scratch);
	session_contexts(f->s, &f->all_seen, CONTEXT_CHANGED);
	runs_free(&f->seen);
	runs_free(&f->all_seen);
}

void
fetch_tell(struct session *s, struct bytes items, const struct runs *uids)
{
	struct lex x = { .rest = items, .arena = &s->arena, .utf8 = s->out.utf8 };
	struct fetch f = { .s = s };

	if (fetch_parse(&x, &f.program) == -1)
		return;
	/* Nobody's FETCH command is answered here (RFC 7162 section 3.2.4). */
	if (session_condstore(s))
		imply_modseq(&f.program);
	f.with_uid = session_condstore(s) || fetch_wants(&f.program, FETCH_UID);
	put_all(&f, uids);
}

static struct outcome
run(struct fetch *f, const struct call *c, struct runs *uids, const struct runs *named)
{
	const struct fetch_modifiers *m = &f->modifiers;
	uint32_t lowest;

	/* RFC 9738 section 3.1: a page larger than the limit is not begun. */
	if (m->partial && limit_exceeded(f->s, m->range.last - m->range.first + 1))
		return limit_refused(f->s->conf->message_limit, 0);
	/* CHANGEDSINCE asks for it too (RFC 7162 section 3.1.4.1). */
	if (m->changedsince)
		imply_modseq(&f->program);
	if (fetch_wants(&f->program, FETCH_MODSEQ))
		session_enable_condstore(f->s);
	if ((m->partial && apply_partial(&m->range, uids) == -1) ||
	    (m->vanished && tell_vanished_since(f, named) == -1) ||
	    (m->changedsince && apply_changedsince(f, uids) == -1) ||
	    limit_cut(f->s, uids, &lowest) == -1)
		return failed(errno);
	f->with_uid = call_uid(c) || fetch_wants(&f->program, FETCH_UID);
	tell_keywords(f->s);
	put_all(f, uids);
	return limit_said(f->s, lowest, answer(f, call_uid(c)));
}

/* Items and modifiers behind the set, which stands in again. */
static struct outcome
parse_and_run(struct fetch *f, struct call *c, struct lex *again, struct runs *uids)
{
	struct sequence_set named;
	struct outcome o;
	const char *wrong;

	if (lex_space(&c->args) == -1 || fetch_parse(&c->args, &f->program) == -1 ||
	    fetch_parse_modifiers(&c->args, &f->modifiers) == -1)
		return bad_syntax(&c->args);
	wrong = wrong_modifiers(f, c);
	if (wrong != NULL)
		return bad(wrong);
	if (!f->modifiers.vanished)
		return run(f, c, uids, NULL);
	if (lex_sequence_set(again, runs_last(mailbox_view(f->s->box)), true, &named) == -1)
		return bad_syntax(again);
	o = run(f, c, uids, &named.set);
	runs_free(&named.set);
	return o;
}

struct outcome
cmd_fetch(struct session *s, struct call *c)
{
	struct fetch f = { .s = s };
	struct lex again = c->args;
	struct runs uids;
	struct outcome o;

	if (call_messages(s, c, &uids) == -1)
		return bad_syntax(&c->args);
	o = parse_and_run(&f, c, &again, &uids);
	runs_free(&uids);
	return o;
}
