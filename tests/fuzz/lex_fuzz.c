/*
 * Fuzz target: a whole command, read by every function of lex.h in an order that
 * the input itself chooses.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
read_one(struct lex *x, unsigned which)
{
	struct bytes out = { 0 };
	struct flag_list flags;
	uint64_t number;
	int64_t seconds;
	bool nil;

	switch (which % 16) {
	case 0: lex_tag(x, &out); break;
	case 1: lex_atom(x, &out); break;
	case 2: lex_string(x, &out); break;
	case 3: lex_astring(x, &out); break;
	case 4: lex_nstring(x, &out, &nil); break;
	case 5: lex_list_mailbox(x, &out); break;
	case 6: lex_mailbox(x, &out); break;
	case 7: lex_number(x, UINT32_MAX, &number); break;
	case 8: lex_nz_number(x, UINT64_MAX, &number); break;
	case 9: lex_date(x, &seconds); break;
	case 10: lex_date_time(x, &seconds); break;
	case 11: lex_flags(x, &flags); break;
	case 12: lex_space(x); break;
	case 13: lex_char(x, (unsigned char)lex_peek(x)); break;
	case 14: lex_literal8(x, &out); break;
	default: lex_word(x, "NIL"); break;
	}
}

/* The cursor only moves forward and never past the end; failures say why. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena arena = ARENA_INIT((size_t)1 << 20);
	size_t steps = n / 4;
	struct lex x = { .rest = bytes_from(bytes_make(p, n), steps), .arena = &arena };

	x.utf8 = n > 0 && (p[0] & 0x80) != 0;
	for (size_t i = 0; i < steps; i++) {
		struct bytes before = x.rest;

		read_one(&x, p[i]);
		if (x.rest.n > before.n
		    || (x.rest.n > 0 && x.rest.p + x.rest.n != before.p + before.n))
			abort();
	}
	arena_free(&arena);
	return 0;
}
