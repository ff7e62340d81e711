/*
 * The index file.
 * Runs as: the mailbox owner.
 *
 * Commits are not synced: it is a cache. It notes under which boot of the host
 * it was made, and one from an earlier boot is dropped, because a crash may
 * have mixed old pages with new ones.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "checksum.h"
#include "db.h"
#include "guard.h"
#include "lock.h"
#include "log.h"

#define MAP_FIRST ((size_t)256 << 20)
/* Room that a transaction finds free at its beginning: none needs more. */
#define MAP_SPARE ((size_t)128 << 20)
#define MAP_LAST ((size_t)64 << 30)
#define READERS 512
#define VERSION 4
#define BOOT_SIZE 40
#define PATH_SIZE 4096

struct meta {
	uint32_t version;
	uint32_t row_size;		/* layout of the machine that wrote it */
	uint64_t token;
	char boot[BOOT_SIZE];
};

/* What the file's inode said after the last commit: see sealed(). */
struct seal {
	uint64_t inode, size;
	int64_t sec, nsec;
	uint64_t device;
};

/*
 * What is changed together lies together: each kind of change goes on where the
 * last one of its kind was.
 */
enum place { PLACE_PUT, PLACE_END, PLACE_DELETE, PLACES };

struct db {
	char *path;
	unsigned lock_wait;
	MDB_env *env;			/* NULL: at rest */
	MDB_dbi dbi[TABLES];
	MDB_txn *reader;		/* reset between calls */
	MDB_txn *writer;
	MDB_cursor *at[TABLES][PLACES];	/* of the writer, and closed with it */
	uint64_t generation;
	uint64_t token;
	dev_t dev;
	ino_t ino;
	struct seal seal;		/* as last seen to fit */
	size_t map;
	bool private;			/* in memory, for this session alone */
	int write_lock;			/* file whose lock bounds the wait for writers */
};

/* Memory for a private index, made while that is still allowed. */
static int spare_fd = -1;

static const char *const table_names[TABLES] = {
	"meta", "folders", "runs", "rows", "columns", "log", "gone",
};

static int
fail(int rc)
{
	switch (rc) {
	case MDB_NOTFOUND:
		errno = ENOENT;
		break;
	case MDB_MAP_FULL:
		errno = ENOSPC;
		break;
	default:
		errno = rc > 0 ? rc : EIO;
	}
	return -1;
}

static bool
damaged(int rc)
{
	return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC
	    || rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH
	    || rc == MDB_BAD_TXN || rc == MDB_PAGE_FULL || rc == MDB_CURSOR_FULL
	    || rc == MDB_BAD_VALSIZE || rc == MDB_TLS_FULL
	    || rc == MDB_INCOMPATIBLE || rc == MDB_BAD_DBI
	    || rc == MDB_BAD_RSLOT;
}

static void
read_boot(char out[BOOT_SIZE])
{
	static char boot[BOOT_SIZE];
	int fd;

	if (boot[0] == '\0') {
		fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, boot, BOOT_SIZE - 1) < 0)
			snprintf(boot, sizeof boot, "none");
		if (fd >= 0)
			close(fd);
	}
	memcpy(out, boot, BOOT_SIZE);
}

void
db_prepare(void)
{
	char boot[BOOT_SIZE];

	read_boot(boot);
	if (spare_fd < 0)
		spare_fd = memfd_create("mailreeve-index", MFD_CLOEXEC);
}

/* A file that cannot be written is no reason not to read mail. */
static bool
unwritable(int rc)
{
	return rc == EROFS || rc == EACCES || rc == EPERM || rc == ENOSPC
	    || rc == EDQUOT || rc == EISDIR || rc == ELOOP;
}

