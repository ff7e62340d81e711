/*
 * The index file: LMDB behind calls that survive a damaged or vanished file.
 *
 * Nothing outside this file touches mapped memory: values are copied out.
 * A fault inside (SIGBUS of a file cut short, a wild offset of a damaged one)
 * comes back as an error like any other; the file is then dropped and made
 * anew, because everything in it can be found out again from the mail.
 *
 * Functions return 0, or -1 with errno: ENOENT (no such key), EIO (damaged:
 * the index was dropped), ENOSPC, EBUSY (another session writes too long).
 */
#ifndef INDEX_DB_H
#define INDEX_DB_H

#include "bytes.h"

struct db;

/* The tables. Keys are bytes in big-endian order; see index.c. */
enum db_table {
	TABLE_META, TABLE_FOLDERS, TABLE_RUNS, TABLE_ROWS, TABLE_COLUMNS,
	TABLE_LOG, TABLE_GONE, TABLES
};

#define DB_VALUE_MAX ((size_t)1 << 20)

/*
 * What must be done before a sandbox closes: the host's boot is looked up, and
 * a place in memory is made for the index of a session that cannot write its
 * file (a full disk, a read-only file system).
 */
void db_prepare(void);

/*
 * The file at path, at rest: who logs in and only looks whether somebody is
 * there needs none of it. lock_wait bounds the wait for other writers.
 */
int db_open(const char *path, unsigned lock_wait_ms, struct db **out);
void db_close(struct db *d);

/*
 * Looks whether the file at its path still is the one that is open, and opens
 * it, or makes a new one, when it is not, or when it is at rest. Generation
 * grows with each new file. All other calls fail with EIO while no file is
 * open: what a caller took from the old one means nothing in the new one.
 */
int db_check(struct db *d);
uint64_t db_generation(const struct db *d);

/* The number that this index is known by in state files. */
uint64_t db_token(const struct db *d);

/* Drops the file: it is damaged, or somebody wants a new one. */
void db_drop(struct db *d);

/* Unmaps the file until the next db_check(). */
void db_rest(struct db *d);

/* One write transaction at a time; reads in between see its changes. */
int db_begin(struct db *d);
int db_commit(struct db *d);
void db_abort(struct db *d);

/* Copies a value of at most max bytes; its length in *n (E2BIG when longer). */
int db_get(struct db *d, enum db_table t, struct bytes key, void *p, size_t max,
    size_t *n);
int db_put(struct db *d, enum db_table t, struct bytes key, struct bytes value);
/* The same, for a key that is the table's last as a rule. */
int db_append(struct db *d, enum db_table t, struct bytes key, struct bytes value);
/* Removing what is not there succeeds. */
int db_delete(struct db *d, enum db_table t, struct bytes key);

/*
 * Calls fn for each pair from key on, until fn returns non-zero (returned) or
 * the end. Key and value lie in the map: fn copies what it wants and must not
 * call into this file.
 */
int db_walk(struct db *d, enum db_table t, struct bytes key,
    int (*fn)(void *arg, struct bytes key, struct bytes value), void *arg);

/*
 * Removes all keys with this prefix, at most max of them: how many.
 */
int db_delete_prefix(struct db *d, enum db_table t, struct bytes prefix,
    size_t max, size_t *gone);

/* Removes the keys from first to last, which is of the same length. */
int db_delete_range(struct db *d, enum db_table t, struct bytes first,
    struct bytes last);

/* Thirty-two bits by which a damaged value is known. */
uint32_t db_checksum(const void *p, size_t n);

#endif
