/*
 * Where a user's mail lies, and in which format.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "mbox.h"
#include "place.h"

#define INDEX_FILE "mailreeve-index"

enum { ROOT_STORE, ROOT_INDEX, ROOT_INBOX, ROOT_SPOOL };

static int
print(char out[PATH_MAX], const char *a, const char *b)
{
	if (snprintf(out, PATH_MAX, "%s/%s", a, b) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* Below the home, or, for an absolute path, what has the user's name there. */
static int
below(const char *where, const struct mail_owner *owner, char out[PATH_MAX])
{
	return where[0] == '/' ? print(out, where, owner->name)
	    : print(out, owner->home, where);
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
holds_mail(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* What exists says it; a new user gets a Maildir. */
static bool
is_mbox(const struct config *conf, const char *maildir, const char *inbox,
    const char *folders)
{
	if (conf->mail_format != FORMAT_AUTO)
		return conf->mail_format == FORMAT_MBOX;
	return !is_directory(maildir)
	    && (holds_mail(inbox) || is_directory(folders));
}

/* The inbox's directory is open as far as the system lets us write there. */
static int
inbox_roots(struct place *p)
{
	char above[PATH_MAX];
	char *slash;

	if (print(above, p->inbox, "") < 0)
		return -1;
	above[strlen(above) - 1] = '\0';
	slash = strrchr(above, '/');
	slash[slash == above] = '\0';
	if (access(p->inbox, F_OK) == 0)
		snprintf(p->root[ROOT_INBOX], PATH_MAX, "%s", p->inbox);
	if ((p->root[ROOT_INBOX][0] == '\0' || access(above, W_OK) == 0)
	    && is_directory(above))
		snprintf(p->root[ROOT_SPOOL], PATH_MAX, "%s", above);
	return 0;
}

static int
find_index(const struct config *conf, const struct mail_owner *owner,
    struct place *p)
{
	if (conf->index_directory[0] == '\0')
		return print(p->index, p->store, INDEX_FILE);
	if (print(p->root[ROOT_INDEX], conf->index_directory, owner->name) < 0)
		return -1;
	return print(p->index, p->root[ROOT_INDEX], INDEX_FILE);
}

int
place_find(const struct config *conf, const struct mail_owner *owner,
    struct place *p)
{
	char folders[PATH_MAX];

	/* Not as a whole: that touches every page of it, at each login. */
	for (unsigned i = 0; i < PLACE_ROOTS; i++)
		p->root[i][0] = '\0';
	if (below(conf->maildir, owner, p->store) < 0
	    || below(conf->mbox_inbox, owner, p->inbox) < 0
	    || below(conf->mbox_folders, owner, folders) < 0)
		return -1;
	p->mbox = is_mbox(conf, p->store, p->inbox, folders);
	snprintf(p->root[ROOT_STORE], PATH_MAX, "%s",
	    p->mbox ? folders : p->store);
	if (p->mbox && (print(p->store, folders, MBOX_SIDE_DIR) < 0
	    || inbox_roots(p) < 0))
		return -1;
	return find_index(conf, owner, p);
}

static int
make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

int
place_make(const struct place *p)
{
	if (make_directory(p->root[ROOT_STORE]) < 0
	    || (p->mbox && make_directory(p->store) < 0))
		return -1;
	return p->root[ROOT_INDEX][0] == '\0' ? 0
	    : make_directory(p->root[ROOT_INDEX]);
}
