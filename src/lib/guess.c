/*
 * The table of guessed passwords.
 * Runs as: root (conn).
 *
 * Three regions of rows, so that what strangers do never pushes out who is
 * known to be good: guesses by address, guesses by account, and addresses from
 * where somebody logged in, alone and with whom. A row is found by a keyed
 * digest of what it is about, in a set of a few rows; the one that says least
 * makes room. A row that is damaged is at worst a guess too many or too few.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "digest.h"
#include "guess.h"
#include "lock.h"

#define WAIT_MS 1000			/* for others; they need microseconds */
#define SET 8				/* rows */
#define SETS 8192			/* in a region; pages not used cost nothing */
#define SEEN 10				/* wrong passwords remembered in a row */
#define NAME_MAX_BYTES 255
#define SLACK_S 60			/* others may have looked at the clock later */

enum region { ADDRESSES, ACCOUNTS, GOOD, REGIONS };

/* What a digest is of; the first byte of its text. */
enum about { ABOUT_ADDRESS = 'a', ABOUT_ACCOUNT = 'n', ABOUT_OWNER = 'o',
	ABOUT_GOOD = 'g' };

struct row {
	uint64_t tag;			/* 0: free */
	uint32_t when;			/* the count was right then */
	uint32_t good;			/* last login; GOOD only */
	uint16_t count;
	uint16_t next;			/* in seen */
	uint32_t reserved;
	uint32_t seen[SEEN];
};

struct header {
	char magic[24];
	unsigned char key[32];
	unsigned char rest[8];
};

static const char magic[sizeof ((struct header *)0)->magic] = "mailreeve guesses 1\n";

struct table {
	int fd;
	struct header h;
	uint32_t now;
};

#define FILE_SIZE ((off_t)(sizeof(struct header) \
	+ REGIONS * SETS * SET * sizeof(struct row)))

/* ---- the file ---- */

