/*
 * include/mail.h in memory: mail for fuzzing sessions, without a disk. It is as
 * simple as the header allows; what it does not keep (columns, subscriptions
 * below, durability) the header calls optional.
 * Runs as: the person who builds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mail.h"

#define BOXES_MAX 32
#define ROWS_MAX 256
#define KEYWORDS_MAX 16
#define NAME_MAX_LENGTH 128
#define NOTES_MAX 64

struct row {
	struct mail_row row;
	unsigned char *body;
};

struct box {
	bool used, subscribed;
	unsigned uses;
	size_t name_length;
	unsigned char name[NAME_MAX_LENGTH];
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	struct row rows[ROWS_MAX];
	size_t n;
};

struct note {
	size_t box;			/* BOXES_MAX: the server's */
	struct buf entry, value;
};

struct mail {
	struct box boxes[BOXES_MAX];
	struct note notes[NOTES_MAX];	/* without an entry: free */
};

struct mailbox {
	struct mail *mail;
	struct box *box;
	uint32_t uidvalidity;
	bool read_only;
	struct runs view, recent;
	uint64_t told;
	char keywords[KEYWORDS_MAX][MAIL_KEYWORD_LENGTH_MAX + 1];
	unsigned n_keywords;
	struct buf column;
};

struct mail_cursor {
	struct mailbox *b;
	struct runs uids;
	size_t i;
};

struct delivery {
	struct mail *mail;
	struct box *box;
	struct { struct mail_row row; struct buf body; } m[8];
	size_t n;
};

static int
fail(int error)
{
	errno = error;
	return -1;
}

/* ---- mailboxes ---- */

static struct box *
find(struct mail *m, struct bytes name)
{
	for (size_t i = 0; i < BOXES_MAX; i++)
		if (m->boxes[i].used && bytes_equal(name,
		    bytes_make(m->boxes[i].name, m->boxes[i].name_length)))
			return &m->boxes[i];
	return NULL;
}

int
mail_open(const struct config *conf, const struct mail_owner *owner,
    struct mail **out)
{
	(void)conf;
	(void)owner;
	*out = calloc(1, sizeof **out);
	return *out == NULL ? -1 : mail_create(*out, BYTES("INBOX"), 0);
}

static void
drop_rows(struct box *box)
{
	for (size_t i = 0; i < box->n; i++)
		free(box->rows[i].body);
	box->n = 0;
}

void
mail_close(struct mail *m)
{
	for (size_t i = 0; i < BOXES_MAX; i++)
		drop_rows(&m->boxes[i]);
	for (size_t i = 0; i < NOTES_MAX; i++) {
		buf_free(&m->notes[i].entry);
		buf_free(&m->notes[i].value);
	}
	free(m);
}

int
mail_events_fd(struct mail *m)
{
	(void)m;
	return -1;
}

void
mail_events_read(struct mail *m)
{
	(void)m;
}

bool
mail_events_suffice(struct mail *m)
{
	(void)m;
	return false;
}

unsigned
mail_poll_seconds(struct mail *m)
{
	(void)m;
	return 1;
}

void
mail_progress(struct mail *m,
    void (*fn)(void *arg, uint64_t done, uint64_t total), void *arg)
{
	(void)m;
	(void)fn;
	(void)arg;
}

void
mail_shrink(struct mail *m)
{
	(void)m;
}

static bool
has_children(struct mail *m, const struct box *parent)
{
	for (size_t i = 0; i < BOXES_MAX; i++) {
		const struct box *b = &m->boxes[i];

		if (b->used && b->name_length > parent->name_length
		    && b->name[parent->name_length] == '/'
		    && memcmp(b->name, parent->name, parent->name_length) == 0)
			return true;
	}
	return false;
}

int
mail_list(struct mail *m, int (*fn)(void *, const struct mailbox_name *), void *arg)
{
	int r = 0;

	for (size_t i = 0; i < BOXES_MAX && r == 0; i++) {
		const struct box *b = &m->boxes[i];
		struct mailbox_name name = {
			.name = { b->name, b->name_length },
			.attributes = (has_children(m, b) ? MAILBOX_HAS_CHILDREN : 0u)
			    | (b->subscribed ? MAILBOX_SUBSCRIBED : 0u),
			.uses = b->uses,
		};

		if (b->used)
			r = fn(arg, &name);
	}
	return r;
}

