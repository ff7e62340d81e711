/*
 * A user's mailboxes by name: listing, making, deleting, renaming.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "annotations.h"
#include "glance.h"
#include "layout.h"
#include "listing.h"
#include "lists.h"
#include "log.h"

/* ---- listing ---- */

struct row {
	char *name;
	unsigned attributes;
	unsigned uses;
};

struct rows {
	struct row *v;
	size_t n;
};

static struct row *
add_name(struct rows *r, struct bytes name)
{
	struct row *v;

	if ((r->n & (r->n - 1)) == 0) {
		v = reallocarray(r->v, r->n == 0 ? 1 : r->n * 2, sizeof *v);
		if (v == NULL)
			return NULL;
		r->v = v;
	}
	v = &r->v[r->n];
	*v = (struct row){ .name = strndup((const char *)name.p, name.n) };
	if (v->name == NULL)
		return NULL;
	r->n++;
	return v;
}

static void
rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].name);
	free(r->v);
	*r = (struct rows){ 0 };
}

/* What the storage has: mailboxes, and what may become one. */
struct existing {
	struct rows is, may_be;
};

static int
note_existing(void *arg, struct bytes name, enum listed_as is)
{
	struct existing *e = arg;
	struct row *row = add_name(is == LISTED_NOT_YET ? &e->may_be : &e->is, name);

	if (row == NULL)
		return -1;
	row->attributes = is == LISTED_MARKED ? MAILBOX_MARKED
	    : is == LISTED_PARENT ? MAILBOX_NOSELECT : 0;
	return 0;
}

static bool
is_inbox(const unsigned char *name)
{
	return name[0] == 'I' && strcmp((const char *)name, "INBOX") == 0;
}

/* INBOX first, then bytes with "/" before everything, so that trees stay together. */
static int
by_name(const void *a, const void *b)
{
	const unsigned char *x = (const void *)((const struct row *)a)->name;
	const unsigned char *y = (const void *)((const struct row *)b)->name;
	bool x_inbox = is_inbox(x), y_inbox = is_inbox(y);

	if (x_inbox != y_inbox)
		return x_inbox ? -1 : 1;
	for (; *x != '\0' && *x == *y; x++, y++)
		;
	return (*x == '/' ? 1 : *x) - (*y == '/' ? 1 : *y);
}

static struct row *
find(struct rows *r, struct bytes name)
{
	struct row key;
	char copy[LAYOUT_NAME_MAX + 1];

	if (name.n > LAYOUT_NAME_MAX || r->n == 0)
		return NULL;
	memcpy(copy, name.p, name.n);
	copy[name.n] = '\0';
	key.name = copy;
	return bsearch(&key, r->v, r->n, sizeof r->v[0], by_name);
}

/* Adds each missing parent of the sorted names with these attributes. */
static int
add_parents(struct rows *r, unsigned attributes)
{
	size_t known = r->n;

	for (size_t i = 0; i < known; i++) {
		struct bytes name = bytes_of(r->v[i].name);

		for (size_t at = 1; at < name.n; at++) {
			struct bytes parent = bytes_first(name, at);
			struct rows sorted = { r->v, known };
			struct row *row;

			if (name.p[at] != '/' || find(&sorted, parent) != NULL)
				continue;
			row = add_name(r, parent);
			if (row == NULL)
				return -1;
			row->attributes = attributes;
		}
	}
	return 0;
}

/* After sorting: the same parent may have been added by several children. */
static void
drop_doubles(struct rows *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++)
		if (kept > 0 && by_name(&r->v[kept - 1], &r->v[i]) == 0)
			free(r->v[i].name);
		else
			r->v[kept++] = r->v[i];
	r->n = kept;
}

static int
add_subscribed(struct rows *r, const struct name_list *l)
{
	size_t known = r->n;

	for (size_t i = 0; i < l->n; i++) {
		struct rows sorted = { r->v, known };
		struct row *row = find(&sorted, bytes_of(l->v[i].name));

		if (row == NULL) {
			row = add_name(r, bytes_of(l->v[i].name));
			if (row == NULL)
				return -1;
			row->attributes = MAILBOX_NONEXISTENT;
		}
		row->attributes |= MAILBOX_SUBSCRIBED;
	}
	return 0;
}

/* What a name tells about those above it. */
static void
mark_above(struct rows *r, const struct row *below)
{
	struct bytes name = bytes_of(below->name);

	for (size_t at = 1; at < name.n; at++) {
		struct row *above;

		if (name.p[at] != '/'
		    || (above = find(r, bytes_first(name, at))) == NULL)
			continue;
		if (!(below->attributes & MAILBOX_NONEXISTENT))
			above->attributes |= MAILBOX_HAS_CHILDREN;
		if (below->attributes & MAILBOX_SUBSCRIBED)
			above->attributes |= MAILBOX_SUBSCRIBED_BELOW;
	}
}

