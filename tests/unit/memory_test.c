/*
 * The bounded buffer and the arena, at and past their limits.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "arena.h"
#include "buf.h"
#include "test.h"

static void
buffer_stops_at_its_maximum(void)
{
	struct buf b = BUF_INIT(100);

	for (int i = 0; i < 100; i++)
		CHECK_EQ_INT(buf_byte(&b, 'x'), 0);
	errno = 0;
	CHECK_EQ_INT(buf_byte(&b, 'y'), -1);
	CHECK_EQ_INT(errno, E2BIG);
	CHECK_EQ_INT(b.error, E2BIG);
	CHECK_EQ_INT(b.len, 100);
	CHECK(b.cap <= b.max);
	buf_clear(&b);
	CHECK_EQ_INT(b.error, 0);
	CHECK(buf_room(&b, SIZE_MAX) == NULL);
	buf_free(&b);
}

static void
a_failed_append_changes_nothing(void)
{
	struct buf b = BUF_INIT(8);

	CHECK_EQ_INT(buf_text(&b, "12345"), 0);
	CHECK_EQ_INT(buf_text(&b, "6789"), -1);
	CHECK_EQ_BYTES(buf_contents(&b), BYTES("12345"));
	buf_free(&b);
}

static void
buffer_formats_and_consumes(void)
{
	struct buf b = BUF_INIT(64);

	CHECK_EQ_INT(buf_number(&b, 0), 0);
	CHECK_EQ_INT(buf_number(&b, UINT64_MAX), 0);
	CHECK_EQ_INT(buf_printf(&b, " %s-%d", "a", 5), 0);
	CHECK_EQ_TEXT(buf_string(&b), "018446744073709551615 a-5");
	buf_consume(&b, 21);
	CHECK_EQ_BYTES(buf_contents(&b), BYTES(" a-5"));
	buf_consume(&b, 1000);
	CHECK_EQ_INT(b.len, 0);
	buf_wipe(&b);
}

static void
arena_keeps_its_limit(void)
{
	struct arena a = ARENA_INIT(1000);

	CHECK(arena_alloc(&a, 500) != NULL);
	errno = 0;
	CHECK(arena_alloc(&a, 501) == NULL);
	CHECK_EQ_INT(errno, E2BIG);
	CHECK(arena_array(&a, SIZE_MAX / 2, 3) == NULL);
	CHECK(arena_alloc(&a, SIZE_MAX) == NULL);
	arena_reset(&a);
	CHECK(arena_alloc(&a, 1000) != NULL);
	arena_free(&a);
}

static void
arena_copies_and_zeroes(void)
{
	struct arena a = ARENA_INIT(1 << 20);
	unsigned char *p = arena_alloc(&a, 64);

	if (!CHECK(p != NULL))
		return;
	memset(p, 0xff, 64);
	arena_reset(&a);
	p = arena_alloc(&a, 64);
	CHECK(p != NULL && p[0] == 0 && p[63] == 0);
	CHECK_EQ_TEXT((char *)arena_copy(&a, BYTES("text")), "text");
	for (int i = 0; i < 100; i++)
		CHECK(arena_alloc(&a, 5000) != NULL);
	arena_wipe(&a);
	CHECK_EQ_INT(a.used, 0);
	arena_free(&a);
	CHECK(a.top == NULL);
}

TEST_MAIN(
	TEST(buffer_stops_at_its_maximum),
	TEST(a_failed_append_changes_nothing),
	TEST(buffer_formats_and_consumes),
	TEST(arena_keeps_its_limit),
	TEST(arena_copies_and_zeroes)
)
