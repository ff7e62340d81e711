/*
 * LIST, LSUB, XLIST.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "commands.h"
#include "list.h"
#include "pattern.h"
#include "status.h"
#include "uses.h"

/* Names kept in the arena, with their uses. */
struct names {
	struct kept {
		struct bytes name;
		unsigned uses;
	} *v;
	size_t n, cap;
};

struct listing {
	struct session *s;
	struct list_args args;
	const char *response;		/* LIST, LSUB, XLIST */
	struct names hidden;		/* selected, but matched by no pattern */
	struct names told;		/* to be followed by STATUS, METADATA */
};

static int
keep(struct arena *a, struct names *names, const struct mailbox_name *m)
{
	struct bytes copy = { arena_copy(a, m->name), m->name.n };

	if (names->n == names->cap) {
		size_t cap = names->cap == 0 ? 16 : names->cap * 2;
		struct kept *v = arena_array(a, cap, sizeof *v);

		if (v == NULL)
			return -1;
		if (names->n > 0)
			memcpy(v, names->v, names->n * sizeof *v);
		names->v = v;
		names->cap = cap;
	}
	if (copy.p == NULL)
		return -1;
	names->v[names->n++] = (struct kept){ copy, m->uses };
	return 0;
}

static bool
matches(const struct listing *l, struct bytes name)
{
	for (size_t i = 0; i < l->args.n_patterns; i++)
		if (pattern_matches(l->args.patterns[i], name))
			return true;
	return false;
}

/* Meets the selection criteria; without any, all that is there does. */
static bool
selected(const struct listing *l, const struct mailbox_name *m)
{
	unsigned o = l->args.options;

	if ((o & LIST_SUBSCRIBED) != 0
	    && (m->attributes & MAILBOX_SUBSCRIBED) == 0)
		return false;
	if ((o & LIST_SPECIAL) != 0 && m->uses == 0)
		return false;
	return (o & LIST_SUBSCRIBED) != 0
	    || (m->attributes & MAILBOX_NONEXISTENT) == 0
	    || (m->attributes & MAILBOX_HAS_CHILDREN) != 0;
}

/* ---- RECURSIVEMATCH (RFC 5258 section 3.5) ---- */

static int
note_hidden(void *arg, const struct mailbox_name *m)
{
	struct listing *l = arg;

	if (!selected(l, m) || matches(l, m->name))
		return 0;
	return keep(&l->s->arena, &l->hidden, m);
}

static bool
has_hidden_below(const struct listing *l, struct bytes name)
{
	for (size_t i = 0; i < l->hidden.n; i++) {
		struct bytes h = l->hidden.v[i].name;

		if (h.n > name.n && h.p[name.n] == '/' && bytes_starts(h, name))
			return true;
	}
	return false;
}

/* ("CHILDINFO" ("SUBSCRIBED")): no other option is one that can stand there. */
static void
put_childinfo(struct listing *l)
{
	struct response *r = &l->s->out;

	put_open(r);
	put_string(r, BYTES("CHILDINFO"));
	put_open(r);
	put_string(r, BYTES("SUBSCRIBED"));
	put_close(r);
	put_close(r);
}

/* ---- one mailbox ---- */

/*
 * At most one of these stands in a response (RFC 9051 section 9, mbx-list-sflag).
 * \NonExistent implies \Noselect, which is all that clients of RFC 3501 know.
 */
static const char *
selectability(const struct listing *l, const struct mailbox_name *m)
{
	bool extended = l->response[0] != 'X' && (l->args.extended
	    || (l->s->enabled & ENABLED_REV2) != 0);

	if ((m->attributes & MAILBOX_NONEXISTENT) != 0 && extended)
		return "\\NonExistent";
	if ((m->attributes & (MAILBOX_NONEXISTENT | MAILBOX_NOSELECT)) != 0)
		return "\\Noselect";
	return (m->attributes & MAILBOX_MARKED) != 0 ? "\\Marked" : NULL;
}

static void
put_attributes(struct listing *l, const struct mailbox_name *m)
{
	struct response *r = &l->s->out;
	const char *select = selectability(l, m);
	bool subscribed = (l->args.options
	    & (LIST_SUBSCRIBED | LIST_RETURN_SUBSCRIBED)) != 0;

	put_open(r);
	if (select != NULL)
		put_word(r, select);
	if (subscribed && (m->attributes & MAILBOX_SUBSCRIBED) != 0)
		put_word(r, "\\Subscribed");
	put_word(r, (m->attributes & MAILBOX_HAS_CHILDREN) != 0
	    ? "\\HasChildren" : "\\HasNoChildren");
	put_uses(r, m->uses);
	if (l->response[0] == 'X' && bytes_equal(m->name, BYTES("INBOX")))
		put_word(r, "\\Inbox");
	put_close(r);
}

