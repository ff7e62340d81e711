/*
 * Reading NOTIFY's event groups (RFC 5465 section 8).
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "fetch_program.h"
#include "limits.h"
#include "notify.h"

struct parser {
	struct session *s;
	struct lex *x;
	struct notify *n;
	bool has_selected;
	bool unknown;			/* an event that we do not have */
};

static const struct {
	const char *name;
	enum notify_filter filter;
} filters[] = {
	{ "SELECTED-DELAYED", FILTER_DELAYED }, { "SELECTED", FILTER_SELECTED },
	/* Section 6.3: where mail may be delivered is anywhere. */
	{ "INBOXES", FILTER_PERSONAL }, { "PERSONAL", FILTER_PERSONAL },
	{ "SUBSCRIBED", FILTER_SUBSCRIBED }, { "SUBTREE", FILTER_SUBTREE },
	{ "MAILBOXES", FILTER_MAILBOXES },
};

static const struct {
	const char *name;
	enum notify_event event;
} events[] = {
	{ "MessageNew", NOTIFY_NEW }, { "MessageExpunge", NOTIFY_EXPUNGE },
	{ "FlagChange", NOTIFY_FLAGS }, { "MailboxName", NOTIFY_NAME },
	{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
	{ "MailboxMetadataChange", NOTIFY_METADATA },
	{ "ServerMetadataChange", NOTIFY_SERVER_METADATA },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int
keep(struct parser *p, struct bytes in, struct bytes *out)
{
	*out = bytes_make(arena_copy(&p->n->arena, in), in.n);
	return out->p != NULL ? 0 : lex_fail(p->x, E2BIG, "Too much to watch");
}

/* ---- which mailboxes ---- */

static int
parse_name(struct parser *p, struct notify_group *g)
{
	struct bytes name;

	if (g->n == NOTIFY_NAMES_MAX)
		return lex_fail(p->x, E2BIG, "Too many mailboxes named");
	if (lex_mailbox(p->x, &name) < 0)
		return -1;
	return keep(p, name, &g->names[g->n++]);
}

static int
parse_names(struct parser *p, struct notify_group *g)
{
	g->names = arena_array(&p->n->arena, NOTIFY_NAMES_MAX, sizeof *g->names);
	if (g->names == NULL)
		return lex_fail(p->x, E2BIG, "Too much to watch");
	if (lex_space(p->x) < 0)
		return -1;
	if (lex_peek(p->x) != '(')
		return parse_name(p, g);
	if (lex_char(p->x, '(') < 0)
		return -1;
	do
		if (parse_name(p, g) < 0)
			return -1;
	while (lex_peek(p->x) == ' ' && lex_space(p->x) == 0);
	return lex_char(p->x, ')');
}

static int
parse_filter(struct parser *p, struct notify_group *g)
{
	size_t i;

	for (i = 0; i < COUNT(filters) && !lex_word(p->x, filters[i].name); i++)
		;
	if (i == COUNT(filters))
		return lex_fail(p->x, EINVAL, "Unknown mailbox specifier");
	g->filter = filters[i].filter;
	return g->filter == FILTER_SUBTREE || g->filter == FILTER_MAILBOXES
	    ? parse_names(p, g) : 0;
}

/* ---- which events ---- */

static bool
selects(const struct notify_group *g)
{
	return g->filter == FILTER_SELECTED || g->filter == FILTER_DELAYED;
}

/* SP "(" fetch-att ... ")" behind MessageNew, kept as its text. */
static int
parse_fetch(struct parser *p, const struct notify_group *g)
{
	struct bytes before = bytes_from(p->x->rest, 1);
	struct fetch_program program;

	if (before.n == 0 || lex_peek(p->x) != ' ' || before.p[0] != '(')
		return 0;
	if (!selects(g))
		return lex_fail(p->x, EINVAL, "Only for the selected mailbox");
	if (lex_space(p->x) < 0 || fetch_parse(p->x, &program) < 0)
		return -1;
	before = bytes_first(before, before.n - p->x->rest.n);
	return keep(p, before, &p->n->fetch);
}

static int
parse_event(struct parser *p, struct notify_group *g)
{
	struct bytes any;

	for (size_t i = 0; i < COUNT(events); i++) {
		if (!lex_word(p->x, events[i].name))
			continue;
		g->events |= events[i].event;
		return events[i].event == NOTIFY_NEW ? parse_fetch(p, g) : 0;
	}
	p->unknown = true;
	return lex_atom(p->x, &any);
}

static int
parse_events(struct parser *p, struct notify_group *g)
{
	if (lex_word(p->x, "NONE"))
		return 0;
	if (lex_char(p->x, '(') < 0)
		return -1;
	do
		if (parse_event(p, g) < 0)
			return -1;
	while (lex_peek(p->x) == ' ' && lex_space(p->x) == 0);
	return lex_char(p->x, ')');
}

/* Section 5, and 6.1 for the selected mailbox. */
static int
check_events(struct parser *p, const struct notify_group *g)
{
	unsigned both = NOTIFY_NEW | NOTIFY_EXPUNGE;

	if ((g->events & NOTIFY_MESSAGES) != 0 && (g->events & both) != both)
		return lex_fail(p->x, EINVAL, "MessageNew and MessageExpunge go together");
	if (selects(g) && (g->events & ~(unsigned)NOTIFY_MESSAGES) != 0)
		return lex_fail(p->x, EINVAL, "The selected mailbox has events of messages only");
	return 0;
}

/* ---- groups ---- */

static int
add_group(struct parser *p, const struct notify_group *g)
{
	if (!selects(g)) {
		p->n->group[p->n->n++] = *g;
		return 0;
	}
	if (p->has_selected)
		return lex_fail(p->x, EINVAL, "The selected mailbox is there twice");
	p->has_selected = true;
	p->n->selected = g->events;
	p->n->delayed = g->filter == FILTER_DELAYED;
	return 0;
}

static int
parse_group(struct parser *p)
{
	struct notify_group g = { 0 };

	if (p->n->n == NOTIFY_GROUPS_MAX)
		return lex_fail(p->x, E2BIG, "Too many event groups");
	if (lex_char(p->x, '(') < 0 || parse_filter(p, &g) < 0
	    || lex_space(p->x) < 0 || parse_events(p, &g) < 0
	    || lex_char(p->x, ')') < 0 || check_events(p, &g) < 0)
		return -1;
	return add_group(p, &g);
}

static int
parse_all(struct parser *p)
{
	p->n->group = arena_array(&p->n->arena, NOTIFY_GROUPS_MAX,
	    sizeof *p->n->group);
	if (p->n->group == NULL)
		return lex_fail(p->x, ENOMEM, "Out of memory");
	if (lex_space(p->x) < 0)
		return -1;
	p->n->status = lex_word(p->x, "STATUS");
	if (p->n->status && lex_space(p->x) < 0)
		return -1;
	do
		if (parse_group(p) < 0)
			return -1;
	while (lex_peek(p->x) == ' ' && lex_space(p->x) == 0);
	return lex_end(p->x);
}

/* Section 3.1: NO, with the events that there are. */
static struct outcome
bad_event(struct arena *a)
{
	struct outcome o = no(CODE_BADEVENT, "No such event");
	struct buf b = BUF_INIT(1024);

	for (size_t i = 0; i < COUNT(events); i++) {
		buf_text(&b, i == 0 ? "" : " ");
		buf_text(&b, events[i].name);
	}
	o.code.text = bytes_make(arena_copy(a, buf_contents(&b)), b.len);
	buf_free(&b);
	return o.code.text.p != NULL ? o : no(CODE_NONE, "No such event");
}

struct outcome
notify_parse(struct session *s, struct lex *x, struct notify *n)
{
	struct parser p = { .s = s, .x = x, .n = n };

	if (parse_all(&p) < 0)
		return bad_syntax(x);
	return p.unknown ? bad_event(&s->arena) : ok("");
}

/* ---- matching ---- */

static bool
at_or_below(struct bytes name, struct bytes top)
{
	return bytes_starts(name, top)
	    && (name.n == top.n || name.p[top.n] == '/');
}

static bool
group_has(const struct notify_group *g, struct bytes name, unsigned attributes)
{
	if (g->filter == FILTER_PERSONAL)
		return true;
	if (g->filter == FILTER_SUBSCRIBED)
		return (attributes & MAILBOX_SUBSCRIBED) != 0;
	for (size_t i = 0; i < g->n; i++)
		if (g->filter == FILTER_SUBTREE ? at_or_below(name, g->names[i])
		    : bytes_equal(name, g->names[i]))
			return true;
	return false;
}

unsigned
notify_wanted(const struct notify *n, struct bytes name, unsigned attributes)
{
	unsigned wanted = 0;

	for (size_t i = 0; i < n->n; i++)
		if (group_has(&n->group[i], name, attributes))
			wanted |= n->group[i].events;
	return wanted;
}
