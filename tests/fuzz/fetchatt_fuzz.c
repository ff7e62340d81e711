/*
 * Fuzz target: FETCH's items and modifiers. What was read is called by its
 * labels in the response; these must be readable again and give the same labels.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "../../src/imap/fetch_program.h"
#include "buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The labels as an item list; a partial gets a count again. */
static void
print(const struct fetch_program *p, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct fetch_item *item = &p->item[i];
		struct bytes label = item->label;

		buf_byte(out, i == 0 ? '(' : ' ');
		if (item->partial) {
			buf_add(out, label.p, label.n - 1);
			buf_printf(out, ".%llu>", (unsigned long long)item->count);
		} else
			buf_bytes(out, label);
	}
	buf_byte(out, ')');
}

static void
check_again(const struct fetch_program *p, struct arena *arena)
{
	struct buf first = BUF_INIT(8 << 20), second = BUF_INIT(8 << 20);
	struct fetch_program again;
	struct lex x;

	print(p, &first);
	x = (struct lex){ .rest = buf_contents(&first), .arena = arena };
	if (fetch_parse(&x, &again) == -1 || lex_end(&x) == -1 || again.n != p->n)
		abort();
	print(&again, &second);
	if (!bytes_equal(buf_contents(&first), buf_contents(&second)))
		abort();
	buf_free(&first);
	buf_free(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena arena = ARENA_INIT(64 << 20);
	struct lex x = { .rest = bytes_make(p, n), .arena = &arena };
	struct fetch_modifiers m;
	struct fetch_program program;
	uint64_t first, last;

	if (fetch_parse(&x, &program) == 0) {
		check_again(&program, &arena);
		if (fetch_parse_modifiers(&x, &m) == 0 && m.partial &&
		    partial_range_cut(&m.range, 10, &first, &last) &&
		    (first < 1 || last < first || last > 10))
			abort();
	}
	arena_free(&arena);
	return 0;
}
