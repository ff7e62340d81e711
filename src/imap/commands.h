/*
 * The handlers that the table (table.c) names, by topic.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "session.h"

#define HANDLER(name) struct outcome name(struct session *s, struct call *c)

/* any.c: legal in every state */
HANDLER(cmd_capability);
HANDLER(cmd_noop);
HANDLER(cmd_logout);
HANDLER(cmd_id);
HANDLER(cmd_enable);
HANDLER(cmd_namespace);
HANDLER(cmd_idle);

/* select.c */
HANDLER(cmd_select);
HANDLER(cmd_examine);
HANDLER(cmd_close);
HANDLER(cmd_unselect);

/* mailboxes.c */
HANDLER(cmd_create);
HANDLER(cmd_delete);
HANDLER(cmd_rename);
HANDLER(cmd_subscribe);
HANDLER(cmd_unsubscribe);

/* list.c, status.c */
HANDLER(cmd_list);
HANDLER(cmd_lsub);
HANDLER(cmd_xlist);
HANDLER(cmd_status);

/* context.c */
HANDLER(cmd_cancelupdate);

/* uidbatches.c */
HANDLER(cmd_uidbatches);

/* quota.c */
HANDLER(cmd_getquota);
HANDLER(cmd_getquotaroot);

/* notify.c */
HANDLER(cmd_notify);

/* compress.c */
HANDLER(cmd_compress);

/* metadata.c */
HANDLER(cmd_getmetadata);
HANDLER(cmd_setmetadata);

/* append.c */
HANDLER(cmd_append);

/* replace.c: both forms */
HANDLER(cmd_replace);

/* change.c: both forms of each, told apart by call_uid() */
HANDLER(cmd_expunge);
HANDLER(cmd_uid_expunge);
HANDLER(cmd_store);
HANDLER(cmd_copy);
HANDLER(cmd_move);
/*
 * OK with that text, having told what went before the answer, so that the answer
 * can carry the mod-sequence up to which the client now knows everything (RFC
 * 7162 section 3.2.7 and 3.2.9).
 */
struct outcome expunged(struct session *s, const char *done);

/* multisearch.c */
HANDLER(cmd_esearch);

/* fetch, search, sort, thread: both forms of each */
HANDLER(cmd_fetch);
HANDLER(cmd_search);
HANDLER(cmd_sort);
HANDLER(cmd_thread);

#undef HANDLER

#endif
