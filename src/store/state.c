/*
 * State files.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "state.h"
#include "text.h"

#define STATE_MAX ((size_t)4096)

enum kind { NUMBER32, NUMBER64, TEXT };

static const struct {
	const char *key;
	enum kind kind;
	size_t at;
} lines[] = {
	{ "uidvalidity", NUMBER32, offsetof(struct state, uidvalidity) },
	{ "uidnext", NUMBER32, offsetof(struct state, uid_bound) },
	{ "modseq", NUMBER64, offsetof(struct state, modseq_bound) },
	{ "holder", NUMBER64, offsetof(struct state, holder) },
	{ "inode", NUMBER64, offsetof(struct state, inode) },
	{ "mailboxid", TEXT, offsetof(struct state, id) },
};
#define LINES (sizeof lines / sizeof lines[0])

static bool
take_id(struct bytes value, char *id)
{
	if (value.n == 0 || value.n >= MAILBOX_ID_MAX)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (!ascii_alpha(value.p[i]) && !ascii_digit(value.p[i]))
			return false;
	memcpy(id, value.p, value.n);
	id[value.n] = '\0';
	return true;
}

static bool
take_value(size_t i, struct bytes value, struct state *s)
{
	void *to = (char *)s + lines[i].at;
	uint64_t n;

	if (lines[i].kind == TEXT)
		return take_id(value, to);
	if (bytes_number(value, lines[i].kind == NUMBER32 ? UINT32_MAX
	    : UINT64_MAX, &n) < 0)
		return false;
	if (lines[i].kind == NUMBER32)
		*(uint32_t *)to = (uint32_t)n;
	else
		*(uint64_t *)to = n;
	return true;
}

/* Lines of a later release are passed over; each of ours must be there. */
static bool
parse(struct bytes text, struct state *s)
{
	struct bytes line;
	unsigned found = 0;

	while (text_line(&text, &line)) {
		struct bytes key = bytes_split(&line, ' ');

		for (size_t i = 0; i < LINES; i++)
			if (bytes_equal(key, bytes_of(lines[i].key))) {
				if (!take_value(i, line, s))
					return false;
				found |= 1U << i;
			}
	}
	return found == (1U << LINES) - 1 && s->uidvalidity != 0
	    && s->uid_bound != 0 && s->modseq_bound <= INT64_MAX;
}

int
state_load(int dir, struct state *s)
{
	struct buf text = BUF_INIT(STATE_MAX);
	int rc = text_load(dir, STATE_FILE, &text);

	*s = (struct state){ 0 };
	if (rc < 0 && (errno == E2BIG || errno == ELOOP || errno == EISDIR))
		errno = EILSEQ;
	if (rc == 0 && !parse(buf_contents(&text), s)) {
		errno = EILSEQ;
		rc = -1;
	}
	buf_free(&text);
	return rc;
}

int
state_save(int dir, const struct state *s)
{
	struct buf text = BUF_INIT(STATE_MAX);
	int rc;

	for (size_t i = 0; i < LINES; i++) {
		const void *from = (const char *)s + lines[i].at;

		buf_printf(&text, "%s ", lines[i].key);
		if (lines[i].kind == TEXT)
			buf_text(&text, from);
		else
			buf_number(&text, lines[i].kind == NUMBER32
			    ? *(const uint32_t *)from : *(const uint64_t *)from);
		buf_byte(&text, '\n');
	}
	rc = text.error != 0 ? -1
	    : text_replace(dir, STATE_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

void
state_new_id(char id[MAILBOX_ID_MAX])
{
	snprintf(id, MAILBOX_ID_MAX, "F%08x%08x%08x", arc4random(), arc4random(),
	    arc4random());
}

int
state_new_validity(int root, uint32_t *validity)
{
	struct buf text = BUF_INIT(64);
	uint64_t now = (uint64_t)time(NULL), last = 0;
	int rc;

	if (text_load(root, VALIDITY_FILE, &text) == 0
	    && bytes_number(bytes_trim(buf_contents(&text)), UINT32_MAX - 1,
	    &last) < 0)
		last = 0;
	*validity = (uint32_t)(now > last ? now : last + 1);
	buf_clear(&text);
	buf_printf(&text, "%u\n", *validity);
	rc = text_replace(root, VALIDITY_FILE, buf_contents(&text));
	buf_free(&text);
	return rc;
}

int
state_make(int root, int dir)
{
	struct state s = { .uid_bound = 1, .modseq_bound = 1 };
	struct stat st;

	state_new_id(s.id);
	if (fstat(dir, &st) < 0 || state_new_validity(root, &s.uidvalidity) < 0)
		return -1;
	s.inode = st.st_ino;
	return state_save(dir, &s);
}
