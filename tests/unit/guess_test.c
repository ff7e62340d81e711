/*
 * The table of guesses: who is slowed down, and who never is.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guess.h"
#include "test.h"

#define START 100000

static char dir[64];

static void
fresh(void)
{
	snprintf(dir, sizeof dir, "%s/guess.XXXXXX",
	    getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
	CHECK(mkdtemp(dir) != NULL);
}

static const char *
file(void)
{
	static char path[96];

	snprintf(path, sizeof path, "%s/%s", dir, GUESS_FILE);
	return path;
}

static void
clear(void)
{
	unlink(file());
	CHECK_EQ_INT(rmdir(dir), 0);
}

static struct netaddr
four(unsigned last)
{
	return (struct netaddr){ .family = AF_INET,
	    .ip = { 192, 0, (unsigned char)(last >> 8), (unsigned char)last },
	    .port = (uint16_t)arc4random() };
}

static struct netaddr
six(unsigned net, unsigned host)
{
	return (struct netaddr){ .family = AF_INET6,
	    .ip = { 0x20, 1, [7] = (unsigned char)net, [15] = (unsigned char)host } };
}

/* One whole attempt; how slow its answer is. */
static unsigned
attempt(struct netaddr from, const char *account, const char *secret,
    enum guess_end end, uint32_t now)
{
	struct guess g;

	CHECK_EQ_INT(guess_before(dir, &from, bytes_of(account),
	    bytes_of(secret), now, &g), 0);
	CHECK_EQ_INT(guess_after(dir, &g, end, now), 0);
	return g.slow;
}

static unsigned
wrong(struct netaddr from, const char *account, const char *secret, uint32_t now)
{
	return attempt(from, account, secret, GUESS_WRONG, now);
}

/* Attempt number i of many, each with another password. */
static unsigned
another(struct netaddr from, const char *account, unsigned i, uint32_t now)
{
	char secret[32];

	snprintf(secret, sizeof secret, "wrong-%u", i);
	return wrong(from, account, secret, now);
}

static void
delay_doubles_to_its_limit(void)
{
	static const unsigned want[] = { 1, 1, 1, 2, 4, 8, 8, 8 };

	fresh();
	for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++)
		CHECK_EQ_INT(another(four(1), i % 2 == 0 ? "ann" : "ben", i, START),
		    want[i]);
	CHECK_EQ_INT(another(four(2), "cid", 0, START), 1);
	clear();
}

static void
count_goes_down_with_time(void)
{
	uint32_t now = START;

	fresh();
	for (unsigned i = 0; i < 6; i++)
		another(four(1), "ann", i, now);
	CHECK_EQ_INT(another(four(1), "ben", 0, now += GUESS_FORGET_S), 8);
	CHECK_EQ_INT(another(four(1), "ben", 1, now += 3 * GUESS_FORGET_S), 2);
	CHECK_EQ_INT(another(four(1), "ben", 2, now += 40 * GUESS_FORGET_S), 1);
	for (unsigned i = 0; i < 1000; i++)
		another(four(1), "ann", i, now);
	now += (GUESS_COUNT_MAX - GUESS_FREE_ADDRESS + 1) * GUESS_FORGET_S;
	CHECK_EQ_INT(another(four(1), "cid", 0, now), 1);
	clear();
}

static void
same_password_again_is_no_guess(void)
{
	struct guess g;
	struct netaddr from = four(1);

	fresh();
	for (int i = 0; i < 50; i++)
		CHECK_EQ_INT(wrong(four(1), "ann", "old password", START), 1);
	CHECK_EQ_INT(guess_before(dir, &from, BYTES("ann"),
	    BYTES("old password"), START, &g), 0);
	CHECK_EQ_INT(g.kind, GUESS_AGAIN);
	CHECK_EQ_INT(guess_before(dir, &from, BYTES("ann"), BYTES("other"),
	    START, &g), 0);
	CHECK_EQ_INT(g.kind, GUESS_NEW);
	/* The same word for other accounts is a guess each. */
	CHECK_EQ_INT(wrong(four(1), "ben", "old password", START), 1);
	CHECK_EQ_INT(wrong(four(1), "cid", "old password", START), 2);
	/* A phone that carries its old password around is one guess. */
	for (unsigned i = 10; i < 60; i++)
		CHECK_EQ_INT(wrong(four(i), "dan", "old password", START), 1);
	clear();
}

