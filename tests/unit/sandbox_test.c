/*
 * The cages: what must work inside does, and what must not ends the process or
 * is refused. Each try is a child process.
 */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "sandbox.h"
#include "test.h"

#define SOMEBODY 54321
#define KILLED 1000			/* by SIGSYS */

static char top[] = "/tmp/sandbox_test.XXXXXX";
static char mail[64], other[64], file[80];

/* Cages of programs without files, and last that of a session. */
static int (*const strangers[])(const char *, uid_t, gid_t) = {
	sandbox_login, sandbox_token, sandbox_gss, sandbox_x509,
};
enum { LOGIN, TOKEN, GSS, CERTIFICATES, SESSION };

static int
enter(int cage)
{
	char *paths[] = { mail };

	return cage == SESSION ? sandbox_session(paths, 1)
	    : strangers[cage](other, SOMEBODY, SOMEBODY);
}

/* A syscall tried raw: libc must not be in the way. */
static int
in_cage(int cage, int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		log_level(LOG_EMERG);
		if (enter(cage) < 0)
			_exit(99);
		syscall(SYS_exit_group, what());
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status)
	    : WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
}

static int
errno_of(long r)
{
	return r < 0 ? errno : 0;
}

static bool
make_place(void)
{
	static bool made;

	if (geteuid() != 0) {
		test_skip("needs root");
		return false;
	}
	if (made)
		return true;
	made = mkdtemp(top) != NULL;
	snprintf(mail, sizeof mail, "%s/mail", top);
	snprintf(other, sizeof other, "%s/other", top);
	snprintf(file, sizeof file, "%s/file", other);
	return CHECK(made && chmod(top, 0755) == 0 && mkdir(mail, 0755) == 0
	    && mkdir(other, 0755) == 0);
}

