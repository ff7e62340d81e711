/*
 * The commands of IMAP: one row each. This table decides what is legal when,
 * and CAPABILITY is printed from it.
 * Runs as: the mailbox owner.
 */
#include "commands.h"

#define AUTH	STATE_AUTH
#define SELECTED STATE_SELECTED
#define ANY	STATE_ANY

/* What both forms of a command on messages share; what only numbers mean. */
#define NUMBERS	(CMD_ARGS | CMD_SEQUENCE | CMD_NO_EXPUNGE)
#define UIDS	(CMD_ARGS | CMD_UID)

const struct command commands[] = {
	/* any state */
	{ "CAPABILITY", ANY, CMD_NO_ARGS, NULL, cmd_capability },
	{ "NOOP", ANY, CMD_NO_ARGS, NULL, cmd_noop },
	{ "LOGOUT", ANY, CMD_NO_ARGS | CMD_NO_TELL, NULL, cmd_logout },
	{ "ID", ANY, CMD_ARGS, "ID", cmd_id },

	/* not authenticated: login speaks these */
	{ "STARTTLS", 0, 0, NULL, NULL },
	{ "AUTHENTICATE", 0, 0, NULL, NULL },
	{ "LOGIN", 0, 0, NULL, NULL },

	/* authenticated */
	{ "ENABLE", AUTH, CMD_ARGS, "ENABLE", cmd_enable },
	{ "SELECT", ANY, CMD_ARGS | CMD_NO_TELL | CMD_PROGRESS, NULL, cmd_select },
	{ "EXAMINE", ANY, CMD_ARGS | CMD_NO_TELL | CMD_PROGRESS, NULL, cmd_examine },
	{ "CREATE", ANY, CMD_ARGS | CMD_WRITES, NULL, cmd_create },
	{ "DELETE", ANY, CMD_ARGS | CMD_WRITES, NULL, cmd_delete },
	{ "RENAME", ANY, CMD_ARGS | CMD_WRITES, NULL, cmd_rename },
	{ "SUBSCRIBE", ANY, CMD_ARGS | CMD_WRITES, NULL, cmd_subscribe },
	{ "UNSUBSCRIBE", ANY, CMD_ARGS | CMD_WRITES, NULL, cmd_unsubscribe },
	{ "LIST", ANY, CMD_ARGS, NULL, cmd_list },
	{ "XLIST", ANY, CMD_ARGS, "XLIST", cmd_xlist },
	{ "LSUB", ANY, CMD_ARGS, NULL, cmd_lsub },
	{ "NAMESPACE", ANY, CMD_NO_ARGS, "NAMESPACE", cmd_namespace },
	{ "GETMETADATA", ANY, CMD_ARGS, "METADATA", cmd_getmetadata },
	{ "SETMETADATA", ANY, CMD_ARGS | CMD_WRITES, "METADATA", cmd_setmetadata },
	{ "STATUS", ANY, CMD_ARGS, NULL, cmd_status },
	{ "APPEND", ANY, CMD_ARGS | CMD_STREAM | CMD_WRITES, NULL, cmd_append },
	{ "IDLE", ANY, CMD_NO_ARGS, "IDLE", cmd_idle },

	{ "GETQUOTA", ANY, CMD_ARGS, "QUOTA", cmd_getquota },
	{ "GETQUOTAROOT", ANY, CMD_ARGS, "QUOTA", cmd_getquotaroot },
	{ "NOTIFY", ANY, CMD_ARGS, "NOTIFY", cmd_notify },
	{ "COMPRESS", ANY, CMD_ARGS, "COMPRESS=DEFLATE", cmd_compress },

	/* selected */
	{ "CHECK", SELECTED, CMD_NO_ARGS, NULL, cmd_noop },
	{ "CLOSE", SELECTED, CMD_NO_ARGS, NULL, cmd_close },
	{ "UNSELECT", SELECTED, CMD_NO_ARGS, "UNSELECT", cmd_unselect },
	{ "EXPUNGE", SELECTED, CMD_NO_ARGS | CMD_CHANGES | CMD_PROGRESS, NULL, cmd_expunge },
	{ "UID EXPUNGE", SELECTED, UIDS | CMD_CHANGES | CMD_PROGRESS, "UIDPLUS", cmd_uid_expunge },
	{ "STORE", SELECTED, NUMBERS | CMD_CHANGES | CMD_PROGRESS, NULL, cmd_store },
	{ "UID STORE", SELECTED, UIDS | CMD_CHANGES | CMD_PROGRESS, NULL, cmd_store },
	{ "REPLACE", SELECTED, CMD_ARGS | CMD_SEQUENCE | CMD_CHANGES | CMD_STREAM,
	    "REPLACE", cmd_replace },
	{ "UID REPLACE", SELECTED, UIDS | CMD_CHANGES | CMD_STREAM, "REPLACE",
	    cmd_replace },
	{ "COPY", SELECTED, CMD_ARGS | CMD_SEQUENCE | CMD_WRITES | CMD_PROGRESS, NULL, cmd_copy },
	{ "UID COPY", SELECTED, UIDS | CMD_WRITES | CMD_PROGRESS, NULL, cmd_copy },
	{ "MOVE", SELECTED, CMD_ARGS | CMD_SEQUENCE | CMD_CHANGES | CMD_PROGRESS, "MOVE", cmd_move },
	{ "UID MOVE", SELECTED, UIDS | CMD_CHANGES | CMD_PROGRESS, "MOVE", cmd_move },

	/* data of messages */
	{ "FETCH", SELECTED, NUMBERS, NULL, cmd_fetch },
	{ "UID FETCH", SELECTED, UIDS, NULL, cmd_fetch },
	{ "SEARCH", SELECTED, NUMBERS, "ESEARCH", cmd_search },
	{ "UID SEARCH", SELECTED, UIDS, "ESEARCH", cmd_search },
	{ "ESEARCH", ANY, UIDS, "MULTISEARCH", cmd_esearch },
	{ "CANCELUPDATE", SELECTED, CMD_ARGS, "CONTEXT=SEARCH", cmd_cancelupdate },
	{ "SORT", SELECTED, NUMBERS, "SORT", cmd_sort },
	{ "UID SORT", SELECTED, UIDS, "SORT", cmd_sort },
	{ "UIDBATCHES", SELECTED, CMD_ARGS, "UIDBATCHES", cmd_uidbatches },
	{ "THREAD", SELECTED, NUMBERS, "THREAD=REFERENCES", cmd_thread },
	{ "UID THREAD", SELECTED, UIDS, "THREAD=REFERENCES", cmd_thread },

	{ .name = NULL },
};
