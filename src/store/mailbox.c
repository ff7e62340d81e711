/*
 * Open mailboxes and what their sessions were told.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"
#include "mailbox.h"
#include "sys.h"

#define EXCLUSIVE_FILE "mailreeve-pop3-lock"
#define TIDY_SECONDS 86400

struct updating {
	struct mailbox *b;
	void (*fn)(struct mailbox *b);
};

static int
update(void *arg)
{
	struct updating *u = arg;

	if (bound_begin(&u->b->b) < 0)
		return -1;
	u->fn(u->b);
	return bound_commit(&u->b->b);
}

int
mailbox_update(struct mailbox *b, void (*fn)(struct mailbox *b))
{
	struct updating u = { b, fn };

	return bound_change(&b->b, update, &u);
}

static void
claim_recent(struct mailbox *b)
{
	for (size_t i = 0; i < b->view.n; i++) {
		uint32_t first = b->view.v[i].first;

		if (b->view.v[i].last < b->b.rec.recent_from)
			continue;
		if (first < b->b.rec.recent_from)
			first = b->b.rec.recent_from;
		runs_add(&b->recent, first, b->view.v[i].last);
	}
	/* What came after the view was taken is for whoever is told of it first. */
	if (!b->read_only && b->view_next > b->b.rec.recent_from)
		b->b.rec.recent_from = b->view_next;
}

static void
tidied(struct mailbox *b)
{
	b->b.rec.tidied = time(NULL);
}

/* Once a day, when somebody opens it. */
static void
tidy(struct mailbox *b)
{
	if (b->read_only || b->b.folder->store->ops->tidy == NULL
	    || time(NULL) - b->b.rec.tidied < TIDY_SECONDS
	    || mailbox_update(b, tidied) < 0)
		return;
	b->b.folder->store->ops->tidy(b->b.folder);
}

/* A UID that is in the view is no next one, however old the record beside it. */
static void
reach(struct mailbox *b, const struct runs *uids)
{
	if (runs_last(uids) >= b->view_next)
		b->view_next = runs_last(uids) + 1;
}

static int
read_view(void *arg)
{
	struct mailbox *b = arg;
	struct bound *bound = &b->b;

	b->told = b->step_modseq = bound->rec.modseq;
	b->step_sum = bound->rec.flags_sum;
	b->in_step = true;
	if (index_runs(bound->mail->db, bound->rec.number, &b->view) < 0)
		return -1;
	b->view_next = bound->rec.uid_next;
	reach(b, &b->view);
	return 0;
}

static int
count_view(void *arg)
{
	struct mailbox *b = arg;

	return read_view(b) < 0 ? -1 : bound_counted(&b->b, b->view.count);
}

static int
first_view(struct mailbox *b)
{
	if (bound_read(&b->b, read_view, b) < 0)
		return -1;
	/* Another may have changed it between the two, or they are wrong. */
	if (b->view.count != b->b.rec.messages
	    && bound_change(&b->b, count_view, b) < 0)
		return -1;
	if (b->b.rec.recent_from >= b->b.rec.uid_next)
		return 0;
	if (!b->read_only)
		return mailbox_update(b, claim_recent);
	claim_recent(b);
	return 0;
}

int
mailbox_open(struct mail *m, struct bytes name, bool read_only,
    struct mailbox **out)
{
	struct mailbox *b = calloc(1, sizeof *b);

	if (b == NULL)
		return -1;
	b->read_only = read_only;
	b->exclusive = -1;
	b->column.max = DB_VALUE_MAX * 2;
	if (bound_open(m, name, &b->b) < 0) {
		free(b);
		return -1;
	}
	if (bound_sync(&b->b) < 0 || first_view(b) < 0) {
		int saved = errno;

		mailbox_close(b);
		errno = saved;
		return -1;
	}
	tidy(b);
	*out = b;
	return 0;
}

void
mailbox_close(struct mailbox *b)
{
	if (b == NULL)
		return;
	pending_flush(b);
	pending_free(&b->pending);
	ahead_free(&b->ahead);
	free(b->spent);
	if (b->exclusive >= 0)
		close(b->exclusive);
	bound_close(&b->b);
	runs_free(&b->view);
	runs_free(&b->recent);
	buf_free(&b->column);
	uidls_free(&b->uidls);
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
	return bytes_of(b->b.folder->name);
}

int
mailbox_lock(struct mailbox *b)
{
	if (b->exclusive >= 0)
		return 0;
	b->exclusive = lock_open(b->b.folder->dir, EXCLUSIVE_FILE);
	/* Where no file can be made nobody has it, and reading goes on. */
	if (b->exclusive < 0)
		return sys_unwritable(errno) ? 0 : -1;
	if (lock_take(b->exclusive, 0) < 0) {
		int saved = errno;

		close(b->exclusive);
		b->exclusive = -1;
		errno = saved;
		return -1;
	}
	return 0;
}

