/*
 * What forks share with their template: all that it had, nothing that one of
 * them has changed, and nothing that a fork is to have empty.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <unistd.h>

#include "../../src/login/snapshot.h"
#include "test.h"

#define PAGE 4096

static _Alignas(PAGE) unsigned char changed[PAGE], put_back[PAGE];
static unsigned char *wiped;

/* The exit status of what runs in a fork; 0 is good. */
static int
in_fork(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(what());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool
all(const unsigned char *p, unsigned char value)
{
	for (size_t i = 0; i < PAGE; i++)
		if (p[i] != value)
			return false;
	return true;
}

static int
change_and_return(void)
{
	memset(changed, 2, sizeof changed);
	memset(put_back, 2, sizeof put_back);
	memset(put_back, 1, sizeof put_back);
	snapshot_return();
	return !all(changed, 2) || !all(put_back, 1);
}

static int
look(void)
{
	return !all(changed, 1) || !all(put_back, 1);
}

static void
what_changed_stays(void)
{
	CHECK(all(changed, 1) && all(put_back, 1));
	CHECK_EQ_INT(in_fork(change_and_return), 0);
	CHECK_EQ_INT(in_fork(look), 0);
}

static int
look_at_wiped(void)
{
	return !all(wiped, 0);
}

/* The C library's random generator may live there, and forks that share it. */
static void
what_forks_have_empty(void)
{
	if (wiped == NULL) {
		test_skip("no memory that forks have empty");
		return;
	}
	CHECK(all(wiped, 1));
	CHECK_EQ_INT(in_fork(look_at_wiped), 0);
}

static void
prepare(void)
{
#ifdef MADV_WIPEONFORK
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED && madvise(p, PAGE, MADV_WIPEONFORK) == 0)
		wiped = memset(p, 1, PAGE);
#endif
	memset(changed, 1, sizeof changed);
	memset(put_back, 1, sizeof put_back);
	snapshot_take();
}

static void
taken(void)
{
	prepare();
	CHECK(all(changed, 1));
}

TEST_MAIN(TEST(taken), TEST(what_changed_stays), TEST(what_forks_have_empty))
