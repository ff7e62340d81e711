/*
 * What all formats of storage share: open folders and their locks.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "given.h"
#include "lock.h"
#include "shared.h"
#include "store.h"
#include "sys.h"

#define LOCK_FILE "mailreeve-lock"
#define NAMES_LOCK_FILE "mailreeve-names-lock"

int
store_open(const struct config *conf, const struct store_ops *ops,
    const char *path, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -1;
	s->conf = conf;
	s->ops = ops;
	s->tree = -1;
	s->path = strdup(path);
	s->root = s->path == NULL ? -1
	    : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0) {
		free(s->path);
		free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void
store_close(struct store *s)
{
	while (s->folders != NULL) {
		s->folders->users = 1;
		folder_put(s->folders);
	}
	events_close(s->events);
	close(s->root);
	if (s->tree >= 0)
		close(s->tree);
	free(s->inbox);
	free(s->path);
	free(s);
}

/* Another session may have renamed it, and given the name to another one. */
static bool
still_named(const struct folder *f)
{
	const char *disk = f->path + strlen(f->store->path) + 1;
	struct stat named, open;

	return fstatat(f->store->root, disk, &named, AT_SYMLINK_NOFOLLOW) == 0
	    && fstat(f->dir, &open) == 0 && named.st_ino == open.st_ino
	    && named.st_dev == open.st_dev;
}

static struct folder *
find_open(struct store *s, struct bytes name)
{
	for (struct folder *f = s->folders; f != NULL; f = f->next)
		if (bytes_equal(bytes_of(f->name), name) && still_named(f))
			return f;
	return NULL;
}

/*
 * The same directory, open since before it got this name: its lock must not
 * be waited for. What mbox keeps beside a file says nothing of the file.
 */
static struct folder *
find_twin(const struct folder *new)
{
	struct stat st, other;

	if (new->mbox != NULL || new->store->folders == NULL
	    || fstat(new->dir, &st) < 0)
		return NULL;
	for (struct folder *f = new->store->folders; f != NULL; f = f->next)
		if (fstat(f->dir, &other) == 0 && other.st_ino == st.st_ino
		    && other.st_dev == st.st_dev)
			return f;
	return NULL;
}

static void
folder_free(struct folder *f)
{
	free(f->name);
	free(f->path);
	free(f);
}

static void
swap_names(struct folder *a, struct folder *b)
{
	char *name = a->name, *path = a->path;

	a->name = b->name;
	a->path = b->path;
	b->name = name;
	b->path = path;
}

int
folder_get(struct store *s, struct bytes name, struct folder **out)
{
	struct folder *f = find_open(s, name), *twin;

	if (f != NULL) {
		f->users++;
		*out = f;
		return 0;
	}
	f = calloc(1, sizeof *f);
	if (f == NULL)
		return -1;
	f->store = s;
	f->users = 1;
	f->dir = f->cur = f->arrivals = f->tmp = f->lock = -1;
	f->watch.wd[0] = f->watch.wd[1] = -1;
	f->name = strndup((const char *)name.p, name.n);
	if (f->name == NULL || s->ops->open(f) < 0) {
		int saved = errno;

		folder_free(f);
		errno = saved;
		return -1;
	}
	twin = find_twin(f);
	if (twin != NULL) {
		swap_names(twin, f);
		s->ops->close(f);
		folder_free(f);
		f = twin;
		f->users++;
	} else {
		f->next = s->folders;
		s->folders = f;
	}
	*out = f;
	return 0;
}

void
folder_put(struct folder *f)
{
	struct folder **at;

	if (f == NULL || --f->users > 0)
		return;
	for (at = &f->store->folders; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	watch_end(&f->watch);
	f->store->ops->close(f);
	if (f->lock >= 0)
		close(f->lock);
	folder_rest(f);
	folder_free(f);
}

void
folder_rest(struct folder *f)
{
	keywords_free(&f->keywords);
	given_free(f);
}

void
folder_watch(struct folder *f)
{
	struct store *s = f->store;

	if (s->events == NULL)
		s->events = events_open();
	if (s->ops->watch != NULL)
		s->ops->watch(f);
	else if (f->watch.events == NULL)
		watch_begin(s->events, &f->watch, f->path);
}

bool
store_shared(struct store *s)
{
	if (s->shared == SHARED_UNKNOWN)
		s->shared = shared_by_hosts(s->root) ? SHARED_BY_HOSTS : SHARED_NOT;
	return s->shared == SHARED_BY_HOSTS;
}

bool
folder_only_ours(struct folder *f)
{
	if (f->store->ops->only_ours != NULL)
		return f->store->ops->only_ours(f);
	return watch_only_ours(&f->watch) && !store_shared(f->store);
}

int
folder_lock(struct folder *f)
{
	if (f->locked > 0) {
		f->locked++;
		return 0;
	}
	if (f->lock < 0)
		f->lock = lock_open(f->dir, LOCK_FILE);
	/* Where nothing can be written nothing needs a lock. */
	if (f->lock < 0 ? !sys_unwritable(errno)
	    : lock_take(f->lock, LOCK_WAIT_MS) < 0)
		return -1;
	f->locked = 1;
	return 0;
}

void
folder_unlock(struct folder *f)
{
	if (--f->locked == 0 && f->lock >= 0)
		lock_drop(f->lock);
}

int
folder_lock_all(struct folder *f)
{
	int saved;

	if (folder_lock(f) < 0)
		return -1;
	if (f->store->ops->lock == NULL || f->store->ops->lock(f) == 0)
		return 0;
	saved = errno;
	folder_unlock(f);
	errno = saved;
	return -1;
}

void
folder_unlock_all(struct folder *f)
{
	int saved = errno;

	if (f->store->ops->unlock != NULL)
		f->store->ops->unlock(f);
	folder_unlock(f);
	errno = saved;
}

int
store_lock_names(struct store *s)
{
	int fd = lock_open(s->root, NAMES_LOCK_FILE);

	if (fd >= 0 && lock_take(fd, LOCK_WAIT_MS) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void
store_unlock_names(int lock)
{
	int saved = errno;

	close(lock);
	errno = saved;
}
