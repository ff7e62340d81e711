/*
 * Events from Linux' inotify.
 * Runs as: the mailbox owner.
 */
#include <sys/inotify.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "events.h"
#include "name.h"

#define PATH_SIZE 4096
#define READ_SIZE 65536
/* Well below the 16,384 events that Linux keeps for a reader. */
#define UNREAD_MAX 512

/*
 * Only what happens to entries of the directory: with any event of the files
 * themselves (IN_ATTRIB, IN_OPEN...) the kernel would walk all of a folder's
 * cached files to begin a watch.
 */
#define FILE_MASK (IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF)
#define MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO \
	    | IN_DELETE_SELF | IN_ONLYDIR)

struct events {
	int fd;
	struct watch *watches;
};

struct events *
events_open(void)
{
	struct events *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (e->fd < 0) {
		free(e);
		return NULL;
	}
	return e;
}

void
events_close(struct events *e)
{
	if (e == NULL)
		return;
	close(e->fd);
	free(e);
}

int
events_fd(const struct events *e)
{
	return e == NULL ? -1 : e->fd;
}

static uint64_t
event_sum(int directory, enum event_kind kind, struct bytes name)
{
	return name_mark(directory == 0 ? "n" : "c", name)
	    * UINT64_C(0x9e3779b97f4a7c15) * (unsigned)kind;
}

static void
note(struct watch *w, int directory, const struct inotify_event *ev)
{
	if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
		w->gone = true;
	else if (ev->mask & (IN_CREATE | IN_MOVED_TO))
		w->seen += event_sum(directory, EVENT_CAME, bytes_of(ev->name));
	else if (ev->mask & (IN_DELETE | IN_MOVED_FROM))
		w->seen += event_sum(directory, EVENT_GONE, bytes_of(ev->name));
}

static void
dispatch(struct events *e, const struct inotify_event *ev)
{
	for (struct watch *w = e->watches; w != NULL; w = w->next) {
		if (ev->mask & IN_Q_OVERFLOW)
			w->overflowed = true;
		for (int i = 0; i < 2; i++)
			if (w->wd[i] == ev->wd && ev->wd >= 0)
				note(w, i, ev);
	}
}

void
events_read(struct events *e)
{
	union {
		struct inotify_event align;
		char b[READ_SIZE];
	} u;
	ssize_t n;

	if (e == NULL)
		return;
	while ((n = read(e->fd, u.b, sizeof u.b)) > 0 || (n < 0 && errno == EINTR))
		for (char *p = u.b; n > 0 && p < u.b + n;) {
			const struct inotify_event *ev = (const void *)p;

			dispatch(e, ev);
			p += sizeof *ev + ev->len;
		}
}

static int
add(struct events *e, const char *path, const char *below)
{
	char full[PATH_SIZE];

	if ((size_t)snprintf(full, sizeof full, "%s/%s", path, below) >= sizeof full)
		return -1;
	return inotify_add_watch(e->fd, full, MASK);
}

int
watch_begin(struct events *e, struct watch *w, const char *path)
{
	*w = (struct watch){ .wd = { -1, -1 } };
	if (e == NULL)
		return -1;
	w->wd[0] = add(e, path, "new");
	w->wd[1] = add(e, path, "cur");
	w->events = e;
	w->next = e->watches;
	e->watches = w;
	if (w->wd[0] < 0 || w->wd[1] < 0) {
		watch_end(w);
		return -1;
	}
	return 0;
}

int
watch_begin_file(struct events *e, struct watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_SIZE];

	*w = (struct watch){ .wd = { -1, -1 } };
	if (e == NULL || slash == NULL || (size_t)(slash - path) >= sizeof above)
		return -1;
	snprintf(above, sizeof above, "%.*s", (int)(slash - path), path);
	w->wd[0] = inotify_add_watch(e->fd, path, FILE_MASK);
	if (w->wd[0] < 0) {
		w->wd[0] = inotify_add_watch(e->fd, above, MASK);
		w->gone = true;
	}
	if (w->wd[0] < 0)
		return -1;
	w->events = e;
	w->next = e->watches;
	e->watches = w;
	return 0;
}

void
watch_end(struct watch *w)
{
	struct watch **at;

	if (w->events == NULL)
		return;
	for (int i = 0; i < 2; i++)
		if (w->wd[i] >= 0)
			inotify_rm_watch(w->events->fd, w->wd[i]);
	for (at = &w->events->watches; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	*w = (struct watch){ .wd = { -1, -1 } };
}

void
watch_reset(struct watch *w)
{
	if (w->events == NULL)
		return;
	events_read(w->events);
	w->seen = w->expected = 0;
	w->overflowed = false;
}

void
watch_expect(struct watch *w, int directory, enum event_kind kind,
    const char *name)
{
	if (w->events == NULL)
		return;
	w->expected += event_sum(directory, kind, bytes_of(name));
	if (++w->unread == UNREAD_MAX) {
		w->unread = 0;
		events_read(w->events);
	}
}

bool
watch_only_ours(struct watch *w)
{
	if (w->events == NULL)
		return false;
	events_read(w->events);
	return !w->gone && !w->overflowed && w->seen == w->expected;
}
