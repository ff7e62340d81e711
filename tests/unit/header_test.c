/*
 * Header fields, right ones and what else is found in mail.
 * Runs as: the person who builds.
 */
#include "header.h"
#include "test.h"

/* Prints fields as name=value; a field without a name as =value. */
static const char *
listed(struct bytes block)
{
	static struct buf out = { .max = 4096 };
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field f;

	buf_clear(&out);
	while (header_next(&c, &f)) {
		CHECK(f.whole.p == block.p + f.offset);
		buf_bytes(&out, f.name);
		buf_byte(&out, '=');
		header_unfold(f.value, &out);
		buf_byte(&out, '|');
	}
	return buf_string(&out);
}

static void
fields(void)
{
	static const struct { struct bytes in; const char *out; } cases[] = {
		{ BYTES(""), "" },
		{ BYTES("\nbody: x\n"), "" },
		{ BYTES("\r\nbody: x\r\n"), "" },
		{ BYTES("A: 1\nB:2\n\nC: 3\n"), "A=1|B=2|" },
		{ BYTES("A: 1\r\nB:2\r\n\r\nC: 3\r\n"), "A=1|B=2|" },
		{ BYTES("A: 1\n 2\n\t3\nB: 4"), "A=1 2\t3|B=4|" },
		{ BYTES("A: 1\r\n  2\r\nB:\r\n 4\r\n"), "A=1  2|B=4|" },
		{ BYTES("A : 1\n"), "A=1|" },
		{ BYTES("A\t: 1\n"), "A=1|" },
		{ BYTES("A:\n"), "A=|" },
		{ BYTES("From someone Sat Jan  1 00:00:00 2022\nA: 1\n"),
		  "=From someone Sat Jan  1 00:00:00 2022|A=1|" },
		{ BYTES(">From x y\nno colon here\n: no name\nA: 1\n"),
		  "=>From x y|=no colon here|=: no name|A=1|" },
		{ BYTES(" folded first\nA: 1\n"), "=folded first|A=1|" },
		{ BYTES("A: a\0b\n"), "A=ab|" },
		{ BYTES("A: a\rb\n"), "A=a\rb|" },
		{ BYTES("A: 1\n \nB: 2\n"), "A=1|B=2|" },
		{ BYTES("A"), "=A|" },
		{ BYTES("A:"), "A=|" },
		{ BYTES("caf\xe9: x\n"), "caf\xe9=x|" },
		{ BYTES("\r"), "=|" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CHECK_EQ_TEXT(listed(cases[i].in), cases[i].out);
}

static void
finds_by_name(void)
{
	struct bytes block = BYTES("To: a\nSUBJECT: first\nSubject: second\n\n"
	    "X: y\n");
	struct header_cursor c = HEADER_CURSOR(block);
	struct header_field f;
	struct bytes v;

	CHECK(header_find(block, "subject", &v));
	CHECK_EQ_BYTES(bytes_trim(v), BYTES("first"));
	CHECK(!header_find(block, "Sub", &v));
	CHECK(!header_find(block, "X", &v));
	CHECK(header_next_named(&c, BYTES("Subject"), &f));
	CHECK(header_next_named(&c, BYTES("Subject"), &f));
	CHECK_EQ_BYTES(f.whole, BYTES("Subject: second\n"));
	CHECK(!header_next_named(&c, BYTES("Subject"), &f));
}

static void
lengths(void)
{
	bool complete;

	CHECK_EQ_INT(header_length(BYTES("A: 1\n\nx"), &complete), 6);
	CHECK(complete);
	CHECK_EQ_INT(header_length(BYTES("A: 1\r\n\r\nx"), NULL), 8);
	CHECK_EQ_INT(header_length(BYTES("A: 1\n"), &complete), 5);
	CHECK(!complete);
	CHECK_EQ_INT(header_length(BYTES("\nx"), &complete), 1);
	CHECK(complete);
	CHECK_EQ_INT(header_length(BYTES("A: 1\r\n\r"), &complete), 7);
	CHECK(!complete);
}

TEST_MAIN(TEST(fields), TEST(finds_by_name), TEST(lengths))
