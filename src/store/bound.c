/*
 * A folder and its index record: locks, reservations, counters.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "bound.h"
#include "log.h"
#include "sync.h"
#include "sys.h"

#define UID_BLOCK 64
#define INDEX_TRIES 3
#define FINISH_TRIES 3
#define BULK_MIN 1000
#define FORGET_MAX 20000		/* records in a transaction */
/* Mod-sequences are microseconds; one write of the state serves ten minutes. */
#define MODSEQ_BLOCK UINT64_C(600000000)

int
bound_open(struct mail *m, struct bytes name, struct bound *b)
{
	*b = (struct bound){ .mail = m };
	if (folder_get(m->store, name, &b->folder) == 0)
		return 0;
	m->relist = true;
	return -1;
}

void
bound_close(struct bound *b)
{
	folder_put(b->folder);
	b->folder = NULL;
}

bool
bound_clean(const struct bound *b, const struct stamp *now)
{
	struct stamp then;

	memcpy(&then, b->rec.stamp, sizeof then);
	for (unsigned i = 0; i < PARTS; i++)
		if (!then.part[i].firm || !stamp_same(&then, now, i))
			return false;
	return b->rec.complete != 0;
}

int
bound_reload(struct bound *b)
{
	if (db_check(b->mail->db) < 0)
		return -1;
	b->generation = 0;
	if (index_folder_get(b->mail->db, b->id, &b->rec) < 0)
		return -1;
	b->generation = db_generation(b->mail->db);
	return 0;
}

/* What the state file reserves is for us as long as we did it last. */
static bool
reserved_by_us(const struct bound *b, const struct state *s)
{
	return s->holder == db_token(b->mail->db)
	    && s->uid_bound == b->rec.uid_bound
	    && s->modseq_bound == b->rec.modseq_bound;
}

/* Another index may have told clients of mod-sequences above all of ours. */
static bool
behind(const struct bound *b, const struct state *s)
{
	return s->modseq_bound > b->rec.modseq && !reserved_by_us(b, s);
}

/*
 * A folder just opened that is as the index has it needs no lock: the state is
 * replaced in one piece. What must be mended waits for the lock.
 */
static bool
known_as_it_is(struct bound *b, const struct stamp *now)
{
	struct state s;
	struct stat st;

	if (state_load(b->folder->dir, &s) < 0 || fstat(b->folder->dir, &st) < 0
	    || st.st_nlink == 0 || s.inode != st.st_ino)
		return false;
	memcpy(b->id, s.id, sizeof b->id);
	if (bound_reload(b) == 0 && b->rec.uidvalidity == s.uidvalidity
	    && !behind(b, &s) && bound_clean(b, now))
		return true;
	b->id[0] = '\0';
	b->rec = (struct index_folder){ 0 };
	return false;
}

int
bound_sync(struct bound *b)
{
	struct stamp now;

	if (b->folder->store->ops->stamp(b->folder, &now) < 0)
		return -1;
	if (b->id[0] != '\0' ? bound_reload(b) == 0 && bound_clean(b, &now)
	    : known_as_it_is(b, &now))
		return 0;
	if (bound_lock(b) < 0)
		return -1;
	return bound_unlock(b);
}

int
bound_refresh(struct bound *b)
{
	if (b->id[0] != '\0' && bound_reload(b) == 0 && b->rec.complete)
		return 0;
	return bound_sync(b);
}

int
bound_read(struct bound *b, int (*fn)(void *arg), void *arg)
{
	int tries = INDEX_TRIES, rc;

	do {
		if (bound_refresh(b) < 0)
			return -1;
		rc = fn(arg);
	} while (rc < 0 && errno == EIO && --tries > 0);
	return rc;
}

/* A state that is missing, damaged or a copy of another folder's. */
static int
mend_state(struct bound *b, bool lost, ino_t inode)
{
	if (lost && sync_rebuild_state(b) < 0)
		return -1;
	state_new_id(b->state.id);
	b->state.inode = inode;
	/* What is known can be read, also where it cannot be noted down. */
	return state_save(b->folder->dir, &b->state) < 0
	    && !sys_unwritable(errno) ? -1 : 0;
}

