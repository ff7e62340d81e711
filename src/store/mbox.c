/*
 * mbox: opening folders, and what a format is to the rest.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout.h"
#include "mbox.h"
#include "renaming.h"
#include "sys.h"

/* Each change may write the rest of the file anew: few large ones, then. */
#define BATCH 100000
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

int
mbox_store_open(const struct config *conf, const char *path,
    const char *inbox, struct store **out)
{
	struct store *s;

	if (store_open(conf, &mbox_ops, path, &s) < 0)
		return -1;
	s->tree = openat(s->root, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->inbox = strdup(inbox);
	if (s->tree >= 0 && s->inbox != NULL) {
		*out = s;
		return 0;
	}
	store_close(s);
	return -1;
}

static void
folder_free(struct mbox_folder *m)
{
	if (m == NULL)
		return;
	mbox_window_end(&m->window);
	if (m->spool >= 0)
		close(m->spool);
	free(m->path);
	free(m->dotlock);
	free(m);
}

static void
mbox_close(struct folder *f)
{
	if (f->dir >= 0)
		close(f->dir);
	f->dir = -1;
	folder_free(f->mbox);
	f->mbox = NULL;
}

/* The path of the tree: that of the root without its last part. */
static int
tree_length(const struct store *s)
{
	return (int)(strlen(s->path) - strlen("/" MBOX_SIDE_DIR));
}

static int
find_file(struct folder *f)
{
	struct buf file = BUF_INIT(LAYOUT_NAME_MAX * 4);
	struct mbox_folder *m = f->mbox;
	struct store *s = f->store;
	int rc = 0;

	if (layout_inbox(bytes_of(f->name))) {
		m->at = AT_FDCWD;
		m->path = strdup(s->inbox);
		return m->path == NULL
		    || asprintf(&m->dotlock, "%s.lock", s->inbox) < 0 ? -1 : 0;
	}
	m->at = s->tree;
	if (mbox_file_name(bytes_of(f->name), &file) < 0) {
		errno = ENOENT;
		rc = -1;
	} else if ((m->path = strdup((const char *)file.data)) == NULL
	    || asprintf(&m->dotlock, "%.*s/%s.lock", tree_length(s), s->path,
	    m->path) < 0) {
		rc = -1;
	}
	buf_free(&file);
	return rc;
}

static int
open_side(struct folder *f)
{
	char side[MBOX_SIDE_MAX];

	if (mbox_side_name(bytes_of(f->name), side) < 0
	    || asprintf(&f->path, "%s/%s", f->store->path, side) < 0)
		return -1;
	if (sys_mkdir(f->store->root, side) < 0 && errno != EEXIST)
		return -1;
	f->dir = openat(f->store->root, side, OPEN_DIR);
	return f->dir < 0 ? -1 : 0;
}

static int
mbox_open(struct folder *f)
{
	f->mbox = malloc(sizeof *f->mbox);
	if (f->mbox == NULL)
		return -1;
	*f->mbox = (struct mbox_folder){ .fd = -1, .spool = -1,
	    .window = { .fd = -1 } };
	errno = ENOENT;
	if (find_file(f) == 0
	    && mbox_exists(f->store, bytes_of(f->name)) && open_side(f) == 0)
		return 0;

	int saved = errno;

	mbox_close(f);
	errno = saved == ENOTDIR ? ENOENT : saved;
	return -1;
}

/* A file that was replaced is watched anew. */
static void
mbox_watch(struct folder *f)
{
	char *file;

	if (f->watch.events != NULL && !f->watch.gone)
		return;
	watch_end(&f->watch);
	file = strndup(f->mbox->dotlock, strlen(f->mbox->dotlock)
	    - strlen(".lock"));
	if (file != NULL)
		watch_begin_file(f->store->events, &f->watch, file);
	free(file);
}

/* From first to last in the file. */
static uint64_t
mbox_age(const char *where)
{
	struct mbox_place place = { 0 };

	mbox_place_parse(where, &place);
	return place.offset;
}

/* Each change was made durable before it was said to be done. */
static int
mbox_durable(struct folder *f)
{
	(void)f;
	return 0;
}

const struct store_ops mbox_ops = {
	.batch = BATCH,
	.keywords_inside = true,
	.list = mbox_list,
	.exists = mbox_exists,
	.create = mbox_create,
	.remove = mbox_remove,
	.declare = mbox_declare,
	.undeclare = mbox_undeclare,
	.rename = mbox_rename,
	.unfinished = renaming_left,
	.recover = mbox_rename_recover,
	.open = mbox_open,
	.close = mbox_close,
	.lock = mbox_lock,
	.unlock = mbox_unlock,
	.only_ours = mbox_only_ours,
	.watch = mbox_watch,
	.stamp = mbox_stamp,
	.settle = mbox_settle,
	.scan = mbox_scan,
	.finish = mbox_finish,
	.half_done = mbox_moving,
	.age = mbox_age,
	.apply = mbox_apply,
	.durable = mbox_durable,
	.message = mbox_message,
	.facts = mbox_facts,
	.draft_begin = mbox_draft_begin,
	.draft_seal = mbox_draft_seal,
	.draft_drop = mbox_draft_drop,
	.deliver = mbox_deliver,
	.copy = mbox_copy,
};
