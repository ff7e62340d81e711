/*
 * Descriptors, signals, limits and environment of a process, put right.
 * Runs as: root; any user in the sessions.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "process.h"

#define ROOT_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

/* Descriptors 0, 1 and 2 exist, so that no later open() becomes one of them. */
static void
fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			_exit(EX_OSERR);
	} while (fd <= DIAGNOSTICS_FD);
	close(fd);
}

static bool
same_socket(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && S_ISSOCK(sa.st_mode)
	    && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void
silence_diagnostics(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, DIAGNOSTICS_FD) < 0)
		_exit(EX_OSERR);
	close(null);
}

static bool held_back;			/* SIGUSR1 is */

void
process_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct itimerval never = { 0 };
	sigset_t blocked;

	setitimer(ITIMER_REAL, &never, NULL);
	setitimer(ITIMER_VIRTUAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &standard, NULL);	/* not all can be */
	sigemptyset(&blocked);
	if (held_back)
		sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void
process_hold_back(void)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	held_back = true;
}

/*
 * Soft limits: what a mail session needs, whatever the starter had. Raising
 * them to the hard limit is always allowed; what pam_limits sets comes later.
 */
static void
reset_limits(void)
{
	static const struct {
		int resource;
		rlim_t want;
	} limits[] = {
		{ RLIMIT_CORE, 0 },		/* memory holds passwords and mail */
		{ RLIMIT_NOFILE, 1024 },
		{ RLIMIT_STACK, (rlim_t)8 << 20 },
		{ RLIMIT_CPU, RLIM_INFINITY },
		{ RLIMIT_FSIZE, RLIM_INFINITY },
		{ RLIMIT_DATA, RLIM_INFINITY },
		{ RLIMIT_AS, RLIM_INFINITY },
	};

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct rlimit l;

		if (getrlimit(limits[i].resource, &l) < 0)
			continue;
		l.rlim_cur = limits[i].want < l.rlim_max ? limits[i].want : l.rlim_max;
		(void)setrlimit(limits[i].resource, &l);
	}
}

void
process_repair(void)
{
	fill_standard();
	if (same_socket(CLIENT_IN_FD, DIAGNOSTICS_FD)
	    || same_socket(CLIENT_OUT_FD, DIAGNOSTICS_FD))
		silence_diagnostics();
	process_signals();
	reset_limits();
	umask(077);
	if (chdir("/") < 0)
		_exit(EX_OSERR);
}

void
process_close_from(int lowest)
{
	closefrom(lowest);
}

/* Whoever has used up its descriptors gets room for the copies by this. */
static void
close_all_but(const struct process_fd *moves, size_t n)
{
	int from = DIAGNOSTICS_FD + 1;

	for (;;) {
		int next = -1;

		for (size_t i = 0; i < n; i++)
			if (moves[i].fd >= from && (next < 0 || moves[i].fd < next))
				next = moves[i].fd;
		if (next < 0)
			break;
		if (next > from)
			close_range((unsigned)from, (unsigned)next - 1, 0);
		from = next + 1;
	}
	process_close_from(from);
}

/* Copies above every number that will be given, so that moves may cross. */
static int
lift(const struct process_fd *moves, size_t n, int *lifted)
{
	for (size_t i = 0; i < n; i++) {
		log_assert(moves[i].number >= 0 && moves[i].number < PROCESS_FDS_MAX);
		lifted[i] = moves[i].fd < 0 ? -1
		    : fcntl(moves[i].fd, F_DUPFD_CLOEXEC, PROCESS_FDS_MAX);
		if (lifted[i] < 0 && moves[i].fd >= 0)
			return -1;
	}
	return 0;
}

static int
fill_gaps(const bool *named, int end)
{
	for (int i = 0; i < end; i++) {
		int fd;

		if (named[i])
			continue;
		close(i);
		/* All lower numbers are taken: this one is the lowest free. */
		fd = open("/dev/null", O_RDWR);
		if (fd != i) {
			errno = fd < 0 ? errno : EBADF;
			return -1;
		}
	}
	return 0;
}

