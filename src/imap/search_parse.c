/*
 * Reading search keys.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <time.h>

#include "charset.h"
#include "fold.h"
#include "limits.h"
#include "search_program.h"

#define DAY 86400

/* Room for a needle while it is converted and folded. */
#define NEEDLE_MAX (16 * SEARCH_STRING_MAX)

struct parser {
	struct session *s;
	struct lex *x;
	struct bytes charset;
	unsigned depth;
	unsigned fuzzy;			/* how many FUZZY are in front */
	bool lasting;			/* the program outlives the command */
	struct search_program *out;
};

struct key {
	const char *name;
	int (*parse)(struct parser *p, const struct key *k, struct search_node *n);
	enum search_op op;
	enum search_stage stage;
	bool want;
	unsigned number;		/* flag, text or value */
	unsigned how;			/* BEFORE ... */
};

enum { BEFORE, ON, SINCE };

static int parse_key(struct parser *p, struct search_node **out);

static struct search_node *
new_node(struct parser *p, enum search_op op, enum search_stage stage)
{
	struct search_node *n = NULL;

	if (p->out->n == SEARCH_KEYS_MAX)
		lex_fail(p->x, E2BIG, "Too many search keys");
	else if ((n = arena_alloc(p->x->arena, sizeof(*n))) == NULL)
		lex_fail(p->x, errno, "Command too large");
	else {
		p->out->n++;
		n->op = op;
		n->stage = stage;
		n->fuzzy = p->fuzzy > 0;
	}
	return n;
}

/* ---- strings ---- */

static int
fold_needle(struct parser *p, struct bytes raw, struct bytes *out)
{
	struct buf utf8 = BUF_INIT(NEEDLE_MAX), folded = BUF_INIT(NEEDLE_MAX);
	unsigned char *copy = NULL;

	if (p->charset.n == 0)
		buf_bytes(&utf8, raw);
	else if (charset_convert(p->charset, raw, &utf8) == -1)
		utf8.error = errno;
	if (utf8.error == 0 && fold_text(buf_contents(&utf8), &folded) == 0)
		copy = arena_copy(p->x->arena, buf_contents(&folded));
	*out = bytes_make(copy, folded.len);
	buf_free(&utf8);
	buf_free(&folded);
	return copy != NULL ? 0 : lex_fail(p->x, E2BIG, "Search string too long");
}

static int
parse_needle(struct parser *p, struct bytes *out)
{
	struct bytes raw;

	if (lex_space(p->x) == -1 || lex_astring(p->x, &raw) == -1)
		return -1;
	if (raw.n > SEARCH_STRING_MAX)
		return lex_fail(p->x, E2BIG, "Search string too long");
	return fold_needle(p, raw, out);
}

/* A name that the node keeps. */
static int
keep_field(struct parser *p, struct bytes name, struct search_node *n)
{
	n->field = bytes_make(arena_copy(p->x->arena, name), name.n);
	return n->field.p != NULL ? 0 : lex_fail(p->x, errno, "Command too large");
}

/* ---- what stands behind the names ---- */

static int
parse_nothing(struct parser *p, const struct key *k, struct search_node *n)
{
	(void)p;
	n->flags = k->number;
	return 0;
}

/* SAVEDATESUPPORTED, NEW ... */
static int
parse_true(struct parser *p, const struct key *k, struct search_node *n)
{
	(void)p;
	n->want = k->want;
	return 0;
}

/* NEW: RECENT and UNSEEN (RFC 3501). */
static int
parse_new(struct parser *p, const struct key *k, struct search_node *n)
{
	struct search_node *recent = new_node(p, SEARCH_RECENT, STAGE_SET);
	struct search_node *unseen = new_node(p, SEARCH_FLAGS, STAGE_ROW);

	(void)k;
	if (recent == NULL || unseen == NULL)
		return -1;
	recent->want = true;
	unseen->flags = FLAG_SEEN;
	recent->next = unseen;
	n->child = recent;
	return 0;
}

