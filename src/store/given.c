/*
 * UIDs given to messages whose names do not show them yet.
 * Runs as: the mailbox owner.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "given.h"
#include "log.h"
#include "sys.h"
#include "text.h"

#define HEAD "uidvalidity "
#define SLOTS_MIN ((size_t)1024)
#define LINE_USUAL 32
/* Slots lie all over the memory: asked for so many lines before. */
#define SLOTS_AHEAD 16
/* What is read of the file for one line, which may be half as long. */
#define END_SIZE ((size_t)512)
/* What a search reads at once, and how many come cheaper than reading it all. */
#define PIECE ((size_t)64 << 10)
#define SEARCHES_MAX 8
/* UIDs above it are nonsense: they would leave too few to give. */
#define UID_LAST (UINT32_MAX - (UINT32_C(1) << 24))

/*
 * Lines stay in the file: memory holds where each begins, by the hash of its
 * unique part, and a line is read when the hash is the one that is asked for.
 */
struct given {
	uint64_t inode, size;		/* of the file as read or written */
	uint64_t end;			/* of its whole lines */
	uint32_t validity, highest;
	struct buf fresh;		/* lines on their way into it */
	uint64_t *slot;			/* one more than where the line begins; above it the hash */
	size_t slots;			/* a power of two */
	size_t n;			/* of them in use */
	int fd;				/* the file while it is in use; or -1 */
	bool brief;			/* only a glance: the lines are in the file alone */
	unsigned searches;		/* made in it since */
};

/* ---- the table ---- */

static uint32_t
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
	return (uint32_t)(h ^ h >> 29);
}

static bool
good_unique(struct bytes unique)
{
	static const bool bad[UINT8_MAX + 1] = {
		['\0'] = true, ['\n'] = true, ['/'] = true, [':'] = true,
		[','] = true,
	};

	if (unique.n == 0 || unique.n > UINT8_MAX)
		return false;
	for (size_t i = 0; i < unique.n; i++)
		if (bad[unique.p[i]])
			return false;
	return true;
}

/* The UID of a line; 0: it is none. What is left of it is the unique part. */
static uint32_t
parse_line(struct bytes *line)
{
	struct bytes number = bytes_split(line, ' ');
	uint64_t n;

	return bytes_number(number, UID_LAST, &n) == 0 && good_unique(*line)
	    ? (uint32_t)n : 0;
}

/* The line that begins there, and what follows it: END_SIZE at most, in room. */
static int
text_at(const struct given *g, uint32_t at, char *room, struct bytes *out)
{
	ssize_t n;

	if (at >= g->end) {
		*out = bytes_from(buf_contents(&g->fresh), at - g->end);
		return 0;
	}
	do
		n = pread(g->fd, room, END_SIZE, at);
	while (n < 0 && errno == EINTR);
	*out = bytes_make(room, n < 0 ? 0 : (size_t)n);
	return n < 0 ? -1 : 0;
}

/* The UID of the line that begins there, if it is for that unique part; or 0. */
static int
uid_at(const struct given *g, uint32_t at, struct bytes unique, uint32_t *uid)
{
	struct bytes text, line;
	char room[END_SIZE];

	*uid = 0;
	if (text_at(g, at, room, &text) < 0)
		return -1;
	if (text_line(&text, &line)) {
		*uid = parse_line(&line);
		if (!bytes_equal(line, unique))
			*uid = 0;
	}
	return 0;
}

/*
 * Where it is, with its UID, or the empty slot where it belongs. NULL: the file
 * cannot be read, which is no reason to take a message for a new one.
 */
static uint64_t *
find_slot(const struct given *g, struct bytes unique, uint32_t h, uint32_t *uid)
{
	size_t i = h & (g->slots - 1);

	for (*uid = 0; g->slot[i] != 0; i = (i + 1) & (g->slots - 1)) {
		if (g->slot[i] >> 32 != h)
			continue;
		if (uid_at(g, (uint32_t)g->slot[i] - 1, unique, uid) < 0)
			return NULL;
		if (*uid != 0)
			break;
	}
	return &g->slot[i];
}

static int
more_slots(struct given *g)
{
	size_t slots = g->slots == 0 ? SLOTS_MIN : g->slots * 2;
	uint64_t *slot = calloc(slots, sizeof *slot);

	if (slot == NULL)
		return -1;
	for (size_t i = 0; i < g->slots; i++) {
		size_t to = g->slot[i] >> 32 & (slots - 1);

		while (g->slot[i] != 0 && slot[to] != 0)
			to = (to + 1) & (slots - 1);
		if (g->slot[i] != 0)
			slot[to] = g->slot[i];
	}
	free(g->slot);
	g->slot = slot;
	g->slots = slots;
	return 0;
}

