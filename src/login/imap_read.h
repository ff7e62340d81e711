/*
 * Reading one IMAP command with its literals, exactly.
 */
#ifndef LOGIN_IMAP_READ_H
#define LOGIN_IMAP_READ_H

#include "login.h"

/*
 * Takes the command's first line into l->command and finds tag and name in it,
 * both empty when they are not there. They point into l->command and die with
 * the next read. 0, or -1 with errno as wire_line().
 */
int imap_read_line(struct login *l, struct bytes *tag, struct bytes *name);

enum imap_rest {
	REST_READ,			/* all of it is in l->command */
	REST_LITERAL,			/* a literal over LITERAL_MAX: was not asked for */
	REST_FAILED			/* errno; E2BIG when it may not be skipped */
};

/*
 * Takes the literals that are announced, and the lines behind them. Of a
 * command that is not wanted, no literal is asked for; those that come
 * unasked belong to it and are taken.
 */
enum imap_rest imap_read_rest(struct login *l, bool wanted);

/* What was read of the command, without the last line's end. */
struct bytes imap_command(const struct login *l);

#endif
