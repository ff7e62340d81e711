/*
 * A Maildir of its own for each test, below the build's scratch directory.
 * Runs as: the person who builds.
 */
#ifndef MAILDIRS_H
#define MAILDIRS_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mail.h"

#ifndef MAILDIRS_OPTIONS
#define MAILDIRS_OPTIONS ""
#endif
/* Where the index is. */
#ifndef MAILDIRS_ROOT
#define MAILDIRS_ROOT "Maildir"
#endif

static const char maildirs_options[] = MAILDIRS_OPTIONS;
static char maildirs_home[64];
static struct config maildirs_conf;

static inline int
maildirs_remove_one(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void
maildirs_remove(void)
{
	nftw(maildirs_home, maildirs_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Opens the home again, as another session would. */
static inline struct mail *
same_mail(void)
{
	static const struct mail_owner owner = { "user", maildirs_home };
	struct mail *m = NULL;

	if (mail_open(&maildirs_conf, &owner, &m) < 0) {
		perror("mail_open");
		exit(1);
	}
	return m;
}

static inline struct mail *
fresh_mail(void)
{
	struct buf why = BUF_INIT(1000);

	if (maildirs_home[0] != '\0')
		maildirs_remove();
	if (maildirs_conf.maildir == NULL && config_parse(&maildirs_conf,
	    bytes_of(maildirs_options), "test", &why) == 0)
		atexit(maildirs_remove);
	/* In memory where that is possible: what is synced here is no one's mail. */
	snprintf(maildirs_home, sizeof maildirs_home, "%s/maildirs-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(maildirs_home) == NULL) {
		perror("fresh_mail");
		exit(1);
	}
	return same_mail();
}

static inline void
append(struct mail *m, const char *mailbox, const char *text, uint32_t flags)
{
	struct delivery *d;
	struct runs uids = RUNS_INIT;
	uint32_t validity;

	if (delivery_begin(m, bytes_of(mailbox), &d) < 0
	    || delivery_message(d, flags, NULL, 0, 1000000000) < 0
	    || delivery_write(d, text, strlen(text)) < 0
	    || delivery_commit(d, &validity, &uids) < 0)
		perror("append");
	runs_free(&uids);
}

/* A file that another program puts into part ("new") of the inbox. */
static inline void
deliver(const char *part, const char *name, const char *text)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof path, "%s/Maildir/%s/%s", maildirs_home, part, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		perror(path);
}

static inline void
drop_index(void)
{
	char path[200];

	snprintf(path, sizeof path, "%s/" MAILDIRS_ROOT "/mailreeve-index",
	    maildirs_home);
	unlink(path);
	snprintf(path, sizeof path, "%s/" MAILDIRS_ROOT "/mailreeve-index-lock",
	    maildirs_home);
	unlink(path);
}

#endif
