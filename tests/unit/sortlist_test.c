/*
 * Sorting by criteria (RFC 5256 section 3).
 * Runs as: the person who builds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../src/imap/sortlist.h"
#include "buf.h"
#include "test.h"

static struct arena arena = { .max = 1 << 20 };
static struct sort_program program;

static int
parse(const char *text)
{
	struct lex x = { .rest = bytes_of(text), .arena = &arena };

	return sort_parse(&x, &program) == 0 ? lex_end(&x) : -1;
}

static void
criteria(void)
{
	CHECK(parse("(SUBJECT REVERSE DATE)") == 0 && program.n == 2);
	CHECK(program.v[0].key == SORT_SUBJECT && !program.v[0].reverse);
	CHECK(program.v[1].key == SORT_DATE && program.v[1].reverse);
	CHECK(program.sent && program.texts && program.dates && !program.size);
	CHECK(parse("(ARRIVAL)") == 0 && program.dates && !program.sent && !program.texts);
	CHECK(parse("(size displayfrom displayto cc to from)") == 0 && program.size);
	CHECK(parse("()") == -1);
	CHECK(parse("(REVERSE)") == -1);
	CHECK(parse("(REVERSE REVERSE DATE)") == -1);
	CHECK(parse("(SUBJECTS)") == -1);
	CHECK(parse("(DATE") == -1);
	CHECK(parse("DATE") == -1);
}

static void
too_many_criteria(void)
{
	struct buf b = BUF_INIT(4096);

	buf_text(&b, "(DATE");
	for (int i = 1; i < SORT_CRITERIA_MAX; i++)
		buf_text(&b, " DATE");
	buf_text(&b, ")");
	CHECK(parse(buf_string(&b)) == 0);
	b.len--;
	buf_text(&b, " DATE)");
	CHECK(parse(buf_string(&b)) == -1);
	buf_free(&b);
}

/* Sorts messages with a number and a text each; the order as digits. */
static const char *
order(const char *sort, const int64_t *numbers, const char *const *texts, size_t n)
{
	static char out[32];
	struct sort_list l = SORT_LIST(&program);
	uint32_t *o;

	if (parse(sort) == -1)
		return "bad";
	for (size_t i = 0; i < n; i++) {
		struct sort_message m = { (uint32_t)i + 1, (uint32_t)i + 1, 1 };
		uint64_t *v = sort_add(&l, &m);

		for (size_t k = 0; k < program.n; k++)
			if (program.v[k].key < SORT_CC)
				sort_number(&v[k], numbers[i]);
			else
				sort_text(&l, &v[k], bytes_of(texts[i]));
	}
	o = sort_order(&l);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('1' + o[i]);
	out[n] = '\0';
	free(o);
	sort_free(&l);
	return out;
}

static void
orders(void)
{
	static const int64_t n[] = { 5, -3, 5, 0, 7 };
	static const char *const t[] = { "ABCDEFGHIJ", "", "ABCDEFGHI", "B", "ABCDEFGHIJ" };

	CHECK_EQ_TEXT(order("(DATE)", n, t, 5), "24135");
	CHECK_EQ_TEXT(order("(REVERSE DATE)", n, t, 5), "51342");
	CHECK_EQ_TEXT(order("(SUBJECT)", n, t, 5), "23154");
	CHECK_EQ_TEXT(order("(REVERSE SUBJECT)", n, t, 5), "41532");
	CHECK_EQ_TEXT(order("(SUBJECT REVERSE DATE)", n, t, 5), "23514");
	CHECK_EQ_TEXT(order("(DATE SUBJECT)", n, t, 5), "24315");
	CHECK_EQ_TEXT(order("(DATE)", n, t, 0), "");
}

/* Messages with texts that many share, and with ones that nobody does. */
#define MANY 9000

struct mail {
	char text[32];
	int64_t number;
	uint32_t index;
};

static int
by_text_then_number_backwards(const void *a, const void *b)
{
	const struct mail *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	if (r == 0)
		r = (x->number < y->number) - (x->number > y->number);
	return r != 0 ? r : (x->index > y->index) - (x->index < y->index);
}

static void
write_texts(struct mail *v, size_t n, long kinds)
{
	static const char *const begin[] = { "", "release", "release notes, part " };

	for (size_t i = 0; i < n; i++) {
		long kind = random() % kinds;

		snprintf(v[i].text, sizeof v[i].text, "%s%lx", begin[kind % 3], kind / 3);
		v[i].number = random() % 50 - 25;
		v[i].index = (uint32_t)i;
	}
}

static void
sorts_as_qsort(void)
{
	static struct mail v[MANY];
	static const long kinds[] = { 1, 40, 3000, 1000000 };

	CHECK(parse("(SUBJECT REVERSE DATE)") == 0);
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct sort_list l = SORT_LIST(&program);
		uint32_t *got;

		write_texts(v, MANY, kinds[k]);
		for (size_t i = 0; i < MANY; i++) {
			uint64_t *value = sort_add(&l, &(struct sort_message){ .uid = 1 });

			CHECK(sort_text(&l, &value[0], bytes_of(v[i].text)) == 0);
			sort_number(&value[1], v[i].number);
		}
		CHECK(kinds[k] > 40 || l.n_texts == (size_t)kinds[k]);
		got = sort_order(&l);
		qsort(v, MANY, sizeof *v, by_text_then_number_backwards);
		for (size_t i = 0; i < MANY; i++)
			if (!CHECK(got[i] == v[i].index))
				break;
		free(got);
		sort_free(&l);
	}
}

TEST_MAIN(TEST(criteria), TEST(too_many_criteria), TEST(orders), TEST(sorts_as_qsort))