static int
make_room(struct given *g)
{
	if (g->n >= GIVEN_LINES_MAX) {
		errno = E2BIG;
		return -1;
	}
	return g->n >= g->slots / 4 * 3 ? more_slots(g) : 0;
}

/* Of a line that begins at `at`, into the empty slot where it belongs. */
static void
put_line(struct given *g, uint64_t *slot, uint32_t h, uint32_t uid, uint64_t at)
{
	*slot = (uint64_t)h << 32 | (uint32_t)(at + 1);
	g->n++;
	if (uid > g->highest)
		g->highest = uid;
}

/* The first line for a unique part counts. */
static int
add_line(struct given *g, uint32_t uid, struct bytes unique, uint64_t at)
{
	uint32_t h = hash(unique), before;
	uint64_t *slot;

	if (make_room(g) < 0)
		return -1;
	slot = find_slot(g, unique, h, &before);
	if (slot == NULL)
		return -1;
	if (before == 0)
		put_line(g, slot, h, uid, at);
	return 0;
}

/* ---- the file ---- */

/* Lines are rarely shorter: so many slots from the beginning. */
static int
expect_lines(struct given *g)
{
	while (g->slots < g->size / LINE_USUAL)
		if (more_slots(g) < 0)
			return -1;
	return 0;
}

static bool
parse_head(struct bytes *rest, uint32_t *validity)
{
	struct bytes line;
	uint64_t n;

	if (!text_line(rest, &line) || !bytes_starts(line, BYTES(HEAD))
	    || bytes_number(bytes_from(line, strlen(HEAD)), UINT32_MAX, &n) < 0)
		return false;
	*validity = (uint32_t)n;
	return true;
}

/* Whole lines of a piece that begins at `at`. Those that are none are passed over. */
static int
take_lines(struct given *g, struct bytes text, uint64_t at)
{
	struct bytes rest = text, line;

	if (at == 0 && !parse_head(&rest, &g->validity))
		return 0;
	while (rest.n > 0) {
		uint64_t begin = at + (text.n - rest.n);
		uint32_t uid;

		if (!text_line(&rest, &line))
			break;
		uid = parse_line(&line);
		if (uid != 0 && g->validity != 0
		    && add_line(g, uid, line, begin) < 0)
			return -1;
	}
	return 0;
}

/*
 * Reads the file by pieces of whole lines. One that is longer than a piece is
 * none, as is one that was cut short, at the end.
 */
static int
read_lines(struct given *g, char *piece)
{
	bool within = false;
	uint64_t at = 0;
	ssize_t n;

	while ((n = pread(g->fd, piece, PIECE, (off_t)at)) != 0) {
		const char *first, *last;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		first = within ? memchr(piece, '\n', (size_t)n) : piece - 1;
		last = memrchr(piece, '\n', (size_t)n);
		within = last == NULL;
		if (within && (size_t)n < PIECE)
			return 0;
		at += within ? (uint64_t)n : (uint64_t)(last + 1 - piece);
		if (within)
			continue;
		if (take_lines(g, bytes_make(first + 1, (size_t)(last - first)),
		    at - (uint64_t)(last - first)) < 0)
			return -1;
		g->end = at;
	}
	return 0;
}

static struct given *
given_make(void)
{
	struct given *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	g->fresh.max = GIVEN_FILE_MAX;
	g->fd = -1;
	if (more_slots(g) == 0)
		return g;
	free(g);
	return NULL;
}

/* Of the file that fd is, which it takes. */
static struct given *
given_of(struct folder *f, int fd, const struct stat *st)
{
	struct given *g = f->given = given_make();

	if (g == NULL) {
		close(fd);
		return NULL;
	}
	g->fd = fd;
	g->inode = st->st_ino;
	g->size = (uint64_t)st->st_size;
	return g;
}

static int
read_file(struct folder *f, int fd, const struct stat *st)
{
	struct given *g = given_of(f, fd, st);
	char *piece = malloc(PIECE);
	int rc = -1;

	if (g != NULL && g->size > GIVEN_FILE_MAX)
		errno = E2BIG;
	else if (g != NULL && piece != NULL && expect_lines(g) == 0)
		rc = read_lines(g, piece);
	free(piece);
	if (rc < 0)
		given_free(f);
	return rc;
}

