/*
 * Maildir: folders as a user's names see them.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout.h"
#include "log.h"
#include "maildir.h"
#include "renaming.h"
#include "stamp.h"
#include "sys.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/*
 * A folder on its way in or out stands under these names, which are no
 * mailboxes: what is found there later is unfinished.
 */
#define TRASH_PREFIX "mailreeve-removed-"
#define MAKING "mailreeve-making"
#define FOLDERS_MAX ((size_t)100000)
#define TREE_DEPTH 4			/* of what other programs put into a folder */

static bool
is_folder(int root, const char *disk)
{
	char cur[LAYOUT_DISK_MAX + 8];
	struct stat st;

	snprintf(cur, sizeof cur, "%s/cur", disk);
	return fstatat(root, disk, &st, AT_SYMLINK_NOFOLLOW) == 0
	    && S_ISDIR(st.st_mode)
	    && fstatat(root, cur, &st, AT_SYMLINK_NOFOLLOW) == 0
	    && S_ISDIR(st.st_mode);
}

/* With mail in the home itself that is where the user's secrets lie. */
static bool
reserved(const struct store *s, const char *disk)
{
	return s->in_home && strcmp(disk, MAIL_HOME_DIR) == 0;
}

int
maildir_disk(const struct store *s, struct bytes name,
    char out[LAYOUT_DISK_MAX + 1])
{
	if (layout_to_disk(name, out) < 0)
		return -1;
	if (!reserved(s, out))
		return 0;
	errno = EINVAL;
	return -1;
}

static void
remove_tree(int at, const char *name, unsigned depth)
{
	int fd = openat(at, name, OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (sys_unlink(fd, e->d_name) < 0
		    && (errno == EISDIR || errno == EPERM) && depth > 0)
			remove_tree(fd, e->d_name, depth - 1);
	}
	if (dir != NULL)
		closedir(dir);
	sys_rmdir(at, name);
}

/* A directory of the root whose name is a mailbox's; it may lack cur/. */
struct candidate {
	const char *disk;
	struct bytes name;
};

/* Some file systems do not say what an entry is. */
static bool
may_be_folder(const struct dirent *e)
{
	return e->d_name[0] == '.'
	    && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN);
}

/* The next entry; NULL behind the last one. A list cut short by an error is none. */
static int
next_entry(DIR *dir, struct dirent **out)
{
	errno = 0;
	*out = readdir(dir);
	return errno == 0 ? 0 : -1;
}

