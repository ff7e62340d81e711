/*
 * Counting connections by address and user.
 */
#include <sys/socket.h>

#include <errno.h>

#include "../../src/master/master.h"
#include "test.h"

static struct netaddr
address(unsigned char last)
{
	struct netaddr a = { .family = AF_INET, .ip = { 192, 0, 2 } };

	a.ip[3] = last;
	return a;
}

static void
up_to_the_limit(void)
{
	struct tally t = { RB_INITIALIZER(&t.tree) };
	struct netaddr a = address(1), b = address(2);

	for (int i = 0; i < 3; i++)
		CHECK_EQ_INT(tally_add(&t, &a, 3), 0);
	CHECK_EQ_INT(tally_add(&t, &a, 3), -1);
	CHECK_EQ_INT(errno, EAGAIN);
	CHECK_EQ_INT(tally_add(&t, &b, 3), 0);
	tally_remove(&t, &a);
	CHECK_EQ_INT(tally_add(&t, &a, 3), 0);
	CHECK_EQ_INT(tally_add(&t, &a, 3), -1);
	tally_free(&t);
}

static void
gone_when_nobody_is_left(void)
{
	struct tally t = { RB_INITIALIZER(&t.tree) };

	for (unsigned i = 0; i < 256; i++) {
		struct netaddr a = address((unsigned char)i);

		CHECK_EQ_INT(tally_add(&t, &a, 1), 0);
		tally_remove(&t, &a);
		tally_remove(&t, &a);		/* once too often is harmless */
	}
	CHECK(RB_EMPTY(&t.tree));
}

static void
users_are_no_addresses(void)
{
	struct tally t = { RB_INITIALIZER(&t.tree) };
	struct netaddr one = tally_user(1000), two = tally_user(1001);

	CHECK(!netaddr_same(&one, &two));
	CHECK_EQ_INT(tally_add(&t, &one, 1), 0);
	CHECK_EQ_INT(tally_add(&t, &two, 1), 0);
	CHECK_EQ_INT(tally_add(&t, &one, 1), -1);
	tally_free(&t);
	CHECK(RB_EMPTY(&t.tree));
}

TEST_MAIN(TEST(up_to_the_limit), TEST(gone_when_nobody_is_left),
    TEST(users_are_no_addresses))