static int
check_owner(int fd, mode_t type, mode_t bad)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if ((st.st_mode & S_IFMT) == type && st.st_uid == geteuid()
	    && (st.st_mode & bad) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

static int
open_in(const char *dir)
{
	int d, fd = -1, error;

	if (mkdir(dir, 0755) == 0)
		(void)chmod(dir, 0755);		/* whatever the umask is */
	else if (errno != EEXIST)
		return -1;
	d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (d < 0)
		return -1;
	if (check_owner(d, S_IFDIR, S_IWGRP | S_IWOTH) == 0)
		fd = lock_open(d, GUESS_FILE);
	error = errno;
	close(d);
	errno = error;
	return fd;
}

static int
make_anew(struct table *t)
{
	memset(&t->h, 0, sizeof t->h);
	memcpy(t->h.magic, magic, sizeof magic);
	arc4random_buf(t->h.key, sizeof t->h.key);
	if (ftruncate(t->fd, 0) < 0 || ftruncate(t->fd, FILE_SIZE) < 0)
		return -1;
	return pwrite(t->fd, &t->h, sizeof t->h, 0) == sizeof t->h ? 0 : -1;
}

static int
read_header(struct table *t)
{
	struct stat st;

	if (fstat(t->fd, &st) == 0 && st.st_size == FILE_SIZE
	    && pread(t->fd, &t->h, sizeof t->h, 0) == sizeof t->h
	    && memcmp(t->h.magic, magic, sizeof magic) == 0)
		return 0;
	return make_anew(t);
}

static void
close_table(struct table *t)
{
	int error = errno;

	explicit_bzero(&t->h, sizeof t->h);
	if (t->fd >= 0)
		close(t->fd);
	errno = error;
}

/* Ours alone until it is closed. */
static int
open_table(struct table *t, const char *dir, uint32_t now)
{
	t->now = now;
	t->fd = open_in(dir);
	if (t->fd >= 0
	    && check_owner(t->fd, S_IFREG, S_IRWXG | S_IRWXO) == 0
	    && lock_take(t->fd, WAIT_MS) == 0 && read_header(t) == 0)
		return 0;
	close_table(t);
	return -1;
}

static off_t
place(enum region r, uint64_t tag, size_t row)
{
	return (off_t)(sizeof(struct header)
	    + (((size_t)r * SETS + tag % SETS) * SET + row) * sizeof(struct row));
}

/* ---- rows ---- */

/* What time has done to the count of a row; nonsense is a free row. */
static void
age(const struct table *t, struct row *r)
{
	uint32_t n, last = t->now + SLACK_S;

	if (r->when > last || r->good > last || r->count > GUESS_COUNT_MAX
	    || r->next >= SEEN)
		*r = (struct row){ .tag = 0 };
	n = r->when > t->now ? 0 : (t->now - r->when) / GUESS_FORGET_S;
	if (n >= r->count) {
		r->count = 0;
		r->when = t->now;
	} else {
		r->count -= (uint16_t)n;
		r->when += n * GUESS_FORGET_S;
	}
}

/* Who is least missed goes first: free rows, then few guesses, then old ones. */
static uint64_t
worth(enum region region, const struct row *r)
{
	if (r->tag == 0)
		return 0;
	return region == GOOD ? (uint64_t)r->good + 1
	    : ((uint64_t)r->count << 32 | r->when) + 1;
}

/* The row of tag, else the one to be used for it; false when it is new. */
static bool
find(const struct table *t, enum region region, uint64_t tag, struct row *out,
    off_t *at)
{
	struct row set[SET] = { 0 };
	size_t least = 0;

	(void)!pread(t->fd, set, sizeof set, place(region, tag, 0));
	for (size_t i = 0; i < SET; i++) {
		age(t, &set[i]);
		if (set[i].tag == tag) {
			*out = set[i];
			*at = place(region, tag, i);
			return true;
		}
		if (worth(region, &set[i]) < worth(region, &set[least]))
			least = i;
	}
	*out = (struct row){ .tag = tag, .when = t->now };
	*at = place(region, tag, least);
	return false;
}

static int
keep(const struct table *t, const struct row *r, off_t at)
{
	return pwrite(t->fd, r, sizeof *r, at) == sizeof *r ? 0 : -1;
}

static ssize_t
seen(const struct row *r, uint32_t secret)
{
	for (ssize_t i = 0; i < SEEN && secret != 0; i++)
		if (r->seen[i] == secret)
			return i;
	return -1;
}

/* Counts one more guess in a row unless it is a known one. */
static bool
count(struct row *r, uint32_t secret)
{
	if (seen(r, secret) >= 0)
		return false;
	if (secret != 0) {
		r->seen[r->next] = secret;
		r->next = (uint16_t)((r->next + 1) % SEEN);
	}
	if (r->count < GUESS_COUNT_MAX)
		r->count++;
	return true;
}

static void
take_back(struct row *r, uint32_t secret)
{
	ssize_t i = seen(r, secret);

	if (i >= 0)
		r->seen[i] = 0;
	if (r->count > 0)
		r->count--;
}

static unsigned
slowness(unsigned guesses, unsigned free)
{
	unsigned slow = 1;

	for (; guesses > free && slow < GUESS_SLOWEST; guesses--)
		slow *= 2;
	return slow;
}

/* ---- what rows are about ---- */

static uint64_t
digest_tag(const struct table *t, struct bytes a, struct bytes b)
{
	unsigned char out[DIGEST_MAX];
	uint64_t tag;

	digest_hmac(DIGEST_SHA256, bytes_make(t->h.key, sizeof t->h.key), a, b, out);
	memcpy(&tag, out, sizeof tag);
	explicit_bzero(out, sizeof out);
	return tag == 0 ? 1 : tag;
}

static uint64_t
tag_of(const struct table *t, enum about about, const struct netaddr *from,
    struct bytes account)
{
	unsigned char text[2 + sizeof from->ip] = { (unsigned char)about };

	if (from != NULL) {
		text[1] = (unsigned char)from->family;
		memcpy(text + 2, from->ip, sizeof from->ip);
	}
	return digest_tag(t, bytes_make(text, sizeof text), account);
}

/* The tags of an attempt. In a name that is too long the beginning counts. */
static void
identify(const struct table *t, const struct netaddr *from,
    struct bytes account, struct bytes secret, struct guess *g)
{
	const struct netaddr net = netaddr_network(from);
	unsigned char folded[NAME_MAX_BYTES];
	struct bytes name = { folded, 0 };

	for (; name.n < account.n && name.n < sizeof folded; name.n++)
		folded[name.n] = ascii_lower(account.p[name.n]);
	g->tag[ADDRESSES] = tag_of(t, ABOUT_ADDRESS, &net, BYTES(""));
	g->tag[ACCOUNTS] = tag_of(t, ABOUT_ACCOUNT, NULL, name);
	g->good[0] = tag_of(t, ABOUT_OWNER, &net, name);
	g->good[1] = tag_of(t, ABOUT_GOOD, &net, BYTES(""));
	if (secret.n > 0)
		g->secret = (uint32_t)digest_tag(t, bytes_make(&g->tag[ACCOUNTS],
		    sizeof g->tag[ACCOUNTS]), secret) | 1;
}

/* ---- attempts ---- */

static bool
is_good(const struct table *t, uint64_t tag, struct row *r, off_t *at)
{
	return find(t, GOOD, tag, r, at) && r->good != 0
	    && t->now < r->good + GUESS_GOOD_S;
}

/* The owner, where he has been before, is slowed down by nobody else. */
static int
before_owner(const struct table *t, struct guess *g, struct row *r, off_t at)
{
	g->owner = true;
	g->counted[0] = count(r, g->secret);
	g->kind = g->counted[0] ? GUESS_OWNER : GUESS_AGAIN;
	g->slow = slowness(r->count, GUESS_FREE_OWNER);
	return keep(t, r, at);
}

static int
before_stranger(const struct table *t, struct guess *g)
{
	unsigned free[GUESS_ROWS] = { GUESS_FREE_ADDRESS, GUESS_FREE_ACCOUNT };
	struct row r;
	off_t at;
	int result = 0;

	if (is_good(t, g->good[1], &r, &at))
		free[ADDRESSES] = GUESS_FREE_GOOD_ADDRESS;
	for (unsigned i = 0; i < GUESS_ROWS; i++) {
		unsigned slow;

		(void)find(t, (enum region)i, g->tag[i], &r, &at);
		g->counted[i] = count(&r, g->secret);
		slow = slowness(r.count, free[i]);
		if (slow > g->slow)
			g->slow = slow;
		result |= keep(t, &r, at);
	}
	if (!g->counted[ADDRESSES])
		g->kind = GUESS_AGAIN;
	return result;
}

int
guess_before(const char *dir, const struct netaddr *from,
    struct bytes account, struct bytes secret, uint32_t now, struct guess *g)
{
	struct table t;
	struct row r;
	off_t at;
	int result;

	*g = (struct guess){ .kind = GUESS_NEW, .slow = 1 };
	if (open_table(&t, dir, now) < 0)
		return -1;
	identify(&t, from, account, secret, g);
	result = is_good(&t, g->good[0], &r, &at) ? before_owner(&t, g, &r, at)
	    : before_stranger(&t, g);
	close_table(&t);
	return result;
}

/* It was no wrong guess after all: as if it had never been counted. */
static int
forget_attempt(const struct table *t, const struct guess *g)
{
	struct row r;
	off_t at;
	int result = 0;

	for (unsigned i = 0; i < GUESS_ROWS; i++) {
		enum region region = g->owner ? GOOD : (enum region)i;
		uint64_t tag = g->owner ? g->good[0] : g->tag[i];

		if (!g->counted[i] || !find(t, region, tag, &r, &at))
			continue;
		take_back(&r, g->secret);
		result |= keep(t, &r, at);
	}
	return result;
}

static int
remember_good(const struct table *t, const struct guess *g)
{
	struct row r;
	off_t at;
	int result = 0;

	for (unsigned i = 0; i < GUESS_ROWS; i++) {
		(void)find(t, GOOD, g->good[i], &r, &at);
		r.good = t->now;
		result |= keep(t, &r, at);
	}
	return result;
}

int
guess_after(const char *dir, const struct guess *g, enum guess_end end,
    uint32_t now)
{
	struct table t;
	int result = 0;

	/* It is counted as wrong already. */
	if (end == GUESS_WRONG || g->tag[0] == 0)
		return 0;
	if (open_table(&t, dir, now) < 0)
		return -1;
	result = forget_attempt(&t, g);
	if (end == GUESS_RIGHT)
		result |= remember_good(&t, g);
	close_table(&t);
	return result;
}
