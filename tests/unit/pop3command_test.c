/*
 * POP3 command lines.
 * Runs as: the person who builds.
 */
#include "../../src/pop3/command.h"
#include "test.h"

static const struct {
	struct bytes line;
	enum arguments rule;
	const char *wrong;		/* NULL: it is good */
	uint32_t message;
	uint64_t lines;
} cases[] = {
	{ BYTES("NOOP"), ARGS_NONE, NULL, 0, 0 },
	{ BYTES("NOOP "), ARGS_NONE, NULL, 0, 0 },
	{ BYTES("NOOP x"), ARGS_NONE, "too many arguments", 0, 0 },
	{ BYTES("RETR 1"), ARGS_MESSAGE, NULL, 1, 0 },
	{ BYTES("retr  4294967295 "), ARGS_MESSAGE, NULL, UINT32_MAX, 0 },
	{ BYTES("RETR 007"), ARGS_MESSAGE, NULL, 7, 0 },
	{ BYTES("RETR"), ARGS_MESSAGE, "an argument is missing", 0, 0 },
	{ BYTES("RETR 0"), ARGS_MESSAGE, "message numbers begin with 1", 0, 0 },
	{ BYTES("RETR -1"), ARGS_MESSAGE, "a message number was expected", 0, 0 },
	{ BYTES("RETR +1"), ARGS_MESSAGE, "a message number was expected", 0, 0 },
	{ BYTES("RETR 1x"), ARGS_MESSAGE, "a message number was expected", 0, 0 },
	{ BYTES("RETR 4294967296"), ARGS_MESSAGE, "a message number was expected",
	    0, 0 },
	{ BYTES("RETR 1 2"), ARGS_MESSAGE, "too many arguments", 1, 0 },
	{ BYTES("LIST"), ARGS_MAYBE_MESSAGE, NULL, 0, 0 },
	{ BYTES("LIST 3"), ARGS_MAYBE_MESSAGE, NULL, 3, 0 },
	{ BYTES("LIST 0"), ARGS_MAYBE_MESSAGE, "message numbers begin with 1",
	    0, 0 },
	{ BYTES("TOP 1 0"), ARGS_MESSAGE_LINES, NULL, 1, 0 },
	{ BYTES("TOP 2 99"), ARGS_MESSAGE_LINES, NULL, 2, 99 },
	{ BYTES("TOP 2"), ARGS_MESSAGE_LINES, "an argument is missing", 2, 0 },
	{ BYTES("TOP 2 x"), ARGS_MESSAGE_LINES, "a number of lines was expected",
	    2, 0 },
	{ BYTES("TOP 2 4294967296"), ARGS_MESSAGE_LINES, NULL, 2, 4294967296 },
	{ BYTES("TOP 2 18446744073709551616"), ARGS_MESSAGE_LINES, NULL, 2, UINT64_MAX },
	{ BYTES("TOP 2 18446744073709551616x"), ARGS_MESSAGE_LINES,
	    "a number of lines was expected", 2, 0 },
	{ BYTES("PASS a b c"), ARGS_ANY, NULL, 0, 0 },
};

static void
arguments_follow_the_rule(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct command c = { 0 };
		struct bytes rest;

		if (!CHECK(command_name(cases[i].line, &c.name, &rest)))
			continue;
		CHECK_EQ_TEXT(command_arguments(rest, cases[i].rule, &c),
		    cases[i].wrong);
		CHECK_EQ_INT(c.message, cases[i].message);
		CHECK_EQ_INT(c.lines, cases[i].lines);
	}
}

static void
only_printable_ascii_is_a_command(void)
{
	static const struct bytes lines[] = {
		BYTES(""), BYTES(" "), BYTES(" STAT"), BYTES("STAT\0"),
		BYTES("ST\xc3\x84T"), BYTES("LIST\t1"), BYTES("STAT\r"),
		BYTES("\x16\x03\x01"), BYTES("STAT\x7f"),
	};
	struct bytes name, rest;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		CHECK(!command_name(lines[i], &name, &rest));
	CHECK(command_name(BYTES("stat"), &name, &rest));
	CHECK_EQ_BYTES(name, BYTES("stat"));
	CHECK_EQ_INT(rest.n, 0);
}

TEST_MAIN(TEST(arguments_follow_the_rule), TEST(only_printable_ascii_is_a_command))
