/*
 * Contexts (RFC 5267 section 4.3): keeping searches, looking which messages
 * joined or left their results, CANCELUPDATE.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "commands.h"
#include "context_result.h"
#include "limits.h"
#include "log.h"
#include "search.h"

/* ---- making and ending ---- */

void
context_free(struct context *x)
{
	if (x == NULL)
		return;
	search_free(&x->program);
	runs_free(&x->found);
	free(x->order);
	arena_free(&x->arena);
	free(x);
}

void
session_no_contexts(struct session *s)
{
	struct context *x;

	while ((x = s->contexts) != NULL) {
		s->contexts = x->next;
		context_free(x);
	}
}

/* The place in the list of the context with that tag; of NULL when there is none. */
static struct context **
find(struct session *s, struct bytes tag)
{
	struct context **at = &s->contexts;

	while (*at != NULL && !bytes_equal((*at)->tag, tag))
		at = &(*at)->next;
	return at;
}

static void
end(struct context **at)
{
	struct context *x = *at;

	*at = x->next;
	context_free(x);
}

void
context_drop(struct session *s, struct bytes tag)
{
	struct context **at = find(s, tag);

	if (*at != NULL)
		end(at);
}

static void
refuse(struct session *s, struct bytes tag, const char *why)
{
	const struct response_code code = { .code = CODE_NOUPDATE, .text = tag };

	put_condition(&s->out, BYTES(""), "NO", &code, why);
}

const char *
context_wrong(const struct session *s, const struct call *c,
    const struct search_return *ret)
{
	if ((ret->options & RETURN_UPDATE) == 0)
		return NULL;
	for (const struct context *x = s->contexts; x != NULL; x = x->next)
		if (bytes_equal(x->tag, c->tag))
			return "The tag is that of a search that goes on";
	return NULL;
}

static int
copy(struct context *x, struct bytes from, struct bytes *to)
{
	*to = bytes_make(arena_copy(&x->arena, from), from.n);
	return to->p == NULL ? -1 : 0;
}

static int
copy_criteria(struct context *x, const struct sort_program *sort)
{
	if (sort == NULL)
		return 0;
	x->sorted = true;
	x->sort = *sort;
	x->sort.v = arena_array(&x->arena, sort->n, sizeof *sort->v);
	if (x->sort.v == NULL)
		return -1;
	memcpy(x->sort.v, sort->v, sort->n * sizeof *sort->v);
	return 0;
}

static int
fill(struct session *s, struct context *x, const struct call *c,
    const struct context_wish *w)
{
	struct lex keys = w->keys;
	enum result r;

	x->by_uid = call_uid(c);
	x->named = w->named;
	keys.arena = &x->arena;
	if (copy(x, c->tag, &x->tag) < 0 || copy(x, w->ret->fetch, &x->fetch) < 0
	    || copy_criteria(x, w->sort) < 0)
		return -1;
	r = search_parse_lasting(s, &keys, w->charset, &x->program).result;
	return r == RESULT_OK ? 0 : -1;
}

static size_t
count(const struct session *s)
{
	size_t n = 0;

	for (const struct context *x = s->contexts; x != NULL; x = x->next)
		n++;
	return n;
}

struct context *
context_new(struct session *s, const struct call *c, const struct context_wish *w)
{
	struct context *x;

	if ((w->ret->options & RETURN_UPDATE) == 0)
		return NULL;
	if (count(s) == CONTEXTS_MAX) {
		refuse(s, c->tag, "Too many contexts");
		return NULL;
	}
	x = calloc(1, sizeof *x);
	if (x != NULL) {
		x->arena = (struct arena)ARENA_INIT(CONTEXT_ARENA_MAX);
		if (fill(s, x, c, w) == 0)
			return x;
	}
	context_free(x);
	refuse(s, c->tag, "No memory for a context");
	return NULL;
}

static int
keep_order(struct context *x, const uint32_t *order)
{
	x->order = reallocarray(NULL, x->found.count + 1, sizeof *x->order);
	if (x->order == NULL)
		return -1;
	memcpy(x->order, order, x->found.count * sizeof *order);
	return 0;
}

void
context_keep(struct session *s, struct context *x, const struct runs *found,
    const uint32_t *order)
{
	if (x == NULL)
		return;
	if (runs_copy(&x->found, found) < 0
	    || (x->sorted && keep_order(x, order) < 0)) {
		refuse(s, x->tag, "No memory for a context");
		context_free(x);
		return;
	}
	x->next = s->contexts;
	s->contexts = x;
}

/* ---- what changed ---- */

static int
note(void *arg, const struct mail_row *row, uint64_t sequence, struct facts *facts)
{
	(void)sequence;
	(void)facts;
	return runs_add(arg, row->uid, row->uid);
}

