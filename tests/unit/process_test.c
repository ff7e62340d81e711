/*
 * A process born badly is put right: descriptors, signals, limits, time.
 * Each case is a child process.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "process.h"
#include "test.h"

static int
wait_status(int (*what)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		log_level(LOG_EMERG);
		_exit(what());
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static int
in_child(int (*what)(void))
{
	int status = wait_status(what);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
is_null(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0
	    && a.st_rdev == b.st_rdev && S_ISCHR(a.st_mode);
}

/* As openbsd-inetd does: one socket three times. */
static int
socket_three_times(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 2;
	for (int i = 0; i < 3; i++)
		dup2(pair[0], i);
	process_repair();
	return !is_null(0) && !is_null(1) && is_null(2);
}

/* As journald does: another socket for diagnostics. It stays. */
static int
another_socket(void)
{
	int one[2], two[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, one) < 0
	    || socketpair(AF_UNIX, SOCK_STREAM, 0, two) < 0)
		return 2;
	dup2(one[0], 0);
	dup2(one[0], 1);
	dup2(two[0], 2);
	process_repair();
	return !is_null(2);
}

static int
all_closed(void)
{
	process_close_from(0);
	process_repair();
	return is_null(0) && is_null(1) && is_null(2) && fcntl(3, F_GETFD) < 0;
}

static void
standard_descriptors(void)
{
	CHECK_EQ_INT(in_child(socket_three_times), 1);
	CHECK_EQ_INT(in_child(another_socket), 1);
	CHECK_EQ_INT(in_child(all_closed), 1);
}

static int
bad_signals(void)
{
	struct itimerval soon = { .it_value = { .tv_usec = 1000 } };
	struct sigaction now;
	sigset_t mask;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	umask(0);
	if (chdir("/tmp") < 0 || setitimer(ITIMER_VIRTUAL, &soon, NULL) < 0)
		return 2;
	process_repair();
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int s = 1; s < NSIG; s++)
		if (sigismember(&mask, s) == 1
		    || (sigaction(s, NULL, &now) == 0 && now.sa_handler != SIG_DFL))
			return 3;
	getitimer(ITIMER_VIRTUAL, &soon);
	return umask(0) == 077 && soon.it_value.tv_usec == 0;
}

static int
bad_limits(void)
{
	struct rlimit core = { 0, RLIM_INFINITY }, l;
	char here[2];

	getrlimit(RLIMIT_CORE, &core);
	core.rlim_cur = core.rlim_max;
	setrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &l);
	process_repair();
	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_FSIZE, &l);
	return core.rlim_cur == 0 && l.rlim_cur == l.rlim_max
	    && getcwd(here, sizeof here) != NULL;
}

static void
signals_and_limits(void)
{
	CHECK_EQ_INT(in_child(bad_signals), 1);
	CHECK_EQ_INT(in_child(bad_limits), 1);
}

static ino_t
inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* 3 and 4 change places, 6 is filled, 7 is new, the rest is closed. */
static int
crossing(void)
{
	int a[2], b[2];
	ino_t was[3];

	process_close_from(3);
	if (pipe(a) < 0 || pipe(b) < 0)		/* 3 4, 5 6 */
		return 2;
	for (int i = 0; i < 3; i++)
		was[i] = inode(3 + i);
	dup2(0, 40);
	if (process_place((struct process_fd[]){ { 0, 0 }, { 1, 1 }, { 2, 2 },
	    { 3, 4 }, { 4, 3 }, { 5, 7 }, { -1, 9 } }, 7) < 0)
		return 3;
	return inode(4) == was[0] && inode(3) == was[1] && inode(7) == was[2]
	    && is_null(5) && is_null(6) && fcntl(8, F_GETFD) < 0
	    && fcntl(40, F_GETFD) < 0 && fcntl(3, F_GETFD) == 0;
}

static int
bad_descriptor(void)
{
	return process_place((struct process_fd[]){ { 999, 3 } }, 1) == -1;
}

static void
placing(void)
{
	CHECK_EQ_INT(in_child(crossing), 1);
	CHECK_EQ_INT(in_child(bad_descriptor), 1);
}

static int
too_late(void)
{
	process_deadline(50, "the test");
	while (pause() == -1)
		continue;
	return 0;
}

/* Code that blocks the signal and will not end. */
static int
stubborn(void)
{
	sigset_t all;

	process_deadline(50, "the test");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	while (pause() == -1)
		continue;
	return 0;
}

static int
in_time(void)
{
	struct itimerval left;

	process_deadline(3600000, "the test");
	process_deadline(0, NULL);
	getitimer(ITIMER_REAL, &left);
	return left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0;
}

static void
deadlines(void)
{
	int status = wait_status(stubborn);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ_INT(in_child(too_late), EX_TEMPFAIL);
	CHECK_EQ_INT(in_child(in_time), 1);
}

static void
environment(void)
{
	struct process_env e = { 0 };
	char **v;

	process_env_add(&e, "A", "1");
	process_env_copy(&e, "NO_SUCH_VARIABLE");
	v = process_env_done(&e);
	if (!CHECK(v != NULL))
		return;
	CHECK_EQ_TEXT(v[0], "A=1");
	CHECK(v[1] == NULL);
	for (int i = 0; i < PROCESS_ENV_MAX; i++)
		process_env_add(&e, "B", "2");
	CHECK(process_env_done(&e) == NULL);
	process_env_free(&e);
}

static void
inherited(void)
{
	const char *names;
	char pid[24];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "imap:pop3", 1);
	setenv("LISTEN_PID", "1", 1);
	CHECK_EQ_INT(process_inherited(&names), 0);
	setenv("LISTEN_PID", pid, 1);
	CHECK_EQ_INT(process_inherited(&names), 2);
	CHECK_EQ_TEXT(names, "imap:pop3");
	setenv("LISTEN_FDS", "-1", 1);
	CHECK_EQ_INT(process_inherited(&names), 0);
	setenv("LISTEN_FDS", "99999999", 1);
	CHECK_EQ_INT(process_inherited(&names), 0);
}

TEST_MAIN(TEST(standard_descriptors), TEST(signals_and_limits), TEST(placing),
    TEST(deadlines), TEST(environment), TEST(inherited))