/* From here on this session has an index of its own, in memory. */
static int
go_private(struct db *d, int why)
{
	char path[32];
	char *copy;

	db_prepare();
	if (d->private || spare_fd < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", spare_fd);
	copy = strdup(path);
	if (copy == NULL)
		return -1;
	log_warn("index %s: %s: kept in memory for this session", d->path,
	    strerror(why));
	db_rest(d);
	free(d->path);
	d->path = copy;
	d->private = true;
	return 0;
}

void
db_rest(struct db *d)
{
	MDB_env *env = d->env;

	if (env == NULL)
		return;
	db_abort(d);
	if (d->reader != NULL)
		guard_txn_abort(d->reader);
	if (guard_env_close(env) != 0)
		log_warn("index %s: damaged, left open", d->path);
	d->env = NULL;
	d->reader = NULL;
}

/* LMDB makes this beside the file, and follows links where one is. */
static void
lock_path(const struct db *d, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s-lock", d->path);
}

static void
remove_files(struct db *d)
{
	char lock[PATH_SIZE];

	if (d->private) {
		if (ftruncate(spare_fd, 0) < 0)
			log_error("index: %s", strerror(errno));
		return;
	}
	lock_path(d, lock);
	unlink(d->path);
	unlink(lock);
}

/* Only a file of our own that nobody else can write is trusted at all. */
static bool
ours(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT;
	return S_ISREG(st.st_mode) && st.st_uid == geteuid()
	    && (st.st_mode & 022) == 0 && st.st_nlink == 1;
}

static bool
trusted(const struct db *d)
{
	char lock[PATH_SIZE];

	lock_path(d, lock);
	return d->private || (ours(d->path) && ours(lock));
}

static int
open_tables(struct db *d, MDB_txn *txn)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < TABLES; i++)
		rc = guard_dbi_open(txn, table_names[i], MDB_CREATE, &d->dbi[i]);
	return rc;
}

/* The file's own facts, written when it is new. MDB_INVALID: not for us. */
static int
check_meta(struct db *d, MDB_txn *txn)
{
	MDB_val key = { 1, (void *)(uintptr_t)"m" }, val;
	struct meta want = { .version = VERSION, .row_size = sizeof(long) }, got;
	int rc;

	read_boot(want.boot);
	rc = guard_get(txn, d->dbi[TABLE_META], &key, &val);
	if (rc == MDB_NOTFOUND) {
		arc4random_buf(&want.token, sizeof want.token);
		want.token |= 1;
		val = (MDB_val){ sizeof want, &want };
		rc = guard_put(txn, d->dbi[TABLE_META], &key, &val);
		d->token = want.token;
		return rc;
	}
	if (rc != 0 || val.mv_size != sizeof got)
		return rc != 0 ? rc : MDB_INVALID;
	if (guard_copy(&got, val.mv_data, sizeof got) != 0)
		return MDB_CORRUPTED;
	d->token = got.token;
	return got.version == want.version && got.row_size == want.row_size
	    && memcmp(got.boot, want.boot, BOOT_SIZE) == 0 ? 0 : MDB_INVALID;
}

static int
open_env(struct db *d)
{
	struct stat st;
	MDB_env *env;
	int rc = mdb_env_create(&env), fd;

	if (rc != 0)
		return rc;
	d->env = env;
	if (d->map == 0)
		d->map = MAP_FIRST;
	mdb_env_set_maxdbs(env, TABLES);
	mdb_env_set_maxreaders(env, READERS);
	mdb_env_set_mapsize(env, d->map);
	rc = guard_env_open(env, d->path, MDB_NOSUBDIR | MDB_NOSYNC
	    | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMEMINIT
	    | (d->private ? MDB_NOLOCK : 0), 0600);
	if (rc != 0)
		return rc;
	if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &st) < 0)
		return MDB_INVALID;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return 0;
}

/* Opens the tables for reading only when they are there: no writer waits. */
static int
open_existing(struct db *d)
{
	MDB_txn *txn;
	int rc;

	rc = guard_txn_begin(d->env, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < TABLES; i++)
		rc = guard_dbi_open(txn, table_names[i], 0, &d->dbi[i]);
	if (rc == 0)
		rc = check_meta(d, txn);
	if (rc != 0) {
		guard_txn_abort(txn);
		return rc == EACCES ? MDB_NOTFOUND : rc;
	}
	/* Handles opened in it live on when it commits. */
	rc = guard_txn_commit(txn);
	return rc;
}

