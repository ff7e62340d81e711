/*
 * UIDs given to messages whose names do not show them yet.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "given.h"
#include "log.h"
#include "sys.h"
#include "text.h"

#define HEAD "uidvalidity "
#define SLOTS_MIN ((size_t)1024)
/* UIDs above it are nonsense: they would leave too few to give. */
#define UID_LAST (UINT32_MAX - (UINT32_C(1) << 24))

struct line {
	uint32_t uid;
	uint32_t at, n;			/* of the unique part in text */
};

struct given {
	uint64_t inode, size;		/* of the file as read or written */
	uint32_t validity, highest;
	struct buf text;
	struct line *v;
	size_t n, cap;
	uint32_t *slot;			/* one more than the line's number */
	size_t slots;			/* a power of two */
	int fd;				/* of lines that are not durable; or -1 */
};

/* ---- the table ---- */

static size_t
hash(struct bytes s)
{
	uint64_t h = s.n, v = 0;

	for (; s.n >= sizeof v; s = bytes_from(s, sizeof v)) {
		memcpy(&v, s.p, sizeof v);
		h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 29);
}

static struct bytes
unique_of(const struct given *g, size_t i)
{
	return bytes_make(g->text.data + g->v[i].at, g->v[i].n);
}

/* Where it is, or the empty slot where it belongs. */
static uint32_t *
find_slot(const struct given *g, struct bytes unique)
{
	size_t i = hash(unique) & (g->slots - 1);

	while (g->slot[i] != 0
	    && !bytes_equal(unique_of(g, g->slot[i] - 1), unique))
		i = (i + 1) & (g->slots - 1);
	return &g->slot[i];
}

static int
more_slots(struct given *g)
{
	size_t slots = g->slots == 0 ? SLOTS_MIN : g->slots * 2;
	uint32_t *slot = calloc(slots, sizeof *slot);

	if (slot == NULL)
		return -1;
	free(g->slot);
	g->slot = slot;
	g->slots = slots;
	for (size_t i = 0; i < g->n; i++)
		*find_slot(g, unique_of(g, i)) = (uint32_t)i + 1;
	return 0;
}

static int
make_room(struct given *g)
{
	struct line *v;

	if (g->n >= g->slots / 2 && more_slots(g) < 0)
		return -1;
	if (g->n < g->cap)
		return 0;
	g->cap = g->cap == 0 ? SLOTS_MIN : g->cap * 2;
	v = reallocarray(g->v, g->cap, sizeof *v);
	if (v == NULL)
		return -1;
	g->v = v;
	return 0;
}

/* Of a unique part that stands in text; the first line for it counts. */
static int
add_line(struct given *g, uint32_t uid, struct bytes unique)
{
	uint32_t *slot;

	if (make_room(g) < 0)
		return -1;
	slot = find_slot(g, unique);
	if (*slot != 0)
		return 0;
	g->v[g->n++] = (struct line){ uid, (uint32_t)(unique.p - g->text.data),
	    (uint32_t)unique.n };
	*slot = (uint32_t)g->n;
	if (uid > g->highest)
		g->highest = uid;
	return 0;
}

/* ---- the file ---- */

static bool
good_unique(struct bytes unique)
{
	if (unique.n == 0 || unique.n > UINT8_MAX)
		return false;
	for (size_t i = 0; i < unique.n; i++)
		if (unique.p[i] == '\0' || unique.p[i] == '\n'
		    || unique.p[i] == '/' || unique.p[i] == ':'
		    || unique.p[i] == ',')
			return false;
	return true;
}

/* One slot for two lines at most, from the beginning. */
static int
expect_lines(struct given *g)
{
	while (g->slots < g->text.len / 16)
		if (more_slots(g) < 0)
			return -1;
	return 0;
}

/* Lines that are none, as a crash may leave them, are passed over. */
static int
parse(struct given *g)
{
	struct bytes rest = buf_contents(&g->text), line;
	uint64_t n;

	if (!text_line(&rest, &line) || !bytes_starts(line, BYTES(HEAD))
	    || bytes_number(bytes_from(line, strlen(HEAD)), UINT32_MAX, &n) < 0)
		return 0;
	if (expect_lines(g) < 0)
		return -1;
	g->validity = (uint32_t)n;
	while (text_line(&rest, &line)) {
		struct bytes number = bytes_split(&line, ' ');

		if (bytes_number(number, UID_LAST, &n) == 0 && n > 0
		    && good_unique(line) && add_line(g, (uint32_t)n, line) < 0)
			return -1;
	}
	return 0;
}

/* A line that was cut short is none. */
static void
drop_torn_line(struct buf *text)
{
	while (text->len > 0 && text->data[text->len - 1] != '\n')
		text->len--;
}

