/*
 * mbox: mailboxes by name. "A/B" is the file B in the directory A, each level
 * in modified UTF-7, below the directory of the folders.
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
#include "mbox.h"
#include "mutf7.h"
#include "renaming.h"
#include "state.h"
#include "sys.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define FILE_NAME_MAX ((size_t)LAYOUT_NAME_MAX * 4)
#define LEVEL_MAX 240			/* octets of a file's name, with room for ".lock" */
#define FILES_MAX 100000

static bool
ends_in(struct bytes name, struct bytes end)
{
	return name.n >= end.n && bytes_equal(bytes_from(name, name.n - end.n), end);
}

/* Hidden files are no mailboxes, and dotlocks are none. */
static bool
good_level(struct bytes level)
{
	return level.n > 0 && level.n <= LEVEL_MAX && level.p[0] != '.'
	    && !ends_in(level, BYTES(".lock"));
}

int
mbox_file_name(struct bytes name, struct buf *out)
{
	bool good = layout_good(name) && !layout_inbox(name);

	buf_clear(out);
	while (good && name.n > 0) {
		size_t begin = out->len;

		if (begin > 0) {
			buf_byte(out, '/');
			begin++;
		}
		good = mutf7_encode(bytes_split(&name, '/'), out) == 0
		    && good_level(bytes_from(buf_contents(out), begin));
	}
	if (good && buf_string(out) != NULL)
		return 0;
	errno = EINVAL;
	return -1;
}

int
mbox_side_name(struct bytes name, char out[MBOX_SIDE_MAX])
{
	char disk[LAYOUT_DISK_MAX + 1];

	if (layout_inbox(name)) {
		snprintf(out, MBOX_SIDE_MAX, ".INBOX");
		return 0;
	}
	if (layout_to_disk(name, disk) < 0)
		return -1;
	snprintf(out, MBOX_SIDE_MAX, "%s", disk);
	return 0;
}

/* ---- listing ---- */

struct listing {
	int (*fn)(void *arg, struct bytes name, enum listed_as is);
	void *arg;
	struct buf name;
	unsigned count;
};

/* By the convention of all mailers: written to since it was last read. */
static enum listed_as
listed_as(const struct stat *st)
{
	bool read_since = st->st_mtim.tv_sec < st->st_atim.tv_sec
	    || (st->st_mtim.tv_sec == st->st_atim.tv_sec
		&& st->st_mtim.tv_nsec <= st->st_atim.tv_nsec);

	return st->st_size > 0 && !read_since ? LISTED_MARKED : LISTED;
}

static int list_dir(struct listing *l, int at, const char *path, unsigned level);

