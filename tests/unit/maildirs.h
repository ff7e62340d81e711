/*
 * A Maildir of its own for each test, below the build's scratch directory.
 * Runs as: the person who builds.
 */
#ifndef MAILDIRS_H
#define MAILDIRS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mail.h"

static char maildirs_home[64];
static struct config maildirs_conf;

static inline void
maildirs_remove(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", maildirs_home);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", maildirs_home);
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
	else if (config_parse(&maildirs_conf, BYTES(""), "test", &why) == 0)
		atexit(maildirs_remove);
	snprintf(maildirs_home, sizeof maildirs_home, "/tmp/maildirs-XXXXXX");
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

	snprintf(path, sizeof path, "%s/Maildir/mailreeve-index", maildirs_home);
	unlink(path);
	snprintf(path, sizeof path, "%s/Maildir/mailreeve-index-lock",
	    maildirs_home);
	unlink(path);
}

#endif
