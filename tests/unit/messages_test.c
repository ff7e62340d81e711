/*
 * The difficult messages of tests/corpus: what IMAP says of them, in whatever
 * pieces they come and whichever line ends they are stored with.
 * Runs as: the person who builds, in the top folder.
 */
#include <glob.h>
#include <stdlib.h>

#include "crlf.h"
#include "imaptext.h"
#include "test.h"

#define FILE_MAX ((size_t)1 << 20)

static bool
read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	unsigned char *to = buf_room(out, FILE_MAX);

	if (f == NULL || to == NULL)
		return false;
	out->len = fread(to, 1, FILE_MAX, f);
	fclose(f);
	return true;
}

/* ENVELOPE and BODYSTRUCTURE, a line each, of a message pushed in pieces of n. */
static void
describe(struct bytes message, size_t n, unsigned flags, struct buf *out,
    struct mime_tree *t)
{
	struct mime_parser *p = mime_begin();

	buf_clear(out);
	if (!CHECK(p != NULL))
		return;
	CHECK_EQ_INT(imaptext_envelope(message, flags, out), 0);
	buf_byte(out, '\n');
	for (; message.n > 0; message = bytes_from(message, n))
		CHECK_EQ_INT(mime_push(p, bytes_first(message, n)), 0);
	CHECK_EQ_INT(mime_end(p, t), 0);
	CHECK_EQ_INT(imaptext_bodystructure(t, flags, out), 0);
	buf_byte(out, '\n');
}

/* The tree survives being written, and its reader accepts no less than all of it. */
static void
check_column(struct mime_tree *t)
{
	struct buf a = BUF_INIT(FILE_MAX), b = BUF_INIT(FILE_MAX);
	struct mime_tree back;
	uint64_t size = t->v[0].end;

	CHECK_EQ_INT(mime_write(t, &a), 0);
	if (CHECK_EQ_INT(mime_read(buf_contents(&a), size, &back), 0)) {
		CHECK_EQ_INT(back.n, t->n);
		CHECK_EQ_INT(mime_write(&back, &b), 0);
		CHECK_EQ_BYTES(buf_contents(&b), buf_contents(&a));
		mime_tree_free(&back);
	}
	for (size_t n = 0; n < a.len; n++)
		CHECK_EQ_INT(mime_read(bytes_make(a.data, n), size, &back), -1);
	CHECK_EQ_INT(mime_read(buf_contents(&a), size + 1, &back), -1);
	buf_free(&a);
	buf_free(&b);
}

static void
check_pieces(struct bytes message, struct bytes want)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64, FILE_MAX };
	struct buf got = BUF_INIT(IMAPTEXT_MAX);

	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct mime_tree t;

		describe(message, pieces[i], 0, &got, &t);
		CHECK_EQ_BYTES(buf_contents(&got), want);
		check_column(&t);
		mime_tree_free(&t);
	}
	buf_free(&got);
}

/* Sizes are those of the message as sent: stored with CRLF they are the same. */
static void
check_crlf(struct bytes message, struct bytes want)
{
	unsigned char *sent = malloc(2 * message.n + 1);
	struct crlf c = { 0 };
	struct buf got = BUF_INIT(IMAPTEXT_MAX);
	struct mime_tree t;

	if (!CHECK(sent != NULL))
		return;
	describe(bytes_make(sent, crlf_convert(&c, message, sent)), FILE_MAX, 0,
	    &got, &t);
	CHECK_EQ_BYTES(buf_contents(&got), want);
	CHECK_EQ_INT(t.v[0].header_octets, t.v[0].body - t.v[0].header);
	CHECK_EQ_INT(t.v[0].body_octets, t.v[0].end - t.v[0].body);
	mime_tree_free(&t);
	buf_free(&got);
	free(sent);
}

static void
check_message(const char *path)
{
	struct buf message = BUF_INIT(FILE_MAX), want = BUF_INIT(FILE_MAX);
	struct buf name = BUF_INIT(4096);

	buf_add(&name, path, strlen(path) - strlen(".eml"));
	buf_text(&name, ".expect");
	if (CHECK(read_file(path, &message)) &&
	    CHECK(read_file(buf_string(&name), &want))) {
		check_pieces(buf_contents(&message), buf_contents(&want));
		check_crlf(buf_contents(&message), buf_contents(&want));
	}
	buf_free(&message);
	buf_free(&want);
	buf_free(&name);
}

static void
all_messages(void)
{
	glob_t found;

	if (!CHECK_EQ_INT(glob("tests/corpus/*.eml", 0, NULL, &found), 0))
		return;
	CHECK(found.gl_pathc > 50);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		unsigned before = test_failures;

		check_message(found.gl_pathv[i]);
		if (test_failures > before)
			printf("#   in %s\n", found.gl_pathv[i]);
	}
	globfree(&found);
}

/* In the modes where quoted strings may hold UTF-8. */
static void
utf8_modes(void)
{
	struct buf message = BUF_INIT(FILE_MAX), got = BUF_INIT(FILE_MAX);
	struct mime_tree t;

	if (!CHECK(read_file("tests/corpus/global.eml", &message)))
		return;
	describe(buf_contents(&message), FILE_MAX, IMAPTEXT_UTF8 | IMAPTEXT_REV2,
	    &got, &t);
	CHECK(imaptext_depends(&t));
	CHECK_EQ_TEXT(buf_string(&got),
	    "(NIL NIL ((NIL NIL \"a\" \"example.org\")) "
	    "((NIL NIL \"a\" \"example.org\")) ((NIL NIL \"a\" \"example.org\")) "
	    "NIL NIL NIL NIL NIL)\n"
	    "((\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"8BIT\" 54 (NIL "
	    "\"na\xc3\xafve\" ((\"Jos\xc3\xa9\" NIL \"jos\xc3\xa9\" "
	    "\"example.org\")) ((\"Jos\xc3\xa9\" NIL \"jos\xc3\xa9\" "
	    "\"example.org\")) ((\"Jos\xc3\xa9\" NIL \"jos\xc3\xa9\" "
	    "\"example.org\")) NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" "
	    "(\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 2 0 NIL NIL NIL NIL) "
	    "3 NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)\n");
	mime_tree_free(&t);
	buf_free(&message);
	buf_free(&got);
}

static void
decoded_parameters(void)
{
	struct buf message = BUF_INIT(FILE_MAX), got = BUF_INIT(FILE_MAX);
	struct mime_tree t;

	if (!CHECK(read_file("tests/corpus/rfc2231.eml", &message)))
		return;
	describe(buf_contents(&message), FILE_MAX, IMAPTEXT_UTF8 | IMAPTEXT_REV2,
	    &got, &t);
	CHECK(!imaptext_depends(&t));
	CHECK(strstr(buf_string(&got), "(\"TITLE*\" \"This is even more "
	    "***fun*** isn't it!\")") != NULL);
	CHECK(strstr(buf_string(&got), "(\"FILENAME*\" \"na\xc3\xafve plan.txt\""
	    " \"FILENAME\" \"naive plan.txt\")") != NULL);
	mime_tree_free(&t);
	buf_free(&message);
	buf_free(&got);
}

TEST_MAIN(TEST(all_messages), TEST(utf8_modes), TEST(decoded_parameters))