int
mailbox_sync(struct mailbox *b)
{
	return bound_sync(&b->b);
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

uint32_t
mailbox_view_uidnext(const struct mailbox *b)
{
	return b->view_next;
}

uint64_t
mailbox_view_modseq(const struct mailbox *b)
{
	return b->told;
}

/* Of those in view and index, whose flags the session does not know. */
static int
find_changed(struct mailbox *b, const struct runs *have,
    struct mail_changes *out)
{
	const struct index_folder *rec = &b->b.rec;
	struct runs both = RUNS_INIT, since = RUNS_INIT;
	int rc = runs_intersect(&both, &b->view, have);

	/* The index is younger than the view: compare all flags at once. */
	if (rc == 0 && b->told < rec->base) {
		bool same = rec->flags_sum == b->step_sum
		    && out->vanished.count == 0 && out->arrived.count == 0;

		rc = same ? 0 : runs_copy(&out->changed, &both);
	} else if (rc == 0) {
		rc = index_log_since(b->b.mail->db, rec->number, b->told, &since);
		if (rc == 0)
			rc = runs_intersect(&out->changed, &both, &since);
	}
	runs_free(&both);
	runs_free(&since);
	return rc;
}

static int
compare_runs(struct mailbox *b, struct mail_changes *out)
{
	struct runs have = RUNS_INIT;
	int rc = index_runs(b->b.mail->db, b->b.rec.number, &have);

	if (rc == 0)
		rc = runs_subtract(&out->vanished, &b->view, &have);
	if (rc == 0)
		rc = runs_subtract(&out->arrived, &have, &b->view);
	if (rc == 0)
		rc = find_changed(b, &have, out);
	runs_free(&have);
	return rc;
}

struct finding {
	struct mailbox *b;
	struct mail_changes *out;
};

static int
find_changes(void *arg)
{
	struct finding *f = arg;
	struct mailbox *b = f->b;

	f->out->modseq = b->b.rec.modseq;
	return b->in_step && b->step_modseq == f->out->modseq ? 0
	    : compare_runs(b, f->out);
}

int
mailbox_changes(struct mailbox *b, struct mail_changes *out)
{
	struct finding f = { b, out };

	*out = (struct mail_changes){ .modseq = b->told };
	if (bound_read(&b->b, find_changes, &f) < 0) {
		mail_changes_free(out);
		return -1;
	}
	b->in_step = out->vanished.count == 0 && out->arrived.count == 0
	    && out->changed.count == 0;
	if (b->in_step) {
		b->told = b->step_modseq = out->modseq;
		b->step_sum = b->b.rec.flags_sum;
	}
	return 0;
}

void
mail_changes_free(struct mail_changes *c)
{
	runs_free(&c->vanished);
	runs_free(&c->arrived);
	runs_free(&c->changed);
}

static int
take_from(struct runs *set, const struct runs *uids)
{
	for (size_t i = 0; i < uids->n; i++)
		if (runs_remove(set, uids->v[i].first, uids->v[i].last) < 0)
			return -1;
	return 0;
}

int
mailbox_told_vanished(struct mailbox *b, const struct runs *uids)
{
	b->in_step = false;
	return take_from(&b->view, uids) < 0 || take_from(&b->recent, uids) < 0
	    ? -1 : 0;
}

int
mailbox_told_arrived(struct mailbox *b, const struct runs *uids)
{
	b->in_step = false;
	for (size_t i = 0; i < uids->n; i++)
		if (runs_add(&b->view, uids->v[i].first, uids->v[i].last) < 0)
			return -1;
	reach(b, uids);
	if (b->b.rec.recent_from >= b->b.rec.uid_next
	    || runs_last(uids) < b->b.rec.recent_from)
		return 0;
	/* Nobody else was told of them: they are recent for this session. */
	if (b->read_only)
		return 0;
	return mailbox_update(b, claim_recent);
}

void
mailbox_told_modseq(struct mailbox *b, uint64_t modseq)
{
	if (modseq > b->told)
		b->told = modseq;
}

struct since {
	struct bound *b;
	uint64_t modseq;
	struct runs *out;
};

static int
changed_since(void *arg)
{
	struct since *s = arg;
	struct db *d = s->b->mail->db;
	uint32_t number = s->b->rec.number;

	return s->modseq < s->b->rec.base ? index_runs(d, number, s->out)
	    : index_log_since(d, number, s->modseq, s->out);
}

int
mailbox_changed_since(struct mailbox *b, uint64_t modseq, struct runs *out)
{
	struct since s = { &b->b, modseq, out };

	runs_clear(out);
	return bound_read(&b->b, changed_since, &s);
}

/* All that ever were and are not there now. */
static int
all_missing(const struct bound *b, struct runs *out)
{
	struct runs have = RUNS_INIT, all = RUNS_INIT;
	int rc = index_runs(b->mail->db, b->rec.number, &have);

	if (rc == 0 && b->rec.uid_next > 1)
		rc = runs_add(&all, 1, b->rec.uid_next - 1);
	if (rc == 0)
		rc = runs_subtract(out, &all, &have);
	runs_free(&have);
	runs_free(&all);
	return rc;
}

static int
vanished_since(void *arg)
{
	struct since *s = arg;

	return s->modseq < s->b->rec.gone_floor ? all_missing(s->b, s->out)
	    : index_gone_since(s->b->mail->db, s->b->rec.number, s->modseq, s->out);
}

int
mailbox_vanished_since(struct mailbox *b, uint64_t modseq, struct runs *out)
{
	struct since s = { &b->b, modseq, out };

	runs_clear(out);
	return bound_read(&b->b, vanished_since, &s);
}

/*
 * UIDVALIDITY and UID together never change and are never used again, also
 * across hosts and without an index. They are written as Dovecot writes them,
 * so that one who comes from there fetches nothing again; what else another
 * server gave stays too.
 */
int
mailbox_uidl(struct mailbox *b, uint32_t uid, char out[UIDL_MAX + 1])
{
	struct bytes given;

	if (!b->uidls.loaded && uidls_load(&b->uidls, b->b.folder->dir) < 0)
		return -1;
	given = uidls_find(&b->uidls, uid);
	if (given.n > 0)
		snprintf(out, UIDL_MAX + 1, "%.*s", (int)given.n,
		    (const char *)given.p);
	else
		snprintf(out, UIDL_MAX + 1, "%08x%08x", uid, b->b.rec.uidvalidity);
	return 0;
}
