/*
 * Preloaded into mailreeved: makes one call fail while the file named by WANT
 * holds its name and an errno. Its children have another environment.
 * Runs as: root, in tests only.
 */
#define _GNU_SOURCE
#include <sys/socket.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_calloc(size_t, size_t);

static bool
is_wanting(const char *call)
{
	const char *path = getenv("WANT");
	char text[64];
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	size_t length = strlen(call);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (strncmp(text, call, length) != 0 || text[length] != ' ')
		return false;
	errno = atoi(text + length);
	return true;
}

pid_t
fork(void)
{
	pid_t (*real)(void) = (pid_t (*)(void))dlsym(RTLD_NEXT, "fork");

	return is_wanting("fork") ? -1 : real();
}

int
socketpair(int domain, int type, int protocol, int pair[2])
{
	int (*real)(int, int, int, int *) =
	    (int (*)(int, int, int, int *))dlsym(RTLD_NEXT, "socketpair");

	return is_wanting("socketpair") ? -1 : real(domain, type, protocol, pair);
}

int
accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	int (*real)(int, struct sockaddr *, socklen_t *, int) =
	    (int (*)(int, struct sockaddr *, socklen_t *, int))
	    dlsym(RTLD_NEXT, "accept4");

	return is_wanting("accept4") ? -1 : real(fd, a, n, flags);
}

void *
calloc(size_t n, size_t size)
{
	return is_wanting("calloc") ? NULL : __libc_calloc(n, size);
}
