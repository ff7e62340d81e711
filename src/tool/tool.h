/*
 * Subcommands of mailreeve(1).
 */
#ifndef TOOL_H
#define TOOL_H

#include <limits.h>
#include <sys/stat.h>

#include "config.h"

/* Exit statuses, beside those of sysexits.h. */
enum { TOOL_CLEAN = 0, TOOL_FOUND = 1 };

struct subcommand {
	const char *name;
	const char *arguments;
	const char *summary;
	/* Arguments behind the name; returns the exit status. */
	int (*run)(const struct config *conf, int argc, char **argv);
};

/* The table (main.c) ends with a row without a name. */
extern const struct subcommand subcommands[];

/* How the named subcommand is called, on standard error; returns EX_USAGE. */
int tool_usage(const char *name);

/* On standard output, control characters as `?`. */
void tool_print(const char *text);

int adopt_main(const struct config *conf, int argc, char **argv);
int leave_main(const struct config *conf, int argc, char **argv);
int check_main(const struct config *conf, int argc, char **argv);
int passwd_main(const struct config *conf, int argc, char **argv);
int status_main(const struct config *conf, int argc, char **argv);
int app_password_main(const struct config *conf, int argc, char **argv);

/* ---- a small file that is replaced as a whole (edit.c) ---- */

struct edit {
	int dir, lock;
	char name[NAME_MAX - 8];	/* room for what is put behind it */
	char path[CONFIG_VALUE_MAX + 64];
};

/* Its directory, made with this mode when missing; the file need not be there. */
int edit_open(struct edit *e, const char *path, mode_t dir_mode);
/* Nobody else changes it from here on. */
int edit_lock(struct edit *e);
/* All of it; a file that is missing is an empty one. */
int edit_read(const struct edit *e, struct buf *out);
/* The old file or the new one, whatever happens; mode 0600. */
int edit_replace(const struct edit *e, struct bytes text);
void edit_close(struct edit *e);

/* ---- whose mail (subject.c) ---- */

struct subject {
	char *name;			/* of the account */
	char *home;
	char *maildir;			/* absolute */
	char *mbox;			/* NULL, or the inbox file: mail lies in mbox
					   files, and in maildir what is beside it */
};

/*
 * Finds the mail that arg means: a directory when it has a slash, else a user;
 * NULL: the caller's own. Root becomes the owner for ever, so that no link in
 * somebody's mail leads anywhere. mbox_too: mail in mbox files will do. 0, or
 * an exit status after saying why.
 */
int subject_enter(const struct config *conf, const char *arg, bool mbox_too,
    struct subject *out);
/* The same without mail: out->maildir stays as it is. */
int subject_become(const char *user, struct subject *out);
void subject_free(struct subject *s);

#endif
