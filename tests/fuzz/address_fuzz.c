/*
 * Fuzz target: an address list, whose parts are no longer than the list and
 * whose groups are balanced.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "address.h"

static void
require(bool held)
{
	if (!held)
		abort();
}

static void
sound(struct bytes part)
{
	require(bytes_find(part, '\0') < 0);
	require(bytes_find(part, '\r') < 0 && bytes_find(part, '\n') < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf key = BUF_INIT(16 * n + 1000);
	struct addresses a;
	struct address one;
	bool in_group = false;
	size_t total = 0;
	int rc;

	addresses_begin(&a, bytes_make(p, n));
	while ((rc = addresses_next(&a, &one)) > 0) {
		require(in_group == (one.kind == ADDRESS_GROUP_END) ||
		    one.kind == ADDRESS_MAILBOX);
		if (one.kind != ADDRESS_MAILBOX)
			in_group = one.kind == ADDRESS_GROUP;
		sound(one.name);
		sound(one.route);
		sound(one.mailbox);
		sound(one.host);
		total += one.name.n + one.route.n + one.mailbox.n + one.host.n;
	}
	require(rc == 0 && !in_group && total <= 2 * n);
	addresses_end(&a);
	require(address_sort_mailbox(bytes_make(p, n), &key) >= 0);
	require(address_sort_display(bytes_make(p, n), &key) >= 0);
	buf_free(&key);
	return 0;
}
