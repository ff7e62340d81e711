/*
 * What all watched mailboxes look like, and telling what changed since they were
 * looked at last (RFC 5465 section 5).
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "hashes.h"
#include "limits.h"
#include "notify.h"
#include "uses.h"

/* How often mailboxes may go while they are looked at. */
#define TAKE_TRIES 10

struct taking {
	struct session *s;
	const struct notify *n;
	struct snapshot *out;
	struct seen_entries *entries;
};

/* ---- taking ---- */

static void
entries_free(struct seen_entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].name);
	free(e->v);
	*e = (struct seen_entries){ 0 };
}

void
snapshot_free(struct snapshot *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		entries_free(&p->v[i].entries);
	}
	free(p->v);
	entries_free(&p->server);
	*p = (struct snapshot){ 0 };
}

static int
take_entry(void *arg, const struct mail_annotation *a)
{
	struct taking *t = arg;
	struct seen_entries *e = t->entries;
	struct seen_entry *v = reallocarray(e->v, e->n + 1, sizeof *v);

	if (v == NULL)
		return -1;
	e->v = v;
	v[e->n].name = strndup((const char *)a->entry.p, a->entry.n);
	v[e->n].value = hash_bytes(a->value);
	return v[e->n].name == NULL || ++e->n > MAIL_ANNOTATIONS_MAX ? -1 : 0;
}

static bool
selectable(const struct seen *m)
{
	return (m->attributes & (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT)) == 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

static const struct seen *
find(const struct snapshot *p, const char *name)
{
	struct seen key = { .name = (char *)(uintptr_t)name };

	return p->n == 0 ? NULL : bsearch(&key, p->v, p->n, sizeof *p->v, by_name);
}

static bool
same_look(const struct mail_glimpse *a, const struct mail_glimpse *b)
{
	return a->firm && b->firm && a->folder == b->folder
	    && a->arrivals == b->arrivals && a->messages == b->messages;
}

/*
 * The status of a mailbox where no session ever was makes an index of it. Of a
 * thousand such mailboxes most stay as they are: unless the client wants to know
 * now, that can wait until something happens there.
 */
static bool
can_wait(const struct taking *t, struct seen *m)
{
	const struct snapshot *before = &t->n->seen;
	const struct seen *was = find(before, m->name);

	if (was != NULL && was->has_status)
		return false;
	if (mail_glimpse(t->s->mail, bytes_of(m->name), &m->look) < 0
	    || m->look.visited || !m->look.firm)
		return false;
	if (before->n > 0)
		return was != NULL && same_look(&was->look, &m->look);
	return !t->n->status || (m->events & NOTIFY_MESSAGES) == 0;
}

/* ESTALE: it went, or got another name, while we look. */
static int
take_status(struct taking *t, struct seen *m)
{
	if ((m->events & (NOTIFY_MESSAGES | NOTIFY_NAME)) == 0 || can_wait(t, m))
		return 0;
	m->has_status = mail_status(t->s->mail, bytes_of(m->name), STATUS_COUNTS,
	    &m->st) == 0;
	if (m->has_status || (errno != ENOENT && errno != ESTALE))
		return 0;
	errno = ESTALE;
	return -1;
}

static int
take_more(struct taking *t, struct seen *m)
{
	struct bytes name = bytes_of(m->name);

	if (!selectable(m))
		return 0;
	if (take_status(t, m) < 0)
		return -1;
	t->entries = &m->entries;
	if ((m->events & NOTIFY_METADATA) != 0
	    && mail_annotations(t->s->mail, name, take_entry, t) != 0
	    && errno != ENOENT)
		return -1;
	return 0;
}

static int
take_mailbox(void *arg, const struct mailbox_name *m)
{
	struct taking *t = arg;
	struct snapshot *p = t->out;

	if ((m->attributes & (MAILBOX_NONEXISTENT | MAILBOX_SUBSCRIBED
	    | MAILBOX_HAS_CHILDREN)) == MAILBOX_NONEXISTENT)
		return 0;
	if (p->n == NOTIFY_MAILBOXES_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 32 : p->cap * 2;
		struct seen *v = reallocarray(p->v, cap, sizeof *v);

		if (v == NULL)
			return -1;
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n] = (struct seen){ .attributes = m->attributes,
	    .events = notify_wanted(t->n, m->name, m->attributes),
	    .uses = m->uses,
	    .name = strndup((const char *)m->name.p, m->name.n) };
	return p->v[p->n].name == NULL ? -1 : (p->n++, 0);
}

static bool
wants_server(const struct notify *n)
{
	for (size_t i = 0; i < n->n; i++)
		if ((n->group[i].events & NOTIFY_SERVER_METADATA) != 0)
			return true;
	return false;
}

static int
try_take(struct session *s, const struct notify *n, struct snapshot *out)
{
	struct taking t = { .s = s, .n = n, .out = out };
	int r = 0;

	*out = (struct snapshot){ 0 };
	t.entries = &out->server;
	if (wants_server(n))
		r = mail_annotations(s->mail, BYTES(""), take_entry, &t);
	if (r == 0)
		r = mail_list(s->mail, take_mailbox, &t);
	if (r == 0 && out->n > 0)
		qsort(out->v, out->n, sizeof *out->v, by_name);
	for (size_t i = 0; r == 0 && i < out->n; i++)
		r = take_more(&t, &out->v[i]);
	if (r == 0)
		return 0;
	r = errno;
	snapshot_free(out);
	errno = r;
	return -1;
}

int
snapshot_take(struct session *s, const struct notify *n, struct snapshot *out)
{
	int tries = TAKE_TRIES, r;

	do
		r = try_take(s, n, out);
	while (r < 0 && errno == ESTALE && --tries > 0);
	return r;
}

/* ---- STATUS ---- */

static void
put_pair(struct response *r, const char *name, uint64_t v)
{
	put_word(r, name);
	put_number(r, v);
}

/*
 * Sections 3.1, 5.1 to 5.3: what the events wanted call for. Who wants to hear
 * of flags is told mod-sequences also without CONDSTORE.
 */
static void
tell_counts(struct session *s, const struct seen *m, bool validity, bool flags)
{
	struct response *r = &s->out;

	put_untagged(r, "STATUS");
	put_mailbox(r, bytes_of(m->name));
	put_open(r);
	put_pair(r, "MESSAGES", m->st.messages);
	put_pair(r, "UIDNEXT", m->st.uidnext);
	if (validity)
		put_pair(r, "UIDVALIDITY", m->st.uidvalidity);
	if (flags)
		put_pair(r, "UNSEEN", m->st.unseen);
	if (session_condstore(s) || (flags && validity))
		put_pair(r, "HIGHESTMODSEQ", m->st.highest_modseq);
	put_close(r);
	put_end(r);
}

static bool
is_selected(const struct session *s, const struct seen *m)
{
	return s->box != NULL
	    && bytes_equal(mailbox_name_of(s->box), bytes_of(m->name));
}

void
snapshot_tell_status(struct session *s, const struct snapshot *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct seen *m = &p->v[i];

		if ((m->events & NOTIFY_MESSAGES) != 0 && m->has_status
		    && !is_selected(s, m))
			tell_counts(s, m, true, (m->events & NOTIFY_FLAGS) != 0);
	}
}

