/*
 * Fuzz target: a user's file of app passwords. Every field is inside the text
 * and what it promises to be; a line that was accepted is so alone, too; and
 * nothing matches a secret whose key is not there.
 * Runs as: the person who builds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "apppass.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Of the line; an empty field is nowhere. */
static const unsigned char *
end(const struct apppass *a)
{
	return a->used.n > 0 ? a->used.p + a->used.n : a->key.p + a->key.n;
}

static void
check(struct bytes line, const struct apppass *a)
{
	struct apppass again;
	struct bytes text = line;

	if (a->name.p < line.p || end(a) > line.p + line.n
	    || a->key.n != APPPASS_KEY || a->services == 0
	    || !apppass_name(a->name) || bytes_find(a->used, '\n') >= 0)
		abort();
	if (apppass_next(&text, &again) != 1 || !bytes_equal(again.key, a->key))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct netaddr from = { AF_INET, { 192, 0, 2, 1 }, 0 };
	struct bytes text = bytes_make(p, n);
	struct apppass_try t = { .secret = BYTES("abcd-efgh-ijkm-npqr-stuv-wxyz"),
	    .service = APPPASS_IMAP, .from = &from, .today = "2026-11-28" };
	struct apppass a;
	int r;

	if (apppass_match(text, &t, &a) && (a.services & APPPASS_IMAP) == 0)
		abort();
	(void)apppass_main_barred(text);
	(void)apppass_day(text);
	while ((r = apppass_next(&text, &a)) != 0)
		if (r > 0)
			check(bytes_make(a.name.p, (size_t)(end(&a) - a.name.p)), &a);
	return 0;
}
