/*
 * Fuzz target: the client's messages of SCRAM. What is accepted can be put
 * together again from its parts.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "sasl.h"
#include "scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
within(struct bytes part, struct bytes whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_first(struct bytes m, unsigned char *room)
{
	struct scram_first f;

	if (scram_first(m, room, &f) < 0)
		return;
	if (f.header.p != m.p || f.bare.p != m.p + f.header.n
	    || f.header.n + f.bare.n != m.n || f.header.p[f.header.n - 1] != ','
	    || f.flag != m.p[0] || !within(f.nonce, f.bare) || f.nonce.n == 0
	    || bytes_find(f.nonce, ',') >= 0 || !within(f.binding, f.header)
	    || (f.flag == 'p') != (f.binding.n > 0) || f.user.n == 0
	    || !within(f.user, bytes_make(room, m.n))
	    || !within(f.authzid, bytes_make(room, m.n))
	    || f.user.n + f.authzid.n >= m.n)
		abort();
}

static void
check_final(struct bytes m)
{
	struct scram_final f;

	if (scram_final(m, &f) < 0)
		return;
	if (f.behind.p != m.p + 2 + f.binding.n || f.behind.p[0] != ','
	    || 2 + f.binding.n + f.behind.n + 3 + f.proof.n != m.n
	    || bytes_find(f.proof, ',') >= 0 || bytes_find(f.binding, ',') >= 0
	    || !within(f.nonce, f.behind) || f.nonce.n == 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned char *copy = malloc(n + 1), *room = malloc(n + 1);
	struct sasl_digest d;
	struct bytes m;

	if (copy == NULL || room == NULL)
		abort();
	if (n > 0)
		memcpy(copy, p, n);
	m = bytes_make(copy, n);
	check_first(m, room);
	check_final(m);
	if (sasl_digest(m, &d) == 0 && (d.user.n == 0 || d.user.n + 33 != n))
		abort();
	free(copy);
	free(room);
	return 0;
}