static void
sort(struct rows *r)
{
	size_t i = 1;

	while (i < r->n && by_name(&r->v[i - 1], &r->v[i]) < 0)
		i++;
	if (i >= r->n)
		return;
	qsort(r->v, r->n, sizeof *r->v, by_name);
	drop_doubles(r);
}

#define PARENT (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT)

/* False: what was kept, if anything, is not how it is now. */
static bool
recall(struct mail *m, const struct stamp_part *stamp, struct rows *r)
{
	struct buf kept = BUF_INIT(DB_VALUE_MAX);
	struct bytes names, name;
	enum listing_kind kind;
	bool good = db_check(m->db) == 0 && index_listing_get(m->db, &kept) == 0
	    && listing_of(buf_contents(&kept), stamp, &names);

	while (good && listing_next(&names, &name, &kind)) {
		struct row *row;

		if (kind == LISTING_NOT_YET) {
			good = !m->store->ops->exists(m->store, name);
			continue;
		}
		row = add_name(r, name);
		good = row != NULL;
		if (good && kind == LISTING_PARENT)
			row->attributes = PARENT;
	}
	buf_free(&kept);
	if (!good)
		rows_free(r);
	return good;
}

/* What cannot be kept is looked for again. */
static void
keep(struct mail *m, const struct stamp_part *stamp, const struct existing *e)
{
	struct buf b = BUF_INIT(LISTING_SIZE);

	listing_begin(&b, stamp);
	for (size_t i = 0; i < e->is.n; i++)
		listing_add(&b, bytes_of(e->is.v[i].name),
		    e->is.v[i].attributes == PARENT ? LISTING_PARENT : LISTING_MAILBOX);
	for (size_t i = 0; i < e->may_be.n; i++)
		listing_add(&b, bytes_of(e->may_be.v[i].name), LISTING_NOT_YET);
	if (b.error == 0 && db_check(m->db) == 0 && db_begin(m->db) == 0) {
		if (index_listing_put(m->db, buf_contents(&b)) == 0)
			db_commit(m->db);
		else
			db_abort(m->db);
	}
	buf_free(&b);
}

/*
 * Mailboxes and their missing parents, in order. That a directory lost what made
 * it a mailbox does not show in the stamp, but to who then asked for that one.
 */
static int
list_existing(struct mail *m, struct rows *r)
{
	const struct store_ops *ops = m->store->ops;
	struct existing e = { 0 };
	struct stamp_part stamp;
	bool stamped = ops->list_stamp != NULL
	    && ops->list_stamp(m->store, &stamp) == 0 && stamp.firm;
	int rc;

	if (stamped && !m->relist && recall(m, &stamp, r))
		return 0;
	m->relist = false;
	rc = ops->list(m->store, note_existing, &e);
	sort(&e.is);
	if (rc == 0)
		rc = add_parents(&e.is, PARENT);
	sort(&e.is);
	if (rc == 0 && stamped)
		keep(m, &stamp, &e);
	rows_free(&e.may_be);
	*r = e.is;
	return rc;
}

static int
gather(struct mail *m, struct rows *r)
{
	struct name_list subscribed = { 0 }, uses = { 0 };
	int rc = list_existing(m, r);

	if (rc == 0 && (rc = lists_subscribed(m->store, &subscribed)) == 0)
		rc = add_subscribed(r, &subscribed);
	sort(r);
	/* Above names that are only subscribed is nothing that can be listed. */
	if (rc == 0)
		rc = add_parents(r, MAILBOX_NONEXISTENT);
	sort(r);
	if (rc == 0 && (rc = lists_uses(m->store, &uses)) == 0)
		for (size_t i = 0; i < uses.n; i++) {
			struct row *row = find(r, bytes_of(uses.v[i].name));

			if (row != NULL)
				row->uses = uses.v[i].uses;
		}
	for (size_t i = 0; i < r->n; i++)
		mark_above(r, &r->v[i]);
	name_list_free(&subscribed);
	name_list_free(&uses);
	return rc;
}

int
mail_list(struct mail *m, int (*fn)(void *arg, const struct mailbox_name *),
    void *arg)
{
	struct rows r = { 0 };
	int rc = gather(m, &r);

	for (size_t i = 0; rc == 0 && i < r.n; i++) {
		struct mailbox_name n = { bytes_of(r.v[i].name),
		    r.v[i].attributes, r.v[i].uses };

		rc = fn(arg, &n);
	}
	rows_free(&r);
	return rc;
}

/* ---- making and deleting ---- */

/* What is done to names while nobody else changes any. */
struct naming {
	struct bytes name, to;
	unsigned uses;
	bool on;
};

static int
locked(struct mail *m, int (*change)(struct mail *, const struct naming *),
    struct naming what)
{
	int lock = store_lock_names(m->store), rc;

	if (lock < 0)
		return -1;
	rc = change(m, &what);
	m->relist = m->relist || rc < 0;
	store_unlock_names(lock);
	return rc;
}

