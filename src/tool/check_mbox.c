/*
 * mailreeve check: one mbox file, message by message (mailreeve-mbox(5)).
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <lockfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../store/mbox.h"
#include "check.h"

struct scan {
	struct check *check;
	struct folder *f;
	char *path;			/* of the file */
	struct runs uids;
	uint32_t last;			/* that was ever given; 0: not told */
};

static void
say_message(const struct scan *s, const struct mbox_message *msg, enum cure cure,
    const char *what)
{
	check_say_path(s->check, s->path, cure, "message at octet %llu: %s",
	    (unsigned long long)msg->begin, what);
}

static void
check_uid(struct scan *s, const struct mbox_message *msg)
{
	if (msg->uid == 0)
		return;
	if (runs_contains(&s->uids, msg->uid))
		say_message(s, msg, CURE_VISIT, "has the UID of another one");
	else if (s->last != 0 && msg->uid > s->last)
		say_message(s, msg, CURE_VISIT, "has a UID that was never given");
	(void)runs_add(&s->uids, msg->uid, msg->uid);
}

static int
walk(struct scan *s, struct mbox_file *m, struct mbox_message *msg)
{
	uint64_t at;
	int rc;

	if (mbox_begin(m, &at) < 0)
		return -1;
	while ((rc = mbox_read(m, at, msg)) == 1) {
		if (msg->base_validity != 0)
			s->last = msg->base_last;
		s->check->messages += !msg->internal;
		check_uid(s, msg);
		if (msg->cut)
			say_message(s, msg, CURE_NONE,
			    "Content-Length says more than there is");
		at = msg->next;
	}
	if (rc == 0 || errno != EILSEQ)
		return rc;
	check_say_path(s->check, s->path, CURE_NONE,
	    "does not begin with a From_ line: no mbox file");
	return 0;
}

static int
check_messages(struct scan *s)
{
	struct mbox_message *msg = malloc(sizeof *msg);
	struct mbox_file m;
	int rc = -1;

	if (msg != NULL && mbox_file_begin(&m, s->f->mbox->fd) == 0) {
		rc = walk(s, &m, msg);
		mbox_file_end(&m);
	}
	free(msg);
	return rc;
}

/* Who else may write could put any mail there; the group is the MDA's. */
static void
check_mode(const struct scan *s)
{
	enum cure cure = CURE_HERE;
	struct stat st;

	if (fstat(s->f->mbox->fd, &st) < 0 || (st.st_mode & 002) == 0)
		return;
	if (s->check->fix && fchmod(s->f->mbox->fd, st.st_mode & 07775) < 0)
		cure = CURE_NONE;
	check_say_path(s->check, s->path, cure, "others may write here");
}

/* It goes when somebody locks the file, as we are about to. */
static void
check_dotlock(const struct scan *s)
{
	const char *lock = s->f->mbox->dotlock;

	if (access(lock, F_OK) == 0 && lockfile_check(lock, L_PID) != 0)
		check_say_path(s->check, lock, CURE_VISIT,
		    "left over from a program that is gone");
}

/* Whoever locks the file next brings it to its end. */
static void
check_unfinished(const struct scan *s)
{
	static const char *const files[] = { JOURNAL_FILE, MOVING_FILE };
	struct state st;

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (faccessat(s->f->dir, files[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			check_say(s->check, s->f, files[i],
			    s->check->fix ? CURE_HERE : CURE_VISIT,
			    "a change that was interrupted");
	if (state_load(s->f->dir, &st) < 0 && errno == EILSEQ)
		check_say(s->check, s->f, STATE_FILE, CURE_VISIT, "damaged");
}

static int
check_locked(struct scan *s)
{
	int rc = 0;

	if (s->f->mbox->fd >= 0) {
		check_mode(s);
		rc = check_messages(s);
	}
	runs_free(&s->uids);
	return rc;
}

/* Taking the lock finishes what a crash left: only --fix does so. */
static int
check_file(struct scan *s)
{
	bool fix = s->check->fix;
	int rc;

	if (!fix && faccessat(s->f->dir, JOURNAL_FILE, F_OK,
	    AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if ((fix && mbox_finish(s->f) < 0) || folder_lock(s->f) < 0)
		return -1;
	rc = mbox_lock(s->f);
	if (rc == 0) {
		rc = check_locked(s);
		mbox_unlock(s->f);
	}
	folder_unlock(s->f);
	return rc;
}

int
check_mbox(struct check *c, struct folder *f)
{
	struct scan s = { .check = c, .f = f };
	int rc;

	s.path = strndup(f->mbox->dotlock,
	    strlen(f->mbox->dotlock) - strlen(".lock"));
	if (s.path == NULL)
		return -1;
	check_dotlock(&s);
	check_unfinished(&s);
	rc = check_file(&s);
	free(s.path);
	return rc;
}