int
mail_declare(struct mail *m, struct bytes name)
{
	return mail_create(m, name, 0);
}

int
mail_create(struct mail *m, struct bytes name, unsigned uses)
{
	static uint32_t validity;

	if (name.n == 0 || name.n > NAME_MAX_LENGTH)
		return fail(EINVAL);
	if (find(m, name) != NULL)
		return fail(EEXIST);
	for (size_t i = 0; i < BOXES_MAX; i++) {
		struct box *b = &m->boxes[i];

		if (b->used)
			continue;
		*b = (struct box){ .used = true, .uses = uses,
		    .name_length = name.n, .uidvalidity = ++validity,
		    .uidnext = 1, .modseq = 1 };
		memcpy(b->name, name.p, name.n);
		return 0;
	}
	return fail(ENOSPC);
}

int
mail_delete(struct mail *m, struct bytes name)
{
	struct box *b = find(m, name);

	if (b == NULL)
		return fail(ENOENT);
	drop_rows(b);
	*b = (struct box){ 0 };
	return 0;
}

int
mail_rename(struct mail *m, struct bytes from, struct bytes to)
{
	struct box *b = find(m, from);

	if (b == NULL)
		return fail(ENOENT);
	if (to.n == 0 || to.n > NAME_MAX_LENGTH)
		return fail(EINVAL);
	if (find(m, to) != NULL)
		return fail(EEXIST);
	memcpy(b->name, to.p, to.n);
	b->name_length = to.n;
	return 0;
}

int
mail_subscribe(struct mail *m, struct bytes name, bool on)
{
	struct box *b = find(m, name);

	if (b != NULL)
		b->subscribed = on;
	return 0;
}

static void
status_of(const struct box *b, struct mailbox_status *st)
{
	*st = (struct mailbox_status){ .uidvalidity = b->uidvalidity,
	    .uidnext = b->uidnext, .highest_modseq = b->modseq,
	    .messages = b->n, .id = "F1" };
	for (size_t i = 0; i < b->n; i++) {
		const struct mail_row *row = &b->rows[i].row;

		st->size += row->size;
		st->deleted += (row->flags & FLAG_DELETED) != 0;
		if ((row->flags & FLAG_SEEN) != 0)
			continue;
		st->unseen++;
		if (st->first_unseen == 0)
			st->first_unseen = row->uid;
	}
}

int
mail_glimpse(struct mail *m, struct bytes name, struct mail_glimpse *out)
{
	(void)m, (void)name, (void)out;
	errno = ENOTSUP;
	return -1;
}

int
mail_status(struct mail *m, struct bytes name, unsigned want,
    struct mailbox_status *out)
{
	struct box *b = find(m, name);

	(void)want;
	if (b == NULL)
		return fail(ENOENT);
	status_of(b, out);
	return 0;
}

/* ---- annotations ---- */

static int
note_owner(struct mail *m, struct bytes name, size_t *owner)
{
	struct box *b = find(m, name);

	*owner = b == NULL ? BOXES_MAX : (size_t)(b - m->boxes);
	return b == NULL && name.n > 0 ? fail(ENOENT) : 0;
}

int
mail_annotations(struct mail *m, struct bytes mailbox,
    int (*fn)(void *, const struct mail_annotation *), void *arg)
{
	size_t owner;
	int r = note_owner(m, mailbox, &owner);

	for (size_t i = 0; i < NOTES_MAX && r == 0; i++) {
		const struct note *n = &m->notes[i];
		struct mail_annotation a = { buf_contents(&n->entry),
		    buf_contents(&n->value) };

		if (n->box == owner && n->entry.len > 0)
			r = fn(arg, &a);
	}
	return r;
}

/* The note of this name, or a free one, or NULL. */
static struct note *
find_note(struct mail *m, size_t owner, struct bytes entry)
{
	struct note *free_one = NULL;

	for (size_t i = 0; i < NOTES_MAX; i++) {
		struct note *n = &m->notes[i];

		if (n->entry.len == 0)
			free_one = n;
		else if (n->box == owner
		    && bytes_case_equal(buf_contents(&n->entry), entry))
			return n;
	}
	return free_one;
}

