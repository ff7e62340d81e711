/*
 * One pass over a folder.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "pass.h"
#include "sys.h"

/* Set in a mark once the row of its UID was found to be the same. */
#define MATCHED (UINT64_C(1) << 63)
#define READ_ROWS 256

/*
 * A U= above what was ever reserved is believed a little way: the state file
 * may come from an older backup than the mail. Further up it is nonsense, or
 * somebody who wants to use up all UIDs.
 */
#define CLAIM_SLACK ((uint32_t)1 << 24)

static bool
claim_holds(const struct pass *p, const struct entry *e)
{
	const struct state *st = &p->b->state;

	if (e->uid == 0 || e->uidvalidity != st->uidvalidity
	    || e->uid > UINT32_MAX - CLAIM_SLACK
	    || e->uid >= (uint64_t)st->uid_bound + CLAIM_SLACK)
		return false;
	/* One that the index would know was expunged before: never again. */
	return !p->known || e->uid >= p->uid_next
	    || runs_contains(&p->have, e->uid);
}

static int
add_newcomer(struct pass *p, const struct entry *e, uint32_t uid, bool conflict)
{
	size_t size = strlen(e->where) + 1;
	struct newcomer *v;

	if (p->n >= pass_newcomers || p->names.len + size > PASS_NAMES) {
		p->more = true;
		return 0;
	}
	p->names.max = PASS_NAMES;
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 16 : p->cap * 2;
		v = reallocarray(p->newcomers, p->cap, sizeof *v);
		if (v == NULL)
			return -1;
		p->newcomers = v;
	}
	p->newcomers[p->n] = (struct newcomer){
	    .age = p->b->folder->store->ops->age(e->where), .mark = e->mark,
	    .at = (uint32_t)p->names.len, .n = (uint16_t)(size - 1), .uid = uid,
	    .flags = e->flags, .letters = keywords_letters(&e->keywords),
	    .conflict = conflict, .plain = e->uid == 0 && !e->arrival };
	if (buf_add(&p->names, e->where, size) < 0)
		return -1;
	p->n++;
	p->disputed |= conflict;
	return 0;
}

int
pass_newcomer(struct pass *p, const struct entry *e)
{
	return add_newcomer(p, e, 0, false);
}

/*
 * Two files claim one UID. The one the index knows has it; then the one with
 * the known name before the flags; without knowledge any, but always the same.
 */
static uint64_t
winner(const struct pass *p, uint32_t uid, uint64_t a, uint64_t b)
{
	struct index_row row;
	uint64_t low = a < b ? a : b;

	if (!runs_contains(&p->have, uid)
	    || index_row(p->b->mail->db, p->b->rec.number, uid, &row) < 0)
		return low;
	if (a == row.mark || b == row.mark)
		return row.mark;
	if (a >> 32 == row.mark >> 32)
		return a;
	return b >> 32 == row.mark >> 32 ? b : low;
}

static int
found_entry(struct pass *p, const struct entry *e)
{
	struct found f = { .uid = e->uid, .flags = e->flags,
	    .keywords = e->keywords, .mark = e->mark };

	if (e->arrival)
		return add_newcomer(p, e, e->uid, false);
	pass_extra_keywords(p, e->uid, &f.keywords);
	return pass_add(p, &f, e->where);
}

/* Nothing to compare with: the first file that claims a UID has it. */
static int
take_first(struct pass *p, const struct entry *e, uint64_t *mark)
{
	if (*mark != 0)
		return *mark == e->mark ? 0 : add_newcomer(p, e, 0, true);
	*mark = e->mark;
	p->claims++;
	return found_entry(p, e);
}

static int
take_claim(struct pass *p, const struct entry *e)
{
	uint64_t *mark = marks_make(&p->marks, e->uid);

	if (mark == NULL)
		return -1;
	if (e->uid > p->highest)
		p->highest = e->uid;
	if (p->fresh)
		return take_first(p, e, mark);
	if (*mark == 0) {
		*mark = e->mark;
		p->claims++;
	} else if (*mark != e->mark) {
		*mark = winner(p, e->uid, *mark, e->mark);
		p->conflicts++;
	}
	return 0;
}

static int
scan_entry(void *arg, const struct entry *e)
{
	struct pass *p = arg;

	p->gave |= e->given;
	if (!claim_holds(p, e))
		return add_newcomer(p, e, 0, e->uid != 0);
	/* Somebody moved a message we know back to new/: look at all. */
	if (p->parts == PART_ARRIVALS && runs_contains(&p->have, e->uid))
		p->widen = true;
	return take_claim(p, e);
}

static int
load_extra(struct pass *p)
{
	free(p->extra);
	return keywords_flags_load(p->b->folder->dir, &p->extra, &p->n_extra);
}

int
pass_begin(struct pass *p)
{
	p->known = p->b->rec.complete != 0;
	if (index_runs(p->b->mail->db, p->b->rec.number, &p->have) < 0
	    || bound_counted(p->b, p->have.count) < 0 || load_extra(p) < 0)
		return -1;
	p->fresh = !p->known && p->have.count == 0;
	return 0;
}

int
pass_scan(struct pass *p)
{
	return pass_begin(p) < 0 ? -1
	    : p->b->folder->store->ops->scan(p->b->folder, p->parts, scan_entry, p);
}

int
pass_modseq(struct pass *p)
{
	return p->modseq != 0 ? 0 : bound_reserve(p->b, 0, &p->modseq);
}

