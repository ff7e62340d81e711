/*
 * Whose mail a subcommand is about.
 * Runs as: the caller; root becomes the owner of the mail.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../store/place.h"
#include "ids.h"
#include "tool.h"

static int
take_account(const struct passwd *pw, struct subject *out)
{
	out->name = strdup(pw->pw_name);
	out->home = strdup(pw->pw_dir);
	return out->name == NULL || out->home == NULL ? EX_OSERR : 0;
}

/* Root gives itself up for the account. */
static int
become(const struct passwd *pw)
{
	if (geteuid() != 0 || pw->pw_uid == 0)
		return 0;
	if (ids_groups(pw->pw_name, pw->pw_gid) < 0
	    || ids_drop(pw->pw_uid, pw->pw_gid) < 0) {
		warn("cannot become %s", pw->pw_name);
		return EX_OSERR;
	}
	return 0;
}

static const struct passwd *
owner_of(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0) {
		warn("%s", dir);
		return NULL;
	}
	errno = 0;
	return getpwuid(st.st_uid);
}

/* Root's own mail is not served: mailreeve.conf(5), minimum-uid. */
static int
enter_account(const struct passwd *pw, const char *what, struct subject *out)
{
	int rc;

	if (pw == NULL) {
		warnx("%s: no such account", what);
		return EX_NOUSER;
	}
	if (pw->pw_uid == 0) {
		warnx("%s: belongs to root, whose mail is not served", what);
		return EX_NOPERM;
	}
	rc = take_account(pw, out);
	return rc != 0 ? rc : become(pw);
}

static int
find_maildir(const char *dir, struct subject *out)
{
	out->maildir = realpath(dir, NULL);
	if (out->maildir == NULL)
		warn("%s", dir);
	return out->maildir == NULL ? EX_NOINPUT : 0;
}

/* Where a session would look for it. */
static int
find_mail(const struct config *conf, bool mbox_too, struct subject *out)
{
	struct mail_owner owner = { out->name, out->home };
	struct place p;

	if (place_find(conf, &owner, &p) < 0) {
		warn("%s", out->name);
		return EX_OSERR;
	}
	if (!p.mbox)
		return find_maildir(p.store, out);
	if (!mbox_too) {
		warnx("%s: mail lies in mbox files, not in a Maildir", out->name);
		return EX_NOINPUT;
	}
	if (place_make(&p) < 0) {
		warn("%s", p.store);
		return EX_NOINPUT;
	}
	out->maildir = strdup(p.store);
	out->mbox = strdup(p.inbox);
	return out->maildir == NULL || out->mbox == NULL ? EX_OSERR : 0;
}

void
subject_free(struct subject *s)
{
	free(s->name);
	free(s->home);
	free(s->maildir);
	free(s->mbox);
}

int
subject_become(const char *user, struct subject *out)
{
	return enter_account(user == NULL ? getpwuid(getuid()) : getpwnam(user),
	    user == NULL ? "you" : user, out);
}

int
subject_enter(const struct config *conf, const char *arg, bool mbox_too,
    struct subject *out)
{
	bool is_dir = arg != NULL && strchr(arg, '/') != NULL;
	const struct passwd *pw = arg == NULL ? getpwuid(getuid())
	    : is_dir ? owner_of(arg) : getpwnam(arg);
	int rc = enter_account(pw, arg == NULL ? "you" : arg, out);

	if (rc != 0)
		return rc;
	return is_dir ? find_maildir(arg, out) : find_mail(conf, mbox_too, out);
}