int
mail_touch(struct mail *m, struct bytes name)
{
	return find(m, name) == NULL ? fail(ENOENT) : 0;
}

int
mail_annotate(struct mail *m, struct bytes mailbox,
    const struct mail_annotation *v, size_t n)
{
	size_t owner;

	if (note_owner(m, mailbox, &owner) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct note *at = find_note(m, owner, v[i].entry);

		if (at == NULL)
			return fail(E2BIG);
		buf_free(&at->entry);
		buf_free(&at->value);
		if (v[i].value.p == NULL)
			continue;
		at->box = owner;
		at->entry = at->value = BUF_INIT(1 << 20);
		buf_bytes(&at->entry, v[i].entry);
		buf_room(&at->value, 1);
		buf_bytes(&at->value, v[i].value);
	}
	return 0;
}

int
mail_set_uses(struct mail *m, struct bytes name, unsigned uses)
{
	struct box *b = find(m, name);

	if (b == NULL)
		return fail(ENOENT);
	b->uses = uses;
	return 0;
}

int
mail_watch(struct mail *m, const struct bytes *names, size_t n)
{
	(void)m;
	(void)names;
	(void)n;
	return fail(ENOSPC);
}

int
mail_quota(struct mail *m, struct mail_quota v[MAIL_QUOTA_ROOTS_MAX])
{
	(void)m;
	v[0] = (struct mail_quota){ .root = "mail", .octets_used = 3000,
	    .octets_limit = 100000, .messages_used = 3, .messages_limit = 100 };
	return 1;
}

/* ---- an open mailbox ---- */

int
mailbox_open(struct mail *m, struct bytes name, bool read_only, struct mailbox **out)
{
	struct box *box = find(m, name);
	struct mailbox *b;

	if (box == NULL)
		return fail(ENOENT);
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return -1;
	b->mail = m;
	b->box = box;
	b->uidvalidity = box->uidvalidity;
	b->read_only = read_only;
	b->told = box->modseq;
	b->column = BUF_INIT(1 << 20);
	for (size_t i = 0; i < box->n; i++)
		runs_add(&b->view, box->rows[i].row.uid, box->rows[i].row.uid);
	*out = b;
	return 0;
}

void
mailbox_close(struct mailbox *b)
{
	runs_free(&b->view);
	runs_free(&b->recent);
	buf_free(&b->column);
	free(b);
}

bool
mailbox_read_only(const struct mailbox *b)
{
	return b->read_only;
}

struct bytes
mailbox_name_of(const struct mailbox *b)
{
	return bytes_make(b->box->name, b->box->name_length);
}

int
mailbox_status_now(struct mailbox *b, unsigned want, struct mailbox_status *out)
{
	(void)want;
	status_of(b->box, out);
	return 0;
}

int
mailbox_upkeep(struct mailbox *b)
{
	(void)b;
	return 0;
}

int
mailbox_sync(struct mailbox *b)
{
	return b->box->used && b->box->uidvalidity == b->uidvalidity ? 0
	    : fail(ESTALE);
}

const struct runs *
mailbox_view(const struct mailbox *b)
{
	return &b->view;
}

const struct runs *
mailbox_recent(const struct mailbox *b)
{
	return &b->recent;
}

/* Nobody else is there: at SELECT, the only time that it is asked for, this is true. */
uint32_t
mailbox_view_uidnext(const struct mailbox *b)
{
	return b->box->uidnext;
}

uint64_t
mailbox_view_modseq(const struct mailbox *b)
{
	return b->told;
}

static struct row *
row_of(struct mailbox *b, uint32_t uid)
{
	for (size_t i = 0; i < b->box->n; i++)
		if (b->box->rows[i].row.uid == uid)
			return &b->box->rows[i];
	return NULL;
}

int
mailbox_changes(struct mailbox *b, struct mail_changes *out)
{
	struct runs there = RUNS_INIT;

	*out = (struct mail_changes){ .modseq = b->box->modseq };
	for (size_t i = 0; i < b->box->n; i++) {
		const struct mail_row *row = &b->box->rows[i].row;

		runs_add(&there, row->uid, row->uid);
		if (row->modseq > b->told && runs_contains(&b->view, row->uid))
			runs_add(&out->changed, row->uid, row->uid);
	}
	runs_subtract(&out->vanished, &b->view, &there);
	runs_subtract(&out->arrived, &there, &b->view);
	runs_free(&there);
	return 0;
}