static int
parse_keyword(struct parser *p, const struct key *k, struct search_node *n)
{
	struct bytes name;
	int number;

	(void)k;
	if (lex_space(p->x) == -1 || lex_atom(p->x, &name) == -1)
		return -1;
	number = mailbox_keyword_number(p->s->box, name, false);
	if (number >= 0 || p->lasting) {
		n->number = number >= 0 ? (unsigned)number : KEYWORD_UNKNOWN;
		return keep_field(p, name, n);
	}
	n->op = SEARCH_TRUE;	/* nobody uses it: no message has it */
	n->stage = STAGE_SET;
	n->want = !n->want;
	return 0;
}

static int
parse_text(struct parser *p, const struct key *k, struct search_node *n)
{
	n->number = k->number;
	return parse_needle(p, &n->needle);
}

/* Fields that the sort column has are searched there. */
static void
use_key(struct search_node *n)
{
	static const char *const names[] = { "Subject", "From", "To", "Cc", "Bcc" };
	unsigned i;

	for (i = 0; n->needle.n > 0 && i <= KEY_BCC; i++)
		if (bytes_case_equal(n->field, bytes_of(names[i]))) {
			n->op = SEARCH_KEY;
			n->stage = STAGE_KEY;
			n->header = true;
			n->number = i;
		}
}

static int
parse_header(struct parser *p, const struct key *k, struct search_node *n)
{
	struct bytes name;

	(void)k;
	if (lex_space(p->x) == -1 || lex_astring(p->x, &name) == -1 ||
	    keep_field(p, name, n) == -1 || parse_needle(p, &n->needle) == -1)
		return -1;
	use_key(n);
	return 0;
}

/* EMAILID and THREADID: what can be no objectid is of no message. */
static int
parse_objectid(struct parser *p, const struct key *k, struct search_node *n)
{
	struct bytes id;

	(void)k;
	if (lex_space(p->x) == -1 || lex_atom(p->x, &id) == -1)
		return -1;
	return keep_field(p, id, n);
}

/* BODY and TEXT. The empty string is in every message. */
static int
parse_body(struct parser *p, const struct key *k, struct search_node *n)
{
	n->header = k->number != 0;
	if (parse_needle(p, &n->needle) == -1)
		return -1;
	if (n->needle.n > 0) {
		p->out->texts++;
		return 0;
	}
	n->op = SEARCH_TRUE;
	n->stage = STAGE_SET;
	return 0;
}

/* Days are those that INTERNALDATE shows, in UTC. */
static int
parse_date(struct parser *p, const struct key *k, struct search_node *n)
{
	int64_t day;

	if (lex_space(p->x) == -1 || lex_date(p->x, &day) == -1)
		return -1;
	n->value = k->number;
	n->low = k->how == BEFORE ? INT64_MIN : day;
	n->high = k->how == SINCE ? INT64_MAX : k->how == ON ? day + DAY - 1 : day - 1;
	return 0;
}

/* The end that is not open goes with the time. */
static void
set_age(struct search_node *n, int64_t now)
{
	*(n->low == INT64_MIN ? &n->high : &n->low) = now - n->age;
}

/* OLDER and YOUNGER (RFC 5032 section 2): a message as old as that is both. */
static int
parse_within(struct parser *p, const struct key *k, struct search_node *n)
{
	uint64_t seconds;

	if (lex_space(p->x) == -1 || lex_nz_number(p->x, UINT32_MAX, &seconds) == -1)
		return -1;
	n->value = VALUE_ARRIVAL;
	n->age = (uint32_t)seconds;
	n->low = k->how == BEFORE ? INT64_MIN : 0;
	n->high = INT64_MAX;
	set_age(n, time(NULL));
	p->out->ages = true;
	return 0;
}

