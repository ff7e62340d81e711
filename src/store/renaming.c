/*
 * Renames that a crash may cut short: a file of the lines "FROM" and "TO".
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include "layout.h"
#include "renaming.h"
#include "sys.h"
#include "text.h"

#define JOURNAL_FILE "mailreeve-renaming"

int
renaming_begin(struct store *s, struct bytes from, struct bytes to)
{
	struct buf text = BUF_INIT(LAYOUT_NAME_MAX * 2 + 2);
	int rc;

	buf_bytes(&text, from);
	buf_byte(&text, '\n');
	buf_bytes(&text, to);
	buf_byte(&text, '\n');
	rc = text_replace(s->root, JOURNAL_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

int
renaming_end(struct store *s)
{
	int saved = errno;
	int rc = sys_unlink(s->root, JOURNAL_FILE);

	errno = saved;
	return rc;
}

bool
renaming_left(struct store *s)
{
	struct stat st;

	return fstatat(s->root, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* As mail_rename() begins them. */
static bool
sensible(struct bytes from, struct bytes to)
{
	return layout_good(from) && !layout_inbox(from)
	    && layout_good(to) && !layout_inbox(to)
	    && !bytes_equal(from, to) && !layout_below(to, from);
}

int
renaming_read(struct store *s, struct buf *text, struct bytes *from,
    struct bytes *to)
{
	struct bytes rest;

	if (text_load(s->root, JOURNAL_FILE, text) < 0)
		return errno == ENOENT ? 0 : -1;
	rest = buf_contents(text);
	if (text_line(&rest, from) && text_line(&rest, to)
	    && sensible(*from, *to))
		return 1;
	renaming_end(s);
	return 0;
}