static int
make_tables(struct db *d)
{
	MDB_txn *txn;
	int rc;

	rc = guard_txn_begin(d->env, 0, &txn);
	if (rc != 0)
		return rc;
	rc = open_tables(d, txn);
	if (rc == 0)
		rc = check_meta(d, txn);
	if (rc != 0) {
		guard_txn_abort(txn);
		return rc;
	}
	rc = guard_txn_commit(txn);
	return rc;
}

/*
 * LMDB's own lock between writers has no time limit: ours, taken first, does.
 * 0 or an errno.
 */
static int
open_lock_file(struct db *d)
{
	char path[PATH_SIZE];

	if (d->private || d->write_lock >= 0)
		return 0;
	snprintf(path, sizeof path, "%s-write", d->path);
	d->write_lock = lock_open(AT_FDCWD, path);
	return d->write_lock < 0 ? errno : 0;
}

static int
lock_writers(struct db *d)
{
	return d->private ? 0 : lock_take(d->write_lock, d->lock_wait);
}

static void
unlock_writers(struct db *d)
{
	if (d->write_lock >= 0)
		lock_drop(d->write_lock);
}

/*
 * LMDB trusts the pages it reads. So that it never gets pages that it did not
 * write itself, each commit is sealed: what the file's inode then says stands
 * in the file that writers lock. Whoever else writes into the index, cuts it
 * or puts another one there breaks the seal. (So does a kill in the midst of
 * a commit: the index is made anew.) The time is that of the last change of
 * its bytes: chown(1), chmod(1) and hard links of a backup leave it alone.
 */
static struct seal
seal_of(const struct stat *st)
{
	return (struct seal){ .inode = st->st_ino, .size = (uint64_t)st->st_size,
	    .sec = st->st_mtim.tv_sec, .nsec = st->st_mtim.tv_nsec,
	    .device = st->st_dev };
}

/* The file behind path, and whether the seal fits it. */
static bool
sealed(struct db *d)
{
	struct seal is, want;
	struct stat st;

	if (d->private)
		return true;
	if (lstat(d->path, &st) < 0)
		return false;
	want = seal_of(&st);
	if (d->env != NULL && memcmp(&want, &d->seal, sizeof want) == 0)
		return true;
	/* Good in itself, but not the file that is open. */
	if (d->env != NULL && (st.st_ino != d->ino || st.st_dev != d->dev))
		return false;
	if (pread(d->write_lock, &is, sizeof is, 0) != sizeof is
	    || memcmp(&is, &want, sizeof is) != 0)
		return false;
	d->seal = want;
	return true;
}

/* Under the lock of writers. */
static int
put_seal(struct db *d)
{
	struct seal now;
	struct stat st;

	if (d->private)
		return 0;
	if (lstat(d->path, &st) < 0)
		return -1;
	now = seal_of(&st);
	d->seal = now;
	return pwrite(d->write_lock, &now, sizeof now, 0) == sizeof now ? 0 : -1;
}

static int
try_open(struct db *d)
{
	int dead, rc = open_env(d);

	if (rc == 0)
		rc = open_existing(d);
	if (rc == MDB_READERS_FULL && mdb_reader_check(d->env, &dead) == 0)
		rc = open_existing(d);
	if (rc != 0)
		db_rest(d);
	return rc;
}

/* Under the lock of writers: opens what is sealed, or makes a new one. */
static int
open_or_make(struct db *d)
{
	int rc = sealed(d) && trusted(d) ? try_open(d) : MDB_NOTFOUND;

	if (rc != 0 && rc != MDB_NOTFOUND && !damaged(rc) && rc != EINVAL
	    && rc != EAGAIN)
		return rc;
	if (rc == 0)
		return 0;
	remove_files(d);
	rc = open_env(d);
	if (rc == 0)
		rc = make_tables(d);
	if (rc == 0 && put_seal(d) < 0)
		rc = errno;
	if (rc != 0)
		db_rest(d);
	return rc;
}