/* What looks different each time, as in SCRAM, is always new. */
static void
no_password_is_always_new(void)
{
	fresh();
	for (int i = 0; i < 3; i++)
		CHECK_EQ_INT(wrong(four(1), "ann", "", START), 1);
	CHECK_EQ_INT(wrong(four(1), "ann", "", START), 2);
	clear();
}

static void
networks_of_ipv6_count_as_one(void)
{
	fresh();
	for (unsigned i = 0; i < 10; i++)
		another(six(1, i), "ann", i, START);
	CHECK_EQ_INT(another(six(1, 99), "ben", 0, START), 8);
	CHECK_EQ_INT(another(six(2, 1), "ben", 0, START), 1);
	clear();
}

/* One guess from each of many addresses: the account makes them slow. */
static void
account_is_counted_over_all_addresses(void)
{
	fresh();
	for (unsigned i = 0; i < GUESS_FREE_ACCOUNT; i++)
		CHECK_EQ_INT(another(four(i), i % 2 == 0 ? "ann" : "ANN", i, START), 1);
	CHECK_EQ_INT(another(four(100), "ann", 100, START), 2);
	CHECK_EQ_INT(another(four(101), "ann", 101, START), 4);
	CHECK_EQ_INT(another(four(102), "ann", 102, START), 8);
	CHECK_EQ_INT(another(four(103), "ben", 103, START), 1);
	clear();
}

static void
owner_is_never_slowed_down_by_strangers(void)
{
	fresh();
	CHECK_EQ_INT(attempt(four(1), "ann", "right", GUESS_RIGHT, START), 1);
	for (unsigned i = 0; i < 5000; i++)
		another(four(i % 500 + 2), "ann", i, START + 1);
	CHECK_EQ_INT(attempt(four(1), "ann", "right", GUESS_RIGHT, START + 2), 1);
	/* Elsewhere the right password waits, but not longer than anybody. */
	CHECK_EQ_INT(attempt(four(9999), "ann", "right", GUESS_RIGHT, START + 2),
	    GUESS_SLOWEST);
	CHECK_EQ_INT(attempt(four(9999), "ann", "right", GUESS_RIGHT, START + 2), 1);
	clear();
}

/* A good user behind the address of somebody who guesses. */
static void
neighbours_of_a_good_user_are_treated_kindly(void)
{
	fresh();
	attempt(four(1), "ann", "right", GUESS_RIGHT, START);
	for (unsigned i = 0; i < GUESS_FREE_GOOD_ADDRESS; i++)
		CHECK_EQ_INT(another(four(1), i % 2 == 0 ? "ben" : "cid", i, START), 1);
	CHECK_EQ_INT(another(four(1), "dan", 0, START), 2);
	CHECK_EQ_INT(attempt(four(1), "ann", "right", GUESS_RIGHT, START), 1);
	/* The owner's own mistakes slow the owner down, and nobody else. */
	for (unsigned i = 0; i < GUESS_FREE_OWNER; i++)
		CHECK_EQ_INT(another(four(1), "ann", i, START), 1);
	CHECK_EQ_INT(another(four(1), "ann", 99, START), 2);
	CHECK_EQ_INT(another(four(1), "eve", 99, START), 4);
	clear();
}