static int
no_socket(void)
{
	return errno_of(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
}

static int
no_program(void)
{
	char *argv[] = { NULL };

	return errno_of(syscall(SYS_execve, "/bin/true", argv, argv));
}

static int
no_process(void)
{
	return errno_of(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int
no_ptrace(void)
{
	return errno_of(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
}

static int
no_uid(void)
{
	return errno_of(syscall(SYS_setresuid, 0, 0, 0));
}

static int
no_kill(void)
{
	return errno_of(syscall(SYS_kill, getppid(), SIGCONT));
}

static int
no_mount(void)
{
	return errno_of(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL));
}

static int
no_bpf(void)
{
	return errno_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int
no_iouring(void)
{
	return errno_of(syscall(SYS_io_uring_setup, 1, NULL));
}

static int
no_vm_read(void)
{
	return errno_of(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int
no_name_to_send(void)
{
	return errno_of(syscall(SYS_sendto, 0, "x", 1, 0, "\1\0/x", 4));
}

/* Whether a process is there, as liblockfile asks of a lock's owner. */
static int
ask_for_process(void)
{
	return errno_of(syscall(SYS_kill, getpid(), 0));
}

static void
only_sessions_ask_for_processes(void)
{
	if (!make_place())
		return;
	CHECK_EQ_INT(in_cage(SESSION, ask_for_process), 0);
	for (int cage = LOGIN; cage < SESSION; cage++)
		CHECK_EQ_INT(in_cage(cage, ask_for_process), KILLED);
}

/* What neither strangers nor a session may do. */
static void
forbidden_to_all(void)
{
	static int (*const tries[])(void) = { no_socket, no_program, no_process,
	    no_ptrace, no_uid, no_kill, no_mount, no_bpf, no_iouring, no_vm_read,
	    no_name_to_send };

	if (!make_place())
		return;
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
		for (int cage = LOGIN; cage <= SESSION; cage++)
			if (!CHECK_EQ_INT(in_cage(cage, tries[i]), KILLED))
				printf("# try %zu, cage %d\n", i, cage);
}

static int
no_path(void)
{
	return errno_of(syscall(SYS_unlink, "/x"));
}

static int
no_code(void)
{
	return errno_of(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int
memory_and_random(void)
{
	char *p = malloc(1 << 20);
	unsigned char r[16];

	if (p == NULL || getentropy(r, sizeof r) < 0)
		return 1;
	memset(p, 0, 1 << 20);
	return 0;
}

static int
who_is_it(void)
{
	return getuid() != SOMEBODY || getgid() != SOMEBODY;
}

/* A log that is not there: lines go to descriptor 2. */
static int
say_something(void)
{
	log_level(LOG_ERR);
	log_error("a line");
	return 0;
}

static void
strangers_have_no_files(void)
{
	if (!make_place())
		return;
	CHECK_EQ_INT(in_cage(LOGIN, who_is_it), 0);
	for (int cage = LOGIN; cage < SESSION; cage++) {
		CHECK_EQ_INT(in_cage(cage, no_path), KILLED);
		CHECK_EQ_INT(in_cage(cage, memory_and_random), 0);
#ifndef __SANITIZE_ADDRESS__
		CHECK_EQ_INT(in_cage(cage, no_code), KILLED);
#else
		(void)no_code;
#endif
	}
}

/* Verifiers take no descriptor; what looks for a file is told that there is none. */
static int
take_descriptor(void)
{
	return errno_of(syscall(SYS_recvmsg, 0, NULL, 0));
}

static int
open_file(void)
{
	return errno_of(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY));
}

static void
verifiers_have_less(void)
{
	if (!make_place())
		return;
	CHECK_EQ_INT(in_cage(TOKEN, take_descriptor), KILLED);
	CHECK_EQ_INT(in_cage(GSS, take_descriptor), KILLED);
#ifndef __SANITIZE_ADDRESS__
	CHECK_EQ_INT(in_cage(TOKEN, open_file), KILLED);
	CHECK_EQ_INT(in_cage(GSS, open_file), ENOENT);
#else
	(void)open_file;
#endif
}

/* In each cage, also without a syslog: it goes to descriptor 2. */
static void
logging(void)
{
	int pair[2];
	char text[64];

	if (!make_place() || !CHECK_EQ_INT(pipe2(pair, O_CLOEXEC), 0))
		return;
	for (int cage = LOGIN; cage <= SESSION; cage++) {
		int saved = dup(DIAGNOSTICS_FD);
		ssize_t n;

		dup2(pair[1], DIAGNOSTICS_FD);
		CHECK_EQ_INT(in_cage(cage, say_something), 0);
		dup2(saved, DIAGNOSTICS_FD);
		close(saved);
		n = read(pair[0], text, sizeof text);
		CHECK(n > 0 && memmem(text, (size_t)n, ": a line\n", 9) != NULL);
	}
	close(pair[0]);
	close(pair[1]);
}

static int
own_files(void)
{
	char from[128], to[128];
	int fd;

	snprintf(from, sizeof from, "%s/tmp", mail);
	snprintf(to, sizeof to, "%s/new", mail);
	mkdir(from, 0700);
	mkdir(to, 0700);
	strcat(from, "/x");
	strcat(to, "/x");
	fd = open(from, O_CREAT | O_WRONLY, 0600);
	/* Between directories: Maildir lives on it. */
	return fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) < 0
	    || rename(from, to) < 0 || link(to, from) < 0 || unlink(to) < 0
	    || unlink(from) < 0;
}

static int
read_others(void)
{
	return errno_of(open(file, O_RDONLY));
}

static int
write_others(void)
{
	return errno_of(open(file, O_WRONLY | O_CREAT, 0600));
}

static int
write_etc(void)
{
	return errno_of(open("/etc/sandbox_test", O_WRONLY | O_CREAT, 0600));
}

static int
read_etc(void)
{
	return errno_of(open("/etc/passwd", O_RDONLY));
}

static int
link_in(void)
{
	char to[128];

	snprintf(to, sizeof to, "%s/stolen", mail);
	return errno_of(link(file, to));
}

static bool
landlock_works(void)
{
	return syscall(444, NULL, 0, 1) >= 2;
}

static void
session_has_its_files(void)
{
	int fd;

	if (!make_place())
		return;
	fd = open(file, O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ_INT(in_cage(SESSION, own_files), 0);
	CHECK_EQ_INT(in_cage(SESSION, read_etc), 0);
	CHECK_EQ_INT(in_cage(SESSION, memory_and_random), 0);
	if (!landlock_works())
		return;
	/* Root's own rights would allow all of these. */
	CHECK_EQ_INT(in_cage(SESSION, read_others), EACCES);
	CHECK_EQ_INT(in_cage(SESSION, write_others), EACCES);
	CHECK_EQ_INT(in_cage(SESSION, write_etc), EACCES);
	CHECK_EQ_INT(in_cage(SESSION, link_in), EXDEV);
}

static void
missing_path(void)
{
	char gone[] = "/nonexistent/mail", *paths[] = { gone };
	int status;
	pid_t pid;

	if (!landlock_works()) {
		test_skip("no Landlock here");
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(sandbox_session(paths, 1) == -1 && errno == ENOENT);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static int
status_line(void)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);

	if (n <= 0)
		return 2;
	text[n] = '\0';
	return strstr(text, "NoNewPrivs:\t1") == NULL
	    || strstr(text, "Seccomp:\t2") == NULL;
}

/* /proc is shown to the cage on purpose here. */
static void
no_new_privileges(void)
{
	char *paths[] = { (char[]){ "/proc" } };
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(sandbox_session(paths, 1) < 0 ? 3 : status_line());
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
leave_nothing(void)
{
	char path[128];

	if (geteuid() != 0) {
		test_skip("needs root");
		return;
	}
	CHECK_EQ_INT(unlink(file), 0);
	snprintf(path, sizeof path, "%s/tmp", mail);
	CHECK_EQ_INT(rmdir(path), 0);
	snprintf(path, sizeof path, "%s/new", mail);
	CHECK_EQ_INT(rmdir(path), 0);
	CHECK(rmdir(mail) == 0 && rmdir(other) == 0 && rmdir(top) == 0);
}

TEST_MAIN(TEST(forbidden_to_all), TEST(only_sessions_ask_for_processes),
    TEST(strangers_have_no_files), TEST(verifiers_have_less), TEST(logging),
    TEST(session_has_its_files), TEST(missing_path), TEST(no_new_privileges),
    TEST(leave_nothing))