static void
tell_messages(struct session *s, const struct seen *old, const struct seen *new)
{
	const struct mailbox_status *a = &old->st, *b = &new->st;
	bool validity = a->uidvalidity != b->uidvalidity;
	bool counts = a->messages != b->messages || a->uidnext != b->uidnext;
	bool flags = (new->events & NOTIFY_FLAGS) != 0
	    && (a->unseen != b->unseen || (session_condstore(s)
	    && a->highest_modseq != b->highest_modseq));

	if ((new->events & NOTIFY_MESSAGES) == 0 || !new->has_status
	    || is_selected(s, new))
		return;
	if (!old->has_status && same_look(&old->look, &new->look))
		return;
	if (!old->has_status || validity || counts || flags)
		tell_counts(s, new, validity || flags, flags);
}

/* ---- LIST ---- */

static void
tell_name(struct session *s, const struct seen *m, unsigned attributes,
    const char *oldname)
{
	struct response *r = &s->out;

	put_untagged(r, "LIST");
	put_open(r);
	if ((attributes & MAILBOX_NONEXISTENT) != 0)
		put_word(r, "\\NonExistent");
	else if ((attributes & MAILBOX_NOSELECT) != 0)
		put_word(r, "\\Noselect");
	if ((attributes & MAILBOX_SUBSCRIBED) != 0)
		put_word(r, "\\Subscribed");
	put_word(r, (attributes & MAILBOX_HAS_CHILDREN) != 0
	    ? "\\HasChildren" : "\\HasNoChildren");
	if ((attributes & MAILBOX_NONEXISTENT) == 0)
		put_uses(r, m->uses);
	put_close(r);
	put_string(r, BYTES("/"));
	put_mailbox(r, bytes_of(m->name));
	if (oldname != NULL) {
		put_open(r);
		put_string(r, BYTES("OLDNAME"));
		put_open(r);
		put_mailbox(r, bytes_of(oldname));
		put_close(r);
		put_close(r);
	}
	put_end(r);
}

