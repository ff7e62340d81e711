/*
 * Asks a user's file of app passwords.
 * Runs as: root, and as that user while it touches the file.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "appfile.h"
#include "homefile.h"
#include "ids.h"
#include "log.h"

#define MINUTE 16			/* 2026-11-28T12:34 */

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
ask(struct appfile *f, const struct homefile *file, struct bytes text)
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
		if (file->writable)
			note_use(file->fd, text, &a, f->from, f->client);
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
	struct homefile file = { .home = home, .name = APPPASS_PATH, .uid = uid,
	    .max = APPPASS_FILE_MAX };
	enum appfile_result r = APPFILE_NOTHING;

	switch (homefile_read(&file, &text)) {
	case HOMEFILE_READ:
		r = ask(f, &file, buf_contents(&text));
		close(file.fd);
		break;
	case HOMEFILE_UNSAFE:
		f->why = file.why;
		r = APPFILE_UNSAFE;
		break;
	case HOMEFILE_ABSENT:
		break;
	}
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