void
mail_changes_free(struct mail_changes *c)
{
	runs_free(&c->vanished);
	runs_free(&c->arrived);
	runs_free(&c->changed);
}

int
mailbox_told_vanished(struct mailbox *b, const struct runs *uids)
{
	for (size_t i = 0; i < uids->n; i++)
		runs_remove(&b->view, uids->v[i].first, uids->v[i].last);
	return 0;
}

int
mailbox_told_arrived(struct mailbox *b, const struct runs *uids)
{
	for (size_t i = 0; i < uids->n; i++)
		runs_add(&b->view, uids->v[i].first, uids->v[i].last);
	return 0;
}

void
mailbox_told_modseq(struct mailbox *b, uint64_t modseq)
{
	b->told = modseq;
}

int
mailbox_changed_since(struct mailbox *b, uint64_t modseq, struct runs *out)
{
	for (size_t i = 0; i < b->box->n; i++)
		if (b->box->rows[i].row.modseq > modseq)
			runs_add(out, b->box->rows[i].row.uid,
			    b->box->rows[i].row.uid);
	return 0;
}

/* A superset: everything below the last UID that is not there. */
int
mailbox_vanished_since(struct mailbox *b, uint64_t modseq, struct runs *out)
{
	uint32_t last = runs_last(&b->view);

	(void)modseq;
	if (last == 0)
		return 0;
	runs_add(out, 1, last);
	for (size_t i = 0; i < b->view.n; i++)
		runs_remove(out, b->view.v[i].first, b->view.v[i].last);
	return 0;
}

/* ---- rows ---- */

int
mailbox_rows(struct mailbox *b, const struct runs *uids, struct mail_cursor **out)
{
	struct mail_cursor *c = calloc(1, sizeof *c);

	if (c == NULL)
		return -1;
	c->b = b;
	runs_copy(&c->uids, uids);
	*out = c;
	return 0;
}

int
mail_cursor_next(struct mail_cursor *c, struct mail_row *row)
{
	for (; c->i < c->b->box->n; c->i++) {
		const struct mail_row *have = &c->b->box->rows[c->i].row;

		if (!runs_contains(&c->uids, have->uid))
			continue;
		*row = *have;
		c->i++;
		return 1;
	}
	return 0;
}

/* There are no files to look at. */
void
mail_cursor_no_dates(struct mail_cursor *c)
{
	(void)c;
}

void
mail_cursor_rows_alone(struct mail_cursor *c)
{
	(void)c;
}

void
mail_cursor_end(struct mail_cursor *c)
{
	runs_free(&c->uids);
	free(c);
}

int
mailbox_rows_alone(struct mailbox *b, const struct runs *uids, struct mail_row *v,
    size_t max, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < b->box->n && *n < max; i++)
		if (runs_contains(uids, b->box->rows[i].row.uid))
			v[(*n)++] = b->box->rows[i].row;
	return 0;
}

int
mailbox_row(struct mailbox *b, uint32_t uid, struct mail_row *row)
{
	struct row *r = row_of(b, uid);

	if (r == NULL)
		return fail(ENOENT);
	*row = r->row;
	return 0;
}

void
mailbox_row_size_put(struct mailbox *b, const struct mail_row *row, uint64_t size)
{
	(void)b;
	(void)row;
	(void)size;
}

int
mailbox_message_size(struct mailbox *b, uint32_t uid, const struct message *msg,
    uint64_t *size)
{
	(void)msg;
	return mailbox_row_size(b, uid, size);
}

int
mailbox_row_size(struct mailbox *b, uint32_t uid, uint64_t *size)
{
	struct row *r = row_of(b, uid);

	if (r == NULL)
		return fail(ENOENT);
	*size = r->row.size;
	return 0;
}

const char *
mailbox_keyword(struct mailbox *b, unsigned i)
{
	return i < b->n_keywords ? b->keywords[i] : NULL;
}

unsigned
mailbox_keywords(struct mailbox *b)
{
	return b->n_keywords;
}