static int
parse_size(struct parser *p, const struct key *k, struct search_node *n)
{
	uint64_t size;

	if (lex_space(p->x) == -1 || lex_number(p->x, INT64_MAX, &size) == -1)
		return -1;
	n->value = VALUE_SIZE;
	/* No message is that large: INT64_MAX itself stands for more than it. */
	n->low = k->how == BEFORE ? 0 : (int64_t)(size < INT64_MAX ? size + 1 : size);
	n->high = k->how == BEFORE ? (int64_t)size - 1 : INT64_MAX;
	return 0;
}

/* RFC 7162 section 3.1.5; there is one mod-sequence for all flags. */
static int
parse_modseq(struct parser *p, const struct key *k, struct search_node *n)
{
	static const char *const types[] = { "priv", "shared", "all" };
	struct bytes entry;
	uint64_t modseq;
	size_t i;

	(void)k;
	if (lex_space(p->x) == -1)
		return -1;
	if (lex_peek(p->x) == '"') {
		if (lex_string(p->x, &entry) == -1 || lex_space(p->x) == -1)
			return -1;
		for (i = 0; i < 3 && !lex_word(p->x, types[i]); i++)
			;
		if (i == 3)
			return lex_fail(p->x, EINVAL, "MODSEQ takes priv, shared or all");
		if (lex_space(p->x) == -1)
			return -1;
	}
	if (lex_number(p->x, INT64_MAX, &modseq) == -1)
		return -1;
	n->value = VALUE_MODSEQ;
	n->low = (int64_t)modseq;
	n->high = INT64_MAX;
	p->out->modseq = true;
	return 0;
}

/*
 * UIDs that are not there yet stay in the set of a program that lasts, and `*`
 * is whatever will be the largest.
 */
static int
lasting_uids(struct parser *p, struct search_node *n)
{
	struct bytes before = p->x->rest;
	uint32_t largest = runs_last(mailbox_view(p->s->box));
	struct sequence_set set;
	int r = 0;

	if (lex_sequence_set(p->x, largest, true, &set) == -1)
		return -1;
	n->set = set.set;
	if (set.saved)
		r = runs_copy(&n->set, &p->s->saved);
	else if (largest < UINT32_MAX && bytes_find(bytes_first(before,
	    before.n - p->x->rest.n), '*') >= 0)
		r = runs_add(&n->set, largest + 1, UINT32_MAX);
	return r == 0 ? 0 : lex_fail(p->x, errno, "Out of memory");
}

static int
parse_uid(struct parser *p, const struct key *k, struct search_node *n)
{
	(void)k;
	if (lex_space(p->x) == -1)
		return -1;
	return p->lasting ? lasting_uids(p, n)
	    : session_messages(p->s, p->x, SET_OF_UIDS, &n->set);
}

/* RFC 9738 section 3.2; no message need have that UID. */
static int
parse_beside(struct parser *p, const struct key *k, struct search_node *n)
{
	uint64_t uid;
	int r = 0;

	if (lex_space(p->x) == -1 || lex_nz_number(p->x, UINT32_MAX, &uid) == -1)
		return -1;
	if (k->how == BEFORE && uid > 1)
		r = runs_add(&n->set, 1, (uint32_t)uid - 1);
	if (k->how == SINCE && uid < UINT32_MAX)
		r = runs_add(&n->set, (uint32_t)uid + 1, UINT32_MAX);
	return r == 0 ? 0 : lex_fail(p->x, errno, "Out of memory");
}

static int
parse_not(struct parser *p, const struct key *k, struct search_node *n)
{
	(void)k;
	return lex_space(p->x) == -1 ? -1 : parse_key(p, &n->child);
}

/* RFC 6203 section 3: what fuzzy means is ours to say, see relevancy.c. */
static int
parse_fuzzy(struct parser *p, const struct key *k, struct search_node *n)
{
	int r;

	(void)k;
	p->out->fuzzy = true;
	p->fuzzy++;
	r = lex_space(p->x) == -1 ? -1 : parse_key(p, &n->child);
	p->fuzzy--;
	return r;
}

