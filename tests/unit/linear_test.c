/*
 * Time goes by the length of the input, whatever the input: four times as much
 * of the worst takes about four times as long, and never sixteen.
 * Runs as: the person who builds.
 */
#include <stdlib.h>
#include <time.h>

#include "address.h"
#include "date.h"
#include "header.h"
#include "imaptext.h"
#include "param.h"
#include "subject.h"
#include "test.h"
#include "text.h"
#include "words.h"

#define SMALL ((size_t)64 << 10)
#define LARGE (4 * SMALL)
#define RATIO_MAX 9		/* 4 when linear, 16 when quadratic */
#ifdef __SANITIZE_ADDRESS__		/* everything is slower, and unevenly */
#define NOISE_NS 20000000
#else
#define NOISE_NS 3000000	/* less time than this proves nothing */
#endif
#define TRIES 3

struct worst {
	void (*run)(struct bytes);
	const char *first, *repeated;
};

static struct buf out = { .max = (size_t)256 << 20 };

static void
run_addresses(struct bytes in)
{
	struct addresses a;
	struct address one;

	addresses_begin(&a, in);
	while (addresses_next(&a, &one) > 0)
		;
	addresses_end(&a);
}

static void
run_words(struct bytes in)
{
	CHECK_EQ_INT(words_decode(in, &out), 0);
}

static void
run_subject(struct bytes in)
{
	CHECK_EQ_INT(subject_base(in, &out, NULL), 0);
}

static void
run_ids(struct bytes in)
{
	while (msgid_next(&in, &out) > 0)
		;
}

static void
run_date(struct bytes in)
{
	struct mail_date d;

	date_parse(in, &d);
}

static void
run_content(struct bytes in)
{
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct content c;

	CHECK_EQ_INT(content_parse(in, &a, &c), 0);
	arena_free(&a);
}

static void
run_envelope(struct bytes in)
{
	CHECK_EQ_INT(imaptext_envelope(in, 0, &out), 0);
}

static void
run_message(struct bytes in)
{
	struct mime_parser *p = mime_begin();
	struct mime_tree t;

	if (!CHECK(p != NULL))
		return;
	CHECK_EQ_INT(mime_push(p, in), 0);
	CHECK_EQ_INT(mime_end(p, &t), 0);
	CHECK_EQ_INT(imaptext_bodystructure(&t, 0, &out), 0);
	mime_tree_free(&t);
}

static void
run_preview(struct bytes in)
{
	struct mime_part p = { .kind = MIME_TEXT, .flags = MIME_HTML };
	struct preview v;
	struct bytes text;

	preview_begin(&v, &p);
	CHECK_EQ_INT(preview_push(&v, in), 0);
	CHECK_EQ_INT(preview_end(&v, &text), 0);
	preview_free(&v);
}

static void
run_search(struct bytes in)
{
	struct mime_part p = { .kind = MIME_TEXT,
	    .encoding = ENCODING_QUOTED_PRINTABLE };
	struct buf needle = BUF_INIT(LARGE);
	struct text_search s;
	struct matcher m;

	for (size_t i = 0; i < 1000; i++)
		buf_byte(&needle, 'A');
	buf_byte(&needle, 'B');
	matcher_begin(&m, buf_contents(&needle));
	text_search_begin(&s, &p, &m, 1);
	for (; in.n > 0; in = bytes_from(in, 4096))
		CHECK(text_search_push(&s, bytes_first(in, 4096)) >= 0);
	CHECK(text_search_end(&s) >= 0);
	matcher_end(&m);
	buf_free(&needle);
}

