/*
 * The harness of the unit tests: a table of functions, one TAP line for each.
 * Runs as: the person who builds.
 *
 *	static void empty_set(void) { ... CHECK(runs_first(&s) == 0); ... }
 *	TEST_MAIN(TEST(empty_set), TEST(other))
 *
 * A CHECK that fails prints a diagnostic, fails its test and goes on; it is an
 * expression, so that a test may end itself: if (!CHECK(p != NULL)) return;
 */
#ifndef TEST_H
#define TEST_H

#include <inttypes.h>
#include <stdio.h>

#include "bytes.h"

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(function) { #function, function }

static unsigned test_failures;		/* of the test that runs now */
static const char *test_skipped;	/* why, or NULL */

static inline bool
test_check(bool good, const char *file, int line, const char *what)
{
	if (!good) {
		test_failures++;
		printf("# %s:%d: %s\n", file, line, what);
	}
	return good;
}

static inline bool
test_int(intmax_t got, intmax_t want, const char *file, int line, const char *what)
{
	if (!test_check(got == want, file, line, what))
		printf("#   got %jd, want %jd\n", got, want);
	return got == want;
}

static inline void
test_show(const char *label, struct bytes b)
{
	printf("#   %s \"", label);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= ' ' && b.p[i] < 0x7f && b.p[i] != '\\')
			putchar(b.p[i]);
		else
			printf("\\x%02x", b.p[i]);
	printf("\" (%zu bytes)\n", b.n);
}

static inline bool
test_bytes(struct bytes got, struct bytes want, const char *file, int line,
    const char *what)
{
	bool good = test_check(bytes_equal(got, want), file, line, what);

	if (!good) {
		test_show("got ", got);
		test_show("want", want);
	}
	return good;
}

static inline bool
test_text(const char *got, const char *want, const char *file, int line,
    const char *what)
{
	if (got == NULL || want == NULL)
		return test_check(got == want, file, line, what);
	return test_bytes(bytes_of(got), bytes_of(want), file, line, what);
}

#define CHECK(condition) \
	test_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ_INT(got, want) \
	test_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, \
	    #got " == " #want)
#define CHECK_EQ_TEXT(got, want) \
	test_text((got), (want), __FILE__, __LINE__, #got " == " #want)
#define CHECK_EQ_BYTES(got, want) \
	test_bytes((got), (want), __FILE__, __LINE__, #got " == " #want)

/* The running test could not be tried here; it should return at once. */
static inline void
test_skip(const char *why)
{
	test_skipped = why;
}

static inline int
test_main(const struct test *tests, size_t n)
{
	unsigned failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		test_failures = 0;
		test_skipped = NULL;
		tests[i].run();
		failed += test_failures > 0;
		printf("%sok %zu - %s%s%s\n", test_failures > 0 ? "not " : "",
		    i + 1, tests[i].name, test_skipped != NULL ? " # SKIP " : "",
		    test_skipped != NULL ? test_skipped : "");
	}
	return failed > 0;
}

#define TEST_MAIN(...) \
int \
main(void) \
{ \
	static const struct test tests[] = { __VA_ARGS__ }; \
\
	return test_main(tests, sizeof tests / sizeof tests[0]); \
}

#endif