static int
parse_or(struct parser *p, const struct key *k, struct search_node *n)
{
	(void)k;
	if (lex_space(p->x) == -1 || parse_key(p, &n->child) == -1 ||
	    lex_space(p->x) == -1)
		return -1;
	return parse_key(p, &n->child->next);
}

#define FLAG_KEY(name, flag, want) \
	{ name, parse_nothing, SEARCH_FLAGS, STAGE_ROW, want, flag, 0 }
#define TEXT_KEY(name, which) \
	{ name, parse_text, SEARCH_KEY, STAGE_KEY, true, which, 0 }
#define DATE_KEY(name, value, stage, how) \
	{ name, parse_date, SEARCH_RANGE, stage, true, value, how }

static const struct key keys[] = {
	{ "ALL", parse_true, SEARCH_TRUE, STAGE_SET, true, 0, 0 },
	FLAG_KEY("ANSWERED", FLAG_ANSWERED, true),
	FLAG_KEY("DELETED", FLAG_DELETED, true),
	FLAG_KEY("DRAFT", FLAG_DRAFT, true),
	FLAG_KEY("FLAGGED", FLAG_FLAGGED, true),
	FLAG_KEY("SEEN", FLAG_SEEN, true),
	FLAG_KEY("UNANSWERED", FLAG_ANSWERED, false),
	FLAG_KEY("UNDELETED", FLAG_DELETED, false),
	FLAG_KEY("UNDRAFT", FLAG_DRAFT, false),
	FLAG_KEY("UNFLAGGED", FLAG_FLAGGED, false),
	FLAG_KEY("UNSEEN", FLAG_SEEN, false),
	{ "KEYWORD", parse_keyword, SEARCH_KEYWORD, STAGE_ROW, true, 0, 0 },
	{ "UNKEYWORD", parse_keyword, SEARCH_KEYWORD, STAGE_ROW, false, 0, 0 },
	{ "RECENT", parse_true, SEARCH_RECENT, STAGE_SET, true, 0, 0 },
	{ "OLD", parse_true, SEARCH_RECENT, STAGE_SET, false, 0, 0 },
	{ "NEW", parse_new, SEARCH_AND, STAGE_SET, true, 0, 0 },
	TEXT_KEY("SUBJECT", KEY_SUBJECT),
	TEXT_KEY("FROM", KEY_FROM),
	TEXT_KEY("TO", KEY_TO),
	TEXT_KEY("CC", KEY_CC),
	TEXT_KEY("BCC", KEY_BCC),
	{ "HEADER", parse_header, SEARCH_HEADER, STAGE_HEADER, true, 0, 0 },
	{ "EMAILID", parse_objectid, SEARCH_EMAILID, STAGE_BODY, true, 0, 0 },
	{ "THREADID", parse_objectid, SEARCH_THREADID, STAGE_HEADER, true, 0, 0 },
	{ "BODY", parse_body, SEARCH_TEXT, STAGE_BODY, true, 0, 0 },
	{ "TEXT", parse_body, SEARCH_TEXT, STAGE_BODY, true, 1, 0 },
	DATE_KEY("BEFORE", VALUE_ARRIVAL, STAGE_ROW, BEFORE),
	DATE_KEY("ON", VALUE_ARRIVAL, STAGE_ROW, ON),
	DATE_KEY("SINCE", VALUE_ARRIVAL, STAGE_ROW, SINCE),
	DATE_KEY("SENTBEFORE", VALUE_SENT, STAGE_KEY, BEFORE),
	DATE_KEY("SENTON", VALUE_SENT, STAGE_KEY, ON),
	DATE_KEY("SENTSINCE", VALUE_SENT, STAGE_KEY, SINCE),
	DATE_KEY("SAVEDBEFORE", VALUE_SAVED, STAGE_ROW, BEFORE),
	DATE_KEY("SAVEDON", VALUE_SAVED, STAGE_ROW, ON),
	DATE_KEY("SAVEDSINCE", VALUE_SAVED, STAGE_ROW, SINCE),
	{ "SAVEDATESUPPORTED", parse_true, SEARCH_TRUE, STAGE_SET, true, 0, 0 },
	{ "OLDER", parse_within, SEARCH_RANGE, STAGE_ROW, true, 0, BEFORE },
	{ "YOUNGER", parse_within, SEARCH_RANGE, STAGE_ROW, true, 0, SINCE },
	{ "SMALLER", parse_size, SEARCH_RANGE, STAGE_ROW, true, 0, BEFORE },
	{ "LARGER", parse_size, SEARCH_RANGE, STAGE_ROW, true, 0, SINCE },
	{ "MODSEQ", parse_modseq, SEARCH_RANGE, STAGE_ROW, true, 0, 0 },
	{ "UID", parse_uid, SEARCH_SET, STAGE_SET, true, 0, 0 },
	{ "UIDAFTER", parse_beside, SEARCH_SET, STAGE_SET, true, 0, SINCE },
	{ "UIDBEFORE", parse_beside, SEARCH_SET, STAGE_SET, true, 0, BEFORE },
	{ "NOT", parse_not, SEARCH_NOT, STAGE_SET, true, 0, 0 },
	{ "FUZZY", parse_fuzzy, SEARCH_AND, STAGE_SET, true, 0, 0 },
	{ "OR", parse_or, SEARCH_OR, STAGE_SET, true, 0, 0 },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static int
parse_named(struct parser *p, struct search_node **out)
{
	struct bytes name;
	size_t i;

	if (lex_atom(p->x, &name) == -1)
		return lex_fail(p->x, EINVAL, "A search key was expected");
	for (i = 0; i < KEYS; i++)
		if (bytes_case_equal(name, bytes_of(keys[i].name)))
			break;
	if (i == KEYS)
		return lex_fail(p->x, EINVAL, "Unknown search key");
	*out = new_node(p, keys[i].op, keys[i].stage);
	if (*out == NULL)
		return -1;
	(*out)->want = keys[i].want;
	return keys[i].parse(p, &keys[i], *out);
}

/* ---- lists and sets ---- */

/* search-key *(SP search-key), as the children of an AND. */
static int
parse_keys(struct parser *p, struct search_node **out)
{
	struct search_node **last;

	*out = new_node(p, SEARCH_AND, STAGE_SET);
	if (*out == NULL)
		return -1;
	for (last = &(*out)->child;; last = &(*last)->next) {
		if (parse_key(p, last) == -1)
			return -1;
		if (lex_peek(p->x) != ' ')
			return 0;
		p->x->rest = bytes_from(p->x->rest, 1);
	}
}

static int
parse_list(struct parser *p, struct search_node **out)
{
	if (lex_char(p->x, '(') == -1 || parse_keys(p, out) == -1)
		return -1;
	return lex_char(p->x, ')');
}

/* Sequence numbers: also such as no message has, as 1:* in an empty mailbox. */
static int
parse_set(struct parser *p, struct search_node **out)
{
	if (session_uidonly(p->s) && lex_peek(p->x) != '$')
		return lex_fail(p->x, EOPNOTSUPP, "Message numbers are not used any more");
	*out = new_node(p, SEARCH_SET, STAGE_SET);
	if (*out == NULL)
		return -1;
	return session_messages(p->s, p->x, SET_OF_ANY_NUMBERS, &(*out)->set);
}

static int
parse_key(struct parser *p, struct search_node **out)
{
	int c = lex_peek(p->x), r;

	if (p->depth == LEX_DEPTH_MAX)
		return lex_fail(p->x, E2BIG, "Search keys nested too deeply");
	p->depth++;
	if (c == '(')
		r = parse_list(p, out);
	else if (c == '*' || c == '$' || ascii_digit((unsigned char)c))
		r = parse_set(p, out);
	else
		r = parse_named(p, out);
	p->depth--;
	return r;
}

/* ---- the program ---- */

static void
add_stage(struct search_node *n, struct search_program *p)
{
	struct search_node *c;

	for (c = n->child; c != NULL; c = c->next) {
		add_stage(c, p);
		if (c->stage > n->stage)
			n->stage = c->stage;
	}
	if (n->child == NULL)
		p->stages |= 1u << n->stage;
	p->dates |= n->op == SEARCH_RANGE && n->value != VALUE_MODSEQ &&
	    n->value != VALUE_SENT;
}

/* Gathers the text needles, numbered with those for headers first. */
static void
gather_texts(struct search_node *n, struct search_program *p, bool header, unsigned *at)
{
	struct search_node *c;

	if (n->op == SEARCH_TEXT && n->header == header) {
		n->number = *at;
		p->text[(*at)++] = n;
	}
	for (c = n->child; c != NULL; c = c->next)
		gather_texts(c, p, header, at);
}

static int
finish(struct parser *p)
{
	struct search_program *out = p->out;
	unsigned at = 0;

	add_stage(out->root, out);
	out->text = arena_array(p->x->arena, out->texts + 1, sizeof(*out->text));
	if (out->text == NULL)
		return lex_fail(p->x, errno, "Command too large");
	gather_texts(out->root, out, true, &at);
	gather_texts(out->root, out, false, &at);
	return 0;
}

static bool
is_utf8(struct bytes charset)
{
	return bytes_case_equal(charset, BYTES("UTF-8"))
	    || bytes_case_equal(charset, BYTES("US-ASCII"));
}

static int
parse_charset(struct parser *p)
{
	if (!lex_word(p->x, "CHARSET"))
		return 0;
	if (lex_space(p->x) == -1 || lex_astring(p->x, &p->charset) == -1)
		return -1;
	return lex_space(p->x);
}

static struct outcome
parse_all(struct session *s, struct lex *x, const struct bytes *charset,
    struct search_program *out, bool lasting)
{
	struct parser p = { .s = s, .x = x, .out = out, .lasting = lasting };

	*out = (struct search_program){ 0 };
	if (charset != NULL)
		p.charset = *charset;
	else if (parse_charset(&p) == -1)
		return bad_syntax(x);
	/* RFC 9755 section 3: another label conflicts with what was enabled. */
	if ((s->enabled & ENABLED_UTF8) != 0 && p.charset.n > 0 && !is_utf8(p.charset))
		return bad("All text is UTF-8 since UTF8=ACCEPT was enabled");
	if (p.charset.n > 0 && !charset_known(p.charset))
		return no(CODE_BADCHARSET, "Unknown character set");
	if (parse_keys(&p, &out->root) == -1 || lex_end(x) == -1 || finish(&p) == -1) {
		search_free(out);
		return bad_syntax(x);
	}
	return ok("");
}

struct outcome
search_parse(struct session *s, struct lex *x, const struct bytes *charset,
    struct search_program *out)
{
	return parse_all(s, x, charset, out, false);
}

struct outcome
search_parse_lasting(struct session *s, struct lex *x, const struct bytes *charset,
    struct search_program *out)
{
	return parse_all(s, x, charset, out, true);
}

static void
refresh(struct session *s, struct search_node *n, int64_t now)
{
	int number;

	for (; n != NULL; n = n->next) {
		refresh(s, n->child, now);
		if (n->age != 0)
			set_age(n, now);
		if (n->op != SEARCH_KEYWORD || n->number != KEYWORD_UNKNOWN)
			continue;
		number = mailbox_keyword_number(s->box, n->field, false);
		if (number >= 0)
			n->number = (unsigned)number;
	}
}

void
search_refresh(struct session *s, struct search_program *p)
{
	refresh(s, p->root, time(NULL));
}

static void
free_sets(struct search_node *n)
{
	for (; n != NULL; n = n->next) {
		runs_free(&n->set);
		free_sets(n->child);
	}
}

void
search_free(struct search_program *p)
{
	free_sets(p->root);
	p->root = NULL;
}
