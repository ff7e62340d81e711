/*
 * LMDB's calls, each of which answers MDB_CORRUPTED where a damaged or
 * shortened file makes it fault (SIGBUS, SIGSEGV).
 *
 * Arguments are LMDB's own; guard_copy() is memcpy() from mapped memory and
 * guard_run() any function that reads it.
 */
#ifndef INDEX_GUARD_H
#define INDEX_GUARD_H

#include <lmdb.h>

/* Catches faults from now on; those outside a guarded call stay deadly. */
void guard_begin(void);

int guard_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);
int guard_env_close(MDB_env *env);
int guard_env_set_mapsize(MDB_env *env, size_t size);
int guard_txn_begin(MDB_env *env, unsigned flags, MDB_txn **txn);
int guard_txn_renew(MDB_txn *txn);
int guard_txn_commit(MDB_txn *txn);
int guard_txn_abort(MDB_txn *txn);
int guard_dbi_open(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi);
int guard_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val);
int guard_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val);
int guard_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor);
int guard_cursor_close(MDB_cursor *cursor);
int guard_cursor_put(MDB_cursor *cursor, MDB_val *key, MDB_val *val, unsigned flags);
int guard_copy(void *to, const void *from, size_t n);
int guard_run(int (*fn)(void *arg), void *arg);

#endif
