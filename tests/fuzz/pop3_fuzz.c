/*
 * Fuzz target: a POP3 command line under every rule, and a message on its way
 * out in two pieces.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/pop3/body.h"
#include "../../src/pop3/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* body.c also sends; nothing is sent here. */
ssize_t
message_read(const struct message *msg, uint64_t offset, void *p, size_t n)
{
	(void)msg;
	(void)offset;
	(void)p;
	(void)n;
	return -1;
}

static void
require(bool held)
{
	if (!held)
		abort();
}

static void
command(struct bytes line)
{
	struct bytes name, rest;

	if (!command_name(line, &name, &rest))
		return;
	require(name.n > 0 && name.n + rest.n <= line.n);
	for (enum arguments rule = ARGS_NONE; rule <= ARGS_ANY; rule++) {
		struct command c = { .name = name };
		const char *wrong = command_arguments(rest, rule, &c);

		if (rule == ARGS_MESSAGE || rule == ARGS_MESSAGE_LINES)
			require(wrong != NULL || c.message > 0);
		require(c.word.n <= line.n);
	}
}

/* What a client makes of an answer: unstuffed lines up to the dot. */
static size_t
unstuff(struct bytes wire, unsigned char *out)
{
	size_t n = 0;

	for (;;) {
		ssize_t end = bytes_find(wire, '\n');
		struct bytes line;

		require(end > 0 && wire.p[end - 1] == '\r');
		line = bytes_first(wire, (size_t)end + 1);
		wire = bytes_from(wire, (size_t)end + 1);
		if (bytes_equal(line, BYTES(".\r\n"))) {
			require(wire.n == 0);
			return n;
		}
		if (line.p[0] == '.')
			line = bytes_from(line, 1);
		memcpy(out + n, line.p, line.n);
		n += line.n;
	}
}

/* The client gets what crlf_convert() makes, and an end for the last line. */
static void
message(struct bytes m, size_t cut)
{
	unsigned char *wire = malloc(2 * m.n + 8), *got = malloc(2 * m.n + 8);
	unsigned char *want = malloc(2 * m.n + 8);
	struct stuffing s = { 0 };
	struct crlf plain = { 0 };
	size_t n, w;

	require(wire != NULL && got != NULL && want != NULL);
	n = crlf_stuff(&s.crlf, &s.inside, bytes_first(m, cut), wire);
	n += crlf_stuff(&s.crlf, &s.inside, bytes_from(m, cut), wire + n);
	n += stuff_end(&s, wire + n);
	n = unstuff(bytes_make(wire, n), got);
	w = crlf_convert(&plain, m, want);
	if (w > 0 && want[w - 1] != '\n') {
		memcpy(want + w, "\r\n", 2);
		w += 2;
	}
	require(n == w && memcmp(got, want, n) == 0);
	free(wire);
	free(got);
	free(want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes rest, b = { p, n };

	if (n == 0)
		return 0;
	message(bytes_from(b, 1), p[0] % n);
	rest = b;
	while (rest.n > 0)
		command(bytes_split(&rest, '\n'));
	return 0;
}
