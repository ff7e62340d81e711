/*
 * Tests of what the index knows of changes, by mod-sequence.
 * Runs as: the person who builds.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/index/index.h"
#include "test.h"

#define FOLDER 7
#define UIDS 12
#define TIMES 6				/* mod-sequences of one round */
#define ROUNDS 3000

static char directory[32];

static struct db *
fresh_index(void)
{
	char path[64];
	struct db *d = NULL;

	snprintf(directory, sizeof directory, "/tmp/mailreeve-test-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	snprintf(path, sizeof path, "%s/index", directory);
	CHECK_EQ_INT(db_open(path, 1000, &d), 0);
	CHECK_EQ_INT(db_check(d), 0);
	return d;
}

static void
remove_index(struct db *d)
{
	static const char *const files[] = { "index", "index-lock", "index-write" };
	char path[64];

	db_close(d);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, files[i]);
		CHECK_EQ_INT(unlink(path), 0);
	}
	CHECK_EQ_INT(rmdir(directory), 0);
}

/* The mod-sequence of each UID's last change is model[UID]; 0: there is none. */
static bool
agrees(struct db *d, const uint64_t *model)
{
	struct runs got = RUNS_INIT;
	bool same = true;

	for (uint64_t since = 0; since <= TIMES; since++) {
		same = same && index_log_since(d, FOLDER, since, &got) == 0;
		for (uint32_t uid = 1; uid <= UIDS; uid++)
			same = same && runs_contains(&got, uid) == (model[uid] > since);
	}
	runs_free(&got);
	return same;
}

static uint32_t
random_below(uint32_t n)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(seed >> 33) % n;
}

/* Moves UIDs from first to last, those of the same past in one go. */
static int
move_all(struct db *d, uint64_t *model, uint32_t first, uint32_t last, uint64_t to)
{
	int rc = 0;

	while (rc == 0 && first <= last) {
		struct run r = { first, first };

		while (r.last < last && model[r.last + 1] == model[first])
			r.last++;
		rc = index_log_move(d, FOLDER, r, model[first], to);
		for (; first <= r.last; first++)
			model[first] = to;
	}
	return rc;
}

static void
one_round(struct db *d)
{
	uint64_t model[UIDS + 1] = { 0 };

	CHECK_EQ_INT(db_begin(d), 0);
	for (uint64_t now = 1; now <= TIMES; now++) {
		uint32_t first = 1 + random_below(UIDS);
		uint32_t last = first + random_below(UIDS + 1 - first);

		/* Some go instead, and come again as others do. */
		CHECK_EQ_INT(move_all(d, model, first, last,
		    random_below(4) == 0 ? 0 : now), 0);
		CHECK(agrees(d, model));
	}
	CHECK_EQ_INT(move_all(d, model, 1, UIDS, 0), 0);
	CHECK(agrees(d, model));
	db_abort(d);
}

static void
log_agrees_with_a_model(void)
{
	struct db *d = fresh_index();

	for (unsigned i = 0; i < ROUNDS && test_failures == 0; i++)
		one_round(d);
	remove_index(d);
}

static size_t
log_records(struct db *d)
{
	static const unsigned char number[] = { 0, 0, 0, FOLDER };
	size_t n = 0;

	CHECK_EQ_INT(db_delete_prefix(d, TABLE_LOG, bytes_make(number, sizeof number),
	    SIZE_MAX, &n), 0);
	return n;
}

static void
log_grows_by_runs(void)
{
	struct db *d = fresh_index();

	CHECK_EQ_INT(db_begin(d), 0);
	CHECK_EQ_INT(index_log_move(d, FOLDER, (struct run){ 1, UINT32_MAX }, 0, 1), 0);
	CHECK_EQ_INT(index_log_move(d, FOLDER, (struct run){ 5, 5 }, 1, 2), 0);
	CHECK_EQ_INT(index_log_move(d, FOLDER, (struct run){ UINT32_MAX, UINT32_MAX },
	    1, 3), 0);
	/* 1 to 4, 6 to the last but one, 5, the last. */
	CHECK_EQ_INT(log_records(d), 4);
	db_abort(d);
	remove_index(d);
}

/* A record of another folder or mod-sequence stays as it is. */
static void
log_of_others_stays(void)
{
	struct db *d = fresh_index();
	struct runs got = RUNS_INIT;

	CHECK_EQ_INT(db_begin(d), 0);
	CHECK_EQ_INT(index_log_move(d, FOLDER + 1, (struct run){ 1, 9 }, 0, 5), 0);
	CHECK_EQ_INT(index_log_move(d, FOLDER, (struct run){ 1, 9 }, 0, 6), 0);
	CHECK_EQ_INT(index_log_move(d, FOLDER, (struct run){ 2, 3 }, 5, 7), 0);
	CHECK_EQ_INT(index_log_since(d, FOLDER + 1, 4, &got), 0);
	CHECK_EQ_INT(got.count, 9);
	CHECK_EQ_INT(index_log_since(d, FOLDER, 5, &got), 0);
	CHECK_EQ_INT(got.count, 9);
	runs_free(&got);
	db_abort(d);
	remove_index(d);
}

/* One with another checksum is no record: the index is dropped. */
static void
log_that_is_damaged(void)
{
	static const unsigned char key[] = { 0, 0, 0, FOLDER, 0, 0, 0, 0, 0, 0, 0, 1,
	    0, 0, 0, 9 };
	struct db *d = fresh_index();
	struct runs got = RUNS_INIT;

	CHECK_EQ_INT(db_begin(d), 0);
	CHECK_EQ_INT(db_put(d, TABLE_LOG, bytes_make(key, sizeof key),
	    bytes_make("12341234", 8)), 0);
	CHECK_EQ_INT(db_commit(d), 0);
	CHECK_EQ_INT(index_log_since(d, FOLDER, 0, &got), -1);
	CHECK_EQ_INT(errno, EIO);
	CHECK_EQ_INT(db_check(d), 0);
	CHECK_EQ_INT(index_log_since(d, FOLDER, 0, &got), 0);
	CHECK_EQ_INT(got.count, 0);
	runs_free(&got);
	remove_index(d);
}

TEST_MAIN(TEST(log_agrees_with_a_model), TEST(log_grows_by_runs),
    TEST(log_of_others_stays), TEST(log_that_is_damaged))
