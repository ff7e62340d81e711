/*
 * Bringing disk and index together.
 * Runs as: the mailbox owner.
 *
 * A directory read while others rename in it may miss files. A look counts as
 * exact when the folder's stamp, made firm before, is the same behind it; only
 * then a message that was not seen is believed to be gone.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "given.h"
#include "log.h"
#include "name.h"
#include "pass.h"
#include "sync.h"
#include "takeover.h"

/* Looks at a folder that never holds still before the rest is left to later. */
#define TRIES 8
/* Passes that took much memory give it back to the system. */
#define TRIM_MESSAGES 20000
#define VALIDITIES 64
/* A lost state: UIDs that may have been given and expunged since. */
#define LOST_GAP 1000

static unsigned
changed_parts(const struct bound *b, const struct stamp *now)
{
	struct stamp then;
	unsigned parts = 0;

	if (!b->rec.complete)
		return PART_ALL;
	memcpy(&then, b->rec.stamp, sizeof then);
	for (unsigned i = 0; i < PARTS; i++)
		if (!then.part[i].firm || !stamp_same(&then, now, i))
			parts |= 1U << i;
	return parts;
}

static bool
same_parts(const struct stamp *a, const struct stamp *b, unsigned parts)
{
	for (unsigned i = 0; i < PARTS; i++)
		if (parts >> i & 1 && !stamp_same(a, b, i))
			return false;
	return true;
}

static int
remember(struct bound *b, const struct stamp *stamp)
{
	_Static_assert(sizeof *stamp <= sizeof b->rec.stamp, "stamp fits");
	if (bound_begin(b) < 0)
		return -1;
	memcpy(b->rec.stamp, stamp, sizeof *stamp);
	return bound_commit(b);
}

/* All is known for the first time: from here on changes are logged. */
static int
complete(struct pass *p)
{
	struct index_folder *rec = &p->b->rec;

	if (rec->complete)
		return 0;
	if (pass_modseq(p) < 0)
		return -1;
	rec->complete = 1;
	rec->base = rec->gone_floor = rec->modseq;
	if (rec->recent_from == 0)
		rec->recent_from = rec->uid_next;
	return 0;
}

/* A scan of a folder where no file claims a UID. */
struct first_look {
	struct stamp before;
	struct pass pass;
};

void
sync_forget_first(struct bound *b)
{
	int saved = errno;

	if (b->first != NULL)
		pass_free(&b->first->pass);
	free(b->first);
	b->first = NULL;
	errno = saved;
}

/* How the folder looks before the scan, so that any later change shows. */
static int
look_begin(struct bound *b, const struct stamp *known, struct stamp *before)
{
	if (b->rec.complete)
		sync_forget_first(b);
	if (b->first != NULL) {
		*before = b->first->before;
		return 0;
	}
	watch_reset(&b->folder->watch);
	return b->folder->store->ops->settle(b->folder, known, before);
}

static int
scan(struct bound *b, struct pass *p)
{
	if (b->first == NULL)
		return pass_scan(p);
	*p = b->first->pass;
	p->parts = PART_ALL;
	b->first->pass = (struct pass){ 0 };
	sync_forget_first(b);
	return pass_begin(p);
}

/*
 * The second scan of a comparison takes what was renamed since the first one for
 * another file of the same UID: that it is one must be sure behind both.
 */
static int
hold_still(struct bound *b, const struct pass *p, const struct stamp *before,
    bool *exact)
{
	struct stamp after;

	if (!*exact || !p->disputed)
		return 0;
	if (b->folder->store->ops->stamp(b->folder, &after) < 0)
		return -1;
	*exact = same_parts(before, &after, p->parts);
	return 0;
}

/*
 * One look at the given parts. Returns 1 when it was exact and the stamp is
 * remembered, 0 when another is needed, -1.
 */
