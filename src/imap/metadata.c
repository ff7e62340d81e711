/*
 * GETMETADATA and SETMETADATA (RFC 5464), with the entry that stands for special
 * uses (RFC 6154 section 4).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "limits.h"
#include "log.h"
#include "metadata.h"
#include "uses.h"

#define USE_ENTRY BYTES("/private/specialuse")

/* ---- names of entries (section 3.2) ---- */

static bool
good_name(struct bytes e)
{
	if (e.n < 2 || e.p[0] != '/' || e.p[e.n - 1] == '/')
		return false;
	for (size_t i = 0; i < e.n; i++)
		if (e.p[i] <= ' ' || e.p[i] >= 0x7f || e.p[i] == '*' || e.p[i] == '%'
		    || (i > 0 && e.p[i] == '/' && e.p[i - 1] == '/'))
			return false;
	return true;
}

static bool
at_or_below(struct bytes e, struct bytes top)
{
	return bytes_case_starts(e, top) && (e.n == top.n || e.p[top.n] == '/');
}

static int
read_entry(struct lex *x, struct bytes *e)
{
	if (lex_astring(x, e) < 0)
		return -1;
	if (!good_name(*e) || (!at_or_below(*e, BYTES("/private"))
	    && !at_or_below(*e, BYTES("/shared"))))
		return lex_fail(x, EINVAL, "Not the name of an entry");
	if (e->n > MAIL_ANNOTATION_ENTRY_MAX)
		return lex_fail(x, E2BIG, "Name of an entry too long");
	return 0;
}

static size_t
components(struct bytes e)
{
	size_t n = 0;

	for (size_t i = 0; i < e.n; i++)
		n += e.p[i] == '/';
	return n;
}

/* Two components at least, and four where vendors have theirs. */
static bool
can_have_value(struct bytes e)
{
	bool vendor = at_or_below(e, BYTES("/private/vendor"))
	    || at_or_below(e, BYTES("/shared/vendor"));

	return components(e) >= (vendor ? 4 : 2);
}

/* Names of entries are the same in any case (section 3.2). */
static bool
asked_before(const struct metadata_request *r, struct bytes e)
{
	for (size_t i = 0; i < r->n; i++)
		if (bytes_case_equal(r->entries[i], e))
			return true;
	return false;
}

int
metadata_entries(struct lex *x, struct metadata_request *r)
{
	bool list = lex_peek(x) == '(' && lex_char(x, '(') == 0;
	size_t named = 0;

	r->entries = arena_array(x->arena, list ? METADATA_ENTRIES_MAX : 1,
	    sizeof *r->entries);
	if (r->entries == NULL)
		return lex_fail(x, errno, "Command too large");
	do {
		if (named++ == METADATA_ENTRIES_MAX)
			return lex_fail(x, E2BIG, "Too many entries");
		if (read_entry(x, &r->entries[r->n]) < 0)
			return -1;
		/* The answer has each entry once. */
		if (!asked_before(r, r->entries[r->n]))
			r->n++;
	} while (list && lex_peek(x) == ' ' && lex_space(x) == 0);
	return list ? lex_char(x, ')') : 0;
}

/* ---- the response ---- */

struct telling {
	struct session *s;
	struct bytes name;
	struct metadata_request *r;
	bool *found;			/* for each entry of the request */
	bool open;			/* the response was begun */
};

static void
put_value(struct response *r, struct bytes v)
{
	if (v.n == 0 || memchr(v.p, 0, v.n) == NULL) {
		put_nstring(r, v);
		return;
	}
	put_literal8_begin(r, v.n);
	put_octets(r, v.p, v.n);
	put_literal_end(r);
}

static void
put_annotation(struct telling *t, struct bytes entry, struct bytes value)
{
	struct response *r = &t->s->out;

	if (!t->open) {
		put_untagged(r, "METADATA");
		put_mailbox(r, t->name);
		put_open(r);
	}
	t->open = true;
	put_astring(r, entry);
	put_value(r, value);
}

/* The entry asked for that this one is, or is below of within the depth. */
static bool
is_wanted(struct telling *t, struct bytes entry, struct bytes *asked)
{
	const struct metadata_request *r = t->r;
	bool wanted = false;

	for (size_t i = 0; i < r->n; i++) {
		if (!at_or_below(entry, r->entries[i])
		    || components(entry) - components(r->entries[i]) > r->depth)
			continue;
		if (entry.n == r->entries[i].n) {
			t->found[i] = true;
			*asked = r->entries[i];
		}
		wanted = true;
	}
	return wanted;
}

static int
tell_one(void *arg, const struct mail_annotation *a)
{
	struct telling *t = arg;
	struct bytes entry = a->entry;

	if (!good_name(a->entry) || !is_wanted(t, a->entry, &entry))
		return 0;
	if (a->value.n <= t->r->max)
		put_annotation(t, entry, a->value);
	else if (a->value.n > t->r->longest)
		t->r->longest = a->value.n;
	return 0;
}

