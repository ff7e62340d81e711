/*
 * Watching many mailboxes, and the list of them.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdio.h>

#include "bound.h"
#include "notices.h"

#define PATH_SIZE 4096

static int
watch_below(struct mail *m, const char *path, const char *below)
{
	char full[PATH_SIZE];

	if ((size_t)snprintf(full, sizeof full, "%s%s", path, below) >= sizeof full) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return notices_add(m->notices, full);
}

/* A folder's own directory too: annotations and keywords stand there. */
static int
watch_mailbox(struct mail *m, struct bytes name)
{
	struct folder *f;
	int rc, saved;

	if (folder_get(m->store, name, &f) < 0)
		return errno == ENOENT ? 0 : -1;
	/* An mbox is written in place, which no directory tells. */
	errno = ENOTSUP;
	rc = f->cur < 0 ? -1 : watch_below(m, f->path, "");
	if (rc == 0 && (rc = watch_below(m, f->path, "/new")) == 0)
		rc = watch_below(m, f->path, "/cur");
	saved = errno;
	folder_put(f);
	errno = saved;
	return rc;
}

int
mail_watch(struct mail *m, const struct bytes *names, size_t n)
{
	int rc, saved;

	if (names == NULL) {
		notices_close(m->notices);
		m->notices = NULL;
		return 0;
	}
	errno = ENOTSUP;
	if (store_shared(m->store))
		return -1;
	/* Kept while more is added: no event is lost in between. */
	if (m->notices == NULL && (m->notices = notices_open()) == NULL)
		return -1;
	rc = notices_add(m->notices, m->store->path);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = watch_mailbox(m, names[i]);
	if (rc == 0)
		return 0;
	saved = errno;
	notices_close(m->notices);
	m->notices = NULL;
	errno = saved;
	return -1;
}
