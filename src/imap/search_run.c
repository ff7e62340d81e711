/*
 * Running a search program: what is cheap to know of a message decides first,
 * and only messages that are still undecided are read.
 *
 * A message that cannot be read has no text and no header.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "limits.h"
#include "log.h"
#include "objectid.h"
#include "rows.h"
#include "search.h"
#include "search_text.h"
#include "words.h"

enum truth { NO, YES, UNKNOWN };

/* The message at hand and what was found out about it. */
struct looking {
	struct search_run *run;
	struct facts facts;
	bool takes_facts;
	bool decided;
	const struct search_node *root;
	struct rows rows;
	const struct mail_row *row;
	enum search_stage stage;
	struct sorttexts keys;
	bool has_keys;			/* valid until another use of the mailbox */
	struct search_texts texts;
	bool has_texts;
	struct buf plain, folded;	/* a header field */
	bool gone;
	bool unreadable;		/* logged once a search */
	uint64_t started, progress;	/* clock_ms() */
	uint64_t done;			/* messages */
};

static enum truth
truth(bool b)
{
	return b ? YES : NO;
}

static enum truth
failure(struct looking *l)
{
	if (errno == ENOENT)
		l->gone = true;
	else if (!l->unreadable)
		log_warn("mailbox=%s uid=%u cannot be searched: %s",
		    log_quote(mailbox_name_of(l->run->s->box)), l->row->uid,
		    strerror(errno));
	l->unreadable |= errno != ENOENT;
	return NO;
}

/* ---- headers ---- */

static int
field_contains(struct looking *l, struct bytes value, struct bytes needle)
{
	buf_clear(&l->plain);
	buf_clear(&l->folded);
	if (words_decode(value, &l->plain) == -1 ||
	    fold_text(buf_contents(&l->plain), &l->folded) == -1)
		return -1;
	return fold_contains(buf_contents(&l->folded), needle);
}

static enum truth
try_field(struct looking *l, struct bytes name, struct bytes needle)
{
	struct header_field field;
	struct header_cursor c;
	struct bytes block;
	int r = 0;

	l->has_keys = false;
	if ((facts_keeps(&name, 1) ? facts_fields(&l->facts, &block)
	    : facts_header(&l->facts, &block)) == -1)
		return failure(l);
	c = HEADER_CURSOR(block);
	while (r == 0 && header_next_named(&c, name, &field))
		r = needle.n == 0 ? 1 : field_contains(l, field.value, needle);
	return r == -1 ? failure(l) : truth(r == 1);
}

/* HEADER is about the fields as they stand there: the first part. */
static struct bytes
key_text(const struct looking *l, const struct search_node *n)
{
	struct bytes text = l->keys.text[n->number];
	ssize_t end = n->header ? bytes_find(text, '\0') : -1;

	return end < 0 ? text : bytes_first(text, (size_t)end);
}

static enum truth
try_key(struct looking *l, const struct search_node *n)
{
	static const char *const names[] = { "Subject", "From", "To", "Cc", "Bcc" };

	if (!l->has_keys && facts_texts(&l->facts, &l->keys) == -1)
		return failure(l);
	l->has_keys = true;
	if (fold_contains(key_text(l, n), n->needle))
		return YES;
	if ((l->keys.cut & 1u << n->number) == 0)
		return NO;
	return try_field(l, bytes_of(names[n->number]), n->needle);
}

static enum truth
try_objectid(struct looking *l, const struct search_node *n)
{
	struct objectid id;

	l->has_keys = false;
	if ((n->op == SEARCH_EMAILID ? objectid_email(&l->facts, &id)
	    : objectid_thread(&l->facts, &id)) == -1)
		return failure(l);
	return truth(bytes_equal(objectid_bytes(&id), n->field));
}

/* ---- values ---- */

/* When OLDER begins to be true of the message, or YOUNGER ceases to be. */
static void
note_turn(struct looking *l, const struct search_node *n, int64_t arrival)
{
	struct search_program *p = l->run->program;
	bool older = n->low == INT64_MIN;
	int64_t turns = arrival + n->age + (older ? 0 : 1);

	if ((older ? arrival > n->high : arrival >= n->low) && turns < p->turns)
		p->turns = turns;
}

static enum truth
try_range(struct looking *l, const struct search_node *n)
{
	const struct mail_row *row = l->row;
	uint64_t size = row->size;
	struct sortkey key;
	int64_t v = 0;

	switch (n->value) {
	case VALUE_SIZE:
		l->has_keys = l->has_keys && row->size_known;
		if (!row->size_known &&
		    mailbox_row_size(l->run->s->box, row->uid, &size) == -1)
			return failure(l);
		v = size <= INT64_MAX ? (int64_t)size : INT64_MAX;
		break;
	case VALUE_MODSEQ:
		v = (int64_t)row->modseq;
		break;
	case VALUE_ARRIVAL:
		v = row->internaldate;
		if (n->age != 0)
			note_turn(l, n, v);
		break;
	case VALUE_SAVED:	/* RFC 8514 section 4.3: else the internal date */
		v = row->savedate != 0 ? row->savedate : row->internaldate;
		break;
	case VALUE_SENT:
		l->has_keys = false;
		if (facts_sortkey(&l->facts, &key) == -1)
			return failure(l);
		if ((key.flags & SORTKEY_DATE) == 0)
			return NO;
		v = key.day;
		break;
	}
	return truth(n->low <= v && v <= n->high);
}