/* UIDs are given in their order: the last line has the highest. */
static bool
read_ends(struct given *g, int fd)
{
	char end[END_SIZE];
	off_t tail = g->size > sizeof end ? (off_t)(g->size - sizeof end) : 0;
	ssize_t n = pread(fd, end, sizeof end, 0);
	struct bytes rest, line;
	const char *last;

	if (n < 0)
		return false;
	rest = bytes_make(end, (size_t)n);
	if (!parse_head(&rest, &g->validity))
		return false;
	n = pread(fd, end, sizeof end, tail);
	if (n < 1 || end[n - 1] != '\n')
		return false;
	last = memrchr(end, '\n', (size_t)n - 1);
	if (last == NULL)
		return false;
	line = bytes_make(last + 1, (size_t)(end + n - 1 - (last + 1)));
	g->highest = parse_line(&line);
	return g->highest != 0;
}

/* Whatever is not as we write it is read as a whole. */
static int
read_brief(struct folder *f, int fd, const struct stat *st)
{
	struct given *g;

	if ((uintmax_t)st->st_size > GIVEN_FILE_MAX)
		return read_file(f, fd, st);
	g = given_of(f, fd, st);
	if (g == NULL)
		return -1;
	g->brief = read_ends(g, fd);
	g->fd = -1;
	if (!g->brief) {
		given_free(f);
		return read_file(f, fd, st);
	}
	close(fd);
	return 0;
}