static void
goodness_ends(void)
{
	uint32_t later = START + GUESS_GOOD_S;

	fresh();
	attempt(four(1), "ann", "right", GUESS_RIGHT, START);
	for (unsigned i = 0; i < 20; i++)
		another(four(2 + i), "ann", i, later);
	CHECK_EQ_INT(attempt(four(1), "ann", "right", GUESS_RIGHT, later - 1), 1);
	for (unsigned i = 0; i < 20; i++)
		another(four(2 + i), "ben", i, later);
	CHECK_EQ_INT(attempt(four(1), "ben", "right", GUESS_RIGHT, later), 8);
	clear();
}

static void
parallel_attempts_see_each_other(void)
{
	static const unsigned want[] = { 1, 1, 1, 2, 4, 8 };
	struct netaddr from = four(1);
	struct guess g[6];
	char secret[2] = "a";

	fresh();
	for (unsigned i = 0; i < 6; i++, secret[0]++) {
		CHECK_EQ_INT(guess_before(dir, &from, BYTES("ann"),
		    bytes_of(secret), START, &g[i]), 0);
		CHECK_EQ_INT(g[i].slow, want[i]);
	}
	/* None of them was a wrong guess: all is as before. */
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ_INT(guess_after(dir, &g[i], GUESS_UNDECIDED, START), 0);
	CHECK_EQ_INT(another(four(1), "ann", 1, START), 1);
	/* The same wrong password five times at once is one guess. */
	for (unsigned i = 0; i < 5; i++) {
		guess_before(dir, &from, BYTES("ann"), BYTES("old"), START, &g[i]);
		CHECK_EQ_INT(g[i].slow, 1);
	}
	clear();
}

/* Rows about strangers may be pushed out, those with many guesses last. */
static void
flood_does_not_hide_who_guesses(void)
{
	fresh();
	attempt(four(1), "ann", "right", GUESS_RIGHT, START);
	for (unsigned i = 0; i < 10; i++)
		another(four(2), "ann", i, START);
	for (unsigned i = 0; i < 200000; i++) {
		struct netaddr from = four(3 + i % 60000);
		struct guess g;

		from.ip[0] = (unsigned char)(i / 60000);
		guess_before(dir, &from, bytes_make(&i, sizeof i), BYTES("x"),
		    START, &g);
	}
	CHECK_EQ_INT(another(four(2), "ben", 1, START), 8);
	CHECK_EQ_INT(attempt(four(1), "ann", "right", GUESS_RIGHT, START), 1);
	clear();
}

static void
damaged(void (*damage)(int fd))
{
	int fd;

	for (unsigned i = 0; i < 10; i++)
		another(four(1), "ann", i, START);
	fd = open(file(), O_RDWR);
	CHECK(fd >= 0);
	damage(fd);
	close(fd);
	/* It forgets, or it does not; it goes on either way. */
	CHECK(another(four(1), "ann", 1, START) <= GUESS_SLOWEST);
	for (unsigned i = 0; i < 10; i++)
		another(four(1), "ann", 100 + i, START);
	CHECK_EQ_INT(another(four(1), "ann", 200, START), GUESS_SLOWEST);
}

static void
cut_short(int fd)
{
	CHECK_EQ_INT(ftruncate(fd, 1000), 0);
}

static void
emptied(int fd)
{
	CHECK_EQ_INT(ftruncate(fd, 0), 0);
}

static void
too_long(int fd)
{
	CHECK_EQ_INT(ftruncate(fd, 1 << 30), 0);
}

static void
of_another_version(int fd)
{
	CHECK_EQ_INT(pwrite(fd, "mailreeve guesses 2\n", 20, 0), 20);
}

/* Behind the header, so that it has to be lived with. */
static void
full_of_nonsense(int fd)
{
	unsigned char noise[4096];

	for (off_t at = 64; at < 4 << 20; at += (off_t)sizeof noise) {
		arc4random_buf(noise, sizeof noise);
		CHECK_EQ_INT(pwrite(fd, noise, sizeof noise, at), sizeof noise);
	}
}