static int
load_state(struct bound *b)
{
	struct stat st;
	int rc = state_load(b->folder->dir, &b->state);

	if (fstat(b->folder->dir, &st) < 0)
		return -1;
	if (st.st_nlink == 0) {
		errno = ESTALE;
		return -1;
	}
	if (rc < 0 && errno != ENOENT && errno != EILSEQ)
		return -1;
	if ((rc < 0 || b->state.inode != st.st_ino)
	    && mend_state(b, rc < 0, st.st_ino) < 0)
		return -1;
	/* Another identity under an open view: the mailbox is another one. */
	if (b->id[0] != '\0' && b->rec.uidvalidity != 0
	    && b->rec.uidvalidity != b->state.uidvalidity) {
		errno = ESTALE;
		return -1;
	}
	memcpy(b->id, b->state.id, sizeof b->id);
	return 0;
}

static int
fresh_record(struct bound *b)
{
	b->rec = (struct index_folder){ .uidvalidity = b->state.uidvalidity,
	    .uid_next = b->state.uid_bound, .first_unseen = 1 };
	if (db_begin(b->mail->db) < 0)
		return -1;
	if (index_folder_number(b->mail->db, &b->rec.number) < 0
	    || index_folder_put(b->mail->db, b->id, &b->rec) < 0) {
		db_abort(b->mail->db);
		return -1;
	}
	if (db_commit(b->mail->db) < 0)
		return -1;
	b->generation = db_generation(b->mail->db);
	return 0;
}

/* A mailbox's highest mod-sequence does not go backwards from host to host. */
static int
catch_up(struct bound *b)
{
	uint64_t modseq;

	if (!b->rec.complete || !behind(b, &b->state))
		return 0;
	return bound_reserve(b, 0, &modseq) < 0 || bound_begin(b) < 0 ? -1
	    : bound_commit(b);
}

static int
forget_part(struct bound *b)
{
	struct db *d = b->mail->db;
	size_t gone;

	if (db_begin(d) < 0)
		return -1;
	if (index_place_drop(d, b->state.inode) < 0
	    || index_folder_drop(d, b->id, b->rec.number, FORGET_MAX, &gone) < 0) {
		db_abort(d);
		return -1;
	}
	return db_commit(d);
}

int
bound_forget(struct bound *b)
{
	while (bound_reload(b) == 0)
		if (forget_part(b) < 0)
			return -1;
	return errno == ENOENT ? 0 : -1;
}

/* UIDs of another UIDVALIDITY are worth nothing: somebody wrote the state anew. */
static int
load_record(struct bound *b)
{
	int rc = bound_reload(b);

	if (rc == 0 && b->rec.uidvalidity == b->state.uidvalidity)
		return 0;
	if (rc == 0)
		rc = bound_forget(b);
	else if (errno == ENOENT || errno == EIO)
		rc = 0;
	return rc < 0 ? -1 : fresh_record(b);
}

static int
lock_and_load(struct bound *b)
{
	if (load_state(b) < 0 || load_record(b) < 0)
		return -1;
	/*
	 * What another host did may not show in the times yet: file systems
	 * remember these for a second. Its UIDs must be met before ours go past.
	 */
	if (!reserved_by_us(b, &b->state))
		memset(b->rec.stamp, 0, sizeof b->rec.stamp);
	return sync_locked(b) < 0 ? -1 : catch_up(b);
}

int
bound_finish(struct bound *b)
{
	const struct store_ops *ops = b->folder->store->ops;

	return ops->finish == NULL || b->folder->locked > 0 ? 0
	    : ops->finish(b->folder);
}

/* Who had the lock until now may have been killed in the midst of something. */
static bool
left_half_done(const struct folder *f)
{
	return f->store->ops->half_done != NULL && f->locked == 1
	    && f->store->ops->half_done(f);
}

/* What cannot be finished, in a file that cannot be written to, stays. */
static int
lock_finished(struct bound *b)
{
	for (int tries = FINISH_TRIES;; tries--) {
		if (bound_finish(b) < 0 || folder_lock_all(b->folder) < 0)
			return -1;
		if (tries == 1 || !left_half_done(b->folder))
			return 0;
		folder_unlock_all(b->folder);
	}
}

