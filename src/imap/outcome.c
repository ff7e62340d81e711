/*
 * What handlers answer, and what an errno means in IMAP.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "log.h"
#include "session.h"

struct outcome
ok(const char *text)
{
	return ok_code(CODE_NONE, text);
}

struct outcome
ok_code(enum code code, const char *text)
{
	return (struct outcome){ .result = RESULT_OK, .code.code = code,
	    .text = text };
}

struct outcome
no(enum code code, const char *text)
{
	return (struct outcome){ .result = RESULT_NO, .code.code = code,
	    .text = text };
}

struct outcome
bad(const char *text)
{
	return (struct outcome){ .result = RESULT_BAD, .text = text };
}

struct outcome
bad_syntax(const struct lex *x)
{
	log_assert(x->error != NULL);
	switch (x->why) {
	case EILSEQ:
		return no(CODE_CANNOT, x->error);
	case E2BIG:
	case ENOMEM:
		return no(CODE_LIMIT, x->error);
	case EOPNOTSUPP:
		return (struct outcome){ RESULT_BAD,
		    .code.code = CODE_UIDREQUIRED, .text = x->error };
	default:
		return bad(x->error);
	}
}

/* RFC 5530. A row with error 0 ends the table and stands for all others. */
static const struct {
	int error;
	enum code code;
	const char *text;
} failures[] = {
	{ ENOENT, CODE_NONEXISTENT, "No such mailbox or message" },
	{ EEXIST, CODE_ALREADYEXISTS, "Mailbox exists already" },
	{ EACCES, CODE_NOPERM, "Permission denied" },
	{ EPERM, CODE_NOPERM, "Permission denied" },
	{ EROFS, CODE_NOPERM, "The mail is on a read-only file system" },
	{ EBUSY, CODE_INUSE, "Mailbox is locked by another program; try again" },
	{ ENOSPC, CODE_OVERQUOTA, "No space left for mail" },
	{ EDQUOT, CODE_OVERQUOTA, "Disk quota exceeded" },
	{ EFBIG, CODE_LIMIT, "Larger than the system allows" },
	{ EINVAL, CODE_CANNOT, "Not a possible mailbox name" },
	{ ENAMETOOLONG, CODE_CANNOT, "Mailbox name too long" },
	{ ENOTEMPTY, CODE_HASCHILDREN, "Mailbox has others below it" },
	{ E2BIG, CODE_LIMIT, "Over a limit of this server" },
	{ ENOMEM, CODE_LIMIT, "Not enough memory for this command" },
	{ ESTALE, CODE_NONEXISTENT, "Mailbox was deleted or made anew" },
	{ EILSEQ, CODE_CORRUPTION, "What is stored cannot be read as mail" },
	{ EIO, CODE_UNAVAILABLE, "Input/output error of the storage" },
	{ 0, CODE_UNAVAILABLE, "The storage failed; see the server's log" },
};

struct outcome
failed(int error)
{
	size_t i = 0;

	while (failures[i].error != 0 && failures[i].error != error)
		i++;
	if (failures[i].code == CODE_UNAVAILABLE)
		log_error("storage failed: %s", strerror(error));
	return no(failures[i].code, failures[i].text);
}
