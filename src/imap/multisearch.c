/*
 * ESEARCH: one search in many mailboxes (RFC 7377).
 *
 * Each mailbox takes the place of the selected one while it is searched, and
 * the keys are read anew for it: what keywords and sets mean is its own.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "commands.h"
#include "context.h"
#include "limits.h"
#include "messagelimit.h"
#include "search.h"
#include "search_answer.h"

/* ---- sources (section 2.2, and RFC 5465 section 6) ---- */

enum scope {
	SCOPE_SELECTED, SCOPE_INBOXES, SCOPE_PERSONAL, SCOPE_SUBSCRIBED,
	SCOPE_SUBTREE_ONE, SCOPE_SUBTREE, SCOPE_MAILBOXES,
};

/* Longer words first: one may be the beginning of another. */
static const struct {
	const char *word;
	enum scope scope;
} scopes[] = {
	{ "selected", SCOPE_SELECTED }, { "inboxes", SCOPE_INBOXES },
	{ "personal", SCOPE_PERSONAL }, { "subscribed", SCOPE_SUBSCRIBED },
	{ "subtree-one", SCOPE_SUBTREE_ONE }, { "subtree", SCOPE_SUBTREE },
	{ "mailboxes", SCOPE_MAILBOXES },
};

#define SCOPES (sizeof(scopes) / sizeof(scopes[0]))

struct area {
	enum scope scope;
	struct bytes name;
};

struct multi {
	struct session *s;
	struct call *c;
	struct area *area;
	size_t n;
	bool selected, others;		/* which kinds of sources there are */
	struct search_return ret;
	struct lex keys;		/* at the charset or the first key */
	struct bytes *name;		/* of the mailboxes, */
	size_t names, room;
	bool modseq;			/* it was searched for */
	uint64_t left;			/* messages that may still be looked at (RFC 9738), */
	uint32_t lowest;		/* and where that ended; 0: nowhere */
	uint64_t started;
	const struct mailbox *selected_box;	/* or NULL */
	struct arena arena;		/* of the keys, read for the mailbox at hand */
};

static int
add_source(struct lex *x, struct multi *m, enum scope scope, struct bytes name)
{
	if (m->n == MULTISEARCH_SOURCES_MAX)
		return lex_fail(x, E2BIG, "Too many mailboxes to search");
	m->area[m->n++] = (struct area){ scope, name };
	*(scope == SCOPE_SELECTED ? &m->selected : &m->others) = true;
	return 0;
}

static int
one_name(struct lex *x, struct multi *m, enum scope scope)
{
	struct bytes name;

	if (lex_mailbox(x, &name) == -1)
		return -1;
	return add_source(x, m, scope, name);
}

/* mailbox / "(" mailbox *(SP mailbox) ")" */
static int
names_of_source(struct lex *x, struct multi *m, enum scope scope)
{
	if (lex_space(x) == -1)
		return -1;
	if (lex_peek(x) != '(')
		return one_name(x, m, scope);
	lex_char(x, '(');
	do
		if (one_name(x, m, scope) == -1)
			return -1;
	while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')');
}

static int
one_source(struct lex *x, struct multi *m)
{
	for (size_t i = 0; i < SCOPES; i++) {
		if (!lex_word(x, scopes[i].word))
			continue;
		if (scopes[i].scope >= SCOPE_SUBTREE_ONE)
			return names_of_source(x, m, scopes[i].scope);
		return add_source(x, m, scopes[i].scope, BYTES(""));
	}
	return lex_fail(x, EINVAL, "Unknown kind of mailboxes to search");
}

/* "IN (" source-mbox ")" SP; there are no scope-options yet. */
static int
read_sources(struct lex *x, struct multi *m)
{
	m->area = arena_array(x->arena, MULTISEARCH_SOURCES_MAX, sizeof(*m->area));
	if (m->area == NULL)
		return lex_fail(x, errno, "Command too large");
	if (!lex_word(x, "IN"))
		return add_source(x, m, SCOPE_SELECTED, BYTES(""));
	if (lex_space(x) == -1 || lex_char(x, '(') == -1)
		return -1;
	do
		if (one_source(x, m) == -1)
			return -1;
	while (lex_peek(x) == ' ' && lex_space(x) == 0);
	return lex_char(x, ')') == -1 ? -1 : lex_space(x);
}

