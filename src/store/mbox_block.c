/*
 * mbox: header lines that keep UIDs, flags and keywords, as text.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "mbox.h"

/* Room for keywords to come, so that they can be written over the old line. */
#define KEYWORDS_ROOM 40

static const struct {
	char letter;
	uint32_t flag;
} x_status[] = {
	{ 'A', FLAG_ANSWERED }, { 'F', FLAG_FLAGGED }, { 'D', FLAG_DELETED },
	{ 'T', FLAG_DRAFT },
};

static void
end_line(const struct mbox_block *b, struct buf *out)
{
	buf_text(out, b->crlf ? "\r\n" : "\n");
}

static void
pad(struct buf *out, uint64_t n)
{
	for (; n > 0; n--)
		buf_byte(out, ' ');
}

/* UW looks for the names of all keywords of the folder here. */
static void
print_base(struct folder *f, const struct mbox_block *b, struct buf *out)
{
	buf_printf(out, "%s: %u %010u", b->internal ? "X-IMAP" : "X-IMAPbase",
	    b->validity, b->last);
	keywords_load(&f->keywords, f->dir);
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++)
		if (f->keywords.name[i] != NULL)
			buf_printf(out, " %s", f->keywords.name[i]);
	end_line(b, out);
}

/* Letters that are missing leave a space, so that each change fits. */
static void
print_flags(const struct mbox_block *b, struct buf *out)
{
	unsigned n = 0;

	buf_printf(out, "Status: %s%s", b->flags & FLAG_SEEN ? "R" : "",
	    b->old ? "O" : "");
	pad(out, (uint64_t)!(b->flags & FLAG_SEEN) + !b->old);
	end_line(b, out);
	buf_text(out, "X-Status: ");
	for (size_t i = 0; i < sizeof x_status / sizeof x_status[0]; i++)
		if (b->flags & x_status[i].flag) {
			buf_byte(out, (unsigned char)x_status[i].letter);
			n++;
		}
	pad(out, sizeof x_status / sizeof x_status[0] - n);
	end_line(b, out);
}

static void
print_keywords(struct folder *f, const struct mbox_block *b, struct buf *out)
{
	struct bytes rest = b->more_keywords;

	buf_text(out, "X-Keywords:");
	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++)
		if (keyword_has(&b->keywords, i) && f->keywords.name[i] != NULL)
			buf_printf(out, " %s", f->keywords.name[i]);
	while (rest.n > 0) {
		struct bytes name = bytes_split(&rest, ' ');

		if (name.n == 0 || keywords_number(&f->keywords, f->dir, name,
		    false) >= 0)
			continue;
		buf_byte(out, ' ');
		buf_bytes(out, name);
	}
}

int
mbox_block_print(struct folder *f, const struct mbox_block *b, uint64_t room,
    struct buf *out)
{
	size_t eol = b->crlf ? 2 : 1, begin = out->len, keywords;
	struct buf length = BUF_INIT(64);
	uint64_t need;
	int rc;

	if (b->base)
		print_base(f, b, out);
	if (!b->internal)
		buf_printf(out, "X-UID: %u%s", b->uid, b->crlf ? "\r\n" : "\n");
	print_flags(b, out);
	if (b->content_length != UINT64_MAX)
		buf_printf(&length, "Content-Length: %llu%s",
		    (unsigned long long)b->content_length, b->crlf ? "\r\n" : "\n");
	keywords = out->len;
	print_keywords(f, b, out);
	keywords = out->len - keywords;
	need = out->len - begin + eol + length.len;
	if (need <= room)
		pad(out, room - need);
	else if (keywords < KEYWORDS_ROOM)
		pad(out, KEYWORDS_ROOM - keywords);
	end_line(b, out);
	buf_bytes(out, buf_contents(&length));
	rc = out->error != 0 || length.error != 0 ? -1 : 0;
	if (rc < 0)
		errno = out->error != 0 ? out->error : length.error;
	buf_free(&length);
	return rc;
}