static int
tell_uses(struct telling *t, unsigned uses)
{
	struct buf text = BUF_INIT(USES_TEXT_MAX);
	struct mail_annotation a = { .entry = USE_ENTRY };
	int r = 0;

	uses_print(uses, &text);
	a.value = buf_contents(&text);
	if (text.len > 0)
		r = tell_one(t, &a);
	buf_free(&text);
	return r;
}

/* NIL for what was named and is not there; with DEPTH that is left out. */
static void
tell_missing(struct telling *t)
{
	for (size_t i = 0; i < t->r->n; i++)
		if (!t->found[i] && t->r->depth == 0)
			put_annotation(t, t->r->entries[i], (struct bytes){ 0 });
}

int
tell_metadata(struct session *s, struct bytes name, unsigned uses,
    struct metadata_request *r)
{
	struct telling t = { .s = s, .name = name, .r = r };
	int rc;

	t.found = arena_array(&s->arena, r->n, sizeof *t.found);
	if (t.found == NULL)
		return -1;
	rc = mail_annotations(s->mail, name, tell_one, &t);
	if (rc == 0 && name.n > 0)
		rc = tell_uses(&t, uses);
	if (rc == 0)
		tell_missing(&t);
	if (t.open) {
		put_close(&s->out);
		put_end(&s->out);
	}
	return rc;
}

/* ---- what both commands read ---- */

/* mailbox; the empty string is the server. */
static int
read_mailbox(struct lex *x, struct bytes *name)
{
	struct lex before = *x;
	struct bytes raw;

	if (lex_astring(x, &raw) < 0)
		return -1;
	if (raw.n == 0) {
		*name = raw;
		return 0;
	}
	*x = before;
	return lex_mailbox(x, name);
}

struct uses_of {
	struct bytes name;
	unsigned uses;
};

static int
note_uses(void *arg, const struct mailbox_name *m)
{
	struct uses_of *u = arg;

	if (!bytes_equal(m->name, u->name))
		return 0;
	u->uses = m->uses;
	return 1;
}

static int
find_uses(struct session *s, struct bytes name, unsigned *uses)
{
	struct uses_of u = { .name = name };

	if (name.n > 0 && mail_list(s->mail, note_uses, &u) < 0)
		return -1;
	*uses = u.uses;
	return 0;
}

/* ---- GETMETADATA ---- */

static int
read_depth(struct lex *x, struct metadata_request *r)
{
	static const struct {
		const char *word;
		unsigned depth;
	} depths[] = { { "0", 0 }, { "1", 1 }, { "infinity", METADATA_INFINITY } };

	for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++)
		if (lex_word(x, depths[i].word)) {
			r->depth = depths[i].depth;
			return 0;
		}
	return lex_fail(x, EINVAL, "DEPTH is 0, 1 or infinity");
}

static int
read_option(struct lex *x, struct metadata_request *r)
{
	if (lex_word(x, "MAXSIZE"))
		return lex_space(x) < 0 ? -1 : lex_number(x, UINT32_MAX, &r->max);
	if (lex_word(x, "DEPTH"))
		return lex_space(x) < 0 ? -1 : read_depth(x, r);
	return lex_fail(x, EINVAL, "Unknown option");
}

static int
read_options(struct lex *x, struct metadata_request *r)
{
	if (lex_char(x, '(') < 0)
		return -1;
	do
		if (read_option(x, r) < 0)
			return -1;
	while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')') < 0 ? -1 : lex_space(x);
}

/* True when the list that comes next is one of options: entries begin with "/". */
static bool
options_next(const struct lex *x)
{
	return x->rest.n > 1 && x->rest.p[0] == '(' && ascii_alpha(x->rest.p[1]);
}

/*
 * The grammar has the options in front of the mailbox, the examples behind it:
 * both are in use.
 */
static int
read_get(struct lex *x, struct bytes *name, struct metadata_request *r)
{
	if (lex_peek(x) == '(' && read_options(x, r) < 0)
		return -1;
	if (read_mailbox(x, name) < 0 || lex_space(x) < 0)
		return -1;
	if (options_next(x) && read_options(x, r) < 0)
		return -1;
	return metadata_entries(x, r) < 0 ? -1 : lex_end(x);
}

struct outcome
cmd_getmetadata(struct session *s, struct call *c)
{
	struct metadata_request r = METADATA_REQUEST;
	struct outcome o = ok("GETMETADATA completed");
	struct bytes name;
	unsigned uses;

	if (read_get(&c->args, &name, &r) < 0)
		return bad_syntax(&c->args);
	if (find_uses(s, name, &uses) < 0
	    || tell_metadata(s, name, uses, &r) < 0)
		return failed(errno);
	if (r.longest > 0) {
		o.code.code = CODE_METADATA_LONGENTRIES;
		o.code.number = r.longest;
	}
	return o;
}