static void
full_of_ones(int fd)
{
	unsigned char ones[4096];

	memset(ones, 0xff, sizeof ones);
	for (off_t at = 64; at < 13 << 20; at += (off_t)sizeof ones)
		CHECK(pwrite(fd, ones, sizeof ones, at) == sizeof ones);
}

static void
damage_is_lived_with(void)
{
	static void (*const kinds[])(int) = { cut_short, emptied, too_long,
	    of_another_version, full_of_nonsense, full_of_ones };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		fresh();
		damaged(kinds[i]);
		clear();
	}
}

static void
deleting_only_forgets(void)
{
	fresh();
	for (unsigned i = 0; i < 10; i++)
		another(four(1), "ann", i, START);
	CHECK_EQ_INT(unlink(file()), 0);
	CHECK_EQ_INT(another(four(1), "ann", 11, START), 1);
	clear();
	CHECK_EQ_INT(another(four(1), "ann", 12, START), 1);
	clear();
}

/* The clock of a machine that was started anew begins at nothing. */
static void
clock_that_went_back_only_forgets(void)
{
	fresh();
	for (unsigned i = 0; i < 10; i++)
		another(four(1), "ann", i, START);
	CHECK_EQ_INT(another(four(1), "ann", 11, START - 1), 8);
	CHECK_EQ_INT(another(four(1), "ann", 11, 5), 1);
	clear();
}

static void
size_is_bounded_and_mode_is_tight(void)
{
	struct stat st;

	fresh();
	wrong(four(1), "ann", "x", START);
	CHECK_EQ_INT(stat(file(), &st), 0);
	CHECK(st.st_size <= 13 << 20);
	CHECK(st.st_blocks * 512 < 1 << 20);
	CHECK_EQ_INT(st.st_mode & 07777, 0600);
	clear();
}

/* Others could have put anything there: it is not used. */
static void
what_others_may_write_is_not_used(void)
{
	struct netaddr from = four(1);
	struct guess g;

	fresh();
	wrong(from, "ann", "x", START);
	CHECK_EQ_INT(chmod(file(), 0660), 0);
	CHECK_EQ_INT(guess_before(dir, &from, BYTES("ann"), BYTES("y"), START, &g),
	    -1);
	CHECK_EQ_INT(errno, EPERM);
	CHECK_EQ_INT(g.slow, 1);
	CHECK_EQ_INT(guess_after(dir, &g, GUESS_RIGHT, START), 0);
	CHECK_EQ_INT(unlink(file()), 0);
	CHECK_EQ_INT(chmod(dir, 0777), 0);
	CHECK_EQ_INT(guess_before(dir, &from, BYTES("ann"), BYTES("y"), START, &g),
	    -1);
	CHECK_EQ_INT(chmod(dir, 0700), 0);
	CHECK_EQ_INT(symlink("/dev/null", file()), 0);
	CHECK_EQ_INT(guess_before(dir, &from, BYTES("ann"), BYTES("y"), START, &g),
	    -1);
	CHECK_EQ_INT(errno, ELOOP);
	clear();
}

TEST_MAIN(TEST(delay_doubles_to_its_limit), TEST(count_goes_down_with_time),
    TEST(same_password_again_is_no_guess), TEST(no_password_is_always_new),
    TEST(networks_of_ipv6_count_as_one),
    TEST(account_is_counted_over_all_addresses),
    TEST(owner_is_never_slowed_down_by_strangers),
    TEST(neighbours_of_a_good_user_are_treated_kindly), TEST(goodness_ends),
    TEST(parallel_attempts_see_each_other), TEST(flood_does_not_hide_who_guesses),
    TEST(damage_is_lived_with), TEST(deleting_only_forgets),
    TEST(clock_that_went_back_only_forgets),
    TEST(size_is_bounded_and_mode_is_tight),
    TEST(what_others_may_write_is_not_used))
