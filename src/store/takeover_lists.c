/*
 * Taking over names of mailboxes, and what of them is subscribed.
 * Runs as: the mailbox owner.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "foreign.h"
#include "layout.h"
#include "lists.h"
#include "sys.h"
#include "takeover.h"
#include "text.h"

struct taking {
	struct name_list names;
	void (*fn)(void *arg, const char *name, const char *to);
	void *arg;
};

static int
take_name(void *arg, struct bytes name)
{
	struct taking *t = arg;

	if (name_list_add(&t->names, name) < 0)
		return -1;
	if (t->fn != NULL)
		t->fn(t->arg, t->names.v[t->names.n - 1].name, NULL);
	return 0;
}

/* The servers' files, that of Dovecot first: 1, 0, -1. */
static int
read_names(int root, struct taking *t)
{
	static const struct {
		const char *file;
		int (*parse)(struct bytes text,
		    int (*fn)(void *arg, struct bytes name), void *arg);
	} lists[] = {
		{ DOVECOT_SUBSCRIPTIONS, foreign_dovecot_subscriptions },
		{ COURIER_SUBSCRIPTIONS, foreign_courier_subscriptions },
	};
	int found = 0;

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct buf text = BUF_INIT(FOREIGN_SMALL_FILE_MAX);
		int rc = text_load(root, lists[i].file, &text);

		if (rc < 0 && (errno == ENOENT || errno == ELOOP)) {
			rc = 0;
		} else if (rc == 0) {
			rc = lists[i].parse(buf_contents(&text), take_name, t);
			found = 1;
		}
		buf_free(&text);
		if (rc < 0)
			return -1;
	}
	return found;
}

/* ---- names in UTF-8 ---- */

/* The name that directory .A.B with levels in UTF-8 has here. */
static bool
name_here(const char *dir, char to[LAYOUT_DISK_MAX + 1])
{
	struct buf name = BUF_INIT(LAYOUT_NAME_MAX * 2);
	bool good = false;

	if (dir[0] == '.' && dir[1] != '\0' && dir[1] != '.'
	    && layout_from_disk(dir, &name) < 0) {
		buf_clear(&name);
		for (const char *c = dir + 1; *c != '\0'; c++)
			buf_byte(&name, *c == '.' ? '/' : (unsigned char)*c);
		good = name.error == 0
		    && layout_to_disk(buf_contents(&name), to) == 0;
	}
	buf_free(&name);
	return good;
}

static bool
is_folder(int root, const char *dir)
{
	char cur[NAME_MAX + 8];

	snprintf(cur, sizeof cur, "%s/cur", dir);
	return faccessat(root, cur, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
rename_folders(struct store *s, DIR *d, bool dry, const struct taking *t)
{
	char to[LAYOUT_DISK_MAX + 1];
	struct dirent *e;
	int rc = 0;

	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!name_here(e->d_name, to) || !is_folder(s->root, e->d_name))
			continue;
		if (t->fn != NULL)
			t->fn(t->arg, e->d_name, to);
		if (!dry)
			rc = sys_rename_new(s->root, e->d_name, s->root, to);
		if (rc < 0 && errno == EEXIST)
			rc = 0;
	}
	return rc;
}

static int
take_names(struct store *s, bool dry, const struct taking *t)
{
	int fd = openat(s->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL)
		return -1;
	rc = rename_folders(s, d, dry, t);
	closedir(d);
	return rc;
}

int
takeover_store(struct store *s, bool dry,
    void (*fn)(void *arg, const char *name, const char *to), void *arg)
{
	struct taking t = { .fn = fn, .arg = arg };
	int rc;

	if (s->ops != &maildir_ops)
		return 0;
	rc = take_names(s, dry, &t) < 0 ? -1 : read_names(s->root, &t);
	if (rc > 0 && !dry && lists_subscribe_all(s, &t.names) < 0)
		rc = -1;
	name_list_free(&t.names);
	return rc;
}