static int
open_locked(struct db *d)
{
	int rc;

	if (lock_writers(d) < 0)
		return errno;
	rc = open_or_make(d);
	unlock_writers(d);
	return rc;
}

static int
wake(struct db *d)
{
	uint64_t token = d->token;
	dev_t dev = d->dev;
	ino_t ino = d->ino;
	int rc;

	if (d->env != NULL)
		return 0;
	rc = open_lock_file(d);
	if (rc == 0 && (!sealed(d) || !trusted(d) || d->private
	    || (rc = try_open(d)) != 0))
		rc = open_locked(d);
	/* One made a moment ago that is damaged: its pages had no room. */
	if (damaged(rc))
		rc = ENOSPC;
	if (rc != 0 && unwritable(rc) && go_private(d, rc) == 0)
		rc = open_locked(d);
	if (rc != 0)
		return fail(rc);
	if (d->token != token || d->dev != dev || d->ino != ino)
		d->generation++;
	return 0;
}

int
db_open(const char *path, unsigned lock_wait_ms, struct db **out)
{
	struct db *d = calloc(1, sizeof *d);

	if (d == NULL)
		return -1;
	guard_begin();
	d->write_lock = -1;
	d->path = strdup(path);
	d->lock_wait = lock_wait_ms;
	if (d->path == NULL) {
		free(d);
		return -1;
	}
	*out = d;
	return 0;
}

void
db_close(struct db *d)
{
	if (d == NULL)
		return;
	db_rest(d);
	if (d->write_lock >= 0)
		close(d->write_lock);
	free(d->path);
	free(d);
}

void
db_drop(struct db *d)
{
	log_info("index %s: dropped, to be made anew", d->path);
	db_rest(d);
	remove_files(d);
}

/* A broken seal may be a commit that another session is at: ask under the lock. */
static bool
still_ours(struct db *d)
{
	bool good = sealed(d);

	if (good || d->private)
		return true;
	if (lock_writers(d) < 0)
		return false;
	good = sealed(d);
	unlock_writers(d);
	return good;
}

int
db_check(struct db *d)
{
	if (d->env != NULL && !still_ours(d))
		db_rest(d);
	return wake(d);
}

uint64_t
db_generation(const struct db *d)
{
	return d->generation;
}

uint64_t
db_token(const struct db *d)
{
	return d->token;
}

/* After an error of LMDB's: a damaged file is dropped on the spot. */
static int
report(struct db *d, int rc)
{
	if (rc == 0)
		return 0;
	if (damaged(rc)) {
		log_warn("index %s: %s", d->path, mdb_strerror(rc));
		db_drop(d);
		errno = EIO;
		return -1;
	}
	/* The caller begins again, as with a damaged one. */
	if (unwritable(rc) && go_private(d, rc) == 0) {
		errno = EIO;
		return -1;
	}
	return fail(rc);
}

/* Takes over the size another session gave the map (0), or gives a new one. */
static int
resize(struct db *d, size_t size)
{
	if (d->reader != NULL)
		guard_txn_abort(d->reader);
	d->reader = NULL;
	return guard_env_set_mapsize(d->env, size);
}

/* Sees to it that the coming transaction has room; it cannot get it later. */
static int
make_room(struct db *d)
{
	MDB_envinfo info;
	MDB_stat st;

	if (mdb_env_info(d->env, &info) != 0 || mdb_env_stat(d->env, &st) != 0)
		return MDB_INVALID;
	if ((info.me_last_pgno + 1) * st.ms_psize + MAP_SPARE <= info.me_mapsize)
		return 0;
	return info.me_mapsize >= MAP_LAST ? MDB_MAP_FULL
	    : resize(d, info.me_mapsize * 2);
}

static int
begin_writing(struct db *d)
{
	int rc = guard_txn_begin(d->env, 0, &d->writer);

	if (rc == MDB_MAP_RESIZED && (rc = resize(d, 0)) == 0)
		rc = guard_txn_begin(d->env, 0, &d->writer);
	if (rc != 0)
		d->writer = NULL;
	memset(d->at, 0, sizeof d->at);
	return report(d, rc);
}

