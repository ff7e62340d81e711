/*
 * Annotations of mailboxes and of the server: lines of ENTRY SP VALUE, in which
 * percent signs and control characters of a value are written as %XX.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "annotations.h"
#include "bound.h"
#include "lists.h"
#include "text.h"

#define MAILBOX_FILE "mailreeve-metadata"
#define SERVER_FILE "mailreeve-server-metadata"

/* The file: much more than anybody keeps there, little to read. */
#define ANNOTATIONS_FILE_MAX ((size_t)1 << 20)

/* Where they are: a mailbox's folder, or the root when folder is NULL. */
struct place {
	struct store *store;
	struct folder *folder;
	int dir;
	const char *file;
	int lock;			/* on names, for the server's */
};

static int
place_open(struct store *s, struct bytes mailbox, struct place *p)
{
	*p = (struct place){ .store = s, .dir = s->root, .file = SERVER_FILE,
	    .lock = -1 };
	if (mailbox.n == 0)
		return 0;
	if (folder_get(s, mailbox, &p->folder) < 0)
		return -1;
	p->dir = p->folder->dir;
	p->file = MAILBOX_FILE;
	return 0;
}

static void
place_close(struct place *p)
{
	if (p->folder != NULL)
		folder_put(p->folder);
}

static int
place_lock(struct place *p)
{
	if (p->folder != NULL)
		return folder_lock(p->folder);
	p->lock = store_lock_names(p->store);
	return p->lock < 0 ? -1 : 0;
}

static void
place_unlock(struct place *p)
{
	if (p->folder != NULL)
		folder_unlock(p->folder);
	else
		store_unlock_names(p->lock);
}

/* A missing file has none. */
static int
load(const struct place *p, struct buf *text)
{
	return text_load(p->dir, p->file, text) < 0 && errno != ENOENT ? -1 : 0;
}

/* ---- lines ---- */

/* What cannot be read as it was written is left as it is. */
static void
unescape(struct bytes in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		int c = bytes_escaped(bytes_from(in, i), '%');

		buf_byte(out, (unsigned char)(c >= 0 ? c : in.p[i]));
		i += c >= 0 ? 2 : 0;
	}
}

static void
escape(struct bytes in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] < ' ' || in.p[i] == 0x7f || in.p[i] == '%')
			buf_printf(out, "%%%02X", in.p[i]);
		else
			buf_byte(out, in.p[i]);
}

static bool
next_line(struct bytes *text, struct bytes *entry, struct bytes *value)
{
	struct bytes line;

	while (text_line(text, &line)) {
		*value = line;
		*entry = bytes_split(value, ' ');
		if (entry->n > 0 && entry->p[0] == '/'
		    && entry->n <= MAIL_ANNOTATION_ENTRY_MAX)
			return true;
	}
	return false;
}

/* ---- reading ---- */

static int
each(struct bytes text, int (*fn)(void *arg, const struct mail_annotation *),
    void *arg)
{
	struct buf value = BUF_INIT(ANNOTATIONS_FILE_MAX);
	struct bytes entry, raw;
	int r = 0;

	while (r == 0 && next_line(&text, &entry, &raw)) {
		struct mail_annotation a = { .entry = entry };

		buf_clear(&value);
		/* Room also for an empty one: that is a value. */
		if (buf_room(&value, 1) == NULL)
			r = -1;
		unescape(raw, &value);
		a.value = buf_contents(&value);
		if (r == 0)
			r = value.error != 0 ? -1 : fn(arg, &a);
	}
	buf_free(&value);
	return r;
}

int
mail_annotations(struct mail *m, struct bytes mailbox,
    int (*fn)(void *arg, const struct mail_annotation *), void *arg)
{
	struct buf text = BUF_INIT(ANNOTATIONS_FILE_MAX);
	struct place p;
	int r;

	if (place_open(m->store, mailbox, &p) < 0)
		return -1;
	r = load(&p, &text);
	place_close(&p);
	if (r == 0)
		r = each(buf_contents(&text), fn, arg);
	buf_free(&text);
	return r;
}