static enum truth
try_text(struct looking *l, const struct search_node *n)
{
	const struct search_program *p = l->run->program;
	unsigned i;

	if (!l->has_texts) {
		l->has_texts = true;
		l->has_keys = false;
		for (i = 0; i < p->texts; i++) {
			matcher_end(&l->texts.needle[i]);
			matcher_begin(&l->texts.needle[i], p->text[i]->needle);
		}
		if (search_texts(&l->texts, &l->facts) == -1)
			return failure(l);
	}
	return truth(l->texts.needle[n->number].found);
}

/* ---- the tree ---- */

static enum truth
try_leaf(struct looking *l, const struct search_node *n)
{
	const struct mail_row *row = l->row;

	if (n->stage > l->stage)
		return UNKNOWN;
	switch (n->op) {
	case SEARCH_TRUE:
		return truth(n->want);
	case SEARCH_SET:
		return truth(runs_contains(&n->set, row->uid));
	case SEARCH_FLAGS:
		return truth(((row->flags & n->flags) == n->flags) == n->want);
	case SEARCH_KEYWORD:
		return truth((n->number != KEYWORD_UNKNOWN
		    && keyword_has(&row->keywords, n->number)) == n->want);
	case SEARCH_RECENT:
		return truth(runs_contains(mailbox_recent(l->run->s->box), row->uid) == n->want);
	case SEARCH_RANGE:
		return try_range(l, n);
	case SEARCH_KEY:
		return try_key(l, n);
	case SEARCH_HEADER:
		return try_field(l, n->field, n->needle);
	case SEARCH_EMAILID:
	case SEARCH_THREADID:
		return try_objectid(l, n);
	case SEARCH_TEXT:
		return try_text(l, n);
	case SEARCH_AND:
	case SEARCH_OR:
	case SEARCH_NOT:
		break;
	}
	return NO;
}

static enum truth
try_node(struct looking *l, const struct search_node *n)
{
	const struct search_node *c;
	enum truth t, all;

	if (n->op == SEARCH_NOT) {
		t = try_node(l, n->child);
		return t == UNKNOWN ? t : truth(t == NO);
	}
	if (n->op != SEARCH_AND && n->op != SEARCH_OR)
		return try_leaf(l, n);
	all = truth(n->op == SEARCH_AND);	/* what all children must be */
	for (t = all, c = n->child; c != NULL; c = c->next) {
		enum truth one = try_node(l, c);

		if (one == UNKNOWN)
			t = UNKNOWN;
		else if (one != all)
			return one;
	}
	return t;
}

static bool
matches(struct looking *l)
{
	const struct search_program *p = l->run->program;
	unsigned stage;
	enum truth t;

	for (stage = STAGE_ROW; stage < STAGE_END; stage++) {
		if (stage != STAGE_ROW && (p->stages & 1u << stage) == 0)
			continue;
		l->stage = stage;
		t = try_node(l, l->root);
		if (t != UNKNOWN)
			return t == YES && !l->gone;
	}
	return false;
}

/* ---- going on and on ---- */

static int
check_time(struct looking *l)
{
	uint64_t now = clock_ms();

	/* A search that goes on when its command is over has no tag. */
	if (l->run->tag.n > 0 && now - l->progress >= PROGRESS_SECONDS * 1000) {
		l->progress = now;
		progress_tell(l->run->s, l->run->tag, l->done,
		    l->run->candidates.count, "Searching");
	}
	if (l->run->s->stream.out_error != 0) {
		errno = EPIPE;
		return -1;
	}
	if (now - l->started < (uint64_t)SEARCH_SECONDS_MAX * 1000)
		return 0;
	errno = ETIME;
	return -1;
}

static int
try_message(struct looking *l, const struct mail_row *row, const struct search_sink *sink)
{
	l->row = row;
	l->has_keys = l->has_texts = l->gone = false;
	if (l->takes_facts)
		facts_take(&l->facts, row->uid);
	if (l->decided || matches(l)) {
		if (sink->hit(sink->arg, row, rows_sequence(&l->rows, row->uid),
		    &l->facts) == -1)
			return -1;
	}
	l->run->gone |= l->gone;
	l->done++;
	/* Rows alone are so quick that the time once a block is enough. */
	return l->run->program->stages >= 1u << STAGE_KEY ? check_time(l) : 0;
}

static int
try_block(struct looking *l, const struct search_sink *sink)
{
	size_t i;

	for (i = 0; i < l->rows.n; i++)
		if (try_message(l, &l->rows.row[i], sink) == -1)
			return -1;
	mailbox_columns_flush(l->run->s->box);
	return check_time(l);
}

