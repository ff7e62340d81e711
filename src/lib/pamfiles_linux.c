/*
 * The files that PAM is configured by, watched by inotify.
 * Runs as: root.
 */
#include <sys/inotify.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "pamfiles.h"

#define PATH_SIZE 512
#define MASK (IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVE \
	    | IN_DELETE_SELF | IN_MOVE_SELF)

/* The second and third are the places of packages. */
static const char *const places[] = { "/etc/pam.d", "/usr/lib/pam.d",
    "/usr/etc/pam.d", "/etc/pam.conf" };

/* A file that is a link is elsewhere: of that its directory hears nothing. */
static void
add_files(int watch, const char *directory)
{
	char path[PATH_SIZE];
	DIR *d = opendir(directory);

	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
		if (e->d_type == DT_LNK)
			(void)inotify_add_watch(watch, path, MASK);
	}
	closedir(d);
}

int
pamfiles_watch(void)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	for (size_t i = 0; watch >= 0 && i < sizeof places / sizeof places[0]; i++)
		if (inotify_add_watch(watch, places[i], MASK) >= 0)
			add_files(watch, places[i]);
	return watch;
}

bool
pamfiles_changed(int watch)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };

	return watch < 0 || poll(&p, 1, 0) != 0;
}