/* ---- which mailboxes these are ---- */

static bool
below(struct bytes name, struct bytes top)
{
	return name.n > top.n && name.p[top.n] == '/' && bytes_starts(name, top);
}

static bool
in_source(const struct multi *m, const struct area *f, const struct mailbox_name *b)
{
	const struct mailbox *box = m->s->box;
	bool same = bytes_equal(b->name, f->name);

	switch (f->scope) {
	case SCOPE_SELECTED:
		return box != NULL && bytes_equal(b->name, mailbox_name_of(box));
	case SCOPE_INBOXES:
		return bytes_equal(b->name, BYTES("INBOX"));
	case SCOPE_PERSONAL:
		return true;
	case SCOPE_SUBSCRIBED:
		return (b->attributes & MAILBOX_SUBSCRIBED) != 0;
	case SCOPE_SUBTREE_ONE:
		return same || (below(b->name, f->name)
		    && bytes_find(bytes_from(b->name, f->name.n + 1), '/') == -1);
	case SCOPE_SUBTREE:
		return same || below(b->name, f->name);
	case SCOPE_MAILBOXES:
		return same;
	}
	return false;
}

static int
keep_name(struct multi *m, struct bytes name)
{
	struct bytes copy = { arena_copy(&m->s->arena, name), name.n };

	if (m->names == m->room) {
		size_t room = m->room == 0 ? 16 : 2 * m->room;
		struct bytes *v = arena_array(&m->s->arena, room, sizeof(*v));

		if (v == NULL)
			return -1;
		if (m->names > 0)
			memcpy(v, m->name, m->names * sizeof(*v));
		m->name = v;
		m->room = room;
	}
	if (copy.p == NULL)
		return -1;
	m->name[m->names++] = copy;
	return 0;
}

/* Each name comes once, whatever sources it is in. */
static int
note_name(void *arg, const struct mailbox_name *b)
{
	struct multi *m = arg;

	if ((b->attributes & (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT)) != 0)
		return 0;
	for (size_t i = 0; i < m->n; i++)
		if (in_source(m, &m->area[i], b))
			return keep_name(m, b->name);
	return 0;
}

/* ---- one mailbox ---- */

/* Section 2.1.1: UPDATE is about the selected mailbox, whatever else is searched. */
static struct context *
new_context(struct multi *m)
{
	const struct context_wish wish = { .ret = &m->ret, .keys = m->keys, .named = true };

	return m->s->box == m->selected_box ? context_new(m->s, m->c, &wish) : NULL;
}

static struct outcome
search_here(struct multi *m, struct search_program *program)
{
	struct session *s = m->s;
	struct context *context = new_context(m);
	struct search_found found = SEARCH_FOUND(&m->ret);
	struct mailbox_status st;
	struct outcome o = ok("");
	bool gone;

	found.most = m->left;
	m->modseq |= program->modseq;
	m->ret.mailbox = mailbox_name_of(s->box);
	if (mailbox_status_now(s->box, STATUS_COUNTS, &st) == -1 ||
	    search_find(s, m->c, program, &found, &gone) == -1 ||
	    search_save(s, &m->ret, &found) == -1)
		o = search_failed(s, &m->ret, errno);
	m->ret.uidvalidity = st.uidvalidity;
	/* Nothing is said of mailboxes where nothing was found. */
	if (o.result == RESULT_OK && found.uids.n > 0 &&
	    search_answer(s, m->c, &m->ret, &found, program->modseq) == -1)
		o = search_failed(s, &m->ret, errno);
	if (o.result == RESULT_OK)
		context_keep(s, context, &found.uids, NULL);
	else
		context_free(context);
	m->left -= found.looked_at;
	m->lowest = found.lowest;
	search_found_free(&found);
	return o;
}

