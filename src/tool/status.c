/*
 * mailreeve status: the daemon, its connections and ports, and the days that
 * certificates have left.
 * Runs as: root.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "tool.h"

#define STATUS_PATH RUN_DIR "/status"
#define SIGNER_PATH LIBEXECDIR "/signer"

static int
reach_daemon(void)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX,
	    .sun_path = STATUS_PATH };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* TOOL_CLEAN when there is a daemon. */
static int
show_daemon(void)
{
	char text[4096];
	int fd = reach_daemon();
	ssize_t n;

	if (fd < 0) {
		printf("mailreeved: %s\n", errno == ENOENT || errno == ECONNREFUSED
		    ? "not running" : strerror(errno));
		return TOOL_FOUND;
	}
	while ((n = read(fd, text, sizeof text)) > 0)
		fwrite(text, (size_t)n, 1, stdout);
	close(fd);
	return TOOL_CLEAN;
}

/* By the one program that can read them; it becomes ours. */
static int
show_certificates(const struct config *conf)
{
	struct buf text = BUF_INIT(65536);

	if (config_dump(conf, false, &text) < 0 || buf_string(&text) == NULL
	    || setenv(CONFIG_ENV, buf_string(&text), 1) < 0)
		errx(EX_OSERR, "configuration: %s", strerror(errno));
	execl(SIGNER_PATH, "signer", "-l", (char *)NULL);
	errx(EX_OSERR, SIGNER_PATH ": %s", strerror(errno));
}

int
status_main(const struct config *conf, int argc, char **argv)
{
	int status;

	(void)argv;
	if (argc > 0)
		return tool_usage("status");
	if (geteuid() != 0)
		errx(EX_NOPERM, "status is for root");
	status = show_daemon();
	if (fflush(stdout) != 0)
		errx(EX_IOERR, "standard output: %s", strerror(errno));
	return status != TOOL_CLEAN ? status : show_certificates(conf);
}
