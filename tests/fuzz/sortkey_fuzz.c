/*
 * Fuzz target: COLUMN_SORT. As a header the input makes a column that can be
 * read; as a column it is refused or harmless. The first octet says which.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/imap/hashes.h"
#include "../../src/imap/sortkey.h"
#include "../../src/imap/textcheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Reads all of it, for the sanitizer. */
static void
look(const struct sortkey *k)
{
	uint64_t sum = k->id;

	for (unsigned i = 0; i < k->n_refs; i++)
		sum |= sortkey_ref(k, i);
	for (unsigned i = 0; i < KEY_END; i++)
		sum |= hash_bytes(k->text[i]);
	if (sum == 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf column = BUF_INIT(1 << 20);
	struct sortkey k;

	if (n > 0 && p[0] == 'H') {
		if (sortkey_make(bytes_make(p + 1, n - 1), &column) == -1 ||
		    column.len > SORTKEY_MAX ||
		    sortkey_read(buf_contents(&column), &k) == -1)
			abort();
		look(&k);
	} else {
		if (sortkey_read(bytes_make(p, n), &k) == 0)
			look(&k);
		textcheck_list(bytes_make(p, n));
	}
	buf_free(&column);
	return 0;
}