#define MULTIPART "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct worst worsts[] = {
	{ run_addresses, "", "(" }, { run_addresses, "", "\"" },
	{ run_addresses, "", "<" }, { run_addresses, "", "@" },
	{ run_addresses, "", "[" }, { run_addresses, "a@", "[" },
	{ run_addresses, "", ":" }, { run_addresses, "", "\\" },
	{ run_addresses, "", "=?" }, { run_addresses, "", "=?a?q?" },
	{ run_addresses, "", "=?a?q?b?= " }, { run_addresses, "", "a, " },
	{ run_addresses, "", "a:;" }, { run_addresses, "", "<a@b>" },
	{ run_addresses, "<", "@a," }, { run_addresses, "", "\"\\" },
	{ run_addresses, "", " . " }, { run_addresses, "(", "\"" },
	{ run_addresses, "", "<(" }, { run_addresses, "", "()" },
	{ run_words, "", "=?" }, { run_words, "", "=?a?q?" },
	{ run_words, "", "=?a?q?b?= " }, { run_words, "", "= " },
	{ run_words, "", "=?utf-8?b?YQ==?=" }, { run_words, "", "\xe9" },
	{ run_words, "", "=?a?q?b?= x " }, { run_words, "", "\r\n " },
	{ run_subject, "", "[" }, { run_subject, "", "re:" },
	{ run_subject, "", "[a]" }, { run_subject, "", "[fwd:" },
	{ run_subject, "", "(fwd)" }, { run_subject, "", "re[" },
	{ run_subject, "", "re [" }, { run_subject, "x", " " },
	{ run_ids, "", "<" }, { run_ids, "", "\"" }, { run_ids, "", "(" },
	{ run_ids, "", "<a@b>" }, { run_ids, "", "<\"" }, { run_ids, "", "<a" },
	{ run_date, "", "(" }, { run_date, "", "1 " }, { run_date, "", "Jan " },
	{ run_date, "", ";" }, { run_date, "", "-" },
	{ run_content, "", ";" }, { run_content, "", "a=b;" },
	{ run_content, "", "a*0=;" }, { run_content, "", "\"" },
	{ run_content, "", "(" }, { run_content, "", "a=\"" },
	{ run_content, "a=", " b" }, { run_content, "a=", " (" },
	{ run_content, "a=", " " }, { run_content, "a/b;", "=" },
	{ run_content, "", "a" }, { run_content, "a/b;a=\"", "\\" },
	{ run_envelope, "", "\n " }, { run_envelope, "", "To: a\n" },
	{ run_envelope, "", "From: x:a\n" }, { run_envelope, "", "Subject: \n" },
	{ run_envelope, "", ":" }, { run_envelope, "", "Cc: \"\n" },
	{ run_envelope, "Subject: ", "\"" }, { run_envelope, "", "x: y\n" },
	{ run_message, "", "-" }, { run_message, "", "\n" },
	{ run_message, MULTIPART, "-" }, { run_message, MULTIPART, "\n" },
	{ run_message, MULTIPART, "\n--" }, { run_message, MULTIPART, "\n-" },
	{ run_message, MULTIPART, "--b\n" }, { run_message, MULTIPART, "--b\n\n" },
	{ run_message, MULTIPART, "--b--\n" }, { run_message, MULTIPART, "--bb\n" },
	{ run_message, "", MULTIPART "--b\n" },
	{ run_message, "", "Content-Type: message/rfc822\n\n" },
	{ run_message, MULTIPART, "--b\nContent-Type: message/rfc822\n\n" },
	{ run_message, MULTIPART, "--b\nTo: a\n\n" },
	{ run_message, "", "Content-Type: a/b; c=d\n" },
	{ run_preview, "", "<" }, { run_preview, "", "&" },
	{ run_preview, "", "<!--" }, { run_preview, "<script>", "</" },
	{ run_preview, "", "<a b='" }, { run_preview, "", " " },
	{ run_search, "", "a" }, { run_search, "", "=" },
	{ run_search, "", " " }, { run_search, "", "=\n" },
};

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t
best_time(const struct worst *w, struct bytes in)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		int64_t begun;

		buf_clear(&out);
		begun = cpu_ns();
		w->run(in);
		begun = cpu_ns() - begun;
		best = begun < best ? begun : best;
	}
	return best;
}

static void
check_worst(const struct worst *w)
{
	struct buf in = BUF_INIT(2 * LARGE);
	int64_t small, large;

	buf_text(&in, w->first);
	while (in.len < LARGE)
		buf_text(&in, w->repeated);
	small = best_time(w, bytes_first(buf_contents(&in), SMALL));
	large = best_time(w, buf_contents(&in));
	if (!CHECK(large < NOISE_NS || large < RATIO_MAX * small)) {
		printf("#   %jd us, then %jd us\n", (intmax_t)small / 1000,
		    (intmax_t)large / 1000);
		test_show("first", bytes_of(w->first));
		test_show("repeated", bytes_of(w->repeated));
	}
	buf_free(&in);
}

static void
doubling(void)
{
	for (size_t i = 0; i < sizeof worsts / sizeof worsts[0]; i++)
		check_worst(&worsts[i]);
	buf_free(&out);
}

TEST_MAIN(TEST(doubling))
