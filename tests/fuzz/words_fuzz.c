/*
 * Fuzz target: encoded words, transfer encodings, character sets, folding and
 * searching, in two pieces and in one. The first two bytes choose encoding,
 * character set and the place of the cut; a line is the needle.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "param.h"
#include "text.h"
#include "words.h"

static const char *const charsets[] = {
	"", "utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "utf-7", "utf-16",
	"iso-2022-jp", "gb2312", "big5", "euc-kr", "koi8-r", "x-nonsense",
};

static void
require(bool held)
{
	if (!held)
		abort();
}

static void
words(struct bytes in)
{
	struct buf out = BUF_INIT((size_t)64 << 20), again = BUF_INIT((size_t)64 << 20);

	require(words_decode(in, &out) == 0);
	require(utf8_valid(buf_contents(&out)));
	require(bytes_find(buf_contents(&out), '\0') < 0);
	require(words_encoded(in) <= in.n);
	require(fold_text(buf_contents(&out), &again) == 0);
	require(utf8_valid(buf_contents(&again)));
	buf_free(&out);
	buf_free(&again);
}

static void
put_all(struct text *t, struct bytes in, struct buf *out)
{
	struct bytes got;

	require(text_push(t, in, &got) == 0);
	require(buf_bytes(out, got) == 0);
}

/* iconv(3) goes a byte too far at some illegal sequences, where they are whole. */
static bool
is_exact(struct bytes charset)
{
	struct buf none = BUF_INIT(0);
	struct charset c;
	bool exact;

	charset_begin(&c, charset);
	exact = c.kind != CHARSET_ICONV;
	require(charset_end(&c, &none) == 0);
	return exact;
}

static struct buf
text_of(const struct mime_part *part, struct bytes in, size_t cut)
{
	struct buf out = BUF_INIT((size_t)64 << 20);
	struct bytes got;
	struct text t;

	text_begin(&t, part);
	put_all(&t, bytes_first(in, cut), &out);
	put_all(&t, bytes_from(in, cut), &out);
	require(text_end(&t, &got) == 0);
	require(buf_bytes(&out, got) == 0);
	text_free(&t);
	return out;
}

static void
search(const struct mime_part *part, struct bytes in, size_t cut,
    struct bytes text, struct bytes needle)
{
	struct buf folded = BUF_INIT((size_t)64 << 20), key = folded;
	struct text_search s;
	struct matcher m;
	int found;

	require(fold_text(text, &folded) == 0 && fold_text(needle, &key) == 0);
	matcher_begin(&m, buf_contents(&key));
	text_search_begin(&s, part, &m, 1);
	require(text_search_push(&s, bytes_first(in, cut)) >= 0);
	require(text_search_push(&s, bytes_from(in, cut)) >= 0);
	found = text_search_end(&s);
	require(found == fold_contains(buf_contents(&folded), buf_contents(&key)));
	matcher_end(&m);
	buf_free(&folded);
	buf_free(&key);
}

/* What a part's text is does not go by the pieces it is read in. */
static void
part_text(struct mime_part *part, struct bytes in, size_t cut)
{
	struct buf one = text_of(part, in, in.n), two = text_of(part, in, cut);
	struct bytes rest = in;

	require(utf8_valid(buf_contents(&one)));
	require(utf8_valid(buf_contents(&two)));
	if (is_exact(bytes_make(part->charset, part->charset_n)))
		require(bytes_equal(buf_contents(&one), buf_contents(&two)));
	search(part, in, cut, buf_contents(&two), bytes_split(&rest, '\n'));
	buf_free(&one);
	buf_free(&two);
}

static void
content(struct bytes in)
{
	struct arena a = ARENA_INIT(PARAM_ARENA_MAX);
	struct buf out = BUF_INIT((size_t)64 << 20);
	struct content c;

	require(content_parse(in, &a, &c) == 0 && c.n <= PARAM_MAX);
	for (size_t i = 0; i < c.n; i++) {
		require(c.params[i].name.n > 0);
		require(param_decode(&c.params[i], &out) == 0);
		require(utf8_valid(buf_contents(&out)));
	}
	arena_free(&a);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mime_part part = { .kind = MIME_TEXT };
	const char *name;

	if (n < 2)
		return 0;
	name = charsets[p[0] / ENCODING_END % (sizeof charsets / sizeof charsets[0])];
	part.encoding = p[0] % ENCODING_END;
	part.charset_n = (uint8_t)strlen(name);
	memcpy(part.charset, name, part.charset_n);
	words(bytes_make(p + 2, n - 2));
	content(bytes_make(p + 2, n - 2));
	part_text(&part, bytes_make(p + 2, n - 2), p[1] % (n - 1));
	return 0;
}