static int
each_candidate(struct store *s, int (*fn)(void *arg, const struct candidate *),
    void *arg)
{
	struct buf name = BUF_INIT(LAYOUT_NAME_MAX * 2);
	int fd = openat(s->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t count = 0;

	if (dir == NULL)
		return -1;
	while (rc == 0 && count < FOLDERS_MAX && (rc = next_entry(dir, &e)) == 0
	    && e != NULL) {
		/* A deletion that a crash cut short. */
		if (strncmp(e->d_name, TRASH_PREFIX, strlen(TRASH_PREFIX)) == 0)
			remove_tree(s->root, e->d_name, TREE_DEPTH);
		if (!may_be_folder(e) || reserved(s, e->d_name)
		    || layout_from_disk(e->d_name, &name) < 0)
			continue;
		rc = fn(arg, &(struct candidate){ e->d_name, buf_contents(&name) });
		count++;
	}
	closedir(dir);
	buf_free(&name);
	return rc;
}

struct lister {
	struct store *s;
	int (*fn)(void *arg, struct bytes name, enum listed_as is);
	void *arg;
};

/*
 * Not marked: new/ of each folder would have to be looked at, and mail in it is
 * what STATUS tells (RFC 9051 section 7.3.1).
 */
static int
list_one(void *arg, const struct candidate *c)
{
	const struct lister *l = arg;

	return l->fn(l->arg, c->name, is_folder(l->s->root, c->disk) ? LISTED
	    : LISTED_NOT_YET);
}

int
maildir_list(struct store *s, int (*fn)(void *arg, struct bytes name,
    enum listed_as is), void *arg)
{
	struct lister l = { s, fn, arg };
	int rc = fn(arg, BYTES("INBOX"), LISTED);

	return rc != 0 ? rc : each_candidate(s, list_one, &l);
}

int
maildir_list_stamp(struct store *s, struct stamp_part *out)
{
	struct stat st;

	if (fstat(s->root, &st) < 0)
		return -1;
	stamp_fill_inode(out, &st);
	return 0;
}

bool
maildir_exists(struct store *s, struct bytes name)
{
	char disk[LAYOUT_DISK_MAX + 1];

	return maildir_disk(s, name, disk) == 0
	    && (layout_inbox(name) || is_folder(s->root, disk));
}

/* It is a folder for other programs too once it holds this file. */
static int
mark_folder(int root, const char *disk)
{
	char path[LAYOUT_DISK_MAX + 32];
	int fd;

	snprintf(path, sizeof path, "%s/maildirfolder", disk);
	fd = sys_create(root, path);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int
write_state(int root, const char *disk)
{
	int fd = openat(root, disk, OPEN_DIR), rc;

	if (fd < 0)
		return -1;
	rc = state_make(root, fd);
	close(fd);
	return rc;
}

int
maildir_create(struct store *s, struct bytes name)
{
	char disk[LAYOUT_DISK_MAX + 1];

	if (maildir_disk(s, name, disk) < 0)
		return -1;
	if (layout_inbox(name) || is_folder(s->root, disk)) {
		errno = EEXIST;
		return -1;
	}
	remove_tree(s->root, MAKING, TREE_DEPTH);
	if (maildir_make(s->root, MAKING, false) == 0
	    && mark_folder(s->root, MAKING) == 0
	    && write_state(s->root, MAKING) == 0
	    && sys_rename_new(s->root, MAKING, s->root, disk) == 0)
		return sys_fsync(s->root);

	int saved = errno;

	remove_tree(s->root, MAKING, TREE_DEPTH);
	errno = saved;
	return -1;
}

/* Gone at once, by a rename; its files then go one by one. */
int
maildir_remove(struct store *s, struct bytes name)
{
	char disk[LAYOUT_DISK_MAX + 1], trash[64];

	if (maildir_disk(s, name, disk) < 0)
		return -1;
	if (!is_folder(s->root, disk)) {
		errno = ENOENT;
		return -1;
	}
	snprintf(trash, sizeof trash, TRASH_PREFIX "%08x%08x", arc4random(),
	    arc4random());
	if (sys_rename_new(s->root, disk, s->root, trash) < 0
	    || sys_fsync(s->root) < 0)
		return -1;
	remove_tree(s->root, trash, TREE_DEPTH);
	return 0;
}

/* What must be renamed: the folder itself and all below it. */
struct renaming {
	struct store *s;
	struct bytes from, to;
	struct name_pairs {
		char from[LAYOUT_DISK_MAX + 1], to[LAYOUT_DISK_MAX + 1];
	} *v;
	size_t n;
};

static int
add_pair(void *arg, const struct candidate *c)
{
	struct buf to = BUF_INIT(LAYOUT_NAME_MAX);
	struct renaming *r = arg;
	struct name_pairs *v;
	int rc = -1;

	if ((!bytes_equal(c->name, r->from) && !layout_below(c->name, r->from))
	    || !is_folder(r->s->root, c->disk))
		return 0;
	v = reallocarray(r->v, r->n + 1, sizeof *v);
	if (v == NULL)
		return -1;
	r->v = v;
	buf_bytes(&to, r->to);
	buf_bytes(&to, bytes_from(c->name, r->from.n));
	snprintf(v[r->n].from, sizeof v->from, "%s", c->disk);
	if (to.error != 0)
		errno = EINVAL;
	else
		rc = maildir_disk(r->s, buf_contents(&to), v[r->n].to);
	if (rc == 0 && is_folder(r->s->root, v[r->n].to)) {
		errno = EEXIST;
		rc = -1;
	}
	r->n++;
	buf_free(&to);
	return rc;
}

/* Takes the first n back, last one first. */
static int
undo_renames(struct renaming *r, size_t n)
{
	int saved = errno, rc = 0;

	while (n-- > 0)
		if (sys_rename_new(r->s->root, r->v[n].to, r->s->root,
		    r->v[n].from) < 0)
			rc = -1;
	errno = saved;
	return rc;
}

/* What cannot be done to the end is undone; a crash leaves it to the journal. */
static int
do_renames(struct renaming *r)
{
	size_t done = 0;

	while (done < r->n && sys_rename_new(r->s->root, r->v[done].from,
	    r->s->root, r->v[done].to) == 0)
		done++;
	if (done == r->n && sys_fsync(r->s->root) == 0) {
		renaming_end(r->s);
		return 0;
	}
	if (undo_renames(r, done) == 0)
		renaming_end(r->s);
	return -1;
}

int
maildir_rename(struct store *s, struct bytes from, struct bytes to)
{
	struct renaming r = { .s = s, .from = from, .to = to };
	int rc = each_candidate(s, add_pair, &r);

	if (rc == 0 && r.n == 0) {
		errno = ENOENT;
		rc = -1;
	}
	if (rc == 0)
		rc = renaming_begin(s, from, to);
	if (rc == 0)
		rc = do_renames(&r);
	free(r.v);
	return rc;
}

int
maildir_recover(struct store *s, struct buf *text, struct bytes *from,
    struct bytes *to)
{
	struct renaming r = { .s = s };
	int rc = renaming_read(s, text, from, to);

	if (rc <= 0)
		return rc;
	r.from = *from;
	r.to = *to;
	/* Those that were renamed already are not found under the old name. */
	if (each_candidate(s, add_pair, &r) < 0 && errno != EEXIST) {
		/* Names that cannot be were never on their way. */
		rc = errno == EINVAL ? renaming_end(s) : -1;
		r.n = 0;
	}
	for (size_t i = 0; rc > 0 && i < r.n; i++)
		if (sys_rename_new(s->root, r.v[i].from, s->root, r.v[i].to) < 0
		    && errno != EEXIST)
			rc = -1;
	if (rc > 0 && sys_fsync(s->root) == 0)
		renaming_end(s);
	free(r.v);
	return rc;
}