int
process_place(const struct process_fd *moves, size_t n)
{
	bool named[PROCESS_FDS_MAX] = { false };
	int lifted[PROCESS_FDS_MAX], end = 0;

	log_assert(n <= PROCESS_FDS_MAX);
	close_all_but(moves, n);
	if (lift(moves, n, lifted) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (lifted[i] < 0)
			continue;
		if (dup2(lifted[i], moves[i].number) < 0)
			return -1;
		named[moves[i].number] = true;
		end = moves[i].number >= end ? moves[i].number + 1 : end;
	}
	if (fill_gaps(named, end) < 0)
		return -1;
	process_close_from(end);
	return 0;
}

void
process_env_add(struct process_env *e, const char *name, const char *value)
{
	if (e->failed || e->n == PROCESS_ENV_MAX
	    || asprintf(&e->v[e->n], "%s=%s", name, value) < 0) {
		e->failed = true;
		return;
	}
	e->v[++e->n] = NULL;
}

void
process_env_begin(struct process_env *e, const char *path)
{
	process_env_add(e, "PATH", path);
	process_env_add(e, "GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
}

void
process_env_copy(struct process_env *e, const char *name)
{
	const char *value = getenv(name);

	if (value != NULL)
		process_env_add(e, name, value);
}

char **
process_env_done(struct process_env *e)
{
	return e->failed ? NULL : e->v;
}

void
process_env_free(struct process_env *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i]);
	*e = (struct process_env){ 0 };
}

int
process_clean_env(void)
{
	char *zone = getenv("TZ") == NULL ? NULL : strdup(getenv("TZ"));
	int r = clearenv();

	if (r == 0)
		r = setenv("PATH", ROOT_PATH, 1);
	if (r == 0 && zone != NULL)
		r = setenv("TZ", zone, 1);
	free(zone);
	return r;
}

static int
number_from_env(const char *name, uint64_t max, uint64_t *out)
{
	const char *text = getenv(name);

	return text == NULL ? -1 : bytes_number(bytes_of(text), max, out);
}

int
process_inherited(const char **names)
{
	uint64_t pid, n;

	*names = getenv("LISTEN_FDNAMES");
	if (number_from_env("LISTEN_PID", INT32_MAX, &pid) < 0
	    || pid != (uint64_t)getpid()
	    || number_from_env("LISTEN_FDS", 1024, &n) < 0)
		return 0;
	return (int)n;
}

static const char *volatile deadline_what;

/*
 * log_line() might wait here for a lock that the code below us holds; the
 * second timer ends that.
 */
static void
too_long(int signal)
{
	(void)signal;
	log_error("%s took too long: giving up", deadline_what);
	_exit(EX_TEMPFAIL);
}

/*
 * A timer whose signal cannot be caught, blocked or ignored. A fork has none of
 * its parent's timers.
 */
static void
set_killer(uint64_t ms)
{
	static timer_t timer;
	static pid_t owner;
	struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000 } };

	if (owner != getpid()
	    && timer_create(CLOCK_MONOTONIC, &kill, &timer) < 0)
		return;
	owner = getpid();
	(void)timer_settime(timer, 0, &when, NULL);
}

void
process_deadline(uint64_t ms, const char *what)
{
	struct sigaction act = { .sa_handler = ms == 0 ? SIG_DFL : too_long };
	struct itimerval when = { .it_value = { .tv_sec = (time_t)(ms / 1000),
	    .tv_usec = (suseconds_t)(ms % 1000) * 1000 } };

	deadline_what = what;
	if (ms > 0)
		sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &when, NULL);
	if (ms == 0)
		sigaction(SIGALRM, &act, NULL);
	set_killer(ms == 0 ? 0 : ms + 1000);
}

int
process_exec(const char *path, char *const argv[], char *const env[])
{
	process_signals();
	return execve(path, argv, env);
}

static volatile pid_t attended;

static void
pass_on(int signal)
{
	kill(attended, signal);
}

pid_t
process_attended(void)
{
	struct sigaction act = { .sa_handler = pass_on };
	sigset_t stop;
	pid_t pid;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGUSR1);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	pid = fork();
	if (pid > 0) {
		attended = pid;
		sigaction(SIGTERM, &act, NULL);
		sigaction(SIGUSR1, &act, NULL);
	}
	if (pid != 0)
		sigprocmask(SIG_UNBLOCK, &stop, NULL);
	return pid;
}

void
process_await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
}
