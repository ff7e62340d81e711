/*
 * Giving up root: it works, it is for ever, and it is refused where it makes no
 * sense. Each case is a child process of root.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "ids.h"
#include "test.h"

#define SOMEBODY 54321

/* The exit status of what runs in a child; 1 is what the tests call good. */
static int
in_child(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(what());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool
root(void)
{
	if (geteuid() == 0)
		return true;
	test_skip("needs root");
	return false;
}

static int
drop_and_look(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	static const gid_t groups[] = { 7, 8 };

	if (setgroups(2, groups) < 0 || ids_drop(SOMEBODY, SOMEBODY + 1) < 0)
		return 2;
	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0
	    || r != SOMEBODY || e != SOMEBODY || s != SOMEBODY
	    || rg != SOMEBODY + 1 || eg != rg || sg != rg || getgroups(0, NULL) != 2)
		return 3;
	return setuid(0) == 0 || setresuid(0, 0, 0) == 0 || setegid(0) == 0
	    || setgroups(0, NULL) == 0 || chroot("/") == 0 ? 4 : 1;
}

static void
dropping(void)
{
	if (root())
		CHECK_EQ_INT(in_child(drop_and_look), 1);
}

static int
drop_to_root(void)
{
	return ids_drop(0, 5) == -1 && errno == EINVAL && getuid() == 0
	    && ids_drop((uid_t)-1, 5) == -1 && errno == EINVAL
	    && ids_drop(5, (gid_t)-1) == -1 && errno == EINVAL;
}

static void
nobody_drops_to_root(void)
{
	CHECK_EQ_INT(in_child(drop_to_root), 1);
}

/* Capabilities that survive the change of uid: the way back is found open. */
static int
drop_with_kept_capabilities(void)
{
	if (prctl(PR_SET_SECUREBITS, 1 << 2 /* no fixup */, 0, 0, 0) < 0)
		return 1;		/* not allowed here: nothing to try */
	return ids_drop(SOMEBODY, SOMEBODY) == -1 && errno == ENOTRECOVERABLE;
}

static void
open_way_back(void)
{
	if (root())
		CHECK_EQ_INT(in_child(drop_with_kept_capabilities), 1);
}

static int
unprivileged(void)
{
	return setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0
	    && ids_drop(SOMEBODY + 1, SOMEBODY) == -1 && errno == EPERM;
}

static void
without_root(void)
{
	if (root())
		CHECK_EQ_INT(in_child(unprivileged), 1);
}

static char cage[] = "/tmp/ids_test.XXXXXX";

static int
cage_and_look(void)
{
	struct stat st;

	if (ids_cage(cage, SOMEBODY, SOMEBODY) < 0)
		return 2;
	return getuid() == SOMEBODY && getgroups(0, NULL) == 0
	    && stat("/etc", &st) < 0 && stat("../../etc", &st) < 0;
}

static int
cage_fails(void)
{
	return ids_cage(cage, SOMEBODY, SOMEBODY) == -1 && getuid() == 0;
}

static int
cage_with_gid_0(void)
{
	return ids_cage(cage, SOMEBODY, 0) == -1 && errno == EINVAL;
}

static void
caging(void)
{
	if (!root() || !CHECK(mkdtemp(cage) != NULL))
		return;
	CHECK_EQ_INT(in_child(cage_and_look), 1);
	CHECK_EQ_INT(in_child(cage_with_gid_0), 1);
	CHECK_EQ_INT(chmod(cage, 0777), 0);
	CHECK_EQ_INT(in_child(cage_fails), 1);		/* others may write */
	CHECK_EQ_INT(chmod(cage, 0755), 0);
	CHECK_EQ_INT(chown(cage, SOMEBODY, 0), 0);
	CHECK_EQ_INT(in_child(cage_fails), 1);		/* belongs to another */
	CHECK_EQ_INT(rmdir(cage), 0);
	CHECK_EQ_INT(in_child(cage_fails), 1);		/* is not there */
}

static const char *number;

static int
read_number(void)
{
	return ids_number(number) == 4294967294 ? 1 : 2;
}

static void
numbers(void)
{
	static const char *const bad[] = { "", "0", "-1", "x", "1x", " 1",
	    "4294967295", "4294967296", "18446744073709551617" };

	number = "4294967294";
	CHECK_EQ_INT(in_child(read_number), 1);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		number = bad[i];
		CHECK_EQ_INT(in_child(read_number), EX_USAGE);
	}
}

TEST_MAIN(TEST(numbers), TEST(dropping), TEST(nobody_drops_to_root), TEST(open_way_back),
    TEST(without_root), TEST(caging))