int
bound_lock(struct bound *b)
{
	int tries = INDEX_TRIES, rc;

	if (lock_finished(b) < 0)
		return -1;
	/* So that we can tell our own changes from those of others. */
	if (b->unwatched)
		watch_end(&b->folder->watch);
	else
		folder_watch(b->folder);
	b->unwatched = false;
	b->dirty = b->failed = false;
	/* An index found to be damaged was dropped: make it anew. */
	do {
		rc = lock_and_load(b);
		sync_forget_first(b);
	} while (rc < 0 && errno == EIO && --tries > 0);
	if (rc < 0)
		folder_unlock_all(b->folder);
	return rc;
}

int
bound_unlock(struct bound *b)
{
	/* Without a new stamp the next one to come looks at the folder. */
	int rc = b->dirty && !b->failed ? sync_own_changes(b) : 0;

	b->dirty = false;
	folder_unlock_all(b->folder);
	return rc;
}

void
bound_bulk(struct bound *b, uint64_t messages)
{
	b->unwatched = b->folder->store->ops->lasting && messages >= BULK_MIN
	    && messages > b->rec.messages / 2;
}

int
bound_change(struct bound *b, int (*fn)(void *arg), void *arg)
{
	int tries = INDEX_TRIES, rc, saved;

	do {
		if (bound_lock(b) < 0)
			return -1;
		rc = fn(arg);
		saved = errno;
		/* What was done is done: a failure here costs only a new look. */
		bound_unlock(b);
		errno = saved;
	} while (rc < 0 && errno == EIO && --tries > 0);
	return rc;
}

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int
bound_reserve(struct bound *b, uint32_t n, uint64_t *modseq)
{
	bool ours = reserved_by_us(b, &b->state);
	struct state st = b->state;
	uint32_t next = b->rec.uid_next;
	uint64_t at = b->rec.modseq + 1;

	if (!ours && st.uid_bound > next)
		next = st.uid_bound;
	if (next <= b->folder->said_last)
		next = b->folder->said_last + 1;
	if (!ours && st.modseq_bound >= at)
		at = st.modseq_bound + 1;
	if (now_us() > at)
		at = now_us();
	if (n > UINT32_MAX - UID_BLOCK - next || at > INT64_MAX - MODSEQ_BLOCK) {
		errno = E2BIG;
		return -1;
	}
	if (!ours || next + n > st.uid_bound || at > st.modseq_bound) {
		if (next + n > st.uid_bound)
			st.uid_bound = next + n + UID_BLOCK;
		if (at > st.modseq_bound)
			st.modseq_bound = at + MODSEQ_BLOCK;
		st.holder = db_token(b->mail->db);
		if (state_save(b->folder->dir, &st) < 0) {
			/*
			 * Others' changes are told of also when the disk is
			 * full; the clock keeps this ahead of later ones.
			 */
			if (n > 0 || !sys_unwritable(errno))
				return -1;
			st = b->state;
		}
		b->state = st;
	}
	b->rec.uid_bound = st.uid_bound;
	b->rec.modseq_bound = st.modseq_bound;
	b->rec.uid_next = next;
	b->rec.modseq = at;
	*modseq = at;
	return 0;
}

/*
 * Pages have no sums of their own: of one that was overwritten the record of
 * the folder may be older than its rows. Without a lock they may differ for a
 * moment.
 */
int
bound_counted(struct bound *b, uint64_t messages)
{
	if (messages == b->rec.messages || b->folder->lock < 0)
		return 0;
	log_warn("mailbox \"%s\": the index says %llu messages and has %llu",
	    log_quote(bytes_of(b->folder->name)),
	    (unsigned long long)b->rec.messages, (unsigned long long)messages);
	db_drop(b->mail->db);
	errno = EIO;
	return -1;
}

int
bound_begin(struct bound *b)
{
	/* rec is of another index than this one. */
	b->moving.last = 0;
	if (b->generation != db_generation(b->mail->db))
		errno = EIO;
	else if (db_begin(b->mail->db) == 0)
		return 0;
	b->failed = true;
	return -1;
}

void
bound_abort(struct bound *b)
{
	b->failed = true;
	db_abort(b->mail->db);
}

static int
flush_log(struct bound *b)
{
	struct run uids = b->moving;

	b->moving.last = 0;
	return uids.last == 0 ? 0 : index_log_move(b->mail->db, b->rec.number,
	    uids, b->moving_from, b->moving_to);
}