int
mailbox_keyword_number(struct mailbox *b, struct bytes name, bool create)
{
	for (unsigned i = 0; i < b->n_keywords; i++)
		if (bytes_case_equal(name, bytes_of(b->keywords[i])))
			return (int)i;
	if (!create)
		return fail(ENOENT);
	if (b->n_keywords == KEYWORDS_MAX || name.n > MAIL_KEYWORD_LENGTH_MAX)
		return fail(E2BIG);
	memcpy(b->keywords[b->n_keywords], name.p, name.n);
	return (int)b->n_keywords++;
}

int
mailbox_column(struct mailbox *b, uint32_t uid, enum mail_column col,
    struct bytes *out)
{
	(void)b;
	(void)uid;
	(void)col;
	(void)out;
	return 0;
}

void
mailbox_column_put(struct mailbox *b, uint32_t uid, enum mail_column col,
    struct bytes value)
{
	(void)b;
	(void)uid;
	(void)col;
	(void)value;
}

void
mailbox_shrink(struct mailbox *b)
{
	mailbox_columns_flush(b);
}

void
mailbox_columns_flush(struct mailbox *b)
{
	(void)b;
}

/* ---- contents ---- */

int
mailbox_message(struct mailbox *b, uint32_t uid, struct message *out)
{
	struct row *r = row_of(b, uid);

	if (r == NULL)
		return fail(ENOENT);
	*out = (struct message){ .fd = memfd_create("message", MFD_CLOEXEC),
	    .size = r->row.size, .extents = 1,
	    .extent[0] = { 0, r->row.size } };
	if (out->fd < 0 || write(out->fd, r->body, r->row.size) < 0)
		return -1;
	return 0;
}

void
message_close(struct message *msg)
{
	close(msg->fd);
}

ssize_t
message_read(const struct message *msg, uint64_t offset, void *p, size_t n)
{
	if (offset >= msg->size)
		return 0;
	return pread(msg->fd, p, n, (off_t)offset);
}

/* ---- changes ---- */

static void
change_flags(struct mail_row *row, const struct mail_store *ch)
{
	for (size_t i = 0; i < MAIL_KEYWORDS_MAX / 64; i++) {
		uint64_t bits = ch->keywords.bits[i];

		if (ch->how == FLAGS_SET)
			row->keywords.bits[i] = bits;
		else if (ch->how == FLAGS_ADD)
			row->keywords.bits[i] |= bits;
		else
			row->keywords.bits[i] &= ~bits;
	}
	if (ch->how == FLAGS_SET)
		row->flags = ch->flags;
	else if (ch->how == FLAGS_ADD)
		row->flags |= ch->flags;
	else
		row->flags &= ~ch->flags;
}

int
mailbox_store(struct mailbox *b, const struct runs *uids,
    const struct mail_store *change, struct mail_stored *out)
{
	*out = (struct mail_stored){ .modseq_before = b->box->modseq };
	b->box->modseq++;
	for (size_t i = 0; i < b->box->n; i++) {
		struct mail_row *row = &b->box->rows[i].row;

		if (!runs_contains(uids, row->uid))
			continue;
		if (change->conditional && row->modseq > change->unchanged_since) {
			runs_add(&out->modified, row->uid, row->uid);
			continue;
		}
		change_flags(row, change);
		row->modseq = b->box->modseq;
		runs_add(&out->stored, row->uid, row->uid);
	}
	out->modseq = b->box->modseq;
	return 0;
}

void
mail_stored_free(struct mail_stored *s)
{
	runs_free(&s->stored);
	runs_free(&s->modified);
}

static int
remove_rows(struct mailbox *b, const struct runs *uids, uint32_t flag, struct runs *out)
{
	size_t kept = 0;

	b->box->modseq++;
	for (size_t i = 0; i < b->box->n; i++) {
		struct row r = b->box->rows[i];

		if (!runs_contains(uids, r.row.uid)
		    || (r.row.flags & flag) != flag) {
			b->box->rows[kept++] = r;
			continue;
		}
		if (out != NULL)
			runs_add(out, r.row.uid, r.row.uid);
		free(r.body);
	}
	b->box->n = kept;
	return 0;
}

