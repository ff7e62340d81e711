/*
 * What the bare system calls of some work cost on this machine.
 * Runs as: the person who measures.
 *
 *	limit link|rename|unlink|read DIRECTORY	all files in it, a call each
 *		link: into DIRECTORY.links; read: open, read, close
 *	limit fsync DIRECTORY COUNT		create, write 6 KB, fsync, rename
 *	limit exec COUNT PROGRAM		fork and exec
 *
 * Prints: microseconds of processor time and of the clock, and how often.
 */
#include <sys/resource.h>
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
	for (size_t i = 0; argc == 3 && i < sizeof calls / sizeof *calls; i++)
		if (strcmp(argv[1], calls[i].name) == 0)
			each_file(calls[i].fn, argv[2]);
	errx(2, "usage: see the beginning of limit.c");
}