/* The same for a name that is to be one of a mailbox. */
static int
locked_good(struct mail *m, int (*change)(struct mail *, const struct naming *),
    struct naming what)
{
	if (layout_good(what.name))
		return locked(m, change, what);
	errno = EINVAL;
	return -1;
}

/* Parents exist as names by themselves; only the mailbox is made. */
static int
create(struct mail *m, const struct naming *n)
{
	if (m->store->ops->create(m->store, n->name) < 0)
		return -1;
	return n->uses == 0 ? 0 : lists_set_use(m->store, n->name, n->uses);
}

int
mail_create(struct mail *m, struct bytes name, unsigned uses)
{
	return locked_good(m, create,
	    (struct naming){ .name = name, .uses = uses });
}

static int
declare(struct mail *m, const struct naming *n)
{
	return m->store->ops->declare(m->store, n->name);
}

int
mail_declare(struct mail *m, struct bytes name)
{
	if (m->store->ops->declare == NULL)
		return mail_create(m, name, 0);
	return locked_good(m, declare, (struct naming){ .name = name });
}

struct below {
	struct bytes parent;
	bool found;
};

static int
is_below(void *arg, struct bytes name, enum listed_as is)
{
	struct below *b = arg;

	b->found = b->found || (is != LISTED_NOT_YET && layout_below(name, b->parent));
	return 0;
}

/* Its records in the index go too; a crash before that costs only room. */
static void
forget_index(struct mail *m, struct bytes name)
{
	struct bound b;

	glances_flush(m);
	if (bound_open(m, name, &b) < 0)
		return;
	if (state_load(b.folder->dir, &b.state) == 0) {
		memcpy(b.id, b.state.id, sizeof b.id);
		bound_forget(&b);
	}
	bound_close(&b);
}

/* What is no mailbox is something only where others are below, or may be. */
static int
delete_parent(struct mail *m, struct bytes name)
{
	struct below b = { .parent = name };

	if (m->store->ops->list(m->store, is_below, &b) < 0)
		return -1;
	if (!b.found && m->store->ops->undeclare != NULL)
		return m->store->ops->undeclare(m->store, name);
	errno = b.found ? ENOTEMPTY : ENOENT;
	return -1;
}

static int
delete(struct mail *m, const struct naming *n)
{
	if (!m->store->ops->exists(m->store, n->name))
		return delete_parent(m, n->name);
	forget_index(m, n->name);
	if (m->store->ops->remove(m->store, n->name) < 0)
		return -1;
	return lists_renamed(m->store, n->name, (struct bytes){ 0 });
}

int
mail_delete(struct mail *m, struct bytes name)
{
	if (layout_inbox(name)) {
		errno = EPERM;
		return -1;
	}
	return locked(m, delete, (struct naming){ .name = name });
}

/* ---- renaming ---- */

/* RFC 9051 section 6.3.6: INBOX stays, and its messages go to the new one. */
static int
empty_inbox(struct mail *m, struct bytes to)
{
	struct mail_copied copied = { 0 };
	struct mailbox *inbox;
	struct runs all = RUNS_INIT;
	int rc, saved;

	if (mail_create(m, to, 0) < 0)
		return -1;
	if (mailbox_open(m, BYTES("INBOX"), false, &inbox) < 0)
		return -1;
	/* RFC 5464 section 4.1: its annotations are at both then. */
	rc = annotations_copy(m->store, BYTES("INBOX"), to);
	if (rc == 0)
		rc = runs_copy(&all, mailbox_view(inbox));
	if (rc == 0)
		rc = mailbox_copy(inbox, &all, to, true, &copied);
	saved = errno;
	mail_copied_free(&copied);
	runs_free(&all);
	mailbox_close(inbox);
	errno = saved;
	return rc;
}

static int
change_name(struct mail *m, const struct naming *n)
{
	if (m->store->ops->exists(m->store, n->to)) {
		errno = EEXIST;
		return -1;
	}
	if (m->store->ops->rename(m->store, n->name, n->to) < 0)
		return -1;
	return lists_renamed(m->store, n->name, n->to);
}

int
mail_rename(struct mail *m, struct bytes from, struct bytes to)
{
	/* A mailbox cannot go below itself. */
	if (!layout_good(to) || layout_inbox(to) || layout_below(to, from)) {
		errno = layout_inbox(to) ? EEXIST : EINVAL;
		return -1;
	}
	if (layout_inbox(from))
		return empty_inbox(m, to);
	return locked(m, change_name,
	    (struct naming){ .name = from, .to = to });
}

static int
subscribe(struct mail *m, const struct naming *n)
{
	return lists_subscribe(m->store, n->name, n->on);
}

int
mail_subscribe(struct mail *m, struct bytes name, bool on)
{
	return locked_good(m, subscribe,
	    (struct naming){ .name = name, .on = on });
}
