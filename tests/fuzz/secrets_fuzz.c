/*
 * Fuzz target: lines of the secrets file. What is accepted prints as a line
 * that says the same.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct secret *s)
{
	struct buf line = BUF_INIT(1 << 20);
	struct secret again;
	struct bytes text;

	if (secrets_print(s, &line) < 0)
		abort();
	text = buf_contents(&line);
	if (secrets_next(&text, &again) != 1 || text.n != 0
	    || !bytes_equal(again.user, s->user) || again.kind != s->kind
	    || again.iterations != s->iterations || again.salt_n != s->salt_n
	    || memcmp(again.salt, s->salt, sizeof s->salt) != 0
	    || memcmp(again.stored, s->stored, sizeof s->stored) != 0
	    || memcmp(again.server, s->server, sizeof s->server) != 0
	    || again.value_n != s->value_n
	    || memcmp(again.value, s->value, sizeof s->value) != 0)
		abort();
	buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes text = bytes_make(p, n);
	struct secret s;
	int r;

	while ((r = secrets_next(&text, &s)) != 0)
		if (r > 0)
			check(&s);
	return 0;
}