/* ---- SETMETADATA ---- */

struct setting {
	struct bytes name;
	struct mail_annotation *v;
	size_t n;
	bool sets_uses;
	unsigned uses;
};

/* `\Drafts \Sent`: as LIST has them (RFC 6154 section 4). */
static struct outcome
take_uses(struct session *s, struct setting *set, struct bytes value)
{
	struct buf text = BUF_INIT(MAIL_ANNOTATION_VALUE_MAX + 2);
	struct lex x = { .arena = &s->arena };
	struct outcome o = ok("");

	buf_byte(&text, '(');
	buf_bytes(&text, value);
	buf_byte(&text, ')');
	x.rest = buf_contents(&text);
	set->sets_uses = true;
	set->uses = 0;
	if (set->name.n == 0 || uses_read(&x, &set->uses) < 0 || lex_end(&x) < 0
	    || (set->uses & ~USES_CREATABLE) != 0)
		o = no(CODE_USEATTR, "No mailbox can have that use");
	buf_free(&text);
	return o;
}

static int
read_value(struct lex *x, struct bytes *out)
{
	bool nil = false;

	if (lex_peek(x) == '~')
		return lex_literal8(x, out);
	if (lex_nstring(x, out, &nil) < 0)
		return -1;
	if (nil)
		*out = (struct bytes){ 0 };
	else if (out->n == 0)
		*out = BYTES("");
	return 0;
}

static int
read_pair(struct lex *x, struct setting *set)
{
	struct mail_annotation *a = &set->v[set->n];

	if (set->n == METADATA_ENTRIES_MAX)
		return lex_fail(x, E2BIG, "Too many entries");
	if (read_entry(x, &a->entry) < 0 || lex_space(x) < 0
	    || read_value(x, &a->value) < 0)
		return -1;
	set->n++;
	return 0;
}

static int
read_set(struct lex *x, struct setting *set)
{
	set->v = arena_array(x->arena, METADATA_ENTRIES_MAX + 1, sizeof *set->v);
	if (set->v == NULL)
		return lex_fail(x, errno, "Command too large");
	if (read_mailbox(x, &set->name) < 0 || lex_space(x) < 0
	    || lex_char(x, '(') < 0)
		return -1;
	do
		if (read_pair(x, set) < 0)
			return -1;
	while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')') < 0 ? -1 : lex_end(x);
}

/* Whether each of them may be set; special uses are taken out of the list. */
static struct outcome
check_set(struct session *s, struct setting *set)
{
	struct outcome o = ok("");
	size_t kept = 0;

	for (size_t i = 0; i < set->n && o.result == RESULT_OK; i++) {
		const struct mail_annotation *a = &set->v[i];

		if (a->value.n > MAIL_ANNOTATION_VALUE_MAX) {
			o = no(CODE_METADATA_MAXSIZE, "Value too large");
			o.code.number = MAIL_ANNOTATION_VALUE_MAX;
		} else if (bytes_case_equal(a->entry, USE_ENTRY)) {
			o = take_uses(s, set, a->value);
		} else if (!can_have_value(a->entry) || (set->name.n == 0
		    && bytes_case_equal(a->entry, BYTES("/shared/admin")))) {
			o = no(CODE_CANNOT, "This entry cannot be set");
		} else {
			set->v[kept++] = *a;
		}
	}
	set->n = kept;
	return o;
}

static struct outcome
set_failed(int error)
{
	return error == E2BIG
	    ? no(CODE_METADATA_TOOMANY, "Too many annotations") : failed(error);
}

/* All or nothing: the uses are set back when the rest cannot be set. */
static struct outcome
change(struct session *s, const struct setting *set)
{
	struct outcome o;
	unsigned before = 0;

	if (set->sets_uses && (find_uses(s, set->name, &before) < 0
	    || mail_set_uses(s->mail, set->name, set->uses) < 0))
		return failed(errno);
	if (set->n == 0
	    || mail_annotate(s->mail, set->name, set->v, set->n) == 0)
		return ok("SETMETADATA completed");
	o = set_failed(errno);
	if (set->sets_uses)
		(void)mail_set_uses(s->mail, set->name, before);
	return o;
}

struct outcome
cmd_setmetadata(struct session *s, struct call *c)
{
	struct setting set = { .n = 0 };
	struct outcome o;

	if (read_set(&c->args, &set) < 0)
		return bad_syntax(&c->args);
	o = check_set(s, &set);
	if (o.result == RESULT_OK)
		o = change(s, &set);
	if (o.result == RESULT_OK && set.name.n > 0
	    && mail_touch(s->mail, set.name) < 0)
		log_warn("mailbox=%s has no new mod-sequence: %s",
		    log_quote(set.name), strerror(errno));
	return o;
}