static enum rows_want
wanted(const struct search_program *p, const struct search_sink *sink)
{
	/* Columns answer below that stage, as a rule. */
	bool messages = p->stages >= 1u << STAGE_HEADER;

	if (p->dates || sink->dates)
		return messages ? ROWS_DATES : ROWS_DATES_ALONE;
	return messages ? ROWS_MESSAGES : ROWS_ALONE;
}

/* A single key needs nobody to count whether all are true. */
static const struct search_node *
root_of(const struct search_program *p)
{
	const struct search_node *n = p->root;

	return n->op == SEARCH_AND && n->child != NULL && n->child->next == NULL ? n->child : n;
}

static int
look_begin(struct looking *l, struct search_run *r, const struct search_sink *sink)
{
	const struct search_program *p = r->program;

	l->run = r;
	l->plain = BUF_INIT(2 * HEADER_MAX);
	l->folded = BUF_INIT(16 * HEADER_MAX);
	l->started = l->progress = clock_ms();
	l->texts.needle = calloc(p->texts + 1, sizeof(*l->texts.needle));
	if (l->texts.needle == NULL)
		return -1;
	l->texts.n = p->texts;
	while (l->texts.in_headers < p->texts && p->text[l->texts.in_headers]->header)
		l->texts.in_headers++;
	facts_begin(&l->facts, r->s->box);
	l->decided = search_is_decided(r);
	l->root = root_of(p);
	l->takes_facts = !sink->alone || p->stages >= 1u << STAGE_KEY;
	rows_begin(&l->rows, r->s->box, &r->candidates, wanted(p, sink));
	return 0;
}

static void
look_end(struct looking *l)
{
	unsigned i;

	for (i = 0; i < l->texts.n; i++)
		matcher_end(&l->texts.needle[i]);
	free(l->texts.needle);
	buf_free(&l->texts.text);
	buf_free(&l->plain);
	buf_free(&l->folded);
	facts_end(&l->facts);
	rows_end(&l->rows);
}

int
search_all(struct search_run *r, const struct search_sink *sink)
{
	struct looking *l = calloc(1, sizeof(*l));
	int more, saved;

	if (l == NULL || look_begin(l, r, sink) == -1) {
		free(l);
		return -1;
	}
	while ((more = rows_next(&l->rows, ROWS_BLOCK)) == 1)
		if (try_block(l, sink) == -1) {
			more = -1;
			break;
		}
	saved = errno;
	r->gone |= l->rows.found < l->rows.asked;
	look_end(l);
	free(l);
	errno = saved;
	return more;
}

/* ---- candidates ---- */

static int
cut(struct runs *set, const struct runs *with)
{
	struct runs both = RUNS_INIT;

	if (runs_intersect(&both, set, with) == -1) {
		runs_free(&both);
		return -1;
	}
	runs_free(set);
	*set = both;
	return 0;
}

static bool
wants_unseen(const struct search_program *p)
{
	const struct search_node *n = p->root->child;

	while (n != NULL && (n->op != SEARCH_FLAGS || n->want || n->flags != FLAG_SEEN))
		n = n->next;
	return n != NULL;
}

/*
 * Most mail was read long ago, and where the first unseen one is, is known. Not
 * so that of messages that went since we told of changes none is met any more.
 */
static int
cut_seen(struct search_run *r)
{
	struct mailbox_status st;
	struct runs rest = RUNS_INIT;
	int rc;

	if (mailbox_status_now(r->s->box, STATUS_COUNTS, &st) < 0)
		return -1;
	if (st.highest_modseq != mailbox_view_modseq(r->s->box))
		return 0;
	rc = st.first_unseen == 0 ? 0 : runs_add(&rest, st.first_unseen, UINT32_MAX);
	if (rc == 0)
		rc = cut(&r->candidates, &rest);
	runs_free(&rest);
	return rc;
}

int
search_begin(struct search_run *r, struct session *s, struct bytes tag,
    struct search_program *program)
{
	struct search_node *n;

	*r = (struct search_run){ .s = s, .tag = tag, .program = program };
	if (runs_copy(&r->candidates, mailbox_view(s->box)) == -1
	    || (wants_unseen(program) && cut_seen(r) == -1))
		return -1;
	for (n = program->root->child; n != NULL; n = n->next) {
		if (n->op != SEARCH_SET)
			continue;
		if (cut(&r->candidates, &n->set) == -1)
			return -1;
		runs_free(&n->set);
		n->op = SEARCH_TRUE;
		n->want = true;
	}
	return 0;
}

int
search_among(struct search_run *r, struct session *s, struct search_program *program,
    const struct runs *uids)
{
	*r = (struct search_run){ .s = s, .program = program };
	return runs_intersect(&r->candidates, mailbox_view(s->box), uids);
}

bool
search_is_decided(const struct search_run *r)
{
	const struct search_node *n = r->program->root->child;

	while (n != NULL && n->op == SEARCH_TRUE && n->want)
		n = n->next;
	return n == NULL;
}

void
search_end(struct search_run *r)
{
	runs_free(&r->candidates);
}