static int
look(struct bound *b, struct pass *p, const struct store_ops *ops, bool last)
{
	struct stamp known, before, after;
	bool exact;

	memcpy(&known, b->rec.stamp, sizeof known);
	if (look_begin(b, &known, &before) < 0)
		return -1;
	p->parts = changed_parts(b, &before);
	if (p->parts == 0)
		return 1;
	if (p->parts == PART_FLAGS)
		return pass_keywords(p) < 0 || remember(b, &before) < 0 ? -1 : 1;
	if (scan(b, p) < 0)
		return -1;
	if (p->widen) {
		memset(b->rec.stamp, 0, sizeof b->rec.stamp);
		return 0;
	}
	if (ops->stamp(b->folder, &after) < 0)
		return -1;
	exact = same_parts(&before, &after, p->parts);
	if (!b->rec.complete && b->rec.recent_from == 0 && b->rec.messages == 0)
		b->rec.recent_from = b->rec.uid_next;
	if (pass_compare(p, exact) < 0
	    || ((p->parts & PART_FLAGS) && b->rec.messages > 0
	    && !p->fresh && !ops->keywords_inside && pass_keywords(p) < 0)
	    || hold_still(b, p, &before, &exact) < 0 || pass_take_in(p, exact) < 0)
		return -1;
	b->rec.unnamed |= p->gave;
	if ((exact || last) && !p->more && complete(p) < 0)
		return -1;
	if (p->changed_disk && ops->settle(b->folder, &known, &before) < 0)
		return -1;
	if (!exact || p->more || p->stuck
	    || (p->changed_disk && !folder_only_ours(b->folder))) {
		if (b->rec.complete && p->modseq != 0 && bound_begin(b) == 0)
			bound_commit(b);
		return p->stuck ? 1 : 0;
	}
	return remember(b, &before) < 0 ? -1 : 1;
}

int
sync_locked(struct bound *b)
{
	const struct store_ops *ops = b->folder->store->ops;
	/* A later try may find UIDs of another host that an earlier one missed. */
	const uint32_t uid_next = b->rec.uid_next;
	bool much = false;
	int rc = 0;

	b->settled = false;
	for (unsigned tries = TRIES; rc == 0 && tries > 0;) {
		struct pass p = { .b = b, .uid_next = uid_next };
		uint64_t had = b->rec.messages;

		rc = look(b, &p, ops, tries == 1);
		/* One that left more than it could hold goes on: no second try. */
		if (!p.more || b->rec.messages <= had)
			tries--;
		b->settled = rc > 0 && !p.stuck;
		much = much || p.claims > TRIM_MESSAGES || p.n > TRIM_MESSAGES;
		pass_free(&p);
	}
	if (much) {
		given_free(b->folder);
		malloc_trim(0);
	}
	return rc < 0 ? -1 : 0;
}

/* Of the files that are there. */
struct tally {
	uint64_t n, sum;
};

static void
add_mark(void *arg, uint64_t mark)
{
	struct tally *t = arg;

	t->n++;
	t->sum += bound_mark_sum(mark);
}

/*
 * Where nobody watched: whether all files have the names that the index has, and
 * there are no others, in a folder that still looks as it did at now. Other hosts
 * have more to say than names.
 */
static bool
same_files(struct bound *b, const struct stamp *now)
{
	const struct store_ops *ops = b->folder->store->ops;
	struct tally t = { 0 };
	struct stamp after;

	return ops->marks != NULL && b->folder->watch.events == NULL
	    && !store_shared(b->folder->store)
	    && ops->marks(b->folder, add_mark, &t) == 0
	    && t.n == b->rec.messages && t.sum == b->rec.marks_sum
	    && ops->stamp(b->folder, &after) == 0
	    && same_parts(now, &after, PART_ALL);
}

