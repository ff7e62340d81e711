/*
 * Logging that never blocks.
 * Runs as: any user.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define LINE_MAX_BYTES 1024
#define QUOTE_BUFFERS 4
#define CONTEXT_SIZE 480		/* a user's name, quoted, and a session's */

static struct {
	const char *name;
	int fd;				/* syslog socket, or -1 */
	bool to_stderr;
	int level;
	unsigned patience;		/* milliseconds */
	char context[CONTEXT_SIZE];	/* with a space before it, or empty */
} log_state = { .name = "mailreeve", .fd = -1, .level = LOG_INFO };

void
log_open(const char *name)
{
	int saved = errno;
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	log_state.name = name;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0
	    && (fd == LOG_FD || dup3(fd, LOG_FD, O_CLOEXEC) == LOG_FD))
		log_state.fd = LOG_FD;
	if (fd >= 0 && fd != LOG_FD)
		close(fd);
	errno = saved;
}

void
log_inherit(const char *name)
{
	int saved = errno, type = 0;
	socklen_t n = sizeof type;

	log_state.name = name;
	log_state.fd = -1;
	if (getsockopt(LOG_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0
	    && type == SOCK_DGRAM)
		log_state.fd = LOG_FD;
	errno = saved;
}

void
log_part(void)
{
	if (log_state.fd < 0)
		return;
	close(LOG_FD);
	log_state.fd = -1;
	log_open(log_state.name);
}

int
log_fd(void)
{
	return log_state.fd;
}

void
log_to_stderr(bool on)
{
	log_state.to_stderr = on;
}

void
log_patience(unsigned ms)
{
	log_state.patience = ms;
}

void
log_level(int priority)
{
	log_state.level = priority;
}

void
log_context(const char *what)
{
	int saved = errno;

	snprintf(log_state.context, sizeof log_state.context, " %s", what);
	errno = saved;
}

/* Control bytes that came in by a file name or a module's message. */
static void
make_one_line(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
}

/* Whoever else has the socket may have made it one that blocks. */
static bool
is_full(const char *line, size_t n)
{
	return send(log_state.fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0
	    && errno == EAGAIN;
}

/* By default Linux keeps ten lines for a reader: a few logins at once. */
static void
send_line(const char *line, size_t n)
{
	struct pollfd p = { .fd = log_state.fd, .events = POLLOUT };
	uint64_t end = log_state.patience == 0 ? 0
	    : clock_ms() + log_state.patience, now = 0;

	while (is_full(line, n) && end > 0 && (now = clock_ms()) < end)
		(void)poll(&p, 1, (int)(end - now));
}

static void
write_syslog(int priority, const char *text)
{
	char line[128 + LINE_MAX_BYTES + CONTEXT_SIZE], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &tm);
	n = snprintf(line, sizeof line, "<%d>%s %.64s[%d]: %s", LOG_MAIL | priority,
	    stamp, log_state.name, (int)getpid(), text);
	send_line(line, (size_t)n);
}

/* By one system call that every cage allows; stdio would ask where it stands. */
static void
write_diagnostics(const char *text)
{
	char head[96];
	struct iovec v[3] = { { .iov_base = head }, { (void *)(uintptr_t)text,
	    strlen(text) }, { (char[]){ '\n' }, 1 } };

	v[0].iov_len = (size_t)snprintf(head, sizeof head, "%.64s[%d]: ",
	    log_state.name, (int)getpid());
	if (writev(DIAGNOSTICS_FD, v, 3) < 0) {
		/* Nobody is there to be told. */
	}
}

static void __attribute__((format(printf, 2, 0)))
log_va(int priority, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES + CONTEXT_SIZE];
	int saved = errno;

	if (priority > log_state.level)
		return;
	vsnprintf(text, LINE_MAX_BYTES, fmt, ap);
	if (priority <= LOG_WARNING)
		strcat(text, log_state.context);
	make_one_line(text);
	if (log_state.fd >= 0)
		write_syslog(priority, text);
	if (log_state.to_stderr || log_state.fd < 0)
		write_diagnostics(text);
	errno = saved;
}

void
log_line(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(priority, fmt, ap);
	va_end(ap);
}

noreturn void
log_fatal(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_ERR, fmt, ap);
	va_end(ap);
	exit(status);
}

noreturn void
log_bug(const char *file, int line, const char *what)
{
	log_line(LOG_CRIT, "bug: %s:%d: %s does not hold", file, line, what);
	abort();
}

static bool
plain(unsigned char c)
{
	return c > ' ' && c < 127 && c != '"' && c != '\\' && c != '=';
}

const char *
log_quote(struct bytes b)
{
	static char ring[QUOTE_BUFFERS][3 * LOG_QUOTE_MAX + 4];
	static unsigned turn;
	static const char hex[] = "0123456789abcdef";
	char *out = ring[turn++ % QUOTE_BUFFERS], *p = out;

	for (size_t i = 0; i < b.n && i < LOG_QUOTE_MAX; i++) {
		unsigned char c = b.p[i];

		if (plain(c)) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '\\';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	if (b.n > LOG_QUOTE_MAX) {
		memcpy(p, "...", 3);
		p += 3;
	}
	*p = '\0';
	return out;
}

void
log_name_session(char out[LOG_SESSION_SIZE])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[LOG_SESSION_SIZE - 1];

	arc4random_buf(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		out[i] = letters[random[i] % 32];
	out[sizeof random] = '\0';
}
