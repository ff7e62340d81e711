/*
 * mailreeve leave: files of Courier.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../store/foreign.h"
#include "../store/layout.h"
#include "../store/maildir.h"
#include "../store/sys.h"
#include "crlf.h"
#include "leave.h"

#define LIST_MAX ((size_t)64 << 20)

static int
write_uiddb(const struct leaving *l)
{
	struct buf text = BUF_INIT(FOREIGN_FILE_MAX);
	int rc;

	buf_printf(&text, "1 %u %u\n", l->state.uidvalidity, l->state.uid_bound);
	for (size_t i = 0; i < l->n; i++)
		buf_printf(&text, "%u %s\n", l->v[i].uid, leaving_name(l, i));
	rc = leave_file(l->f->dir, COURIER_UIDLIST, &text);
	buf_free(&text);
	return rc;
}

/* ---- keywords ---- */

static struct keyword_set
keywords_of(const struct leaving *l, const struct departing *d)
{
	struct keyword_set set = { { d->letters } };
	size_t low = 0, high = l->n_extra;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->extra[mid].uid < d->uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->n_extra && l->extra[low].uid == d->uid)
		for (size_t w = 0; w < MAIL_KEYWORDS_MAX / 64; w++)
			set.bits[w] |= l->extra[low].set.bits[w];
	return set;
}

/* Numbers are places in the list of names, which has no gaps. */
static void
print_keywords(const struct leaving *l, struct buf *text)
{
	char *const *name = l->f->keywords.name;
	unsigned place[MAIL_KEYWORDS_MAX], n = 0;

	for (unsigned i = 0; i < MAIL_KEYWORDS_MAX; i++) {
		place[i] = n;
		if (name[i] == NULL)
			continue;
		buf_printf(text, "%s\n", name[i]);
		n++;
	}
	buf_byte(text, '\n');
	for (size_t i = 0; i < l->n; i++) {
		struct keyword_set set = keywords_of(l, &l->v[i]);
		char sep = ':';

		for (unsigned k = 0; k < MAIL_KEYWORDS_MAX; k++)
			if (keyword_has(&set, k) && name[k] != NULL) {
				buf_printf(text, "%s%c%u", sep == ':'
				    ? leaving_name(l, i) : "", sep, place[k]);
				sep = ' ';
			}
		if (sep == ' ')
			buf_byte(text, '\n');
	}
}

/* Files of single messages that Courier left there are of old. */
static void
remove_single(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_type == DT_REG || e->d_type == DT_UNKNOWN)
			sys_unlink(dir, e->d_name);
	if (d != NULL)
		closedir(d);
}

static int
write_keywords(const struct leaving *l)
{
	struct buf text = BUF_INIT(FOREIGN_FILE_MAX);
	int dir, rc;

	if (sys_mkdir(l->f->dir, COURIER_KEYWORDS) < 0 && errno != EEXIST)
		return -1;
	dir = openat(l->f->dir, COURIER_KEYWORDS,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return -1;
	remove_single(dir);
	print_keywords(l, &text);
	rc = leave_file(dir, COURIER_KEYWORDS_LIST, &text);
	buf_free(&text);
	close(dir);
	return rc;
}

/* ---- POP3 ---- */

/* "UIDnumber-validity", the only unique-ids that Courier can keep. */
static bool
numbers(struct bytes id, uint64_t *n, uint64_t *validity)
{
	*validity = 0;
	if (!bytes_starts(id, BYTES("UID")))
		return false;
	id = bytes_from(id, 3);
	return bytes_number(bytes_split(&id, '-'), UINT32_MAX, n) == 0
	    && (id.n == 0 || bytes_number(id, UINT32_MAX, validity) == 0);
}

/* As the name says, or by reading. */
static uint64_t
wire_size(const struct leaving *l, size_t i)
{
	static unsigned char piece[65536];
	struct crlf crlf = { 0 };
	struct message m;
	struct file_name n;
	uint64_t size = 0;
	ssize_t got;

	name_parse(bytes_of(leaving_name(l, i)), &n);
	if (n.wire_size != FILE_SIZE_UNKNOWN)
		return n.wire_size;
	if (maildir_ops.message(l->f, leaving_where(l, i), &m) < 0)
		return FILE_SIZE_UNKNOWN;
	while ((got = read(m.fd, piece, sizeof piece)) > 0)
		size += crlf_size(&crlf, bytes_make(piece, (size_t)got));
	close(m.fd);
	return got < 0 ? FILE_SIZE_UNKNOWN : size;
}

/* What is not in the list Courier counts anew, and numbers from next on. */
static int
write_sizes(const struct leaving *l)
{
	struct buf lines = BUF_INIT(FOREIGN_FILE_MAX), text = BUF_INIT(FOREIGN_FILE_MAX);
	uint64_t n, validity, next = 1;
	int rc = 0;

	for (size_t i = 0; i < l->n; i++) {
		uint64_t size = wire_size(l, i);

		if (!numbers(uidls_find(&l->uidls, l->v[i].uid), &n, &validity)
		    || n == 0 || size == FILE_SIZE_UNKNOWN)
			continue;
		if (n >= next)
			next = n + 1;
		buf_printf(&lines, "%s:2, %llu %llu:%llu:0\n", leaving_name(l, i),
		    (unsigned long long)size, (unsigned long long)n,
		    (unsigned long long)validity);
	}
	buf_printf(&text, "/3 %llu %u\n", (unsigned long long)next,
	    l->state.uidvalidity);
	buf_bytes(&text, buf_contents(&lines));
	if (lines.len > 0)
		rc = lines.error != 0 ? -1
		    : leave_file(l->f->dir, COURIER_SIZES, &text);
	buf_free(&lines);
	buf_free(&text);
	return rc;
}

static int
courier_folder(const struct leaving *l)
{
	return write_keywords(l) < 0 || write_sizes(l) < 0 ? -1 : write_uiddb(l);
}

static int
courier_subscriptions(struct store *s, const struct name_list *names)
{
	struct buf text = BUF_INIT(LIST_MAX);
	int rc;

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i].name;

		if (!layout_inbox(bytes_of(name)))
			buf_text(&text, "INBOX.");
		for (; *name != '\0'; name++)
			buf_byte(&text, *name == '/' ? '.' : (unsigned char)*name);
		buf_byte(&text, '\n');
	}
	rc = leave_file(s->root, COURIER_SUBSCRIPTIONS, &text);
	buf_free(&text);
	return rc;
}

const struct server courier_server = {
	.name = "courier",
	.utf8_names = true,
	.folder = courier_folder,
	.subscriptions = courier_subscriptions,
};
