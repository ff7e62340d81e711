/*
 * What the daemon says of itself to `mailreeve status`: whoever can open the
 * socket, which is root, gets a text, and nothing is read.
 * Runs as: root.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "log.h"
#include "master.h"
#include "version.h"

#define STATUS_PATH RUN_DIR "/status"
#define TEXT_MAX 16384

static int
bind_status(int fd)
{
	const struct sockaddr_un at = { .sun_family = AF_UNIX,
	    .sun_path = STATUS_PATH };

	(void)mkdir(RUN_DIR, 0755);
	/* One that is left over, or of a daemon that is about to end. */
	(void)unlink(STATUS_PATH);
	return bind(fd, (const struct sockaddr *)&at, sizeof at) < 0
	    || chmod(STATUS_PATH, 0600) < 0 || listen(fd, 8) < 0 ? -1 : 0;
}

int
status_open(void)
{
	mode_t old = umask(0177);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind_status(fd) < 0) {
		log_warn(STATUS_PATH ": %s: mailreeve status will not find us",
		    strerror(errno));
		close(fd);
		fd = -1;
	}
	umask(old);
	return fd;
}

void
status_close(int fd)
{
	if (fd < 0)
		return;
	(void)unlink(STATUS_PATH);
	close(fd);
}

static void
describe(const struct master *m, struct buf *out)
{
	const struct templates *t = &m->pool.templates;
	char at[NETADDR_TEXT_MAX];

	buf_printf(out, "mailreeved " MAILREEVE_VERSION ": pid %ld\n",
	    (long)getpid());
	buf_printf(out, "connections: %" PRIu64 " of %" PRIu64 ", %" PRIu64
	    " more ready\n", m->pool.busy, m->conf.max_connections, m->pool.idle);
	for (size_t i = 0; i < m->listeners.n; i++) {
		netaddr_text_port(&m->listeners.v[i].at, at);
		buf_printf(out, "listening: %s %s\n",
		    service_facts[m->listeners.v[i].service].name, at);
	}
	if (t->signer.pid > 0 && t->heard)
		buf_printf(out, "keys in use: %u, the first expires in %u days\n",
		    t->keys.certificates, t->keys.days);
	else
		buf_text(out, "keys in use: none\n");
}

void
status_answer(const struct master *m)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	int fd = accept4(m->status, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	describe(m, &out);
	(void)send(fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
	buf_free(&out);
}