static int
begin_locked(struct db *d)
{
	int rc;

	/* Another file by now, or a spoilt one: the caller begins again. */
	if (!sealed(d)) {
		db_rest(d);
		errno = EIO;
		return -1;
	}
	if ((rc = make_room(d)) != 0)
		return report(d, rc);
	return begin_writing(d);
}

int
db_begin(struct db *d)
{
	int saved;

	if (d->env == NULL) {
		errno = EIO;
		return -1;
	}
	if (lock_writers(d) < 0)
		return -1;
	if (begin_locked(d) == 0)
		return 0;
	saved = errno;
	unlock_writers(d);
	errno = saved;
	return -1;
}

int
db_commit(struct db *d)
{
	MDB_txn *txn = d->writer;
	int rc;

	if (txn == NULL) {
		errno = EIO;
		return -1;
	}
	d->writer = NULL;
	rc = guard_txn_commit(txn);
	if (rc == 0 && put_seal(d) < 0)
		rc = EIO;
	unlock_writers(d);
	return report(d, rc);
}

void
db_abort(struct db *d)
{
	int saved = errno;

	if (d->writer != NULL) {
		guard_txn_abort(d->writer);
		unlock_writers(d);
	}
	d->writer = NULL;
	errno = saved;
}

/* The transaction to read in: the writer, or a snapshot of this moment. */
static int
reader(struct db *d, MDB_txn **txn)
{
	int rc = 0;

	/* A file that went must not be followed by an empty one unnoticed. */
	if (d->env == NULL) {
		errno = EIO;
		return -1;
	}
	if (d->writer != NULL) {
		*txn = d->writer;
		return 0;
	}
	if (d->reader != NULL)
		rc = guard_txn_renew(d->reader);
	else
		rc = guard_txn_begin(d->env, MDB_RDONLY, &d->reader);
	if (rc == MDB_MAP_RESIZED && (rc = resize(d, 0)) == 0)
		rc = guard_txn_begin(d->env, MDB_RDONLY, &d->reader);
	if (rc != 0)
		return report(d, rc);
	*txn = d->reader;
	return 0;
}

static void
reader_done(struct db *d)
{
	if (d->writer == NULL && d->reader != NULL)
		mdb_txn_reset(d->reader);
}

static MDB_val
as_val(struct bytes b)
{
	return (MDB_val){ b.n, (void *)(uintptr_t)b.p };
}

int
db_get(struct db *d, enum db_table t, struct bytes key, void *p, size_t max,
    size_t *n)
{
	MDB_val k = as_val(key), v;
	MDB_txn *txn;
	int rc;

	if (reader(d, &txn) < 0)
		return -1;
	rc = guard_get(txn, d->dbi[t], &k, &v);
	if (rc == 0 && v.mv_size <= max) {
		*n = v.mv_size;
		if (guard_copy(p, v.mv_data, v.mv_size) != 0)
			rc = MDB_CORRUPTED;
	} else if (rc == 0) {
		rc = E2BIG;
	}
	reader_done(d);
	return report(d, rc);
}

/* A place of the writer's, for a change. */
static int
writer_at(struct db *d, enum db_table t, enum place which, MDB_cursor **out)
{
	int rc = 0;

	if (d->writer == NULL) {
		errno = EIO;
		return -1;
	}
	if (d->at[t][which] == NULL)
		rc = guard_cursor_open(d->writer, d->dbi[t], &d->at[t][which]);
	*out = d->at[t][which];
	return report(d, rc);
}

int
db_put(struct db *d, enum db_table t, struct bytes key, struct bytes value)
{
	MDB_val k = as_val(key), v = as_val(value);
	MDB_cursor *at;

	return writer_at(d, t, PLACE_PUT, &at) < 0 ? -1
	    : report(d, guard_cursor_put(at, &k, &v, 0));
}