static int
read_text(int fd, struct buf *text, size_t size)
{
	ssize_t n = 1;

	if (size > GIVEN_FILE_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (size > 0 && buf_room(text, size) == NULL)
		return -1;
	while (text->len < size && n > 0) {
		n = read(fd, text->data + text->len, size - text->len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			text->len += (size_t)n;
	}
	drop_torn_line(text);
	return n < 0 ? -1 : 0;
}

static struct given *
given_make(void)
{
	struct given *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	g->text.max = GIVEN_FILE_MAX;
	g->fd = -1;
	if (more_slots(g) == 0)
		return g;
	free(g);
	return NULL;
}

static int
read_file(struct folder *f, int fd, const struct stat *st)
{
	struct given *g = f->given = given_make();

	if (g == NULL)
		return -1;
	g->inode = st->st_ino;
	g->size = (uint64_t)st->st_size;
	if (read_text(fd, &g->text, (size_t)st->st_size) == 0 && parse(g) == 0)
		return 0;
	given_free(f);
	return -1;
}

int
given_load(struct folder *f)
{
	struct stat st;
	int fd, rc = 0;

	if (fstatat(f->dir, GIVEN_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0
	    || !S_ISREG(st.st_mode)) {
		given_free(f);
		return 0;
	}
	if (f->given != NULL && f->given->inode == st.st_ino
	    && f->given->size == (uint64_t)st.st_size)
		return 0;
	given_free(f);
	fd = openat(f->dir, GIVEN_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = -1;
	else
		rc = read_file(f, fd, &st);
	if (fd >= 0)
		close(fd);
	return rc;
}

void
given_free(struct folder *f)
{
	struct given *g = f->given;

	f->given = NULL;
	if (g == NULL)
		return;
	if (g->fd >= 0)
		close(g->fd);
	buf_free(&g->text);
	free(g->v);
	free(g->slot);
	free(g);
}

uint32_t
given_validity(const struct folder *f)
{
	return f->given == NULL ? 0 : f->given->validity;
}

uint32_t
given_highest(const struct folder *f)
{
	return f->given == NULL ? 0 : f->given->highest;
}

uint32_t
given_find(const struct folder *f, struct bytes unique)
{
	uint32_t at;

	if (f->given == NULL || f->given->n == 0)
		return 0;
	at = *find_slot(f->given, unique);
	return at == 0 ? 0 : f->given->v[at - 1].uid;
}

/* ---- adding to it ---- */

/* The file of another UIDVALIDITY, or none at all: a new one. */
static int
begin(struct folder *f, uint32_t uidvalidity)
{
	struct buf text = BUF_INIT(64);
	int rc;

	buf_printf(&text, HEAD "%u\n", uidvalidity);
	rc = text_replace(f->dir, GIVEN_FILE, buf_contents(&text));
	buf_free(&text);
	return rc < 0 ? -1 : given_load(f);
}

static int
open_end(struct given *g, int dir)
{
	if (g->fd >= 0)
		return 0;
	g->fd = openat(dir, GIVEN_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK);
	if (g->fd < 0)
		return -1;
	/* A line that a crash cut short goes first. */
	return g->size == g->text.len ? 0 : sys_truncate(g->fd, g->text.len);
}

/* Puts the new lines behind the text and into the table. */
static int
put_lines(struct given *g, struct given_uid *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at;

		if (v[i].unique.p == NULL)
			continue;
		if (!good_unique(v[i].unique)
		    || *find_slot(g, v[i].unique) != 0) {
			v[i].error = EEXIST;
			continue;
		}
		buf_number(&g->text, v[i].uid);
		buf_byte(&g->text, ' ');
		at = g->text.len;
		buf_bytes(&g->text, v[i].unique);
		buf_byte(&g->text, '\n');
		if (g->text.error != 0
		    || add_line(g, v[i].uid, bytes_make(g->text.data + at,
		    v[i].unique.n)) < 0)
			return -1;
	}
	return 0;
}

/* What was written of lines that could not be added as a whole goes again. */
static int
failed(struct folder *f, size_t size)
{
	int saved = errno;

	if (f->given->fd >= 0)
		sys_truncate(f->given->fd, size);
	given_free(f);
	errno = saved;
	return -1;
}

int
given_add(struct folder *f, uint32_t uidvalidity, struct given_uid *v, size_t n)
{
	struct given *g;
	size_t before;

	if (given_load(f) < 0)
		return -1;
	if (given_validity(f) != uidvalidity && begin(f, uidvalidity) < 0)
		return -1;
	g = f->given;
	before = g->text.len;
	if (open_end(g, f->dir) < 0 || put_lines(g, v, n) < 0
	    || sys_write_at(g->fd, g->text.data + before, g->text.len - before,
	    before) < 0)
		return failed(f, before);
	g->size = g->text.len;
	return 0;
}

int
given_durable(struct folder *f)
{
	int rc = 0;

	if (f->given == NULL || f->given->n == 0)
		return 0;
	/* Lines of one whom a kill met before its own. */
	if (f->given->fd < 0)
		f->given->fd = openat(f->dir, GIVEN_FILE, O_RDONLY | O_CLOEXEC
		    | O_NOFOLLOW | O_NONBLOCK);
	if (f->given->fd < 0 || sys_fsync(f->given->fd) < 0)
		rc = -1;
	if (f->given->fd >= 0)
		close(f->given->fd);
	f->given->fd = -1;
	return rc;
}

int
given_end(struct folder *f)
{
	given_free(f);
	return sys_unlink(f->dir, GIVEN_FILE) < 0 && errno != ENOENT ? -1 : 0;
}
