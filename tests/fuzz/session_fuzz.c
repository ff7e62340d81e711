/*
 * Fuzz target: a whole IMAP session over mail in memory. The input is what a
 * client sends after login.
 * Runs as: the person who builds.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/imap/limits.h"
#include "../../src/imap/session.h"
#include "log.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char message[] =
    "From: Ann <ann@example.org>\r\nSubject: =?utf-8?q?h=C3=A4?=\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inner\r\n\r\nbody\r\n--b--\r\n";

static void
fill(struct mail *m)
{
	struct delivery *d;
	struct runs uids = RUNS_INIT;
	uint32_t validity;

	for (unsigned i = 0; i < 3; i++) {
		if (delivery_begin(m, BYTES("INBOX"), &d) < 0
		    || delivery_message(d, i, NULL, 0, 1000000 * i) < 0
		    || delivery_write(d, message, sizeof message - 1) < 0
		    || delivery_commit(d, &validity, &uids) < 0)
			abort();
	}
	runs_free(&uids);
}

/* Runs commands until the input ends; the answers go nowhere. */
static void
play(struct session *s)
{
	s->stream.write_timeout = 1000;
	s->out.out = &s->stream;
	if (mail_open(s->conf, NULL, &s->mail) < 0)
		abort();
	fill(s->mail);
	session_loop(s);
	mail_close(s->mail);
	stream_free(&s->stream);
	arena_free(&s->arena);
	buf_free(&s->command);
	runs_free(&s->saved);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct config conf = { .append_limit = 4096,
	    .imap_timeout = 10, .write_timeout = 10 };
	struct session s = {
		.conf = &conf,
		.state = STATE_AUTH,
		.arena = ARENA_INIT(COMMAND_ARENA_MAX),
		.command = BUF_INIT(LEX_COMMAND_MAX),
	};
	int in = memfd_create("input", MFD_CLOEXEC);
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_level(LOG_EMERG);
	if (in < 0 || out < 0 || write(in, p, n) != (ssize_t)n
	    || lseek(in, 0, SEEK_SET) != 0)
		abort();
	stream_init(&s.stream, in, out);
	play(&s);
	close(in);
	close(out);
	return 0;
}
