/*
 * Subscriptions and special uses.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout.h"
#include "lists.h"
#include "text.h"

#define LIST_FILE_MAX ((size_t)8 << 20)
#define LIST_MAX ((size_t)100000)

static const struct {
	const char *name;
	unsigned use;
} use_names[] = {
	{ "drafts", USE_DRAFTS }, { "sent", USE_SENT }, { "junk", USE_JUNK },
	{ "trash", USE_TRASH }, { "archive", USE_ARCHIVE },
	{ "flagged", USE_FLAGGED }, { "all", USE_ALL },
	{ "important", USE_IMPORTANT }, { "snoozed", USE_SNOOZED },
	{ "scheduled", USE_SCHEDULED }, { "memos", USE_MEMOS },
};
#define USE_NAMES (sizeof use_names / sizeof use_names[0])

void
name_list_free(struct name_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
	*l = (struct name_list){ 0 };
}

static int
compare(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
by_name(const void *key, const void *item)
{
	const struct bytes *name = key;
	const struct listed *l = item;

	return bytes_compare(*name, bytes_of(l->name));
}

const struct listed *
name_list_find(const struct name_list *l, struct bytes name)
{
	return l->n == 0 ? NULL
	    : bsearch(&name, l->v, l->n, sizeof l->v[0], by_name);
}

static int
append(struct name_list *l, struct bytes name, unsigned uses)
{
	struct listed *v;

	if (l->n >= LIST_MAX) {
		errno = E2BIG;
		return -1;
	}
	if ((l->n & (l->n - 1)) == 0) {
		v = reallocarray(l->v, l->n == 0 ? 1 : l->n * 2, sizeof *v);
		if (v == NULL)
			return -1;
		l->v = v;
	}
	l->v[l->n].name = strndup((const char *)name.p, name.n);
	l->v[l->n].uses = uses;
	return l->v[l->n].name == NULL ? -1 : (int)(l->n++ & 0);
}

static unsigned
parse_uses(struct bytes text)
{
	unsigned uses = 0;

	while (text.n > 0) {
		struct bytes word = bytes_split(&text, ',');

		for (size_t i = 0; i < USE_NAMES; i++)
			if (bytes_equal(word, bytes_of(use_names[i].name)))
				uses |= use_names[i].use;
	}
	return uses;
}

/* Lines "NAME" or, with uses, "USE,USE NAME"; others are passed over. */
static int
parse(struct bytes text, bool with_uses, struct name_list *out)
{
	struct bytes line;

	while (text_line(&text, &line)) {
		unsigned uses = with_uses ? parse_uses(bytes_split(&line, ' ')) : 0;

		if (layout_good(line) && (uses != 0 || !with_uses)
		    && append(out, line, uses) < 0)
			return -1;
	}
	if (out->n > 0)
		qsort(out->v, out->n, sizeof *out->v, compare);
	return 0;
}

static int
load(struct store *s, const char *file, bool with_uses, struct name_list *out)
{
	struct buf text = BUF_INIT(LIST_FILE_MAX);
	int rc = text_load(s->root, file, &text);

	*out = (struct name_list){ 0 };
	if (rc < 0 && errno == ENOENT)
		rc = 0;
	else if (rc == 0)
		rc = parse(buf_contents(&text), with_uses, out);
	buf_free(&text);
	if (rc < 0)
		name_list_free(out);
	return rc;
}

static void
print_uses(struct buf *out, unsigned uses)
{
	const char *sep = "";

	for (size_t i = 0; i < USE_NAMES; i++)
		if (uses & use_names[i].use) {
			buf_printf(out, "%s%s", sep, use_names[i].name);
			sep = ",";
		}
	buf_byte(out, ' ');
}

static int
save(struct store *s, const char *file, bool with_uses, const struct name_list *l)
{
	struct buf text = BUF_INIT(LIST_FILE_MAX);
	int rc;

	for (size_t i = 0; i < l->n; i++) {
		if (with_uses)
			print_uses(&text, l->v[i].uses);
		buf_text(&text, l->v[i].name);
		buf_byte(&text, '\n');
	}
	rc = text.error != 0 ? -1
	    : text_replace(s->root, file, buf_contents(&text));
	buf_free(&text);
	return rc;
}