static struct outcome
read_and_search(struct multi *m, bool search)
{
	struct search_program program;
	struct lex x = m->keys;
	struct outcome o;

	arena_reset(&m->arena);
	x.arena = &m->arena;
	o = search_parse(m->s, &x, NULL, &program);
	if (o.result != RESULT_OK)
		return o;
	if (relevancy_wrong(&m->ret, &program) != NULL)
		o = bad(relevancy_wrong(&m->ret, &program));
	else if (search)
		o = search_here(m, &program);
	search_free(&program);
	return o;
}

/* In a mailbox that is not selected `$` names nothing. */
static struct outcome
search_other(struct multi *m, struct bytes name, bool search)
{
	struct session *s = m->s;
	struct mailbox *selected = s->box;
	struct runs saved = s->saved;
	struct outcome o;

	if (mailbox_open(s->mail, name, true, &s->box) == -1) {
		s->box = selected;
		/* One that vanished meanwhile, or cannot be read, is left out. */
		return ok("");
	}
	s->saved = RUNS_INIT;
	o = read_and_search(m, search);
	mailbox_close(s->box);
	runs_free(&s->saved);
	s->box = selected;
	s->saved = saved;
	return o;
}

static struct outcome
search_one(struct multi *m, struct bytes name, bool search)
{
	const struct mailbox *box = m->s->box;

	if (clock_ms() - m->started >= (uint64_t)SEARCH_SECONDS_MAX * 1000)
		return no(CODE_LIMIT, "The search took too long");
	if (box != NULL && bytes_equal(mailbox_name_of(box), name))
		return read_and_search(m, search);
	return search_other(m, name, search);
}

/* ---- the command ---- */

static const char *
wrong(const struct multi *m)
{
	if (m->selected && m->s->box == NULL)
		return "No mailbox is selected";
	if ((m->ret.options & RETURN_SAVE) != 0 && (m->others || m->n > 1))
		return "SAVE is for the selected mailbox only";
	if ((m->ret.options & RETURN_UPDATE) != 0 && m->s->box == NULL)
		return "UPDATE is for the selected mailbox only";
	return context_wrong(m->s, m->c, &m->ret);
}

/*
 * The limit of RFC 9738 is the command's. A UID says where to go on in one
 * mailbox only; for several RFC 7377 section 2.4 has a word.
 */
static struct outcome
completed(const struct multi *m)
{
	if (m->lowest != 0 && m->names > 1)
		return ok_code(CODE_LIMIT, "Too many messages, not all were searched");
	return limit_said(m->s, m->lowest, ok("ESEARCH completed"));
}

static struct outcome
run(struct multi *m)
{
	struct outcome o = ok("");

	if (mail_list(m->s->mail, note_name, m) < 0)
		return failed(errno);
	/* Without a mailbox the keys are only read, for what may be wrong with them. */
	if (m->names == 0)
		o = search_one(m, BYTES("INBOX"), false);
	for (size_t i = 0; i < m->names && o.result == RESULT_OK && m->lowest == 0; i++)
		o = search_one(m, m->name[i], true);
	if (o.result != RESULT_OK) {
		context_drop(m->s, m->c->tag);
		return o;
	}
	if (m->modseq)
		session_enable_condstore(m->s);
	return completed(m);
}

struct outcome
cmd_esearch(struct session *s, struct call *c)
{
	struct multi m = { .s = s, .c = c, .started = clock_ms(),
	    .selected_box = s->box, .left = limit_of(s),
	    .arena = ARENA_INIT(COMMAND_ARENA_MAX) };
	struct outcome o;

	if (read_sources(&c->args, &m) == -1 ||
	    search_return_parse(s, &c->args, &m.ret) == -1)
		return bad_syntax(&c->args);
	m.ret.extended = true;
	m.keys = c->args;
	o = wrong(&m) != NULL ? bad(wrong(&m)) : run(&m);
	arena_free(&m.arena);
	return o;
}
