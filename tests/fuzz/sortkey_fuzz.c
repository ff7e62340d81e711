/*
 * Fuzz target: COLUMN_SORT and COLUMN_TEXTS. As a header the input makes columns
 * that can be read; as a column it is refused or harmless. The first octet says which.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/imap/hashes.h"
#include "../../src/imap/sortkey.h"
#include "../../src/imap/textcheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Reads all of it, for the sanitizer. */
static void
look_at_key(const struct sortkey *k)
{
	if (k->n_refs > SORTKEY_REFERENCES_MAX)
		abort();
	for (unsigned i = 0; i < k->n_refs; i++)
		if (sortkey_ref(k, i) == 0)
			abort();
}

static void
look_at_texts(const struct sorttexts *t)
{
	for (unsigned i = 0; i < KEY_END; i++)
		if (hash_bytes(t->text[i]) == 0)
			abort();
}

/* A part is read as what it was made of, and nothing else. */
static void
look_at_part(const struct sorttexts *t, bool sorted)
{
	struct buf column = BUF_INIT(SORTKEY_MAX);
	struct sorttexts part;

	if (sorttexts_part(t, sorted, &column) == -1 ||
	    sorttexts_read(buf_contents(&column), &part) == -1 || part.cut != t->cut)
		abort();
	for (unsigned i = 0; i < KEY_END; i++)
		if (!bytes_equal(part.text[i], (i >= KEY_SORTED) == sorted ? t->text[i]
		    : (struct bytes){ 0 }))
			abort();
	buf_free(&column);
}

static void
make(struct bytes header)
{
	struct buf key = BUF_INIT(1 << 20), texts = BUF_INIT(1 << 20);
	struct sortkey k;
	struct sorttexts t;

	if (sortkey_make(header, &key, &texts) == -1 ||
	    key.len + texts.len > SORTKEY_MAX ||
	    sortkey_read(buf_contents(&key), &k) == -1 ||
	    sorttexts_read(buf_contents(&texts), &t) == -1)
		abort();
	look_at_key(&k);
	look_at_texts(&t);
	look_at_part(&t, false);
	look_at_part(&t, true);
	buf_free(&key);
	buf_free(&texts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes in = bytes_make(p, n);
	struct sortkey k;
	struct sorttexts t;

	if (n > 0 && p[0] == 'H') {
		make(bytes_from(in, 1));
		return 0;
	}
	if (sortkey_read(in, &k) == 0)
		look_at_key(&k);
	if (sorttexts_read(in, &t) == 0)
		look_at_texts(&t);
	textcheck_list(in);
	return 0;
}
