/*
 * IMAP URLs: whatever comes, what is taken is a message's, in clean text.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "imapurl.h"
#include "utf8.h"

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static bool
clean(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] == 0x7f)
			return false;
	return utf8_valid(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = ARENA_INIT(1 << 20);
	struct imapurl u;

	if (imapurl_parse(bytes_make(data, n), &a, &u) == 0) {
		must(u.uid > 0 && u.mailbox.n > 0 && clean(u.mailbox));
		must(clean(u.section));
		must(u.partial || (u.first == 0 && u.count == 0));
	}
	arena_free(&a);
	return 0;
}