/* Those among uids that the context's program finds now. */
static int
matching(struct session *s, struct context *x, const struct runs *uids,
    struct runs *out)
{
	const struct search_sink sink = { note, out, false, true };
	struct search_run run;
	int r;

	search_refresh(s, &x->program);
	r = search_among(&run, s, &x->program, uids);
	if (r == 0)
		r = search_all(&run, &sink);
	search_end(&run);
	return r;
}

/* added and removed: what uids, which match now or do not, do to the result. */
static int
compare(const struct context *x, const struct runs *uids, const struct runs *now,
    struct context_change *ch)
{
	struct runs had = RUNS_INIT;
	int r = runs_intersect(&had, &x->found, uids);

	if (r == 0)
		r = runs_subtract(&ch->added, now, &had);
	if (r == 0)
		r = runs_subtract(&ch->removed, &had, now);
	runs_free(&had);
	return r;
}

/* RFC 5465 section 7: what UPDATE wants of messages that arrive. */
static void
fetch_added(struct session *s, const struct context *x, const struct runs *added)
{
	if (x->fetch.n > 0 && added->n > 0)
		fetch_tell(s, x->fetch, added);
}

static int
look(struct session *s, struct context *x, const struct runs *uids,
    enum context_event event)
{
	struct runs now = RUNS_INIT;
	struct context_change ch = { RUNS_INIT, RUNS_INIT };
	int r = 0;

	if (event != CONTEXT_GONE)
		r = matching(s, x, uids, &now);
	if (r == 0)
		r = compare(x, uids, &now, &ch);
	if (r == 0 && event == CONTEXT_ARRIVED)
		fetch_added(s, x, &ch.added);
	if (r == 0 && ch.added.n + ch.removed.n > 0)
		r = context_tell(s, x, &ch);
	runs_free(&now);
	runs_free(&ch.added);
	runs_free(&ch.removed);
	return r;
}

static void
give_up(struct session *s, struct context **at)
{
	log_warn("mailbox=%s a context ends: %s",
	    log_quote(mailbox_name_of(s->box)), strerror(errno));
	refuse(s, (*at)->tag, "The search cannot go on");
	end(at);
}

void
session_contexts(struct session *s, const struct runs *uids, enum context_event event)
{
	struct context **at = &s->contexts;

	if (uids->n == 0)
		return;
	while (*at != NULL) {
		if (look(s, *at, uids, event) == 0) {
			at = &(*at)->next;
			continue;
		}
		give_up(s, at);
	}
}

/* ---- what changes by time alone (RFC 5032 section 2) ---- */

/* One that looks at a large mailbox looks less often. */
static int64_t
turn_pause(const struct session *s)
{
	return 1 + (int64_t)(mailbox_view(s->box)->count / CONTEXT_TURN_MESSAGES);
}

static bool
turned(const struct context *x, int64_t now)
{
	return x->program.ages && x->program.turns <= now;
}

static int
look_again(struct session *s, struct context *x, int64_t now)
{
	x->program.turns = INT64_MAX;
	if (look(s, x, mailbox_view(s->box), CONTEXT_CHANGED) < 0)
		return -1;
	if (x->program.turns < now + turn_pause(s))
		x->program.turns = now + turn_pause(s);
	return 0;
}

void
session_contexts_turn(struct session *s)
{
	struct context **at = &s->contexts;
	int64_t now = time(NULL);

	while (*at != NULL)
		if (!turned(*at, now) || look_again(s, *at, now) == 0)
			at = &(*at)->next;
		else
			give_up(s, at);
}

uint64_t
session_contexts_due(const struct session *s)
{
	int64_t due = INT64_MAX, wait;

	for (const struct context *x = s->contexts; x != NULL; x = x->next)
		if (x->program.ages && x->program.turns < due)
			due = x->program.turns;
	if (due == INT64_MAX)
		return 0;
	wait = due - time(NULL);
	return clock_ms() + (uint64_t)(wait > 1 ? wait : 1) * 1000;
}

/* ---- CANCELUPDATE (section 4.3.5) ---- */

struct outcome
cmd_cancelupdate(struct session *s, struct call *c)
{
	struct bytes tag;
	bool unknown = false;

	for (;;) {
		struct context **at;

		if (lex_string(&c->args, &tag) < 0)
			return bad_syntax(&c->args);
		at = find(s, tag);
		unknown |= *at == NULL;
		if (*at != NULL)
			end(at);
		if (lex_peek(&c->args) != ' ')
			break;
		if (lex_space(&c->args) < 0)
			return bad_syntax(&c->args);
	}
	if (lex_end(&c->args) < 0)
		return bad_syntax(&c->args);
	return unknown ? no(CODE_NONE, "No update goes on under such a tag")
	    : ok("No further updates");
}