int
db_append(struct db *d, enum db_table t, struct bytes key, struct bytes value)
{
	MDB_val k = as_val(key), v = as_val(value);
	MDB_cursor *at;
	int rc;

	if (writer_at(d, t, PLACE_END, &at) < 0)
		return -1;
	rc = guard_cursor_put(at, &k, &v, MDB_APPEND);
	return rc == MDB_KEYEXIST ? db_put(d, t, key, value) : report(d, rc);
}

struct deleting {
	MDB_cursor *cursor;
	MDB_val k, v;
};

static int
delete_at(void *arg)
{
	struct deleting *w = arg;
	int rc = mdb_cursor_get(w->cursor, &w->k, &w->v, MDB_SET);

	return rc != 0 ? rc : mdb_cursor_del(w->cursor, 0);
}

int
db_delete(struct db *d, enum db_table t, struct bytes key)
{
	struct deleting w = { .k = as_val(key) };
	int rc;

	if (writer_at(d, t, PLACE_DELETE, &w.cursor) < 0)
		return -1;
	rc = guard_run(delete_at, &w);
	return rc == MDB_NOTFOUND ? 0 : report(d, rc);
}

struct walk {
	MDB_cursor *cursor;
	MDB_val k, v;
	int (*fn)(void *arg, struct bytes key, struct bytes value);
	void *arg;
	int stop;
};

static int
walk_all(void *arg)
{
	struct walk *w = arg;
	int rc = mdb_cursor_get(w->cursor, &w->k, &w->v, MDB_SET_RANGE);

	while (rc == 0) {
		w->stop = w->fn(w->arg, bytes_make(w->k.mv_data, w->k.mv_size),
		    bytes_make(w->v.mv_data, w->v.mv_size));
		if (w->stop != 0)
			return 0;
		rc = mdb_cursor_get(w->cursor, &w->k, &w->v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
db_walk(struct db *d, enum db_table t, struct bytes key,
    int (*fn)(void *arg, struct bytes key, struct bytes value), void *arg)
{
	struct walk w = { .k = as_val(key), .fn = fn, .arg = arg };
	MDB_txn *txn;
	int rc;

	if (reader(d, &txn) < 0)
		return -1;
	rc = guard_cursor_open(txn, d->dbi[t], &w.cursor);
	if (rc == 0) {
		rc = guard_run(walk_all, &w);
		guard_cursor_close(w.cursor);
	}
	reader_done(d);
	return rc != 0 ? report(d, rc) : w.stop;
}

struct sweep {
	MDB_cursor *cursor;
	struct bytes first, last;	/* keys are cut to the length of last */
	size_t max, gone;
};

static int
sweep_all(void *arg)
{
	struct sweep *s = arg;
	MDB_val k, v;
	int rc = 0;

	while (s->gone < s->max) {
		k = as_val(s->first);
		rc = mdb_cursor_get(s->cursor, &k, &v, MDB_SET_RANGE);
		if (rc != 0 || bytes_compare(bytes_first(bytes_make(k.mv_data,
		    k.mv_size), s->last.n), s->last) > 0)
			break;
		rc = mdb_cursor_del(s->cursor, 0);
		if (rc != 0)
			break;
		s->gone++;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
sweep(struct db *d, enum db_table t, struct sweep *s)
{
	int rc;

	if (d->writer == NULL) {
		errno = EIO;
		return -1;
	}
	rc = guard_cursor_open(d->writer, d->dbi[t], &s->cursor);
	if (rc == 0) {
		rc = guard_run(sweep_all, s);
		guard_cursor_close(s->cursor);
	}
	return report(d, rc);
}

int
db_delete_prefix(struct db *d, enum db_table t, struct bytes prefix, size_t max,
    size_t *gone)
{
	struct sweep s = { .first = prefix, .last = prefix, .max = max };
	int rc = sweep(d, t, &s);

	*gone = s.gone;
	return rc;
}

int
db_delete_range(struct db *d, enum db_table t, struct bytes first,
    struct bytes last)
{
	struct sweep s = { .first = first, .last = last, .max = SIZE_MAX };

	return sweep(d, t, &s);
}

uint32_t
db_checksum(const void *p, size_t n)
{
	return checksum(p, n);
}
