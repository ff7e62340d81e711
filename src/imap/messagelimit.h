/*
 * MESSAGELIMIT and SAVELIMIT (RFC 9738): how many messages one command may
 * process, and saying that it did not process all.
 */
#ifndef MESSAGELIMIT_H
#define MESSAGELIMIT_H

#include "session.h"

/* What CAPABILITY says of them: the limit on all commands, on APPEND alone. */
void put_message_limits(struct session *s);

/* How many messages one APPEND may have. */
uint64_t append_messages_max(const struct session *s);

/* More messages than one command may process. */
bool limit_exceeded(const struct session *s, uint64_t messages);

/*
 * Leaves in uids the highest ones that one command may process. *lowest is the
 * lowest of these when others were cut off, else 0. 0, or -1 with errno.
 */
int limit_cut(const struct session *s, struct runs *uids, uint32_t *lowest);

/* The same for another number; *lowest is UINT32_MAX when that is 0 and uids had some. */
int limit_cut_to(uint64_t most, struct runs *uids, uint32_t *lowest);

/* How many messages one command may process; UINT64_MAX when there is no limit. */
uint64_t limit_of(const struct session *s);

/* NO [MESSAGELIMIT n uid]: nothing was done; without the UID when lowest is 0. */
struct outcome limit_refused(uint64_t limit, uint32_t lowest);

/*
 * The outcome of a command that limit_cut() cut to lowest (0: it did not): the
 * code goes into the tagged answer, or in front when that has one of its own;
 * EXPUNGEISSUED is in an OK then (section 3.1).
 */
struct outcome limit_said(struct session *s, uint32_t lowest, struct outcome o);

#endif
