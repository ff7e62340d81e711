/*
 * Manual pages against the code: in mailreeve.conf(5) every keyword once, in the
 * table's order, with its true default; in the pages of programs every limit
 * by its name.
 * Runs as: the person who builds.
 */
#include <stdlib.h>

#include "config.h"
#include "test.h"

#define PAGE "man/mailreeve.conf.5"
#define PAGE_MAX ((size_t)1 << 20)

static struct buf page = BUF_INIT(PAGE_MAX);

static bool
read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "r");
	unsigned char piece[4096];
	size_t n;

	buf_clear(out);
	if (f == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_add(out, piece, n);
	fclose(f);
	return out->error == 0;
}

/* The n-th word of a line, counted from 0. */
static struct bytes
word(struct bytes line, unsigned n)
{
	struct bytes w = bytes_split(&line, ' ');

	while (n-- > 0)
		w = bytes_split(&line, ' ');
	return w;
}

/* Behind "The default is": a number or `empty`, or a macro on the next line. */
static struct bytes
default_of(struct bytes line, struct bytes rest)
{
	struct bytes here = word(line, 3), next = bytes_split(&rest, '\n');

	if (bytes_equal(here, BYTES("empty.")) || bytes_equal(here, BYTES("empty:")))
		return BYTES("");
	if (bytes_starts(next, BYTES(".Pq")))
		return word(next, 2);
	if (here.n > 1 && ascii_digit(here.p[0]))
		return bytes_first(here, here.n - (here.p[here.n - 1] == '.'));
	(void)bytes_split(&next, ' ');	/* all words of the macro but the full stop */
	if (next.n > 1 && bytes_equal(bytes_from(next, next.n - 2), BYTES(" .")))
		next.n -= 2;
	return next;
}

/* The page as a configuration file, made of the defaults it names. */
static void
file_of_defaults(struct buf *out)
{
	struct bytes rest = buf_contents(&page), line;
	bool told = true;

	while (rest.n > 0) {
		line = bytes_split(&rest, '\n');
		if (bytes_starts(line, BYTES(".It Cm "))) {
			CHECK(told);
			told = false;
			buf_bytes(out, word(line, 2));
			buf_byte(out, ' ');
		} else if (!told && bytes_starts(line, BYTES("The default is"))) {
			told = true;
			buf_bytes(out, default_of(line, rest));
			buf_byte(out, '\n');
		}
	}
	CHECK(told);
}

static void
keyword_names(struct bytes text, struct buf *out)
{
	while (text.n > 0) {
		buf_bytes(out, word(bytes_split(&text, '\n'), 0));
		buf_byte(out, '\n');
	}
}

static void
page_names_every_keyword_in_order(void)
{
	struct buf told = BUF_INIT(PAGE_MAX), real = BUF_INIT(PAGE_MAX);
	struct buf told_names = BUF_INIT(PAGE_MAX), names = BUF_INIT(PAGE_MAX);
	struct buf why = BUF_INIT(4096);
	struct config c;

	if (!CHECK(read_file(PAGE, &page)))
		return;
	file_of_defaults(&told);
	CHECK(config_parse(&c, BYTES(""), "none", &why) == 0);
	CHECK(config_dump(&c, true, &real) == 0);
	keyword_names(buf_contents(&told), &told_names);
	keyword_names(buf_contents(&real), &names);
	CHECK(names.len > 0);
	CHECK_EQ_BYTES(buf_contents(&told_names), buf_contents(&names));
	buf_free(&told);
	buf_free(&real);
	buf_free(&told_names);
	buf_free(&names);
}

static void
page_names_every_default(void)
{
	struct buf told = BUF_INIT(PAGE_MAX);
	struct buf changed = BUF_INIT(PAGE_MAX), why = BUF_INIT(4096);
	struct config c;

	if (!CHECK(read_file(PAGE, &page)))
		return;
	file_of_defaults(&told);
	if (!CHECK(config_parse(&c, buf_contents(&told), PAGE, &why) == 0))
		printf("# %s\n", buf_string(&why));
	CHECK(config_dump(&c, false, &changed) == 0);
	CHECK_EQ_BYTES(buf_contents(&changed), BYTES(""));
	buf_free(&told);
	buf_free(&changed);
	buf_free(&why);
}

/* name as an argument of .Dv or in a list of them, and not as part of another. */
static bool
page_names(struct bytes name)
{
	struct bytes rest = buf_contents(&page);

	while (rest.n > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		if (!bytes_starts(line, BYTES(".It Dv ")))
			continue;
		while (line.n > 0)
			if (bytes_equal(bytes_split(&line, ' '), name))
				return true;
	}
	return false;
}

/* The name that a line of a header defines; header guards define nothing. */
static struct bytes
defined(struct bytes line)
{
	struct bytes name = BYTES("");

	if (!bytes_starts(line, BYTES("#define ")))
		return name;
	line = bytes_from(line, 8);
	while (name.n < line.n && line.p[name.n] > ' ')
		name = bytes_first(line, name.n + 1);
	/* A macro with arguments, and what stands for none of them, are no limits. */
	if (name.n == line.n || bytes_find(name, '(') >= 0
	    || bytes_equal(name, BYTES("MIME_NONE")))
		return BYTES("");
	return name;
}

static const struct {
	const char *header, *page;
} limits[] = {
	{ "src/imap/limits.h", "man/mailreeve-imap.8" },
	{ "include/lex.h", "man/mailreeve-imap.8" },
	{ "include/mime.h", "man/mailreeve-imap.8" },
	{ "include/header.h", "man/mailreeve-imap.8" },
	{ "include/param.h", "man/mailreeve-imap.8" },
	{ "src/pop3/limits.h", "man/mailreeve-pop3.8" },
	{ "src/login/limits.h", "man/mailreeve-login.8" },
};

static void
pages_name_every_limit(void)
{
	struct buf header = BUF_INIT(PAGE_MAX);

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct bytes rest, name;
		unsigned count = 0;

		CHECK(read_file(limits[i].header, &header));
		CHECK(read_file(limits[i].page, &page));
		for (rest = buf_contents(&header); rest.n > 0;) {
			name = defined(bytes_split(&rest, '\n'));
			if (name.n == 0)
				continue;
			count++;
			if (!CHECK(page_names(name)))
				printf("# %s: %.*s\n", limits[i].page,
				    (int)name.n, (const char *)name.p);
		}
		CHECK(count > 0);
	}
	buf_free(&header);
}

TEST_MAIN(TEST(page_names_every_keyword_in_order), TEST(page_names_every_default),
    TEST(pages_name_every_limit))
