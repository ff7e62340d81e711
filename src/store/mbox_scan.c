/*
 * mbox: finding messages in the file.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_scan.h"

#define WINDOW_SIZE ((size_t)1 << 17)
#define LINE_LOOK ((size_t)8192)	/* how much of a line is looked at */
#define UIDS_LEFT_MIN ((uint32_t)1 << 25)
#define SEPARATOR_LINES 2		/* line ends between two messages, at most */
#define FROM_LOOK ((size_t)256)		/* and of one that may be a From_ line */

int
mbox_file_begin(struct mbox_file *m, int fd)
{
	struct stat st;

	*m = (struct mbox_file){ .fd = fd };
	if (fstat(fd, &st) < 0)
		return -1;
	m->size = (uint64_t)st.st_size;
	m->window = malloc(WINDOW_SIZE);
	return m->window == NULL ? -1 : 0;
}

void
mbox_file_end(struct mbox_file *m)
{
	free(m->window);
	m->window = NULL;
}

/* Fills the window from offset on. */
static int
load(struct mbox_file *m, uint64_t offset)
{
	m->at = offset;
	m->have = 0;
	while (m->have < WINDOW_SIZE && m->at + m->have < m->size) {
		size_t want = WINDOW_SIZE - m->have;
		ssize_t n;

		if (want > m->size - m->at - m->have)
			want = m->size - m->at - m->have;
		n = pread(m->fd, m->window + m->have, want,
		    (off_t)(m->at + m->have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			m->size = m->at + m->have;	/* cut short meanwhile */
		else
			m->have += (size_t)n;
	}
	return 0;
}

/* What lies at offset: want bytes, or fewer at the end of the file. */
static int
look(struct mbox_file *m, uint64_t offset, size_t want, struct bytes *out)
{
	uint64_t loaded = m->at + m->have;

	if (offset >= m->size) {
		*out = bytes_make(m->window, 0);
		return 0;
	}
	if ((offset < m->at || offset + want > loaded)
	    && !(offset >= m->at && offset < loaded && loaded == m->size)
	    && load(m, offset) < 0)
		return -1;
	*out = bytes_from(bytes_make(m->window, m->have), offset - m->at);
	return 0;
}

/*
 * The line at offset, its first LINE_LOOK bytes at the most, without its end;
 * next is where the following one begins.
 */
static int
line_at(struct mbox_file *m, uint64_t offset, struct bytes *line, uint64_t *next)
{
	struct bytes b;
	ssize_t end;

	if (look(m, offset, LINE_LOOK, &b) < 0)
		return -1;
	end = bytes_find(b, '\n');
	if (end >= 0) {
		*line = bytes_first(b, (size_t)end);
		*next = offset + (uint64_t)end + 1;
		if (line->n > 0 && line->p[line->n - 1] == '\r')
			line->n--;
		return 0;
	}
	/* Longer than the window shows: find its end piece by piece. */
	*next = offset;
	while (end < 0 && b.n > 0) {
		*next += b.n;
		if (look(m, *next, LINE_LOOK, &b) < 0)
			return -1;
		end = bytes_find(b, '\n');
	}
	if (end >= 0)
		*next += (uint64_t)end + 1;
	if (look(m, offset, LINE_LOOK, &b) < 0)
		return -1;
	*line = bytes_first(b, LINE_LOOK);
	return 0;
}

static bool
is_from_line(struct mbox_file *m, uint64_t offset, int64_t *date)
{
	struct bytes b;
	ssize_t end;

	if (look(m, offset, FROM_LOOK, &b) < 0)
		return false;
	b = bytes_first(b, FROM_LOOK);
	end = bytes_find(b, '\n');
	if (end < 0)
		return false;
	b = bytes_first(b, (size_t)end);
	if (b.n > 0 && b.p[b.n - 1] == '\r')
		b.n--;
	return mbox_from_line(b, date);
}

/* FNV-1a: marks need to differ, not to withstand anybody. */
static uint64_t
mix(uint64_t sum, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		sum = (sum ^ b.p[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static void
take_flags(struct mbox_message *msg, struct bytes value)
{
	static const struct {
		char letter;
		uint32_t flag;
	} letters[] = {
		{ 'R', FLAG_SEEN }, { 'A', FLAG_ANSWERED }, { 'F', FLAG_FLAGGED },
		{ 'D', FLAG_DELETED }, { 'T', FLAG_DRAFT },
	};

	for (size_t i = 0; i < value.n; i++) {
		msg->old |= value.p[i] == 'O';
		for (size_t k = 0; k < sizeof letters / sizeof letters[0]; k++)
			if (value.p[i] == letters[k].letter)
				msg->flags |= letters[k].flag;
	}
}

static uint32_t
number_or_zero(struct bytes b)
{
	uint64_t v;

	return bytes_number(b, UINT32_MAX, &v) < 0 ? 0 : (uint32_t)v;
}

static void
take_base(struct mbox_message *msg, struct bytes value)
{
	msg->base_validity = number_or_zero(bytes_split(&value, ' '));
	msg->base_last = number_or_zero(bytes_split(&value, ' '));
	/* Somebody would have all UIDs used up: no base of ours. */
	if (msg->base_last > UINT32_MAX - UIDS_LEFT_MIN)
		msg->base_validity = msg->base_last = 0;
}

static void
take_field(struct mbox_message *msg, enum mbox_field f, struct bytes value,
    uint64_t *content_length)
{
	switch (f) {
	case MBOX_STATUS:
	case MBOX_X_STATUS:
		take_flags(msg, value);
		break;
	case MBOX_X_KEYWORDS:
		value = bytes_first(value, sizeof msg->keywords);
		memcpy(msg->keywords, value.p, value.n);
		msg->keywords_length = value.n;
		break;
	case MBOX_X_UID:
		msg->uid = number_or_zero(value);
		break;
	case MBOX_X_IMAP:
		/* Only the placeholder of UW and Dovecot has it. */
		msg->internal = true;
		take_base(msg, value);
		break;
	case MBOX_X_IMAPBASE:
		take_base(msg, value);
		break;
	case MBOX_CONTENT_LENGTH:
		if (bytes_number(value, INT64_MAX, content_length) < 0)
			*content_length = UINT64_MAX;
		break;
	default:
		break;
	}
}

/* Remembers that the bytes from begin to end are no part of the message. */
static void
hide(struct mbox_message *msg, uint64_t begin, uint64_t end)
{
	struct message_extent *last = msg->hidden == 0 ? NULL
	    : &msg->hidden_at[msg->hidden - 1];

	if (last != NULL && last->offset + last->length == begin)
		last->length += end - begin;
	else if (msg->hidden < MBOX_HIDDEN_MAX)
		msg->hidden_at[msg->hidden++] = (struct message_extent){ begin,
		    end - begin };
}

static int
last_byte(struct mbox_file *m)
{
	struct bytes b;

	return look(m, m->size - 1, 1, &b) < 0 || b.n == 0 ? -1 : b.p[0];
}

static int
read_header(struct mbox_file *m, struct mbox_message *msg,
    uint64_t *content_length)
{
	enum mbox_field f = MBOX_OTHER;
	struct bytes line, value;
	uint64_t at, next = msg->header;

	for (at = msg->header; at < m->size; at = next) {
		if (line_at(m, at, &line, &next) < 0)
			return -1;
		if (line.n == 0)
			break;
		if (line.p[0] != ' ' && line.p[0] != '\t') {
			f = mbox_field(line, &value);
			take_field(msg, f, value, content_length);
		}
		if (f != MBOX_OTHER) {
			hide(msg, at, next);
			msg->mark = mix(msg->mark, line);
		}
	}
	msg->unended = at >= m->size && at > msg->header
	    && last_byte(m) != '\n';
	msg->blank = at < m->size ? at : m->size;
	msg->body = at < m->size ? next : m->size;
	return 0;
}

/* Length of the line end at offset: 0 when there is none. */
static uint64_t
line_end_at(struct mbox_file *m, uint64_t offset)
{
	struct bytes b;

	if (look(m, offset, 2, &b) < 0)
		return 0;
	if (b.n >= 2 && b.p[0] == '\r' && b.p[1] == '\n')
		return 2;
	return b.n >= 1 && b.p[0] == '\n';
}

/*
 * True when a message may end here: at the end of the file or a From_ line, or
 * with as much as a missing line end and a blank line in between.
 */
static bool
may_end_at(struct mbox_file *m, struct mbox_message *msg, uint64_t end)
{
	uint64_t next = end;
	int64_t date;

	for (int lines = 0; lines <= SEPARATOR_LINES; lines++) {
		uint64_t n;

		if (next == m->size || is_from_line(m, next, &date)) {
			msg->end = end;
			msg->next = next;
			return true;
		}
		n = line_end_at(m, next);
		if (n == 0)
			return false;
		next += n;
	}
	return false;
}

/* Length of the blank line that ends at offset, if one does. */
static uint64_t
blank_before(struct mbox_file *m, uint64_t floor, uint64_t offset)
{
	uint64_t from = offset - floor < 4 ? floor : offset - 4;
	struct bytes b;
	size_t n = (size_t)(offset - from);

	if (look(m, from, n, &b) < 0)
		return 0;
	b = bytes_first(b, n);
	if (n >= 3 && memcmp(b.p + n - 3, "\n\r\n", 3) == 0)
		return 2;
	if (n >= 2 && memcmp(b.p + n - 2, "\n\n", 2) == 0)
		return 1;
	/* A body that is nothing but the separating line. */
	if (from == floor && n == 1 && b.p[0] == '\n')
		return 1;
	if (from == floor && n == 2 && memcmp(b.p, "\r\n", 2) == 0)
		return 2;
	return 0;
}

/*
 * The next From_ line at or behind from. It counts only behind a blank line;
 * the one that ends the header is such a line.
 */
static int
find_next(struct mbox_file *m, struct mbox_message *msg)
{
	uint64_t at = msg->body;
	int64_t date;
	struct bytes b;

	if (is_from_line(m, at, &date)) {
		msg->next = msg->end = at;
		return 0;
	}
	while (at < m->size) {
		const unsigned char *hit;

		if (look(m, at, LINE_LOOK, &b) < 0)
			return -1;
		hit = memmem(b.p, b.n, "\nFrom ", 6);
		if (hit == NULL) {
			/* A match may begin in the last bytes of the window. */
			at += b.n > 5 && at + b.n < m->size ? b.n - 5 : b.n;
			continue;
		}
		at += (uint64_t)(hit - b.p) + 1;
		if (blank_before(m, msg->body, at) > 0
		    && is_from_line(m, at, &date))
			break;
	}
	msg->next = at;
	msg->end = at - blank_before(m, msg->body, at);
	return 0;
}

int
mbox_read(struct mbox_file *m, uint64_t offset, struct mbox_message *out)
{
	uint64_t content_length = UINT64_MAX;
	struct bytes line;

	if (offset >= m->size)
		return 0;
	*out = (struct mbox_message){ .begin = offset,
	    .mark = UINT64_C(0xcbf29ce484222325) ^ offset };
	if (!is_from_line(m, offset, &out->date)) {
		errno = EILSEQ;
		return -1;
	}
	if (line_at(m, offset, &line, &out->header) < 0)
		return -1;
	out->crlf = line.p[line.n] == '\r';
	if (read_header(m, out, &content_length) < 0)
		return -1;
	/* Marks are not 0, and leave a bit to those who keep them (marks.h). */
	out->mark = (out->mark & (UINT64_MAX >> 1)) | 1;
	out->cut = content_length != UINT64_MAX
	    && content_length > m->size - out->body;
	if (content_length <= m->size - out->body
	    && may_end_at(m, out, out->body + content_length)) {
		out->measured = true;
		return 1;
	}
	return find_next(m, out) < 0 ? -1 : 1;
}

void
mbox_extents(const struct mbox_message *msg, struct message *out)
{
	uint64_t at = msg->header;

	out->size = 0;
	out->extents = 0;
	for (unsigned i = 0; i <= msg->hidden; i++) {
		uint64_t end = i < msg->hidden ? msg->hidden_at[i].offset : msg->end;

		if (end > at) {
			out->extent[out->extents++] = (struct message_extent){ at,
			    end - at };
			out->size += end - at;
		}
		if (i < msg->hidden)
			at = end + msg->hidden_at[i].length;
	}
}
