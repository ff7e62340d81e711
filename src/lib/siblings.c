/*
 * A template whose forks belong to its parent.
 * Runs as: root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "chan.h"
#include "child.h"
#include "clock.h"
#include "log.h"
#include "process.h"
#include "siblings.h"

#define ANSWER_MS 10000
#define NAME_SIZE 16

/* In the new process. */
static int
begin(int door, int control, const char *name)
{
	if (dup3(control, door, O_CLOEXEC) < 0)
		log_fatal(EX_OSERR, "control channel: %s", strerror(errno));
	close(control);
	process_name(name);
	return door;
}

int
siblings_serve(int door, const char *name)
{
	char word, title[NAME_SIZE];
	int control;
	int32_t pid;

	tzset();			/* the log's, for all forks */
	snprintf(title, sizeof title, "%s-template", name);
	process_name(title);
	while (chan_recv_fd(door, &word, sizeof word, &control, 0) == 0) {
		pid = child_sibling();
		if (pid == 0)
			return begin(door, control, name);
		if (pid < 0)
			log_error("cannot fork: %s", strerror(errno));
		close(control);
		if (chan_send(door, &pid, sizeof pid, clock_ms() + ANSWER_MS) < 0)
			break;
	}
	return -1;
}