static bool
exists(const struct snapshot *p, const char *name)
{
	const struct seen *m = find(p, name);

	return m != NULL && (m->attributes & MAILBOX_NONEXISTENT) == 0;
}

static bool
same_mailbox(const struct seen *a, const struct seen *b)
{
	if (a->has_status && b->has_status)
		return strcmp(a->st.id, b->st.id) == 0;
	return a->look.folder != 0 && a->look.folder == b->look.folder;
}

/* The same mailbox under another name, in p but not in other. */
static const struct seen *
renamed(const struct snapshot *p, const struct snapshot *other, const struct seen *m)
{
	for (size_t i = 0; i < p->n; i++)
		if (same_mailbox(&p->v[i], m) && !exists(other, p->v[i].name))
			return &p->v[i];
	return NULL;
}

/* What a mailbox was called that has its name only now: there may have been a subscription. */
static const struct seen *
moved_here(const struct snapshot *old, const struct snapshot *new, const struct seen *m)
{
	return exists(new, m->name) && !exists(old, m->name) ? renamed(old, new, m) : NULL;
}

/* Section 5.4: a mailbox that went with the one above it needs no word. */
static bool
below_renamed(const struct snapshot *old, const struct snapshot *new,
    const struct seen *m, const struct seen *was)
{
	const char *a = strrchr(m->name, '/'), *b = strrchr(was->name, '/');
	struct seen *top = NULL;

	if (a == NULL || b == NULL || strcmp(a, b) != 0)
		return false;
	for (size_t i = 0; i < new->n && top == NULL; i++)
		if (strlen(new->v[i].name) == (size_t)(a - m->name)
		    && strncmp(new->v[i].name, m->name, (size_t)(a - m->name)) == 0)
			top = &new->v[i];
	return top != NULL && renamed(old, new, top) != NULL;
}

static void
tell_created(struct session *s, const struct snapshot *old,
    const struct snapshot *new, const struct seen *m)
{
	const struct seen *was = moved_here(old, new, m);

	if (was != NULL && below_renamed(old, new, m, was))
		return;
	tell_name(s, m, m->attributes, was != NULL ? was->name : NULL);
}

static bool
lists_changed(const struct seen *old, const struct seen *new, unsigned events)
{
	unsigned names = MAILBOX_NONEXISTENT | MAILBOX_NOSELECT | MAILBOX_HAS_CHILDREN;
	unsigned changed = old->attributes ^ new->attributes;

	return ((events & NOTIFY_NAME) != 0 && (changed & names) != 0)
	    || ((events & NOTIFY_SUBSCRIPTION) != 0
	    && (changed & MAILBOX_SUBSCRIBED) != 0);
}

/*
 * Section 5.4: the parent of a mailbox that was made or deleted is affected too.
 * Where that changed its attributes it is told anyway.
 */
static void
tell_parent(struct session *s, const struct snapshot *old,
    const struct snapshot *new, const struct seen *m, unsigned but_for)
{
	const char *slash = strrchr(m->name, '/');
	char *name = slash == NULL ? NULL : strndup(m->name, (size_t)(slash - m->name));
	const struct seen *was = name == NULL ? NULL : find(old, name);
	const struct seen *is = name == NULL ? NULL : find(new, name);

	free(name);
	if (was != NULL && is != NULL && (is->events & ~but_for & NOTIFY_NAME) != 0
	    && !lists_changed(was, is, NOTIFY_NAME))
		tell_name(s, is, is->attributes, NULL);
}

/* ---- METADATA ---- */

static const struct seen_entry *
entry_find(const struct seen_entries *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->v[i].name, name) == 0)
			return &e->v[i];
	return NULL;
}

static void
tell_entry(struct session *s, const char *mailbox, const char *entry)
{
	put_untagged(&s->out, "METADATA");
	if (mailbox[0] == '\0')
		put_string(&s->out, BYTES(""));
	else
		put_mailbox(&s->out, bytes_of(mailbox));
	put_astring(&s->out, bytes_of(entry));
	put_end(&s->out);
}

