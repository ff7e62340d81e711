/*
 * Fuzz target: a whole POP3 session over mail in memory. The first byte says
 * how many messages there are, the rest is what a client sends after login.
 * Runs as: the person who builds.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/pop3/session.h"
#include "log.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct bytes messages[] = {
	BYTES("From: Ann <ann@example.org>\r\nSubject: one\r\n\r\n.dot\r\n..\r\n"),
	BYTES("Subject: two\n\nline\n.\nno end"),
	BYTES(""),
	BYTES("\n\n\n"),
	BYTES(".\r.\r\r\n"),
};

#define MESSAGES (sizeof messages / sizeof messages[0])

static void
require(bool held)
{
	if (!held)
		abort();
}

static void
fill(struct mail *m, size_t count)
{
	struct runs uids = RUNS_INIT;
	struct delivery *d;
	uint32_t validity;

	for (size_t i = 0; i < count; i++) {
		struct bytes text = messages[i % MESSAGES];

		require(delivery_begin(m, BYTES("INBOX"), &d) == 0
		    && delivery_message(d, 0, NULL, 0, 1) == 0
		    && delivery_write(d, text.p, text.n) == 0
		    && delivery_commit(d, &validity, &uids) == 0);
	}
	runs_free(&uids);
}

/* Every answer begins well, and every line has its end. */
static void
look_at_output(int fd)
{
	struct bytes out, rest;
	struct stat st;
	void *p;

	require(fstat(fd, &st) == 0 && st.st_size > 5);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	require(p != MAP_FAILED);
	out = rest = bytes_make(p, (size_t)st.st_size);
	require(bytes_starts(out, BYTES("+OK ")));
	require(out.p[out.n - 1] == '\n');
	while (rest.n > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		require(line.n > 0 && line.p[line.n - 1] == '\r');
	}
	munmap(p, (size_t)st.st_size);
}

static void
play(struct session *s, size_t count)
{
	struct mail *m;

	require(mail_open(s->conf, NULL, &m) == 0);
	fill(m, count);
	session_run(s, m);
	require(s->over && s->end_reason != NULL);
	mail_close(m);
	stream_free(&s->stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct config conf = { .pop3_timeout = 10,
	    .write_timeout = 10 };
	struct session s = { .conf = &conf };
	int in, out;

	if (n == 0)
		return 0;
	in = memfd_create("input", MFD_CLOEXEC);
	out = memfd_create("output", MFD_CLOEXEC);
	log_level(LOG_EMERG);
	require(in >= 0 && out >= 0 && write(in, p + 1, n - 1) == (ssize_t)n - 1
	    && lseek(in, 0, SEEK_SET) == 0);
	stream_init(&s.stream, in, out);
	s.after_login = (p[0] & 1) != 0;
	play(&s, p[0] / 16);
	look_at_output(out);
	close(in);
	close(out);
	return 0;
}
