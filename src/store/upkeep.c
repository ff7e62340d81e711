/*
 * Work that was put off so that no client waited for it: names of files that
 * do not show their UIDs yet (given.h).
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "mailbox.h"

#define STEP 256			/* files renamed in one step: a few milliseconds */
#define LOOK_MAX 16384			/* rows looked at for them */
#define READ 256

struct naming {
	struct mailbox *b;
	struct index_row read[READ], row[STEP];
	struct change change[STEP];
	size_t n;
	uint32_t next;			/* UID to look at; 0: all were */
	int error;
};

/* Collects rows whose names say no UID, from next on. */
static int
collect(struct naming *w)
{
	struct bound *b = &w->b->b;
	size_t looked = 0, n = READ;

	w->n = 0;
	while (w->next != 0 && looked < LOOK_MAX && w->n < STEP) {
		size_t room = STEP - w->n;

		if (index_rows(b->mail->db, b->rec.number, w->next, UINT32_MAX,
		    w->read, room < READ ? room : READ, &n) < 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (b->folder->store->ops->given(w->read[i].where))
				w->row[w->n++] = w->read[i];
		looked += n;
		w->next = n == 0 ? 0 : w->read[n - 1].uid + 1;
	}
	return 0;
}

/* One that another program renamed a moment ago has its turn in the next round. */
static int
write_rows(struct naming *w)
{
	struct bound *b = &w->b->b;
	int rc = bound_begin(b);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct index_row new = w->row[i];

		if (w->change[i].error != 0) {
			if (w->change[i].error != ENOENT)
				w->error = w->change[i].error;
			continue;
		}
		memcpy(new.where, w->change[i].where, sizeof new.where);
		new.mark = w->change[i].mark;
		rc = bound_put_facts(b, &w->row[i], &new);
	}
	if (rc == 0)
		return bound_commit(b);
	bound_abort(b);
	return -1;
}

static int
name_collected(struct naming *w)
{
	struct bound *b = &w->b->b;

	for (size_t i = 0; i < w->n; i++) {
		w->change[i] = (struct change){ .uid = w->row[i].uid };
		memcpy(w->change[i].where, w->row[i].where,
		    sizeof w->change[i].where);
	}
	b->dirty = true;
	b->folder->store->ops->apply(b->folder, CHANGE_IDENTITY,
	    b->state.uidvalidity, w->change, w->n);
	return write_rows(w);
}

/* A whole round met no name without a UID: the list of them is of no use. */
static int
all_named(struct naming *w)
{
	const struct store_ops *ops = w->b->b.folder->store->ops;

	if (ops->durable(w->b->b.folder) < 0
	    || ops->given_end(w->b->b.folder) < 0 || bound_begin(&w->b->b) < 0)
		return -1;
	w->b->b.rec.unnamed = 0;
	return bound_commit(&w->b->b);
}

static int
step(void *arg)
{
	struct naming *w = arg;

	w->next = w->b->upkeep_at + 1;
	if (w->b->b.rec.unnamed == 0)
		return 0;
	if (w->next == 1)
		w->b->unnamed = false;
	if (collect(w) < 0 || (w->n > 0 && name_collected(w) < 0))
		return -1;
	w->b->unnamed |= w->n > 0;
	w->b->upkeep_at = w->next == 0 ? 0 : w->next - 1;
	return w->next != 0 || w->b->unnamed ? 0 : all_named(w);
}

int
mailbox_upkeep(struct mailbox *b)
{
	struct naming *w;
	int rc;

	if (b->read_only || b->upkeep_failed || b->b.rec.unnamed == 0)
		return 0;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return -1;
	w->b = b;
	rc = bound_change(&b->b, step, w);
	if (rc == 0 && w->error != 0) {
		errno = w->error;
		rc = -1;
	}
	if (rc < 0)
		log_warn("mailbox \"%s\": names cannot be given their UIDs: %s",
		    log_quote(bytes_of(b->b.folder->name)), strerror(errno));
	b->upkeep_failed = rc < 0;
	free(w);
	return rc < 0 ? -1 : b->b.rec.unnamed != 0;
}
