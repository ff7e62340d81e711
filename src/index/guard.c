/*
 * Memory faults while LMDB is at work, and what it asserts in vain, as results.
 * Runs as: the mailbox owner.
 *
 * A session has one thread, and between begin and end of a guarded call only
 * LMDB and copying from its map run: a fault there is a fault of the file.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "guard.h"

static sigjmp_buf fault_return;
static volatile sig_atomic_t fault_expected;
static struct sigaction before[2];	/* SIGBUS, SIGSEGV */

static void
on_fault(int sig)
{
	if (fault_expected)
		siglongjmp(fault_return, sig);
	/* Not ours: the instruction faults again, and the old action follows. */
	sigaction(sig, &before[sig == SIGSEGV], NULL);
}

void
guard_begin(void)
{
	static int done;
	/* Not blocked while it runs: it does not return from a fault of ours. */
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	if (done)
		return;
	done = 1;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, &before[0]);
	sigaction(SIGSEGV, &sa, &before[1]);
}

/* The body of a guarded call. sigsetjmp() without the mask: no system call. */
#define GUARDED(call) \
	do { \
		int rc; \
\
		if (sigsetjmp(fault_return, 0) != 0) { \
			fault_expected = 0; \
			return MDB_CORRUPTED; \
		} \
		fault_expected = 1; \
		rc = (call); \
		fault_expected = 0; \
		return rc; \
	} while (0)

/* Of pages that it reads, LMDB takes for granted what only its own writing ensures. */
static void
on_assertion(MDB_env *env, const char *text)
{
	(void)env;
	(void)text;
	if (fault_expected)
		siglongjmp(fault_return, SIGABRT);
}

int
guard_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode)
{
	mdb_env_set_assert(env, on_assertion);
	GUARDED(mdb_env_open(env, path, flags, mode));
}

int
guard_env_close(MDB_env *env)
{
	GUARDED((mdb_env_close(env), 0));
}

int
guard_env_set_mapsize(MDB_env *env, size_t size)
{
	GUARDED(mdb_env_set_mapsize(env, size));
}

int
guard_txn_begin(MDB_env *env, unsigned flags, MDB_txn **txn)
{
	GUARDED(mdb_txn_begin(env, NULL, flags, txn));
}

int
guard_txn_renew(MDB_txn *txn)
{
	GUARDED(mdb_txn_renew(txn));
}

int
guard_txn_commit(MDB_txn *txn)
{
	GUARDED(mdb_txn_commit(txn));
}

int
guard_txn_abort(MDB_txn *txn)
{
	GUARDED((mdb_txn_abort(txn), 0));
}

int
guard_dbi_open(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi)
{
	GUARDED(mdb_dbi_open(txn, name, flags, dbi));
}

int
guard_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val)
{
	GUARDED(mdb_get(txn, dbi, key, val));
}

int
guard_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val)
{
	GUARDED(mdb_put(txn, dbi, key, val, 0));
}

int
guard_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor)
{
	GUARDED(mdb_cursor_open(txn, dbi, cursor));
}

int
guard_cursor_close(MDB_cursor *cursor)
{
	GUARDED((mdb_cursor_close(cursor), 0));
}

int
guard_cursor_put(MDB_cursor *cursor, MDB_val *key, MDB_val *val, unsigned flags)
{
	GUARDED(mdb_cursor_put(cursor, key, val, flags));
}

int
guard_copy(void *to, const void *from, size_t n)
{
	GUARDED((memcpy(to, from, n), 0));
}

int
guard_run(int (*fn)(void *arg), void *arg)
{
	GUARDED(fn(arg));
}