static int
list_entry(struct listing *l, int dir, const char *file, unsigned level)
{
	struct buf again = BUF_INIT(FILE_NAME_MAX);
	size_t keep = l->name.len;
	struct stat st;
	bool good;
	int rc = 0;

	if (!good_level(bytes_of(file)) || ++l->count > FILES_MAX
	    || fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (keep > 0)
		buf_byte(&l->name, '/');
	/* What does not come out as it went in is passed over. */
	good = mutf7_decode(bytes_of(file), &l->name) == 0
	    && mbox_file_name(buf_contents(&l->name), &again) == 0
	    && ends_in(buf_contents(&again), bytes_of(file));
	if (good && S_ISREG(st.st_mode))
		rc = l->fn(l->arg, buf_contents(&l->name), listed_as(&st));
	else if (S_ISDIR(st.st_mode)
	    && (good || layout_inbox(buf_contents(&l->name)))) {
		if (good)
			rc = l->fn(l->arg, buf_contents(&l->name), LISTED_PARENT);
		if (rc == 0)
			rc = list_dir(l, dir, file, level + 1);
	}
	l->name.len = keep;
	l->name.error = 0;
	buf_free(&again);
	return rc;
}

static int
list_dir(struct listing *l, int at, const char *path, unsigned level)
{
	int fd = level > LAYOUT_LEVELS_MAX ? -1 : openat(at, path, OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (rc == 0 && (e = readdir(dir)) != NULL)
		rc = list_entry(l, fd, e->d_name, level);
	closedir(dir);
	return rc;
}

int
mbox_list(struct store *s, int (*fn)(void *arg, struct bytes name,
    enum listed_as is), void *arg)
{
	struct listing l = { fn, arg, BUF_INIT(FILE_NAME_MAX), 0 };
	struct stat st;
	int rc;

	rc = fn(arg, BYTES("INBOX"), stat(s->inbox, &st) == 0 ? listed_as(&st) : LISTED);
	if (rc == 0)
		rc = list_dir(&l, s->tree, ".", 1);
	buf_free(&l.name);
	return rc;
}

static bool
is_kind(struct store *s, struct bytes name, mode_t kind)
{
	struct buf file = BUF_INIT(FILE_NAME_MAX);
	struct stat st;
	bool is = mbox_file_name(name, &file) == 0
	    && fstatat(s->tree, (const char *)file.data, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == kind;

	buf_free(&file);
	return is;
}

bool
mbox_exists(struct store *s, struct bytes name)
{
	return layout_inbox(name) || is_kind(s, name, S_IFREG);
}

/* ---- making and removing ---- */

/* The directories above the file. */
static int
make_above(int tree, char *file)
{
	for (char *at = strchr(file, '/'); at != NULL; at = strchr(at + 1, '/')) {
		int rc;

		*at = '\0';
		rc = sys_mkdir(tree, file);
		*at = '/';
		if (rc < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static void
remove_above(int tree, char *file)
{
	int saved = errno;
	char *at;

	while ((at = strrchr(file, '/')) != NULL) {
		*at = '\0';
		if (sys_rmdir(tree, file) < 0)
			break;
	}
	errno = saved;
}

static int
sync_above(int tree, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *above = slash == NULL ? strdup(".")
	    : strndup(file, (size_t)(slash - file));
	int fd = above == NULL ? -1 : openat(tree, above, OPEN_DIR);
	int rc = fd < 0 ? -1 : sys_fsync(fd);

	if (fd >= 0)
		close(fd);
	free(above);
	return rc;
}

/* State, lock, journal: what stands beside a mailbox that is no more. */
static void
remove_side(struct store *s, const char *side)
{
	int fd = openat(s->root, side, OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			sys_unlink(fd, e->d_name);
	if (dir != NULL)
		closedir(dir);
	sys_rmdir(s->root, side);
}

/* A file and a directory cannot share a name, at any level. */
static int
cannot_be(int error)
{
	errno = error == ENOTDIR || error == EISDIR ? EINVAL : error;
	return -1;
}

static int
create_file(struct store *s, char *file)
{
	int fd;

	/* A directory that holds nothing is in nobody's way. */
	sys_rmdir(s->tree, file);
	if (make_above(s->tree, file) < 0
	    || (fd = sys_create(s->tree, file)) < 0)
		return cannot_be(errno);
	close(fd);
	if (sync_above(s->tree, file) == 0)
		return 0;

	int saved = errno;

	sys_unlink(s->tree, file);
	errno = saved;
	return -1;
}

/* A mailbox whose state there is no room for could be listed, but not opened. */
static int
make_side(struct store *s, const char *side)
{
	int fd, rc;

	remove_side(s, side);
	if (sys_mkdir(s->root, side) < 0 && errno != EEXIST)
		return -1;
	fd = openat(s->root, side, OPEN_DIR);
	if (fd < 0)
		return -1;
	rc = state_make(s->root, fd);
	close(fd);
	return rc;
}

int
mbox_create(struct store *s, struct bytes name)
{
	struct buf file = BUF_INIT(FILE_NAME_MAX);
	char side[MBOX_SIDE_MAX];
	int rc = -1;

	if (mbox_exists(s, name)) {
		errno = EEXIST;
	} else if (mbox_file_name(name, &file) == 0
	    && mbox_side_name(name, side) == 0) {
		rc = make_side(s, side);
		if (rc == 0)
			rc = create_file(s, (char *)file.data);
		if (rc < 0) {
			int saved = errno;

			remove_side(s, side);
			remove_above(s->tree, (char *)file.data);
			errno = saved;
		}
	}
	buf_free(&file);
	return rc;
}

int
mbox_remove(struct store *s, struct bytes name)
{
	struct buf file = BUF_INIT(FILE_NAME_MAX);
	char side[MBOX_SIDE_MAX];
	struct folder *f;
	int rc = -1;

	if (mbox_file_name(name, &file) < 0 || mbox_side_name(name, side) < 0
	    || folder_get(s, name, &f) < 0) {
		buf_free(&file);
		return -1;
	}
	if (mbox_lock(f) == 0) {
		rc = sys_unlink(s->tree, (const char *)file.data);
		if (rc == 0)
			rc = sync_above(s->tree, (const char *)file.data);
		mbox_unlock(f);
	}
	if (rc == 0) {
		remove_side(s, side);
		remove_above(s->tree, (char *)file.data);
	}
	folder_put(f);
	buf_free(&file);
	return rc;
}

/* ---- directories that hold nothing yet ---- */

static int
create_directory(struct store *s, char *file)
{
	int saved;

	if (make_above(s->tree, file) < 0 || sys_mkdir(s->tree, file) < 0)
		return cannot_be(errno);
	if (sync_above(s->tree, file) == 0)
		return 0;
	saved = errno;
	sys_rmdir(s->tree, file);
	errno = saved;
	return -1;
}

int
mbox_declare(struct store *s, struct bytes name)
{
	struct buf file = BUF_INIT(FILE_NAME_MAX);
	int rc = -1;

	if (mbox_exists(s, name)) {
		errno = EEXIST;
	} else if (mbox_file_name(name, &file) == 0) {
		rc = create_directory(s, (char *)file.data);
		if (rc < 0)
			remove_above(s->tree, (char *)file.data);
	}
	buf_free(&file);
	return rc;
}

int
mbox_undeclare(struct store *s, struct bytes name)
{
	struct buf file = BUF_INIT(FILE_NAME_MAX);
	int rc = -1;

	if (!is_kind(s, name, S_IFDIR))
		errno = ENOENT;
	else if (mbox_file_name(name, &file) == 0
	    && sys_rmdir(s->tree, (const char *)file.data) == 0)
		rc = sync_above(s->tree, (const char *)file.data);
	buf_free(&file);
	return rc;
}

/* ---- renaming ---- */

/* Calls fn for what stands beside a mailbox, or beside those in a directory. */
static int
each_side(struct store *s, const char *side, bool tree,
    void (*fn)(struct store *s, const char *name, const char *to), const char *to)
{
	int again = openat(s->root, ".", OPEN_DIR);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	size_t n = strlen(side);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char name[MBOX_SIDE_MAX * 2];

		if (strncmp(e->d_name, side, n) != 0
		    || e->d_name[n] != (tree ? '.' : '\0'))
			continue;
		snprintf(name, sizeof name, "%s%s", to, e->d_name + n);
		fn(s, e->d_name, name);
	}
	if (dir == NULL)
		return -1;
	closedir(dir);
	return sys_fsync(s->root);
}

static void
drop_side(struct store *s, const char *name, const char *to)
{
	(void)to;
	remove_side(s, name);
}

/* A session that came between knows the mailbox by its new name: that counts. */
static void
move_side(struct store *s, const char *name, const char *to)
{
	char state[MBOX_SIDE_MAX * 2 + sizeof STATE_FILE + 1];
	struct stat st;

	snprintf(state, sizeof state, "%s/" STATE_FILE, to);
	if (fstatat(s->root, state, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		remove_side(s, name);
		return;
	}
	remove_side(s, to);
	sys_rename(s->root, name, s->root, to);
}

static int
rename_file(struct store *s, char *from, char *to)
{
	if (make_above(s->tree, to) < 0
	    || sys_rename_new(s->tree, from, s->tree, to) < 0)
		return cannot_be(errno);
	return sync_above(s->tree, to) < 0 || sync_above(s->tree, from) < 0
	    ? -1 : 0;
}

struct renaming {
	struct buf old, new;		/* files */
	char old_side[MBOX_SIDE_MAX], new_side[MBOX_SIDE_MAX];
	bool tree;			/* or a directory of them */
};

static int
rename_names(struct renaming *r, struct bytes from, struct bytes to)
{
	return mbox_file_name(from, &r->old) == 0
	    && mbox_file_name(to, &r->new) == 0
	    && mbox_side_name(from, r->old_side) == 0
	    && mbox_side_name(to, r->new_side) == 0 ? 0 : -1;
}

static void
rename_free(struct renaming *r)
{
	buf_free(&r->old);
	buf_free(&r->new);
}

/* The mail has its new name: what stands beside it follows. */
static int
rename_rest(struct store *s, struct renaming *r)
{
	if (each_side(s, r->old_side, r->tree, move_side, r->new_side) < 0)
		return -1;
	remove_above(s->tree, (char *)r->old.data);
	renaming_end(s);
	return 0;
}

/*
 * What an earlier mailbox of the new name left behind goes before the mail
 * comes; what stands beside the mail follows, after a crash too.
 */
static int
rename_all(struct store *s, struct bytes from, struct bytes to,
    struct renaming *r)
{
	/* A directory that holds nothing is in nobody's way. */
	sys_rmdir(s->tree, (const char *)r->new.data);
	if (mbox_exists(s, to) || is_kind(s, to, S_IFDIR)) {
		errno = EEXIST;
		return -1;
	}
	if (each_side(s, r->new_side, r->tree, drop_side, "") < 0
	    || renaming_begin(s, from, to) < 0)
		return -1;
	if (rename_file(s, (char *)r->old.data, (char *)r->new.data) == 0)
		return rename_rest(s, r);
	if (mbox_exists(s, from) || is_kind(s, from, S_IFDIR))
		renaming_end(s);
	return -1;
}

int
mbox_rename(struct store *s, struct bytes from, struct bytes to)
{
	struct renaming r = { BUF_INIT(FILE_NAME_MAX), BUF_INIT(FILE_NAME_MAX),
	    "", "", is_kind(s, from, S_IFDIR) };
	int rc = -1;

	if (!r.tree && !is_kind(s, from, S_IFREG))
		errno = ENOENT;
	else if (rename_names(&r, from, to) == 0)
		rc = rename_all(s, from, to, &r);
	rename_free(&r);
	return rc;
}

/* Without the new name, or with one that cannot be, there was no rename. */
int
mbox_rename_recover(struct store *s, struct buf *text, struct bytes *from,
    struct bytes *to)
{
	struct renaming r = { BUF_INIT(FILE_NAME_MAX), BUF_INIT(FILE_NAME_MAX),
	    "", "", false };
	int rc = renaming_read(s, text, from, to);

	if (rc <= 0)
		return rc;
	r.tree = is_kind(s, *to, S_IFDIR);
	if ((!r.tree && !is_kind(s, *to, S_IFREG))
	    || rename_names(&r, *from, *to) < 0)
		rc = renaming_end(s);
	else
		rc = rename_rest(s, &r) < 0 ? -1 : 1;
	rename_free(&r);
	return rc;
}