int
bound_commit(struct bound *b)
{
	if (flush_log(b) < 0 || index_folder_put(b->mail->db, b->id, &b->rec) < 0) {
		bound_abort(b);
		return -1;
	}
	if (db_commit(b->mail->db) == 0)
		return 0;
	b->failed = true;
	return -1;
}

uint64_t
bound_flags_sum(const struct index_row *row)
{
	uint64_t h = (uint64_t)row->uid << 32 | row->flags;

	for (size_t i = 0; i < MAIL_KEYWORDS_MAX / 64; i++) {
		h = (h ^ row->keywords.bits[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 31;
	}
	return h * UINT64_C(0xbf58476d1ce4e5b9);
}

uint64_t
bound_mark_sum(uint64_t mark)
{
	uint64_t h = mark * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 29;
}

/* Counts the row in (sign 1) or out (sign -1, modulo 2^64). */
static void
count(struct index_folder *f, const struct index_row *row, uint64_t sign)
{
	bool deleted = (row->flags & FLAG_DELETED) != 0;

	f->messages += sign;
	f->flags_sum += sign * bound_flags_sum(row);
	f->marks_sum += sign * bound_mark_sum(row->mark);
	if (!(row->flags & FLAG_SEEN))
		f->unseen += sign;
	if (deleted)
		f->deleted += sign;
	if (row->size == INDEX_SIZE_UNKNOWN) {
		f->sizes_unknown += sign;
		return;
	}
	f->size += sign * row->size;
	if (deleted)
		f->deleted_size += sign * row->size;
}

int
bound_put_facts(struct bound *b, const struct index_row *old,
    const struct index_row *row)
{
	if (old != NULL)
		count(&b->rec, old, UINT64_MAX);
	count(&b->rec, row, 1);
	return (old != NULL ? index_row_put : index_row_add)(b->mail->db,
	    b->rec.number, row);
}

/* Most changes are of messages that follow each other: they are logged as one. */
static int
move_in_log(struct bound *b, uint32_t uid, uint64_t from, uint64_t to)
{
	if (b->moving.last != 0 && uid == b->moving.last + 1
	    && from == b->moving_from && to == b->moving_to) {
		b->moving.last = uid;
		return 0;
	}
	if (flush_log(b) < 0)
		return -1;
	b->moving = (struct run){ uid, uid };
	b->moving_from = from;
	b->moving_to = to;
	return 0;
}

int
bound_put_row(struct bound *b, const struct index_row *old,
    struct index_row *row, uint64_t modseq)
{
	/* What the first indexing finds all changed at once: no log needed. */
	bool logged = b->rec.complete != 0;

	row->modseq = modseq;
	if (!(row->flags & FLAG_SEEN)
	    && (b->rec.unseen == 0 || row->uid < b->rec.first_unseen))
		b->rec.first_unseen = row->uid;
	if (logged && move_in_log(b, row->uid, old != NULL
	    && old->modseq > b->rec.base ? old->modseq : 0, modseq) < 0)
		return -1;
	return bound_put_facts(b, old, row);
}

static int
remove_row(struct bound *b, const struct index_row *row)
{
	struct db *d = b->mail->db;

	count(&b->rec, row, UINT64_MAX);
	if (index_row_remove(d, b->rec.number, row->uid) < 0)
		return -1;
	return row->modseq <= b->rec.base ? 0
	    : move_in_log(b, row->uid, row->modseq, 0);
}

int
bound_remove_rows(struct bound *b, const struct runs *uids, uint64_t modseq,
    struct runs *removed)
{
	struct runs_cursor c = RUNS_CURSOR(uids);
	struct index_row row;
	uint32_t uid;

	runs_clear(removed);
	while ((uid = runs_next(&c)) != 0) {
		if (index_row(b->mail->db, b->rec.number, uid, &row) < 0) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		if (remove_row(b, &row) < 0 || runs_add(removed, uid, uid) < 0)
			return -1;
	}
	if (removed->count == 0)
		return 0;
	if (index_columns_remove(b->mail->db, b->rec.number, removed) < 0
	    || index_gone_add(b->mail->db, &b->rec, modseq, removed) < 0)
		return -1;
	return index_runs_change(b->mail->db, b->rec.number, NULL, removed);
}