void
pass_extra_keywords(const struct pass *p, uint32_t uid, struct keyword_set *set)
{
	size_t low = 0, high = p->n_extra;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->extra[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == p->n_extra || p->extra[low].uid != uid)
		return;
	for (size_t i = 0; i < MAIL_KEYWORDS_MAX / 64; i++)
		set->bits[i] |= p->extra[low].set.bits[i];
}

/* ---- comparing ---- */

static int
compare_rows(struct pass *p, const struct index_row *v, size_t n,
    struct runs *missing)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t *mark;

		if (marks_get(&p->marks, v[i].uid) == 0) {
			if (runs_add(missing, v[i].uid, v[i].uid) < 0)
				return -1;
			continue;
		}
		mark = marks_make(&p->marks, v[i].uid);
		if (*mark != v[i].mark)
			continue;
		*mark |= MATCHED;
		p->open_claims--;
	}
	return 0;
}

static int
compare_all(struct pass *p, struct runs *missing)
{
	struct index_row *v = reallocarray(NULL, READ_ROWS, sizeof *v);
	uint64_t rows = 0;
	uint32_t next = 1;
	size_t n = READ_ROWS;
	int rc = v == NULL ? -1 : 0;

	while (rc == 0 && n == READ_ROWS) {
		rc = index_rows_brief(p->b->mail->db, p->b->rec.number, next,
		    UINT32_MAX, v, READ_ROWS, &n);
		if (rc == 0)
			rc = compare_rows(p, v, n, missing);
		rows += n;
		if (rc == 0 && n > 0) {
			next = v[n - 1].uid + 1;
			if (next == 0)
				break;
		}
	}
	free(v);
	return rc < 0 ? -1 : bound_counted(p->b, rows);
}

/* Removes rows in transactions of bounded size. */
static int
remove_missing(struct pass *p, const struct runs *missing)
{
	struct runs_cursor c = RUNS_CURSOR(missing);
	struct runs batch = RUNS_INIT, removed = RUNS_INIT;
	uint32_t uid = runs_next(&c);
	int rc = uid == 0 ? 0 : pass_modseq(p);

	while (rc == 0 && uid != 0) {
		runs_clear(&batch);
		for (; uid != 0 && rc == 0 && batch.count < PASS_ROWS;
		    uid = runs_next(&c))
			rc = runs_add(&batch, uid, uid);
		if (rc < 0 || (rc = bound_begin(p->b)) < 0)
			break;
		rc = bound_remove_rows(p->b, &batch, p->modseq, &removed);
		if (rc == 0)
			rc = bound_commit(p->b);
		else
			bound_abort(p->b);
	}
	runs_free(&batch);
	runs_free(&removed);
	return rc;
}

/* The second look: entries that are new or changed, and losers of conflicts. */
static int
collect_entry(void *arg, const struct entry *e)
{
	struct pass *p = arg;
	uint64_t mark;

	if (!claim_holds(p, e))
		return 0;
	mark = marks_get(&p->marks, e->uid);
	if (mark == 0)
		return 0;
	if ((mark & ~MATCHED) != e->mark)
		return add_newcomer(p, e, 0, true);
	if (mark & MATCHED)
		return 0;
	return found_entry(p, e);
}

/*
 * Claims that no row has may be those of one whom a kill met between writing
 * them and making them durable.
 */
static int
believe(struct pass *p)
{
	struct folder *f = p->b->folder;

	return f->store->ops->durable(f) < 0 && !sys_unwritable(errno) ? -1 : 0;
}

int
pass_compare(struct pass *p, bool exact)
{
	struct runs missing = RUNS_INIT;
	int rc = 0;

	if (p->fresh)
		return p->claims > 0 && believe(p) < 0 ? -1 : pass_flush(p);
	p->open_claims = p->claims;
	if (p->parts & PART_MESSAGES)
		rc = compare_all(p, &missing);
	if (rc == 0 && exact)
		rc = remove_missing(p, &missing);
	if (rc == 0 && (p->open_claims > 0 || p->conflicts > 0)) {
		rc = p->b->folder->store->ops->scan(p->b->folder, p->parts,
		    collect_entry, p);
		if (rc == 0 && p->n_found > 0)
			rc = believe(p);
		if (rc == 0)
			rc = pass_flush(p);
	}
	runs_free(&missing);
	return rc;
}

static int
mend_keywords(struct pass *p, const struct index_row *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct keyword_set want = { { keywords_letters(&v[i].keywords) } };
		struct found f = { .uid = v[i].uid, .flags = v[i].flags,
		    .mark = v[i].mark };

		pass_extra_keywords(p, v[i].uid, &want);
		f.keywords = want;
		if (memcmp(&want, &v[i].keywords, sizeof want) != 0
		    && pass_add(p, &f, v[i].where) < 0)
			return -1;
	}
	return 0;
}

int
pass_keywords(struct pass *p)
{
	struct index_row *v = reallocarray(NULL, READ_ROWS, sizeof *v);
	uint32_t next = 1;
	size_t n = READ_ROWS;
	int rc = v == NULL ? -1 : load_extra(p);

	while (rc == 0 && n == READ_ROWS) {
		rc = index_rows(p->b->mail->db, p->b->rec.number, next,
		    UINT32_MAX, v, READ_ROWS, &n);
		if (rc == 0)
			rc = mend_keywords(p, v, n);
		if (rc == 0 && n > 0)
			next = v[n - 1].uid + 1;
	}
	free(v);
	return rc == 0 ? pass_flush(p) : -1;
}

void
pass_free(struct pass *p)
{
	marks_free(&p->marks);
	runs_free(&p->have);
	free(p->newcomers);
	buf_free(&p->names);
	free(p->extra);
	free(p->found);
	buf_free(&p->where);
}