int
mailbox_expunge(struct mailbox *b, const struct runs *uids, struct runs *out)
{
	return remove_rows(b, uids, FLAG_DELETED, out);
}

int
mailbox_remove(struct mailbox *b, const struct runs *uids, struct runs *out)
{
	return remove_rows(b, uids, 0, out);
}

static int
add_row(struct box *box, struct mail_row row, struct bytes body)
{
	struct row *r = &box->rows[box->n];

	if (box->n == ROWS_MAX)
		return fail(ENOSPC);
	r->body = malloc(body.n + 1);
	if (r->body == NULL)
		return -1;
	if (body.n > 0)
		memcpy(r->body, body.p, body.n);
	r->row = row;
	r->row.uid = box->uidnext++;
	r->row.modseq = ++box->modseq;
	r->row.size = body.n;
	r->row.size_known = true;
	box->n++;
	return 0;
}

int
mailbox_copy(struct mailbox *b, const struct runs *uids, struct bytes to, bool move,
    struct mail_copied *out)
{
	struct box *box = find(b->mail, to);
	size_t n = b->box->n, wanted = 0;

	*out = (struct mail_copied){ 0 };
	if (box == NULL)
		return fail(ENOENT);
	for (size_t i = 0; i < n; i++)
		wanted += runs_contains(uids, b->box->rows[i].row.uid);
	if (wanted > ROWS_MAX - box->n)
		return fail(ENOSPC);
	out->uidvalidity = box->uidvalidity;
	for (size_t i = 0; i < n; i++) {
		struct row *r = &b->box->rows[i];

		if (!runs_contains(uids, r->row.uid))
			continue;
		if (add_row(box, r->row, bytes_make(r->body, r->row.size)) < 0)
			return -1;
		runs_add(&out->from, r->row.uid, r->row.uid);
		runs_add(&out->to, box->uidnext - 1, box->uidnext - 1);
	}
	return move ? mailbox_remove(b, &out->from, NULL) : 0;
}

void
mail_copied_free(struct mail_copied *c)
{
	runs_free(&c->from);
	runs_free(&c->to);
}

/* ---- delivering ---- */

int
delivery_begin(struct mail *m, struct bytes mailbox, struct delivery **out)
{
	struct box *box = find(m, mailbox);

	if (box == NULL)
		return fail(ENOENT);
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return -1;
	(*out)->mail = m;
	(*out)->box = box;
	return 0;
}

int
delivery_message(struct delivery *d, uint32_t flags, const struct bytes *keywords,
    size_t n_keywords, int64_t date)
{
	(void)keywords;
	(void)n_keywords;
	if (d->n == sizeof d->m / sizeof d->m[0])
		return fail(E2BIG);
	d->m[d->n].row = (struct mail_row){ .flags = flags, 
	    .internaldate = date != DELIVERY_NOW ? date : 0 };
	d->m[d->n++].body = BUF_INIT(1 << 20);
	return 0;
}

int
delivery_write(struct delivery *d, const void *p, size_t n)
{
	return buf_add(&d->m[d->n - 1].body, p, n);
}

void
delivery_abort(struct delivery *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_free(&d->m[i].body);
	free(d);
}

void
delivery_replaces(struct delivery *d, uint64_t octets)
{
	(void)d;
	(void)octets;
}

int
delivery_commit(struct delivery *d, uint32_t *uidvalidity, struct runs *uids)
{
	int r = 0;

	for (size_t i = 0; i < d->n && r == 0; i++) {
		r = add_row(d->box, d->m[i].row, buf_contents(&d->m[i].body));
		if (r == 0)
			runs_add(uids, d->box->uidnext - 1, d->box->uidnext - 1);
	}
	*uidvalidity = d->box->uidvalidity;
	delivery_abort(d);
	return r;
}

/* ---- POP3 ---- */

int
mailbox_lock(struct mailbox *b)
{
	(void)b;
	return 0;
}

int
mailbox_uidl(struct mailbox *b, uint32_t uid, char out[UIDL_MAX + 1])
{
	struct mail_row row;

	if (mailbox_row(b, uid, &row) < 0)
		return -1;
	snprintf(out, UIDL_MAX + 1, "%u.%u", b->uidvalidity, uid);
	return 0;
}