/* ---- changing ---- */

/* The last one of v that has this name, or NULL. */
static const struct mail_annotation *
named(const struct mail_annotation *v, size_t n, struct bytes entry)
{
	while (n-- > 0)
		if (bytes_case_equal(v[n].entry, entry))
			return &v[n];
	return NULL;
}

static void
add_line(struct buf *out, struct bytes entry)
{
	buf_bytes(out, entry);
	buf_byte(out, ' ');
}

/* Old lines that v does not name, then those of v that have a value. */
static int
merge(struct bytes old, const struct mail_annotation *v, size_t n,
    struct buf *out)
{
	struct bytes entry, value;
	size_t count = 0;

	while (next_line(&old, &entry, &value)) {
		if (named(v, n, entry) != NULL)
			continue;
		add_line(out, entry);
		buf_bytes(out, value);
		buf_byte(out, '\n');
		count++;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].value.p == NULL || named(v, n, v[i].entry) != &v[i])
			continue;
		add_line(out, v[i].entry);
		escape(v[i].value, out);
		buf_byte(out, '\n');
		count++;
	}
	if (count > MAIL_ANNOTATIONS_MAX)
		out->error = E2BIG;
	errno = out->error;
	return out->error != 0 ? -1 : 0;
}

static int
change_locked(const struct place *p, const struct mail_annotation *v, size_t n)
{
	struct buf old = BUF_INIT(ANNOTATIONS_FILE_MAX);
	struct buf text = BUF_INIT(ANNOTATIONS_FILE_MAX);
	int r = load(p, &old);

	if (r == 0)
		r = merge(buf_contents(&old), v, n, &text);
	if (r == 0)
		r = text_replace(p->dir, p->file, buf_contents(&text));
	buf_free(&old);
	buf_free(&text);
	return r;
}

int
mail_annotate(struct mail *m, struct bytes mailbox,
    const struct mail_annotation *v, size_t n)
{
	struct place p;
	int r, saved;

	if (place_open(m->store, mailbox, &p) < 0)
		return -1;
	r = place_lock(&p);
	if (r == 0) {
		r = change_locked(&p, v, n);
		saved = errno;
		place_unlock(&p);
		errno = saved;
	}
	saved = errno;
	place_close(&p);
	errno = saved;
	return r;
}

static int
new_modseq(void *arg)
{
	struct bound *b = arg;
	uint64_t modseq;

	if (bound_reserve(b, 0, &modseq) < 0 || bound_begin(b) < 0)
		return -1;
	return bound_commit(b);
}

int
mail_touch(struct mail *m, struct bytes name)
{
	struct bound b;
	int r, saved;

	if (bound_open(m, name, &b) < 0)
		return -1;
	r = bound_change(&b, new_modseq, &b);
	saved = errno;
	bound_close(&b);
	errno = saved;
	return r;
}

int
annotations_copy(struct store *s, struct bytes from, struct bytes to)
{
	struct buf text = BUF_INIT(ANNOTATIONS_FILE_MAX);
	struct place p;
	int r;

	if (place_open(s, from, &p) < 0)
		return -1;
	r = load(&p, &text);
	place_close(&p);
	if (r == 0 && text.len > 0 && (r = place_open(s, to, &p)) == 0) {
		r = text_replace(p.dir, p.file, buf_contents(&text));
		place_close(&p);
	}
	buf_free(&text);
	return r;
}

int
mail_set_uses(struct mail *m, struct bytes name, unsigned uses)
{
	int lock, r;

	lock = store_lock_names(m->store);
	if (lock < 0)
		return -1;
	errno = ENOENT;
	r = m->store->ops->exists(m->store, name)
	    ? lists_set_use(m->store, name, uses) : -1;
	store_unlock_names(lock);
	return r;
}
