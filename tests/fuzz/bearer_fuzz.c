/*
 * Fuzz target: messages with bearer tokens. A token is a part of the message; a
 * message made of what was read says the same.
 * Runs as: the person who builds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../src/verify/bearer.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
put_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name == ',' || *name == '=')
			(void)buf_printf(out, "=%02X", (unsigned)*name);
		else
			(void)buf_byte(out, (unsigned char)*name);
}

static void
print(struct buf *out, const struct bearer *b, bool xoauth2)
{
	if (xoauth2) {
		(void)buf_printf(out, "user=%s", b->name);
	} else {
		(void)buf_text(out, b->name[0] != '\0' ? "n,a=" : "n,");
		put_name(out, b->name);
		(void)buf_byte(out, ',');
	}
	(void)buf_text(out, "\1auth=");
	if (b->token.n > 0)
		(void)buf_text(out, "Bearer ");
	(void)buf_bytes(out, b->token);
	(void)buf_text(out, "\1\1");
}

static void
check(struct bytes message, bool xoauth2)
{
	struct buf again = BUF_INIT(1 << 20);
	struct bearer b, c;

	if (bearer_parse(message, xoauth2, &b) < 0)
		return;
	if (strlen(b.name) > BEARER_NAME_MAX || !utf8_valid(bytes_of(b.name))
	    || (b.token.n > 0 && (b.token.p < message.p
	    || b.token.p + b.token.n > message.p + message.n)))
		abort();
	print(&again, &b, xoauth2);
	if (bearer_parse(buf_contents(&again), xoauth2, &c) < 0
	    || strcmp(b.name, c.name) != 0 || !bytes_equal(b.token, c.token))
		abort();
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	check(bytes_make(p, n), false);
	check(bytes_make(p, n), true);
	return 0;
}