int
sync_own_changes(struct bound *b)
{
	const struct store_ops *ops = b->folder->store->ops;
	struct stamp known, now;

	memcpy(&known, b->rec.stamp, sizeof known);
	if (ops->settle(b->folder, &known, &now) < 0)
		return -1;
	/*
	 * What could not be taken in before, from a folder that never holds still
	 * too, is looked for by whoever comes next.
	 */
	if (!b->settled)
		return 0;
	return folder_only_ours(b->folder) || same_files(b, &now)
	    ? remember(b, &now) : sync_locked(b);
}

/* ---- a lost state file ---- */

struct votes {
	struct bound *b;
	struct {
		uint32_t validity, highest;
		uint64_t n;
	} v[VALIDITIES];
	size_t n;
};

static int
vote(void *arg, const struct entry *e)
{
	struct votes *votes = arg;
	size_t i = 0;

	if (e->uid == 0)
		return votes->b->first == NULL ? 0
		    : pass_newcomer(&votes->b->first->pass, e);
	sync_forget_first(votes->b);
	while (i < votes->n && votes->v[i].validity != e->uidvalidity)
		i++;
	if (i == VALIDITIES)
		return 0;
	if (i == votes->n)
		votes->n++;
	votes->v[i].validity = e->uidvalidity;
	votes->v[i].n++;
	if (e->uid > votes->v[i].highest)
		votes->v[i].highest = e->uid;
	return 0;
}

/* What claims nothing is collected for the index, as long as all is so. */
static int
count_votes(struct bound *b, struct votes *votes)
{
	const struct store_ops *ops = b->folder->store->ops;
	struct first_look *first = calloc(1, sizeof *first);
	struct stamp none = { 0 };

	if (first == NULL)
		return -1;
	first->pass.b = b;
	sync_forget_first(b);
	watch_reset(&b->folder->watch);
	b->first = first;
	if (ops->settle(b->folder, &none, &first->before) == 0
	    && ops->scan(b->folder, PART_ALL, vote, votes) == 0)
		return 0;
	sync_forget_first(b);
	return -1;
}

/* 1 when another server was here before us and its UIDs are ours now. */
static int
take_over(struct bound *b)
{
	struct takeover t;
	int rc;

	if (b->folder->store->ops != &maildir_ops)
		return 0;
	rc = takeover_folder(b->folder, &b->state, &t);
	if (rc > 0)
		log_info("mailbox \"%s\": %llu messages taken over as %s has them",
		    log_quote(bytes_of(b->folder->name)),
		    (unsigned long long)t.messages, t.source);
	if (rc < 0)
		log_warn("mailbox \"%s\": cannot be taken over: %s",
		    log_quote(bytes_of(b->folder->name)), strerror(errno));
	/* Reading goes on where nothing can be written. */
	return rc < 0 && errno == EROFS ? 0 : rc;
}

int
sync_rebuild_state(struct bound *b)
{
	struct votes votes = { .b = b };
	struct store *s = b->folder->store;
	size_t best = 0;
	int rc = take_over(b);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	b->state = (struct state){ .uid_bound = 1, .modseq_bound = 1 };
	if (count_votes(b, &votes) < 0)
		return -1;
	for (size_t i = 1; i < votes.n; i++)
		if (votes.v[i].n > votes.v[best].n)
			best = i;
	if (votes.n > 0 && votes.v[best].highest < UINT32_MAX - LOST_GAP) {
		b->state.uidvalidity = votes.v[best].validity;
		b->state.uid_bound = votes.v[best].highest + LOST_GAP;
	} else if (b->folder->said_validity != 0) {
		b->state.uidvalidity = b->folder->said_validity;
	} else {
		int names = store_lock_names(s);

		if (names < 0)
			return -1;
		rc = state_new_validity(s->root, &b->state.uidvalidity);
		store_unlock_names(names);
	}
	if (rc == 0 && votes.n > 0)
		log_info("mailbox \"%s\": state file made anew",
		    log_quote(bytes_of(b->folder->name)));
	return rc;
}