/* RFC 5464 section 4.4.2: names without values. */
static void
tell_entries(struct session *s, const char *mailbox,
    const struct seen_entries *old, const struct seen_entries *new)
{
	for (size_t i = 0; i < new->n; i++) {
		const struct seen_entry *was = entry_find(old, new->v[i].name);

		if (was == NULL || was->value != new->v[i].value)
			tell_entry(s, mailbox, new->v[i].name);
	}
	for (size_t i = 0; i < old->n; i++)
		if (entry_find(new, old->v[i].name) == NULL)
			tell_entry(s, mailbox, old->v[i].name);
}

/* ---- all of it ---- */

static void
tell_new(struct session *s, const struct snapshot *old,
    const struct snapshot *new, const struct seen *m, unsigned but_for)
{
	const struct seen *was = moved_here(old, new, m);
	unsigned events = m->events & ~but_for;

	if (was == NULL)
		tell_parent(s, old, new, m, but_for);
	if ((events & NOTIFY_NAME) != 0)
		tell_created(s, old, new, m);
	else if ((events & NOTIFY_SUBSCRIPTION) != 0
	    && (m->attributes & MAILBOX_SUBSCRIBED) != 0)
		tell_name(s, m, m->attributes, NULL);
	if (was != NULL)
		tell_messages(s, was, m);
	else if ((events & NOTIFY_MESSAGES) != 0 && m->has_status
	    && !is_selected(s, m) && m->st.messages > 0)
		tell_counts(s, m, true, (events & NOTIFY_FLAGS) != 0);
}

static void
tell_gone(struct session *s, const struct snapshot *old,
    const struct snapshot *new, const struct seen *m, unsigned but_for)
{
	if (renamed(new, old, m) != NULL)
		return;
	tell_parent(s, old, new, m, but_for);
	if ((m->events & NOTIFY_NAME & ~but_for) != 0)
		tell_name(s, m, MAILBOX_NONEXISTENT, NULL);
}

static void
tell_both(struct session *s, const struct seen *old, const struct seen *new,
    unsigned but_for)
{
	if (lists_changed(old, new, new->events & ~but_for))
		tell_name(s, new, new->attributes, NULL);
	tell_messages(s, old, new);
	if ((new->events & ~but_for & NOTIFY_METADATA) != 0)
		tell_entries(s, new->name, &old->entries, &new->entries);
}

/*
 * What is watched under the name is not what is there now: another mailbox, one
 * where there was none, or one that nobody wanted to hear of (section 6.4).
 */
static bool
is_another(const struct seen *was, const struct seen *is)
{
	return (was->events == 0 && is->events != 0)
	    || (selectable(is) && !selectable(was))
	    || (was->has_status && is->has_status && !same_mailbox(was, is));
}

bool
snapshot_lost(const struct snapshot *old, const struct snapshot *new)
{
	for (size_t i = 0; i < old->n; i++)
		if ((old->v[i].events & NOTIFY_NAME) != 0
		    && exists(old, old->v[i].name) && !exists(new, old->v[i].name)
		    && renamed(new, old, &old->v[i]) == NULL)
			return true;
	return false;
}

/* First of all: what else is told of their old names would look like their end. */
static void
tell_moved(struct session *s, const struct snapshot *old,
    const struct snapshot *new, unsigned but_for)
{
	for (size_t i = 0; i < new->n; i++)
		if (moved_here(old, new, &new->v[i]) != NULL)
			tell_new(s, old, new, &new->v[i], but_for);
}

bool
snapshot_tell(struct session *s, const struct snapshot *old,
    const struct snapshot *new, unsigned but_for)
{
	bool grown = false;

	tell_moved(s, old, new, but_for);
	for (size_t i = 0; i < old->n; i++)
		if (find(new, old->v[i].name) == NULL)
			tell_gone(s, old, new, &old->v[i], but_for);
	for (size_t i = 0; i < new->n; i++) {
		const struct seen *was = find(old, new->v[i].name);

		grown = grown || was == NULL || is_another(was, &new->v[i]);
		if (moved_here(old, new, &new->v[i]) == NULL) {
			if (was == NULL)
				tell_new(s, old, new, &new->v[i], but_for);
			else
				tell_both(s, was, &new->v[i], but_for);
		}
		if (was != NULL && exists(old, was->name) != exists(new, was->name))
			tell_parent(s, old, new, was, but_for);
	}
	if ((but_for & NOTIFY_SERVER_METADATA) == 0)
		tell_entries(s, "", &old->server, &new->server);
	return grown;
}