static int
open_list(const struct folder *f, struct stat *st)
{
	int fd = openat(f->dir, GIVEN_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW
	    | O_NONBLOCK);

	if (fd < 0 && sys_unwritable(errno))
		fd = openat(f->dir, GIVEN_FILE, O_RDONLY | O_CLOEXEC
		    | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, st) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool
same_file(const struct given *g, const struct stat *st)
{
	return g != NULL && g->inode == st->st_ino
	    && g->size == (uint64_t)st->st_size;
}

static int
load(struct folder *f, bool brief)
{
	struct given *g = f->given;
	struct stat st;
	int fd;

	if (fstatat(f->dir, GIVEN_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0
	    || !S_ISREG(st.st_mode)) {
		given_free(f);
		return 0;
	}
	if (same_file(g, &st) && (brief || g->fd >= 0))
		return 0;
	fd = open_list(f, &st);
	if (fd >= 0 && same_file(g, &st) && !g->brief) {
		g->fd = fd;
		return 0;
	}
	given_free(f);
	if (fd < 0)
		return -1;
	return brief ? read_brief(f, fd, &st) : read_file(f, fd, &st);
}

int
given_load(struct folder *f)
{
	return load(f, false);
}

int
given_glance(struct folder *f)
{
	int rc = load(f, true);

	if (f->given != NULL)
		f->given->searches = 0;
	return rc;
}

void
given_rest(struct folder *f)
{
	if (f->given == NULL || f->given->fd < 0)
		return;
	close(f->given->fd);
	f->given->fd = -1;
}

void
given_free(struct folder *f)
{
	struct given *g = f->given;

	given_rest(f);
	f->given = NULL;
	if (g == NULL)
		return;
	buf_free(&g->fresh);
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

static int
find(const struct given *g, struct bytes unique, uint32_t *uid)
{
	return g != NULL && g->n > 0
	    && find_slot(g, unique, hash(unique), uid) == NULL ? -1 : 0;
}

/* ---- looking into the file itself ---- */

/* The first line in text that ends in " UNIQUE" and is one. */
static uint32_t
find_line(struct bytes text, struct bytes end)
{
	const unsigned char *at, *from = text.p;

	while ((at = memmem(from, (size_t)(text.p + text.n - from), end.p,
	    end.n)) != NULL) {
		const unsigned char *start = memrchr(text.p, '\n',
		    (size_t)(at - text.p));
		struct bytes line;
		uint32_t uid;

		start = start == NULL ? text.p : start + 1;
		line = bytes_make(start, (size_t)(at - start) + end.n - 1);
		uid = parse_line(&line);
		if (uid != 0 && line.n == end.n - 2)
			return uid;
		from = at + end.n - 1;
	}
	return 0;
}

/*
 * Reads piece by piece, whole lines each time. 0: it is searched through;
 * 1: its lines are longer than ours can be.
 */
static int
search_pieces(int fd, char *piece, struct bytes end, uint32_t *uid)
{
	size_t kept = 0;
	ssize_t n;

	while ((n = read(fd, piece + kept, PIECE - kept)) != 0) {
		size_t have, whole;
		const char *last;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		have = kept + (size_t)n;
		last = memrchr(piece + kept, '\n', (size_t)n);
		whole = last == NULL ? 0 : (size_t)(last + 1 - piece);
		*uid = find_line(bytes_make(piece, whole), end);
		if (*uid != 0)
			return 0;
		kept = have - whole;
		if (kept == PIECE)
			return 1;
		memmove(piece, piece + whole, kept);
	}
	return 0;
}

static int
search(const struct folder *f, struct bytes unique, uint32_t *uid)
{
	char end[UINT8_MAX + 2], *piece;
	struct stat st;
	int fd, rc;

	if (!good_unique(unique))
		return 0;
	end[0] = ' ';
	memcpy(end + 1, unique.p, unique.n);
	end[1 + unique.n] = '\n';
	piece = malloc(PIECE);
	fd = piece == NULL ? -1 : open_list(f, &st);
	rc = fd < 0 ? -1
	    : search_pieces(fd, piece, bytes_make(end, unique.n + 2), uid);
	if (fd >= 0)
		close(fd);
	free(piece);
	return rc;
}

int
given_find(struct folder *f, struct bytes unique, uint32_t *uid)
{
	*uid = 0;
	if (f->given != NULL && f->given->brief) {
		int rc = f->given->searches++ < SEARCHES_MAX
		    ? search(f, unique, uid) : 1;

		if (rc <= 0)
			return rc;
	}
	/* A glance leaves it closed. */
	if (f->given != NULL && f->given->fd < 0 && given_load(f) < 0)
		return -1;
	return find(f->given, unique, uid);
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

/* Puts a new line behind those that wait, and into the table. */
static int
put_new(struct given *g, struct given_uid *v)
{
	uint32_t h = hash(v->unique), before;
	uint64_t at = g->end + g->fresh.len;
	uint64_t *slot;

	if (make_room(g) < 0)
		return -1;
	slot = find_slot(g, v->unique, h, &before);
	if (slot == NULL)
		return -1;
	if (!good_unique(v->unique) || before != 0) {
		v->error = EEXIST;
		return 0;
	}
	buf_number(&g->fresh, v->uid);
	buf_byte(&g->fresh, ' ');
	buf_bytes(&g->fresh, v->unique);
	buf_byte(&g->fresh, '\n');
	if (g->fresh.error != 0)
		return -1;
	put_line(g, slot, h, v->uid, at);
	return 0;
}

static int
put_lines(struct given *g, struct given_uid *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i + SLOTS_AHEAD < n)
			__builtin_prefetch(&g->slot[hash(v[i + SLOTS_AHEAD].unique)
			    & (g->slots - 1)]);
		if (put_new(g, &v[i]) < 0)
			return -1;
	}
	return 0;
}

/*
 * What was written of lines that could not be added as a whole goes again. Those
 * before are made durable here: who is to do it does not know of them any more.
 */
static int
failed(struct folder *f)
{
	int saved = errno;

	sys_truncate(f->given->fd, f->given->end);
	sys_fsync(f->given->fd);
	given_free(f);
	errno = saved;
	return -1;
}

/* Behind the last whole line: what a crash cut short goes first. */
static int
write_fresh(struct given *g)
{
	if (g->size != g->end && sys_truncate(g->fd, g->end) < 0)
		return -1;
	if (sys_write_at(g->fd, g->fresh.data, g->fresh.len, g->end) < 0)
		return -1;
	g->end += g->fresh.len;
	g->size = g->end;
	buf_free(&g->fresh);
	return 0;
}

int
given_add(struct folder *f, uint32_t uidvalidity, struct given_uid *v, size_t n)
{
	struct given *g;

	if (given_load(f) < 0)
		return -1;
	if (given_validity(f) != uidvalidity && begin(f, uidvalidity) < 0)
		return -1;
	g = f->given;
	g->fresh.max = GIVEN_FILE_MAX - g->end;
	return put_lines(g, v, n) < 0 || write_fresh(g) < 0 ? failed(f) : 0;
}

int
given_durable(struct folder *f)
{
	struct given *g = f->given;
	struct stat st;
	int rc;

	if (g == NULL || (g->n == 0 && !g->brief))
		return 0;
	/* Lines of one whom a kill met before its own. */
	if (g->fd < 0)
		g->fd = open_list(f, &st);
	rc = g->fd < 0 ? -1 : sys_fsync(g->fd);
	given_rest(f);
	return rc;
}

int
given_end(struct folder *f)
{
	given_free(f);
	return sys_unlink(f->dir, GIVEN_FILE) < 0 && errno != ENOENT ? -1 : 0;
}
