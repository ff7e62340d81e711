/*
 * mbox: keeping other programs out, as the host's own do it: a record lock
 * (fcntl) on the file and a dotlock beside it.
 * Runs as: the mailbox owner.
 *
 * Both are tried without waiting and, when one is taken, both are let go and
 * tried again: whatever order others keep, nobody waits for us while we wait.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "lock.h"
#include "mbox.h"
#include "sys.h"

#define NAP_FIRST_US 500
#define NAP_LAST_US 20000
#define OPEN_FILE (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

static bool
is_inbox(const struct folder *f)
{
	return f->mbox->at == AT_FDCWD;
}

static int
open_file(struct folder *f)
{
	struct mbox_folder *m = f->mbox;
	struct stat st;

	m->writable = true;
	m->fd = openat(m->at, m->path, O_RDWR | OPEN_FILE);
	if (m->fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
		m->writable = false;
		m->fd = openat(m->at, m->path, O_RDONLY | OPEN_FILE);
	}
	/* An inbox may be missing; a folder without its file is gone. */
	if (m->fd < 0 && errno == ENOENT && is_inbox(f))
		return 0;
	if (m->fd < 0) {
		errno = errno == ENOENT ? ESTALE : errno == ELOOP ? EILSEQ : errno;
		return -1;
	}
	if (fstat(m->fd, &st) < 0)
		return -1;
	errno = EILSEQ;
	return S_ISREG(st.st_mode) ? 0 : -1;
}

/*
 * Where we may not make files liblockfile would start a helper with the rights
 * to do so; a session starts no programs, and the record lock stands alone.
 */
static bool
may_dotlock(const struct mbox_folder *m)
{
	const char *slash = strrchr(m->dotlock, '/');
	char *above = strndup(m->dotlock, (size_t)(slash - m->dotlock) + 1);
	bool may = above != NULL
	    && faccessat(AT_FDCWD, above, W_OK | X_OK, AT_EACCESS) == 0;

	free(above);
	return may;
}

/* On a full disk reading goes on with the record lock. */
static int
take_dotlock(struct mbox_folder *m)
{
	int taken = may_dotlock(m) ? dotlock_take(m->dotlock) : 0;

	m->dotlocked = taken > 0;
	return taken < 0 ? -1 : 0;
}

static void
let_go(struct mbox_folder *m)
{
	int saved = errno;

	if (m->dotlocked)
		dotlock_drop(m->dotlock);
	m->dotlocked = false;
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	errno = saved;
}

/* Another program may have put a new file in its place meanwhile. */
static bool
still_there(struct mbox_folder *m)
{
	struct stat by_name, open;

	errno = EBUSY;
	if (fstatat(m->at, m->path, &by_name, AT_SYMLINK_NOFOLLOW) < 0)
		return m->fd < 0;
	return m->fd >= 0 && fstat(m->fd, &open) == 0
	    && open.st_ino == by_name.st_ino && open.st_dev == by_name.st_dev;
}

static int
try_both(struct folder *f)
{
	struct mbox_folder *m = f->mbox;

	if (open_file(f) < 0
	    || (m->fd >= 0 && lock_try(m->fd, !m->writable) < 0)
	    || take_dotlock(m) < 0 || !still_there(m)) {
		let_go(m);
		return -1;
	}
	return 0;
}

static int
take_both(struct folder *f)
{
	uint64_t end = clock_ms() + LOCK_WAIT_MS;
	long nap = NAP_FIRST_US;

	while (try_both(f) < 0) {
		struct timespec t = { 0, nap * 1000 };

		if (errno != EBUSY || clock_ms() >= end)
			return -1;
		/* There is no event for a lock that becomes free. */
		nanosleep(&t, NULL);
		if (nap < NAP_LAST_US)
			nap *= 2;
	}
	return 0;
}

int
mbox_lock(struct folder *f)
{
	struct mbox_folder *m = f->mbox;

	if (m->locked > 0) {
		m->locked++;
		return 0;
	}
	if (take_both(f) < 0)
		return -1;
	if (m->fd >= 0 && m->writable && mbox_recover(f->dir, m->fd) < 0) {
		let_go(m);
		return -1;
	}
	m->known = m->broken = false;
	m->locked = 1;
	return 0;
}

void
mbox_unlock(struct folder *f)
{
	if (--f->mbox->locked == 0)
		let_go(f->mbox);
}

int
mbox_make_inbox(struct folder *f)
{
	struct mbox_folder *m = f->mbox;

	if (m->fd >= 0)
		return 0;
	m->fd = sys_create(m->at, m->path);
	if (m->fd < 0 && errno == EEXIST)
		errno = EBUSY;
	if (m->fd < 0 || lock_try(m->fd, false) < 0)
		return -1;
	m->writable = true;
	return 0;
}
