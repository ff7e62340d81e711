/*
 * Files of Dovecot: dovecot-uidlist, dovecot-keywords, subscriptions.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "foreign.h"
#include "keywords.h"
#include "layout.h"
#include "text.h"

#define UIDLIST_VERSION_MAX 9

/* ---- dovecot-uidlist ---- */

static bool
unique_id(struct bytes b)
{
	if (b.n == 0 || b.n > UIDL_MAX)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x21 || b.p[i] > 0x7e)	/* RFC 1939 section 7 */
			return false;
	return true;
}

/* Fields of a letter and a value; of them only the POP3 unique-id counts. */
static int
take_message(struct foreign *out, uint32_t uid, struct bytes rest, bool fields)
{
	struct bytes uidl = { 0 };

	while (fields && rest.n > 0 && rest.p[0] != ':') {
		struct bytes field = bytes_split(&rest, ' ');

		if (field.n > 1 && field.p[0] == 'P')
			uidl = bytes_from(field, 1);
	}
	if (fields)
		rest = bytes_from(rest, 1);
	rest = foreign_key(rest);
	if (rest.n == 0)
		return 0;
	if (foreign_add(out, rest, uid) < 0)
		return -1;
	if (!unique_id(uidl))
		return 0;
	out->v[out->n - 1].uidl = strndup((const char *)uidl.p, uidl.n);
	return out->v[out->n - 1].uidl == NULL ? -1 : 0;
}

static int
take_line(struct foreign *out, struct bytes line, bool fields)
{
	uint64_t uid;

	if (bytes_number(bytes_split(&line, ' '), UINT32_MAX - 1, &uid) < 0
	    || uid == 0)
		return 0;
	if (uid >= out->uid_next)
		out->uid_next = (uint32_t)uid + 1;
	return take_message(out, (uint32_t)uid, line, fields);
}

static bool
number32(struct bytes b, uint32_t *out)
{
	uint64_t n;

	if (bytes_number(b, UINT32_MAX, &n) < 0 || n == 0)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* Version 1: "1 VALIDITY NEXT"; since 3 the numbers have letters. */
static bool
take_header(struct foreign *out, struct bytes line, bool *fields)
{
	uint64_t version;

	if (bytes_number(bytes_split(&line, ' '), UIDLIST_VERSION_MAX, &version) < 0
	    || version == 0 || version == 2)
		return false;
	*fields = version >= 3;
	out->uid_next = 1;
	if (!*fields)
		return number32(bytes_split(&line, ' '), &out->uidvalidity)
		    && number32(bytes_split(&line, ' '), &out->uid_next);
	while (line.n > 0) {
		struct bytes field = bytes_split(&line, ' ');
		struct bytes value = bytes_from(field, 1);

		if (field.n > 0 && field.p[0] == 'V'
		    && !number32(value, &out->uidvalidity))
			return false;
		if (field.n > 0 && field.p[0] == 'N'
		    && !number32(value, &out->uid_next))
			return false;
	}
	return out->uidvalidity != 0;
}

int
foreign_uidlist(struct bytes text, struct foreign *out)
{
	struct bytes line;
	bool fields;

	if (!text_line(&text, &line) || !take_header(out, line, &fields)) {
		errno = EILSEQ;
		return -1;
	}
	while (text_line(&text, &line))
		if (take_line(out, line, fields) < 0)
			return -1;
	foreign_sort(out);
	return 0;
}

/* ---- dovecot-keywords ---- */

/* Lines "NUMBER NAME"; the numbers are those of the letters in file names. */
void
foreign_dovecot_keywords(struct bytes text, struct foreign *out)
{
	struct bytes line;
	uint64_t i;

	while (text_line(&text, &line)) {
		if (bytes_number(bytes_split(&line, ' '), KEYWORD_LETTERS - 1, &i) < 0
		    || line.n == 0 || line.n > MAIL_KEYWORD_LENGTH_MAX
		    || out->keyword[i] != NULL)
			continue;
		out->keyword[i] = strndup((const char *)line.p, line.n);
	}
}

/* ---- subscriptions ---- */

/* Dovecot writes what would be mistaken as \001 and a letter. */
static void
undo_escapes(struct bytes level, struct buf *out)
{
	static const char from[] = "0123tnr", to[] = "\0\001\002\003\t\n\r";

	for (size_t i = 0; i < level.n; i++) {
		const char *at = NULL;

		if (level.p[i] == 1 && i + 1 < level.n && level.p[i + 1] != '\0')
			at = strchr(from, level.p[i + 1]);
		if (at != NULL) {
			buf_byte(out, (unsigned char)to[at - from]);
			i++;
		} else {
			buf_byte(out, level.p[i]);
		}
	}
}

/* Levels of the list, in modified UTF-7, as a directory's name has them. */
static void
disk_name(struct bytes line, unsigned char sep, struct buf *disk)
{
	struct buf level = BUF_INIT(LAYOUT_DISK_MAX);

	buf_clear(disk);
	while (line.n > 0) {
		struct bytes part;

		buf_clear(&level);
		undo_escapes(bytes_split(&line, sep), &level);
		buf_byte(disk, '.');
		part = buf_contents(&level);
		for (size_t i = 0; i < part.n; i++)
			if (part.p[i] == '.' && sep != '.')
				buf_text(disk, "&AC4-");
			else
				buf_byte(disk, part.p[i]);
		if (level.error != 0)
			disk->error = level.error;
	}
	buf_free(&level);
}

static int
tell_name(struct buf *disk, struct buf *name,
    int (*fn)(void *arg, struct bytes name), void *arg)
{
	const char *path = buf_string(disk);

	if (path == NULL || disk->error != 0 || strlen(path) != disk->len)
		return 0;
	if (strcmp(path, ".INBOX") == 0)
		return fn(arg, BYTES("INBOX"));
	return layout_from_disk(path, name) < 0 ? 0 : fn(arg, buf_contents(name));
}

/* Version 2 begins with "V\t2" and an empty line, and has tabs between levels. */
int
foreign_dovecot_subscriptions(struct bytes text,
    int (*fn)(void *arg, struct bytes name), void *arg)
{
	struct buf disk = BUF_INIT(LAYOUT_DISK_MAX);
	struct buf name = BUF_INIT(LAYOUT_NAME_MAX * 2);
	unsigned char sep = '.';
	struct bytes line;
	int rc = 0;

	if (bytes_starts(text, BYTES("V\t2\n"))) {
		text = bytes_from(text, 4);
		sep = '\t';
	}
	while (rc == 0 && text_line(&text, &line)) {
		disk_name(line, sep, &disk);
		rc = tell_name(&disk, &name, fn, arg);
	}
	buf_free(&disk);
	buf_free(&name);
	return rc;
}