int
lists_subscribed(struct store *s, struct name_list *out)
{
	return load(s, SUBSCRIPTIONS_FILE, false, out);
}

int
lists_uses(struct store *s, struct name_list *out)
{
	return load(s, USES_FILE, true, out);
}

static void
drop(struct name_list *l, size_t i)
{
	free(l->v[i].name);
	memmove(l->v + i, l->v + i + 1, (l->n - i - 1) * sizeof *l->v);
	l->n--;
}

static size_t
position(const struct name_list *l, struct bytes name)
{
	const struct listed *hit = name_list_find(l, name);

	return hit == NULL ? l->n : (size_t)(hit - l->v);
}

/*
 * Puts name with its uses into the list, or takes it out; an entry less or
 * another set of uses is written at once.
 */
static int
change(struct store *s, const char *file, bool with_uses, struct bytes name,
    bool on, unsigned uses)
{
	struct name_list l;
	size_t at;
	int rc = 0;

	if (load(s, file, with_uses, &l) < 0)
		return -1;
	at = position(&l, name);
	if (at < l.n && on && l.v[at].uses == uses) {
		name_list_free(&l);
		return 0;
	}
	if (at == l.n && !on) {
		name_list_free(&l);
		return 0;
	}
	if (at < l.n)
		drop(&l, at);
	if (on)
		rc = append(&l, name, uses);
	qsort(l.v, l.n, sizeof *l.v, compare);
	if (rc == 0)
		rc = save(s, file, with_uses, &l);
	name_list_free(&l);
	return rc;
}

int
lists_subscribe(struct store *s, struct bytes name, bool on)
{
	return change(s, SUBSCRIPTIONS_FILE, false, name, on, 0);
}

int
name_list_add(struct name_list *l, struct bytes name)
{
	return append(l, name, 0);
}

int
lists_subscribe_all(struct store *s, const struct name_list *more)
{
	struct name_list l;
	size_t known;
	int rc = lists_subscribed(s, &l);

	known = l.n;
	for (size_t i = 0; rc == 0 && i < more->n; i++) {
		struct name_list sorted = { l.v, known };
		struct bytes name = bytes_of(more->v[i].name);

		if (name_list_find(&sorted, name) == NULL)
			rc = append(&l, name, 0);
	}
	if (l.n > 0)
		qsort(l.v, l.n, sizeof *l.v, compare);
	if (rc == 0 && l.n > known)
		rc = save(s, SUBSCRIPTIONS_FILE, false, &l);
	name_list_free(&l);
	return rc;
}

int
lists_set_use(struct store *s, struct bytes name, unsigned uses)
{
	return change(s, USES_FILE, true, name, uses != 0, uses);
}

/* The uses of a renamed mailbox and of those below it go with them. */
int
lists_renamed(struct store *s, struct bytes from, struct bytes to)
{
	struct buf name = BUF_INIT(LAYOUT_NAME_MAX * 2);
	struct name_list l, out = { 0 };
	int rc = 0;

	if (lists_uses(s, &l) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < l.n; i++) {
		struct bytes old = bytes_of(l.v[i].name);
		bool hit = bytes_equal(old, from) || (to.n > 0 && layout_below(old, from));

		buf_clear(&name);
		buf_bytes(&name, hit ? to : old);
		if (hit)
			buf_bytes(&name, bytes_from(old, from.n));
		if (!hit || to.n > 0)
			rc = append(&out, buf_contents(&name), l.v[i].uses);
	}
	if (out.n > 0)
		qsort(out.v, out.n, sizeof *out.v, compare);
	if (rc == 0 && l.n > 0)
		rc = save(s, USES_FILE, true, &out);
	buf_free(&name);
	name_list_free(&l);
	name_list_free(&out);
	return rc;
}

int
lists_begin_uses(struct store *s)
{
	return text_replace(s->root, USES_FILE, BYTES(""));
}

bool
lists_first_visit(struct store *s)
{
	return faccessat(s->root, USES_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0
	    && errno == ENOENT;
}
