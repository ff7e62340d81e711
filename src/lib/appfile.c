/*
 * Asks a user's file of app passwords.
 * Runs as: root, and as that user while it touches the file.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "appfile.h"
#include "ids.h"
#include "log.h"

#define MINUTE 16			/* 2026-11-28T12:34 */

/* No home, no right to it, or none of the keys that it is encrypted with. */
static bool
is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES
#ifdef ENOKEY
	    || error == ENOKEY
#endif
	    ;
}

static int
open_file(const char *home, bool *writable)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof path, "%s/" APPPASS_PATH, home)
	    >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_RDWR | flags);
	*writable = fd >= 0;
	return fd >= 0 ? fd : open(path, O_RDONLY | flags);
}

static const char *
what_is_wrong(int fd, uid_t uid)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "no regular file";
	if (st.st_uid != uid)
		return "does not belong to the user";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "others have rights to it: chmod go= it";
	return (uintmax_t)st.st_size > APPPASS_FILE_MAX ? "too large" : NULL;
}

static int
read_all(int fd, struct buf *out)
{
	unsigned char *to = buf_room(out, APPPASS_FILE_MAX);
	ssize_t n = to == NULL ? -1 : 1;

	while (n > 0) {
		n = read(fd, to + out->len, APPPASS_FILE_MAX - out->len);
		out->len += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : 0;
}

/* Not more than once a minute for the same client: the field has a fixed place. */
static void
note_use(int fd, struct bytes text, const struct apppass *a,
    const struct netaddr *from, const char *client)
{
	char now[APPPASS_USED + 1];

	apppass_used(now, time(NULL), from, client);
	if (a->used.n != APPPASS_USED
	    || (memcmp(a->used.p, now, MINUTE) == 0
	    && memcmp(a->used.p + APPPASS_USED_TIME, now + APPPASS_USED_TIME,
	    APPPASS_USED - APPPASS_USED_TIME) == 0))
		return;
	if (pwrite(fd, now, APPPASS_USED, a->used.p - text.p) < 0)
		log_debug("last use of an app password: %s", strerror(errno));
}

static enum appfile_result
ask(struct appfile *f, int fd, bool writable, struct bytes text)
{
	struct apppass_try t = { .secret = bytes_of(f->secret), .from = f->from,
	    .service = f->imap ? APPPASS_IMAP : APPPASS_POP3 };
	struct apppass a;
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(t.today, sizeof t.today, "%Y-%m-%d", &tm);
	if (apppass_match(text, &t, &a)) {
		snprintf(f->name, sizeof f->name, "app password %.*s",
		    (int)a.name.n, (const char *)a.name.p);
		f->why = f->name;
		if (writable)
			note_use(fd, text, &a, f->from, f->client);
		return APPFILE_RIGHT;
	}
	if (!apppass_main_barred(text))
		return APPFILE_NOTHING;
	f->why = "this user allows app passwords only";
	return APPFILE_BARRED;
}

/* As the user. */
static enum appfile_result
look(struct appfile *f, const char *home, uid_t uid)
{
	struct buf text = BUF_INIT(APPPASS_FILE_MAX);
	enum appfile_result r = APPFILE_UNSAFE;
	bool writable;
	int fd = open_file(home, &writable);

	if (fd < 0 && is_absent(errno))
		return APPFILE_NOTHING;
	f->why = fd < 0 ? strerror(errno) : what_is_wrong(fd, uid);
	if (f->why == NULL && read_all(fd, &text) < 0)
		f->why = strerror(errno);
	if (f->why == NULL)
		r = ask(f, fd, writable, buf_contents(&text));
	else
		log_error("%s/" APPPASS_PATH ": %s", home, f->why);
	if (fd >= 0)
		close(fd);
	buf_wipe(&text);
	return r;
}

enum appfile_result
appfile_ask(struct appfile *f)
{
	const struct passwd *pw = f->secret == NULL ? NULL : getpwnam(f->user);
	enum appfile_result r;

	/* Root has none: it does not get in. */
	if (pw == NULL || pw->pw_uid == 0)
		return APPFILE_NOTHING;
	if (ids_lend(pw->pw_uid, pw->pw_gid) < 0)
		log_fatal(EX_OSERR, "cannot act as %s: %s", pw->pw_name,
		    strerror(errno));
	r = look(f, pw->pw_dir, pw->pw_uid);
	if (r == APPFILE_RIGHT)
		f->uid = pw->pw_uid;
	f->unsafe = r == APPFILE_UNSAFE;
	if (ids_regain() < 0)
		log_fatal(EX_OSERR, "cannot be root again: %s", strerror(errno));
	return r;
}
