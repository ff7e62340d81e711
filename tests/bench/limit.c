/*
 * What the bare system calls of some work cost on this machine.
 * Runs as: the person who measures.
 *
 *	limit link|rename|unlink|read DIRECTORY	all files in it, a call each
 *		link: into DIRECTORY.links; read: open, read, close
 *	limit fsync DIRECTORY COUNT		create, write 6 KB, fsync, rename
 *	limit exec COUNT PROGRAM		fork and exec
 *	limit answer DIRECTORY			all files, each sent over TCP when a client
 *		that has the one before asks for it: what the sender uses
 *
 * Prints: microseconds of processor time and of the clock, and how often.
 */
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE 300
#define READ_SIZE ((size_t)1 << 16)

struct names {
	char (*v)[NAME_SIZE];
	size_t n;
	int dir, other;
};

static double
processor(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
list(struct names *names, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t room = 0;

	if (dir == NULL)
		err(1, "%s", path);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (names->n == room) {
			room = room == 0 ? 1024 : room * 2;
			names->v = reallocarray(names->v, room, sizeof *names->v);
			if (names->v == NULL)
				err(1, NULL);
		}
		snprintf(names->v[names->n++], NAME_SIZE, "%s", e->d_name);
	}
	closedir(dir);
	names->dir = open(path, O_RDONLY | O_DIRECTORY);
}

static int
do_link(struct names *x, const char *name)
{
	return linkat(x->dir, name, x->other, name, 0);
}

static int
do_rename(struct names *x, const char *name)
{
	char to[NAME_SIZE + 1];

	snprintf(to, sizeof to, "%sF", name);
	return renameat(x->dir, name, x->dir, to);
}

static int
do_unlink(struct names *x, const char *name)
{
	return unlinkat(x->dir, name, 0);
}

static int
do_read(struct names *x, const char *name)
{
	static char bytes[READ_SIZE];
	int fd = openat(x->dir, name, O_RDONLY);

	while (fd >= 0 && read(fd, bytes, sizeof bytes) > 0)
		;
	return fd < 0 ? -1 : close(fd);
}

static const struct {
	const char *name;
	int (*fn)(struct names *x, const char *name);
} calls[] = {
	{ "link", do_link }, { "rename", do_rename }, { "unlink", do_unlink },
	{ "read", do_read },
};

static void
tell(double cpu, double wall, size_t n)
{
	printf("%.1f %.1f %zu\n", cpu, wall, n);
	exit(0);
}

static void
each_file(int (*fn)(struct names *x, const char *name), const char *path)
{
	struct names names = { 0 };
	char other[4096];
	double cpu, wall;

	list(&names, path);
	snprintf(other, sizeof other, "%s.links", path);
	if (fn == do_link && mkdir(other, 0700) < 0)
		err(1, "%s", other);
	names.other = fn == do_link ? open(other, O_RDONLY | O_DIRECTORY) : -1;
	cpu = processor(RUSAGE_SELF);
	wall = now();
	for (size_t i = 0; i < names.n; i++)
		if (fn(&names, names.v[i]) < 0)
			err(1, "%s/%s", path, names.v[i]);
	tell(processor(RUSAGE_SELF) - cpu, now() - wall, names.n);
}

static void
syncs(const char *path, unsigned count)
{
	static const char bytes[6000];
	double cpu = processor(RUSAGE_SELF), wall = now();
	char to[32];
	int dir = open(path, O_RDONLY | O_DIRECTORY), fd;

	for (unsigned i = 0; i < count; i++) {
		fd = openat(dir, "limit.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		snprintf(to, sizeof to, "limit.%u", i);
		if (fd < 0 || write(fd, bytes, sizeof bytes) < 0 || fsync(fd) < 0 ||
		    close(fd) < 0 || renameat(dir, "limit.tmp", dir, to) < 0 ||
		    fsync(dir) < 0)
			err(1, "%s", path);
	}
	tell(processor(RUSAGE_SELF) - cpu, now() - wall, count);
}

/* ---- one asks, one answers ---- */

static void
whole(ssize_t (*fn)(int fd, void *p, size_t n), int fd, void *bytes, size_t n)
{
	char *p = bytes;
	ssize_t done;

	for (; n > 0; n -= (size_t)done, p += done)
		if ((done = fn(fd, p, n)) <= 0)
			err(1, "a socket");
}

static ssize_t
put(int fd, void *p, size_t n)
{
	return write(fd, p, n);
}

static void
connected(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&a, n) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &n) < 0 ||
	    connect(fd[0], (struct sockaddr *)&a, n) < 0 ||
	    (fd[1] = accept(listener, NULL, NULL)) < 0)
		err(1, "a connection");
}

static void
ask(int fd, size_t count)
{
	static char bytes[READ_SIZE];
	size_t size;

	while (count-- > 0) {
		whole(put, fd, bytes, 1);
		whole(read, fd, &size, sizeof size);
		for (size_t n; size > 0; size -= n) {
			n = size < sizeof bytes ? size : sizeof bytes;
			whole(read, fd, bytes, n);
		}
	}
	_exit(0);
}

/* The size goes with the first bytes of the file. */
static void
answer(int fd, int dir, const char *name)
{
	static char bytes[sizeof(size_t) + READ_SIZE];
	int file = openat(dir, name, O_RDONLY);
	size_t size, front = sizeof size;
	struct stat st;
	ssize_t n;

	if (file < 0 || fstat(file, &st) < 0)
		err(1, "%s", name);
	size = (size_t)st.st_size;
	memcpy(bytes, &size, sizeof size);
	do {
		n = read(file, bytes + front, READ_SIZE);
		if (n < 0)
			err(1, "%s", name);
		whole(put, fd, bytes, front + (size_t)n);
		size -= (size_t)n;
		front = 0;
	} while (size > 0 && n > 0);
	close(file);
}

static void
answers(const char *path)
{
	struct names names = { 0 };
	double cpu, wall;
	char question;
	int fd[2];

	list(&names, path);
	connected(fd);
	if (fork() == 0)
		ask(fd[0], names.n);
	cpu = processor(RUSAGE_SELF);
	wall = now();
	for (size_t i = 0; i < names.n; i++) {
		whole(read, fd[1], &question, 1);
		answer(fd[1], names.dir, names.v[i]);
	}
	tell(processor(RUSAGE_SELF) - cpu, now() - wall, names.n);
}

static void
execs(unsigned count, const char *program)
{
	double cpu = processor(RUSAGE_CHILDREN), wall = now();
	int status;

	for (unsigned i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(program, program, (char *)NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
			errx(1, "%s", program);
	}
	tell(processor(RUSAGE_CHILDREN) - cpu, now() - wall, count);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fsync") == 0)
		syncs(argv[2], (unsigned)atoi(argv[3]));
	if (argc == 4 && strcmp(argv[1], "exec") == 0)
		execs((unsigned)atoi(argv[2]), argv[3]);
	if (argc == 3 && strcmp(argv[1], "answer") == 0)
		answers(argv[2]);
	for (size_t i = 0; argc == 3 && i < sizeof calls / sizeof *calls; i++)
		if (strcmp(argv[1], calls[i].name) == 0)
			each_file(calls[i].fn, argv[2]);
	errx(2, "usage: see the beginning of limit.c");
}