static void
put_name(struct listing *l, struct bytes name)
{
	put_string(&l->s->out, BYTES("/"));
	put_mailbox(&l->s->out, name);
}

static bool
wants_more(const struct listing *l, const struct mailbox_name *m)
{
	return (l->args.options & (LIST_RETURN_STATUS | LIST_RETURN_METADATA)) != 0
	    && (m->attributes & (MAILBOX_NONEXISTENT | MAILBOX_NOSELECT)) == 0;
}

static int
list_one(void *arg, const struct mailbox_name *m)
{
	struct listing *l = arg;
	bool meets, below;

	if (!matches(l, m->name))
		return 0;
	meets = selected(l, m);
	below = has_hidden_below(l, m->name);
	if (!meets && !below)
		return 0;
	put_untagged(&l->s->out, l->response);
	put_attributes(l, m);
	put_name(l, m->name);
	if (below)
		put_childinfo(l);
	put_end(&l->s->out);
	return wants_more(l, m) ? keep(&l->s->arena, &l->told, m) : 0;
}

/* ---- the commands ---- */

/* RFC 9051 section 6.3.9: an empty pattern asks for the separator and root. */
static void
tell_separator(struct listing *l)
{
	struct response *r = &l->s->out;

	put_untagged(r, l->response);
	put_open(r);
	put_word(r, "\\Noselect");
	put_close(r);
	put_name(l, BYTES(""));
	put_end(r);
}

static void
tell_more(struct listing *l, const struct kept *k)
{
	if ((l->args.options & LIST_RETURN_STATUS) != 0)
		(void)tell_status(l->s, k->name, l->args.status);
	if ((l->args.options & LIST_RETURN_METADATA) != 0)
		(void)tell_metadata(l->s, k->name, k->uses, &l->args.metadata);
}

static int
run_list(struct listing *l)
{
	if (l->args.asks_separator && !l->args.extended) {
		tell_separator(l);
		return 0;
	}
	if ((l->args.options & LIST_RECURSIVE) != 0
	    && mail_list(l->s->mail, note_hidden, l) < 0)
		return -1;
	if (mail_list(l->s->mail, list_one, l) < 0)
		return -1;
	/* One that vanished meanwhile has no status (RFC 5819 section 2). */
	for (size_t i = 0; i < l->told.n; i++)
		tell_more(l, &l->told.v[i]);
	return 0;
}

static struct outcome
list_as(struct session *s, struct call *c, const char *response, const char *done)
{
	struct listing l = { .s = s, .response = response };

	if (list_args(&c->args, &l.args) < 0)
		return bad_syntax(&c->args);
	return run_list(&l) < 0 ? failed(errno) : ok(done);
}

struct outcome
cmd_list(struct session *s, struct call *c)
{
	return list_as(s, c, "LIST", "LIST completed");
}

/* Of before RFC 6154, for clients that find special mailboxes in no other way. */
struct outcome
cmd_xlist(struct session *s, struct call *c)
{
	return list_as(s, c, "XLIST", "XLIST completed");
}

/*
 * RFC 3501 section 6.3.9: with `%` at its end, a pattern also shows names that
 * are not subscribed themselves but lead to one that is, as \Noselect.
 */
static int
lsub_one(void *arg, const struct mailbox_name *m)
{
	struct listing *l = arg;
	struct bytes pattern = l->args.patterns[0];
	bool subscribed = (m->attributes & MAILBOX_SUBSCRIBED) != 0;
	bool leads = (m->attributes & MAILBOX_SUBSCRIBED_BELOW) != 0
	    && pattern.n > 0 && pattern.p[pattern.n - 1] == '%';

	if ((!subscribed && !leads) || !matches(l, m->name))
		return 0;
	put_untagged(&l->s->out, "LSUB");
	put_open(&l->s->out);
	if (!subscribed)
		put_word(&l->s->out, "\\Noselect");
	put_close(&l->s->out);
	put_name(l, m->name);
	put_end(&l->s->out);
	return 0;
}

struct outcome
cmd_lsub(struct session *s, struct call *c)
{
	struct listing l = { .s = s, .response = "LSUB" };

	if (list_args(&c->args, &l.args) < 0)
		return bad_syntax(&c->args);
	if (l.args.extended)
		return bad("LSUB takes a reference and one pattern");
	if (l.args.asks_separator)
		tell_separator(&l);
	else if (mail_list(s->mail, lsub_one, &l) < 0)
		return failed(errno);
	return ok("LSUB completed");
}
