/*
 * A user's mail: where it lies, and opening it.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "glance.h"
#include "lists.h"
#include "lock.h"
#include "maildir.h"
#include "mbox.h"
#include "notices.h"
#include "place.h"
#include "sys.h"
#include "takeover.h"

#define POLL_SECONDS 5
#define JOURNAL_MAX ((size_t)4096)

/* The mailboxes every user finds at the first visit (RFC 6154). */
static const struct {
	const char *name;
	unsigned use;
} special[] = {
	{ "Drafts", USE_DRAFTS }, { "Sent", USE_SENT }, { "Junk", USE_JUNK },
	{ "Trash", USE_TRASH }, { "Archive", USE_ARCHIVE },
};
#define SPECIAL (sizeof special / sizeof special[0])

static int
add_root(char *paths[MAIL_ROOTS_MAX], int n, const char *path)
{
	paths[n] = strdup(path);
	return paths[n] == NULL ? -1 : n + 1;
}

int
mail_roots(const struct config *conf, const struct mail_owner *owner,
    char *paths[MAIL_ROOTS_MAX])
{
	struct place p;
	int n = 0, rc = place_find(conf, owner, &p);

	if (rc == 0)
		rc = place_make(&p);
	if (rc == 0 && p.mbox)
		rc = dotlock_load();
	if (rc == 0)
		db_prepare();
	for (unsigned i = 0; rc == 0 && i < PLACE_ROOTS; i++)
		if (p.root[i][0] != '\0') {
			rc = add_root(paths, n, p.root[i]) < 0 ? -1 : 0;
			n += rc == 0;
		}
	while (rc < 0 && n > 0)
		free(paths[--n]);
	return rc < 0 ? -1 : n;
}

static int
create_special(struct store *s, bool moved_in)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < SPECIAL; i++) {
		struct bytes name = bytes_of(special[i].name);

		bool made = s->ops->create(s, name) == 0;

		/* What one who moved in had not subscribed stays so. */
		if ((!made && errno != EEXIST)
		    || ((made || !moved_in) && lists_subscribe(s, name, true) < 0)
		    || lists_set_use(s, name, special[i].use) < 0)
			rc = -1;
	}
	return rc;
}

/* Under the lock on names, and once for ever: the list of uses stays. */
static int
first_visit(struct store *s, const struct config *conf)
{
	int lock, rc = 0;

	if (!lists_first_visit(s))
		return 0;
	lock = store_lock_names(s);
	if (lock < 0)
		return -1;
	if (lists_first_visit(s)) {
		int moved_in = takeover_store(s, false, NULL, NULL);

		if (moved_in <= 0)
			lists_subscribe(s, BYTES("INBOX"), true);
		if (moved_in < 0 && !sys_unwritable(errno))
			rc = -1;
		else if (conf->special_folders)
			rc = create_special(s, moved_in > 0);
		else
			rc = lists_begin_uses(s);
	}
	store_unlock_names(lock);
	return rc;
}

/* A journal is there only after a crash; its end is under the lock. */
static int
recover(struct store *s)
{
	struct buf text = BUF_INIT(JOURNAL_MAX);
	struct bytes from, to;
	int lock, rc;

	if (!s->ops->unfinished(s))
		return 0;
	lock = store_lock_names(s);
	if (lock < 0)
		return -1;
	rc = s->ops->recover(s, &text, &from, &to);
	if (rc > 0)
		rc = lists_renamed(s, from, to);
	store_unlock_names(lock);
	buf_free(&text);
	return rc;
}

static bool
is_home(const struct mail *m)
{
	struct stat home, root;

	return stat(m->owner.home, &home) == 0
	    && fstat(m->store->root, &root) == 0
	    && home.st_dev == root.st_dev && home.st_ino == root.st_ino;
}

static int
open_store(struct mail *m, const struct place *p)
{
	if (p->mbox ? mbox_store_open(m->conf, p->store, p->inbox, &m->store) < 0
	    : maildir_make(AT_FDCWD, p->store, true) < 0
	    || store_open(m->conf, &maildir_ops, p->store, &m->store) < 0)
		return -1;
	m->store->in_home = is_home(m);
	/* Reading goes on where nothing can be written. */
	if ((recover(m->store) < 0 || first_visit(m->store, m->conf) < 0)
	    && !sys_unwritable(errno))
		return -1;
	return 0;
}

int
mail_open(const struct config *conf, const struct mail_owner *owner,
    struct mail **out)
{
	struct mail *m = calloc(1, sizeof *m);
	struct place p;

	if (m == NULL)
		return -1;
	m->conf = conf;
	m->owner = *owner;
	if (place_find(conf, owner, &p) < 0 || place_make(&p) < 0
	    || open_store(m, &p) < 0
	    || db_open(p.index, LOCK_WAIT_MS, &m->db) < 0) {
		int saved = errno;

		mail_close(m);
		errno = saved;
		return -1;
	}
	*out = m;
	return 0;
}

void
mail_close(struct mail *m)
{
	if (m == NULL)
		return;
	notices_close(m->notices);
	glances_flush(m);
	if (m->store != NULL)
		store_close(m->store);
	db_close(m->db);
	free(m);
}

/* Begun when somebody first waits: most sessions never do. */
static void
watch_all(struct mail *m)
{
	if (m->store->events == NULL)
		m->store->events = events_open();
	for (struct folder *f = m->store->folders; f != NULL; f = f->next)
		folder_watch(f);
}

int
mail_events_fd(struct mail *m)
{
	watch_all(m);
	return m->notices != NULL ? notices_fd(m->notices)
	    : events_fd(m->store->events);
}

void
mail_events_read(struct mail *m)
{
	watch_all(m);
	events_read(m->store->events);
	if (m->notices != NULL)
		notices_read(m->notices);
}

bool
mail_events_suffice(struct mail *m)
{
	return mail_events_fd(m) >= 0 && !store_shared(m->store);
}

unsigned
mail_poll_seconds(struct mail *m)
{
	(void)m;
	return POLL_SECONDS;
}

void
mail_progress(struct mail *m,
    void (*fn)(void *arg, uint64_t done, uint64_t total), void *arg)
{
	m->store->progress = fn;
	m->store->progress_arg = arg;
}

void
mail_shrink(struct mail *m)
{
	for (struct folder *f = m->store->folders; f != NULL; f = f->next)
		folder_rest(f);
	glances_flush(m);
	db_rest(m->db);
	malloc_trim(0);
}
