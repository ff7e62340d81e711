/*
 * Counted bytes: comparing, splitting, numbers.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "test.h"

static void
folds_ascii_only(void)
{
	CHECK(bytes_case_equal(BYTES("InBoX"), BYTES("INBOX")));
	CHECK(!bytes_case_equal(BYTES("\xe4"), BYTES("\xc4")));
	CHECK(bytes_case_starts(BYTES("Body.Peek"), BYTES("BODY")));
	CHECK(!bytes_case_starts(BYTES("BOD"), BYTES("BODY")));
}

static void
orders_prefixes_first(void)
{
	CHECK(bytes_compare(BYTES("a"), BYTES("ab")) < 0);
	CHECK(bytes_compare(BYTES("b"), BYTES("ab")) > 0);
	CHECK(bytes_compare(bytes_make(NULL, 0), bytes_make(NULL, 0)) == 0);
}

static void
splits_and_trims(void)
{
	struct bytes rest = BYTES("a,,b");

	CHECK_EQ_BYTES(bytes_split(&rest, ','), BYTES("a"));
	CHECK_EQ_BYTES(bytes_split(&rest, ','), BYTES(""));
	CHECK_EQ_BYTES(bytes_split(&rest, ','), BYTES("b"));
	CHECK_EQ_INT(rest.n, 0);
	CHECK_EQ_BYTES(bytes_trim(BYTES(" \t a b\r\n")), BYTES("a b"));
	CHECK_EQ_BYTES(bytes_trim(BYTES(" \t")), BYTES(""));
	CHECK_EQ_BYTES(bytes_from(BYTES("abc"), 7), BYTES(""));
}

static void
numbers_keep_their_limit(void)
{
	static const struct {
		const char *text;
		uint64_t max;
		int error;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0, 0 },
		{ "4294967295", UINT32_MAX, 0, UINT32_MAX },
		{ "4294967296", UINT32_MAX, ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, ERANGE, 0 },
		{ "7", 5, ERANGE, 0 },
		{ "", 5, EINVAL, 0 },
		{ "+1", 5, EINVAL, 0 },
		{ "1 ", 5, EINVAL, 0 },
		{ "007", 9, 0, 7 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t v = 0;
		int r;

		errno = 0;
		r = bytes_number(bytes_of(rows[i].text), rows[i].max, &v);
		CHECK_EQ_INT(r, rows[i].error == 0 ? 0 : -1);
		CHECK_EQ_INT(errno, rows[i].error);
		CHECK(v == rows[i].value);
	}
}

TEST_MAIN(
	TEST(folds_ascii_only),
	TEST(orders_prefixes_first),
	TEST(splits_and_trims),
	TEST(numbers_keep_their_limit)
)
