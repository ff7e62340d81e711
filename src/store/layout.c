/*
 * Names of mailboxes and of their folders.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "layout.h"
#include "mutf7.h"
#include "utf8.h"

static const char dot[] = "&AC4-";

static bool
good_level(struct bytes level)
{
	if (level.n == 0)
		return false;
	for (size_t i = 0; i < level.n; i++)
		if (level.p[i] < ' ' || level.p[i] == 127)
			return false;
	return true;
}

/* INBOX has one spelling only (RFC 9051 section 5.1). */
static bool
misspelt_inbox(struct bytes level)
{
	return bytes_case_equal(level, BYTES("INBOX")) && !layout_inbox(level);
}

bool
layout_good(struct bytes name)
{
	struct bytes rest = name;
	unsigned levels = 0;

	if (name.n == 0 || name.n > LAYOUT_NAME_MAX || !utf8_valid(name)
	    || name.p[name.n - 1] == '/')
		return false;
	while (rest.n > 0) {
		struct bytes level = bytes_split(&rest, '/');

		if (!good_level(level) || ++levels > LAYOUT_LEVELS_MAX)
			return false;
		if (levels == 1 && misspelt_inbox(level))
			return false;
	}
	return true;
}

/* Most names are the same on disk but for what separates their levels. */
static bool
plain(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~' || text.p[i] == '&')
			return false;
	return true;
}

static void
put_plain(unsigned char *out, struct bytes text, unsigned char from, unsigned char to)
{
	for (size_t i = 0; i < text.n; i++)
		out[i] = text.p[i] == from ? to : text.p[i];
}

static void
put_level(struct buf *out, struct bytes coded)
{
	buf_byte(out, '.');
	for (size_t i = 0; i < coded.n; i++)
		if (coded.p[i] == '.')
			buf_text(out, dot);
		else
			buf_byte(out, coded.p[i]);
}

int
layout_to_disk(struct bytes name, char out[LAYOUT_DISK_MAX + 1])
{
	struct buf level = BUF_INIT(LAYOUT_DISK_MAX), disk = BUF_INIT(LAYOUT_DISK_MAX);
	bool good = layout_good(name);

	if (layout_inbox(name)) {
		memcpy(out, ".", 2);
		return 0;
	}
	if (good && name.n < LAYOUT_DISK_MAX && plain(name)
	    && memchr(name.p, '.', name.n) == NULL) {
		out[0] = '.';
		put_plain((unsigned char *)out + 1, name, '/', '.');
		out[1 + name.n] = '\0';
		return 0;
	}
	while (good && name.n > 0) {
		buf_clear(&level);
		good = mutf7_encode(bytes_split(&name, '/'), &level) == 0;
		put_level(&disk, buf_contents(&level));
	}
	good = good && disk.error == 0;
	if (good) {
		memcpy(out, disk.data, disk.len);
		out[disk.len] = '\0';
	}
	buf_free(&level);
	buf_free(&disk);
	if (!good)
		errno = EINVAL;
	return good ? 0 : -1;
}

/* One level's text with the escaped dots as dots again. */
static void
undo_dots(struct bytes coded, struct buf *out)
{
	for (size_t i = 0; i < coded.n; i++)
		if (bytes_starts(bytes_from(coded, i), bytes_of(dot))) {
			buf_byte(out, '.');
			i += sizeof dot - 2;
		} else {
			buf_byte(out, coded.p[i]);
		}
}

static bool
levels_from_disk(struct bytes rest, struct buf *name)
{
	struct buf level = BUF_INIT(LAYOUT_DISK_MAX + 16);
	bool good = rest.n > 0;

	while (good && rest.n > 0) {
		buf_clear(&level);
		undo_dots(bytes_split(&rest, '.'), &level);
		if (name->len > 0)
			buf_byte(name, '/');
		good = level.error == 0
		    && mutf7_decode(buf_contents(&level), name) == 0;
	}
	buf_free(&level);
	return good && name->error == 0;
}

static bool
plain_from_disk(struct bytes rest, struct buf *name)
{
	unsigned char *to = plain(rest) && memchr(rest.p, '/', rest.n) == NULL
	    ? buf_room(name, rest.n) : NULL;

	if (to == NULL)
		return false;
	put_plain(to, rest, '.', '/');
	name->len = rest.n;
	return layout_good(buf_contents(name)) && !layout_inbox(buf_contents(name));
}

/*
 * What does not come out as it went in is refused: two folders never have one
 * name (a slash written in base64, an empty level, an inbox of their own).
 */
int
layout_from_disk(const char *folder, struct buf *name)
{
	char again[LAYOUT_DISK_MAX + 1];
	struct bytes b = bytes_of(folder);

	buf_clear(name);
	if (b.n >= 2 && b.n <= LAYOUT_DISK_MAX && b.p[0] == '.'
	    && plain_from_disk(bytes_from(b, 1), name))
		return 0;
	buf_clear(name);
	if (b.n < 2 || b.p[0] != '.' || b.n > LAYOUT_DISK_MAX
	    || !levels_from_disk(bytes_from(b, 1), name)
	    || layout_to_disk(buf_contents(name), again) < 0
	    || strcmp(again, folder) != 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

bool
layout_below(struct bytes name, struct bytes parent)
{
	return name.n > parent.n && bytes_starts(name, parent)
	    && name.p[parent.n] == '/';
}
