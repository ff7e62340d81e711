/*
 * mbox: what is a message, and changes that survive a crash at any call.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "../../src/store/mbox_journal.h"
#include "../../src/store/mbox_scan.h"
#include "../../src/store/sys.h"
#include "test.h"

#define FROM "From a@example.org Sat Nov 21 01:02:03 2026\n"

static int scratch = -1;
static char scratch_path[] = "/tmp/mbox-test-XXXXXX";
static pid_t owner;

static void
leave_scratch(void)
{
	if (getpid() != owner)
		return;
	unlinkat(scratch, "box", 0);
	rmdir(scratch_path);
}

static void
enter_scratch(void)
{
	if (scratch >= 0 || mkdtemp(scratch_path) == NULL)
		return;
	scratch = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owner = getpid();
	atexit(leave_scratch);
}

static int
make_file(struct bytes content)
{
	int fd;

	enter_scratch();
	unlinkat(scratch, "box", 0);
	fd = openat(scratch, "box", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ_INT(write(fd, content.p, content.n), (ssize_t)content.n);
	return fd;
}

static void
read_all(int fd, struct buf *out)
{
	ssize_t n;
	unsigned char *to;

	buf_clear(out);
	while ((to = buf_room(out, 4096)) != NULL
	    && (n = pread(fd, to, 4096, (off_t)out->len)) > 0)
		out->len += (size_t)n;
}

/* ---- From_ lines ---- */

static void
from_lines(void)
{

	static const struct {
		const char *line;
		bool good;
		int64_t date;
	} rows[] = {
		{ "From a@b Sat Nov 21 01:02:03 2026", true, 1795222923 },
		{ "From a@b Sat Nov 21 01:02:03 2026 +0100", true, 1795219323 },
		{ "From a@b Sat Nov 21 01:02:03 +0100 2026", true, 1795219323 },
		{ "From a@b Sat Nov 21 01:02:03 CET 2026", true, 1795222923 },
		{ "From a@b  Sat Nov  7 01:02 2026", true, 1794013320 },
		{ "From MAILER-DAEMON Thu Jan  1 00:00:00 1970", true, 0 },
		{ "From a b c Sat Nov 21 01:02:03 2026", true, 1795222923 },
		{ "From here on Sat we rest", false, 0 },
		{ "From a@b Sat Nov 32 01:02:03 2026", false, 0 },
		{ "From a@b Sat Nov 21 25:02:03 2026", false, 0 },
		{ "From a@b Sat Nov 21 01:02:03", false, 0 },
		{ "From: a@b Sat Nov 21 01:02:03 2026", false, 0 },
		{ ">From a@b Sat Nov 21 01:02:03 2026", false, 0 },
		{ "From ", false, 0 },
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t date = 0;

		CHECK_EQ_INT(mbox_from_line(bytes_of(rows[i].line), &date),
		    rows[i].good);
		CHECK_EQ_INT(date, rows[i].date);
	}
}

/* ---- messages ---- */

/* What the messages of a file are, as text: each between brackets. */
static void
show_messages(struct bytes content, struct buf *out)
{
	struct mbox_file m;
	struct mbox_message msg;
	struct message parts = { 0 };
	int fd = make_file(content);
	uint64_t at = 0;

	buf_clear(out);
	CHECK_EQ_INT(mbox_file_begin(&m, fd), 0);
	while (mbox_read(&m, at, &msg) == 1) {
		mbox_extents(&msg, &parts);
		buf_byte(out, '[');
		for (unsigned i = 0; i < parts.extents; i++)
			buf_add(out, content.p + parts.extent[i].offset,
			    parts.extent[i].length);
		buf_byte(out, ']');
		at = msg.next;
	}
	CHECK_EQ_INT(at, content.n);
	mbox_file_end(&m);
	close(fd);
}

static void
messages_begin_and_end(void)
{
	static const struct {
		const char *file, *messages;
	} rows[] = {
		{ FROM "A: 1\n\nbody\n\n" FROM "B: 2\n\nlast\n", "[A: 1\n\nbody\n][B: 2\n\nlast\n]" },
		/* A blank line at the end belongs to the file. */
		{ FROM "A: 1\n\nbody\n\n", "[A: 1\n\nbody\n]" },
		/* Without a blank line before it, it is text. */
		{ FROM "A: 1\n\nbody\n" FROM "\n\n", "[A: 1\n\nbody\n" FROM "\n]" },
		/* So it is without a date. */
		{ FROM "\nx\n\nFrom here on\n\n", "[\nx\n\nFrom here on\n]" },
		/* No body, and no final newline. */
		{ FROM "A: 1\n\n" FROM "B: 2\n\nx", "[A: 1\n\n][B: 2\n\nx]" },
		/* An empty body behind a separator of its own. */
		{ FROM "A: 1\n\n\n" FROM "B: 2\n\n", "[A: 1\n\n][B: 2\n\n]" },
		{ FROM "A: 1", "[A: 1]" },
		/* Our fields are hidden, with their continuations. */
		{ FROM "A: 1\nStatus: RO\nX-UID: 7\n\t8\nB: 2\nX-Keywords: x\n\nbody\n",
		    "[A: 1\nB: 2\n\nbody\n]" },
		/* A true Content-Length hides a From_ line, a false one does not. */
		{ FROM "Content-Length: 47\n\nx\n\n" FROM "\n" FROM "B: 2\n\n",
		    "[\nx\n\n" FROM "][B: 2\n\n]" },
		{ FROM "Content-Length: 40\n\nx\n\n" FROM "B: 2\n\n", "[\nx\n][B: 2\n\n]" },
		{ FROM "Content-Length: 99999999999999999999\n\nx\n", "[\nx\n]" },
		/* CRLF. */
		{ "From a Sat Nov 21 01:02:03 2026\r\nA: 1\r\n\r\nx\r\n\r\n"
		  "From b Sat Nov 21 01:02:03 2026\r\nB: 2\r\n\r\n",
		    "[A: 1\r\n\r\nx\r\n][B: 2\r\n\r\n]" },
	};
	struct buf out = BUF_INIT(10000);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		show_messages(bytes_of(rows[i].file), &out);
		CHECK_EQ_TEXT(buf_string(&out), rows[i].messages);
	}
	buf_free(&out);
}

static void
our_fields_are_read(void)
{
	static const char text[] = FROM
	    "X-IMAPbase: 1700000000 0000000042 a b   \nX-UID: 17\n"
	    "Status: RO\nX-Status: AFDT\nX-Keywords: work Home   \n\nx\n";
	int fd = make_file(BYTES(text));
	struct mbox_file m;
	struct mbox_message msg;

	CHECK_EQ_INT(mbox_file_begin(&m, fd), 0);
	if (CHECK_EQ_INT(mbox_read(&m, 0, &msg), 1)) {
		CHECK_EQ_INT(msg.base_validity, 1700000000);
		CHECK_EQ_INT(msg.base_last, 42);
		CHECK_EQ_INT(msg.uid, 17);
		CHECK_EQ_INT(msg.flags, FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED
		    | FLAG_DELETED | FLAG_DRAFT);
		CHECK(msg.old && !msg.internal && !msg.crlf);
		CHECK_EQ_BYTES(bytes_make(msg.keywords, msg.keywords_length),
		    BYTES("work Home"));
	}
	mbox_file_end(&m);
	close(fd);
}

/* Messages and lines that end just around the border of the window. */
static void
windows_have_no_borders(void)
{
	struct buf file = BUF_INIT(2 << 20), out = BUF_INIT(2 << 20);
	unsigned found = 0;

	for (size_t pad = 131072 - 80; pad < 131072 + 40; pad++) {
		buf_clear(&file);
		buf_text(&file, FROM "A: 1\n\n");
		while (file.len < pad)
			buf_byte(&file, file.len % 77 == 0 ? '\n' : 'x');
		buf_text(&file, "\n\n" FROM "B: 2\n\nlast\n\n" FROM "\nz\n");
		show_messages(buf_contents(&file), &out);
		found += memmem(out.data, out.len, "][B: 2\n\nlast\n][\nz\n]", 19)
		    != NULL;
	}
	CHECK_EQ_INT(found, 120);
	buf_free(&file);
	buf_free(&out);
}

/* ---- changes ---- */

static unsigned die_at, calls;
static int fail_with;

static int
maybe_die(const char *call)
{
	(void)call;
	if (++calls != die_at)
		return 0;
	if (fail_with == 0)
		_exit(9);
	return fail_with;
}

struct scene {
	const char *name;
	size_t size;			/* of the old file */
	struct mbox_edit edit[3];
	size_t n;
};

static void
old_content(const struct scene *sc, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < sc->size; i++)
		buf_byte(out, (unsigned char)('a' + i * 7 % 26 + i / 5000));
}

static void
new_content(const struct scene *sc, struct bytes old, struct buf *out)
{
	uint64_t at = 0;

	buf_clear(out);
	for (size_t i = 0; i < sc->n; i++) {
		buf_add(out, old.p + at, sc->edit[i].at - at);
		buf_bytes(out, sc->edit[i].put);
		at = sc->edit[i].at + sc->edit[i].length;
	}
	buf_add(out, old.p + at, old.n - at);
}

static bool
is_either(struct bytes got, const struct buf *old, const struct buf *new,
    struct bytes tail)
{
	const struct buf *both[] = { old, new };

	for (int i = 0; i < 2; i++)
		if (got.n == both[i]->len + tail.n
		    && bytes_equal(bytes_first(got, both[i]->len),
			buf_contents(both[i]))
		    && bytes_equal(bytes_from(got, both[i]->len), tail))
			return true;
	return false;
}

/* In a child, so that it may die: true when it died at that call. */
static bool
change_in_child(const struct scene *sc, int fd, unsigned at, bool recover)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		calls = 0;
		die_at = at;
		sys_before = maybe_die;
		_exit((recover ? mbox_recover(scratch, fd)
		    : mbox_change(scratch, fd, sc->edit, sc->n)) < 0 ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 9;
}

static void
crash_everywhere(const struct scene *sc, struct bytes tail)
{
	struct buf old = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20);
	struct buf got = BUF_INIT(1 << 20);
	bool died = true;

	fail_with = 0;
	old_content(sc, &old);
	new_content(sc, buf_contents(&old), &new);
	for (unsigned at = 1; died && at < 200; at++) {
		int fd = make_file(buf_contents(&old));

		died = change_in_child(sc, fd, at, false);
		CHECK_EQ_INT(pwrite(fd, tail.p, tail.n, lseek(fd, 0, SEEK_END)),
		    (ssize_t)tail.n);
		/* The recovery may be killed as well. */
		(void)change_in_child(sc, fd, at % 7 + 1, true);
		CHECK_EQ_INT(mbox_recover(scratch, fd), 0);
		read_all(fd, &got);
		if (!CHECK(is_either(buf_contents(&got), &old, &new, tail)))
			printf("# %s, call %u\n", sc->name, at);
		if (!died)
			CHECK(is_either(buf_contents(&got), &new, &new, tail));
		close(fd);
	}
	CHECK(!died);
	buf_free(&old);
	buf_free(&new);
	buf_free(&got);
}

#define EDIT(offset, old_length, text) \
	{ offset, old_length, { (const unsigned char *)text, sizeof text - 1 }, \
	    { 0 } }

static const struct scene scenes[] = {
	{ "same length", 5000, { EDIT(100, 3, "XYZ") }, 1 },
	{ "longer", 200000, { EDIT(10, 0, "X-UID: 1\n"), EDIT(150000, 1, "ABCD") }, 2 },
	{ "longer by one", 5000, { EDIT(4999, 1, "\n\n") }, 1 },
	{ "shorter", 200000, { EDIT(10, 70000, ""), EDIT(150000, 10, "A") }, 2 },
	{ "shorter at the end", 9000, { EDIT(4000, 5000, "") }, 1 },
	{ "all gone", 9000, { EDIT(0, 9000, "") }, 1 },
	{ "moved, same size", 9000, { EDIT(10, 0, "abc"), EDIT(500, 3, "") }, 2 },
};

static void
a_crash_leaves_the_old_or_the_new_file(void)
{
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
		crash_everywhere(&scenes[i], BYTES(""));
}

static void
what_is_appended_after_a_crash_stays(void)
{
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
		crash_everywhere(&scenes[i], BYTES("\n" FROM "N: 1\n\nnew\n"));
}

static void
a_failing_call_leaves_the_old_or_the_new_file(void)
{
	struct buf old = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20);
	struct buf got = BUF_INIT(1 << 20);

	fail_with = ENOSPC;
	for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
		int rc = -1;

		old_content(&scenes[i], &old);
		new_content(&scenes[i], buf_contents(&old), &new);
		for (unsigned at = 1; rc < 0 && at < 200; at++) {
			int fd = make_file(buf_contents(&old));

			calls = 0;
			die_at = at;
			sys_before = maybe_die;
			rc = mbox_change(scratch, fd, scenes[i].edit, scenes[i].n);
			sys_before = NULL;
			CHECK_EQ_INT(mbox_recover(scratch, fd), 0);
			read_all(fd, &got);
			CHECK(is_either(buf_contents(&got), &old, &new,
			    BYTES("")));
			close(fd);
		}
		CHECK_EQ_INT(rc, 0);
	}
	buf_free(&old);
	buf_free(&new);
	buf_free(&got);
}

static void
a_foreign_change_after_a_crash_wins(void)
{
	const struct scene *sc = &scenes[3];
	struct buf old = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
	int fd;

	old_content(sc, &old);
	fd = make_file(buf_contents(&old));
	fail_with = 0;
	/* Past the journal, before the bytes. */
	for (unsigned at = 1; faccessat(scratch, JOURNAL_FILE, F_OK, 0) < 0; at++)
		(void)change_in_child(sc, fd, at, false);
	CHECK_EQ_INT(ftruncate(fd, 0), 0);
	for (int i = 0; i < 100000; i++)
		CHECK_EQ_INT(pwrite(fd, "other", 5, i * 5), 5);
	CHECK_EQ_INT(mbox_recover(scratch, fd), 0);
	CHECK(faccessat(scratch, JOURNAL_FILE, F_OK, 0) < 0);
	read_all(fd, &got);
	CHECK_EQ_INT(got.len, 500000);
	CHECK(got.len > 5 && memcmp(got.data + got.len - 5, "other", 5) == 0);
	CHECK(memcmp(got.data, "other", 5) == 0);
	close(fd);
	buf_free(&old);
	buf_free(&got);
}

static void
write_text(int fd, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		CHECK_EQ_INT(write(fd, text, strlen(text)),
		    (ssize_t)strlen(text));
}

/* Also where all that was to change lies in one page. */
static void
a_small_file_rewritten_after_a_crash_stays(void)
{
	static const struct scene sc = { "small", 1000,
	    { EDIT(10, 300, "") }, 1 };
	struct buf old = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);

	old_content(&sc, &old);
	for (int replaced = 0; replaced < 2; replaced++) {
		int fd = make_file(buf_contents(&old)), other;

		fail_with = 0;
		for (unsigned at = 1; faccessat(scratch, JOURNAL_FILE, F_OK, 0) < 0;
		    at++)
			(void)change_in_child(&sc, fd, at, false);
		if (replaced) {
			other = openat(scratch, "other", O_RDWR | O_CREAT | O_TRUNC,
			    0600);
		} else {
			CHECK_EQ_INT(ftruncate(fd, 0), 0);
			other = dup(fd);
			CHECK_EQ_INT(lseek(other, 0, SEEK_SET), 0);
		}
		write_text(other, "other", 300);
		CHECK_EQ_INT(mbox_recover(scratch, other), 0);
		CHECK(faccessat(scratch, JOURNAL_FILE, F_OK, 0) < 0);
		read_all(other, &got);
		CHECK_EQ_INT(got.len, 1500);
		for (size_t i = 0; i + 5 <= got.len; i += 5)
			if (!CHECK(memcmp(got.data + i, "other", 5) == 0))
				break;
		close(other);
		close(fd);
	}
	buf_free(&old);
	buf_free(&got);
}

/* A file that comes back from a copy, with other pages in one place. */
static void
a_replaced_file_is_changed_only_where_it_is_known(void)
{
	const struct scene *sc = &scenes[3];
	struct buf old = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20);
	struct buf got = BUF_INIT(1 << 20);

	old_content(sc, &old);
	new_content(sc, buf_contents(&old), &new);
	for (int same = 0; same < 2; same++) {
		int fd = make_file(buf_contents(&old)), other;

		fail_with = 0;
		for (unsigned at = 1; faccessat(scratch, JOURNAL_FILE, F_OK, 0) < 0;
		    at++)
			(void)change_in_child(sc, fd, at, false);
		other = openat(scratch, "other", O_RDWR | O_CREAT | O_TRUNC, 0600);
		CHECK_EQ_INT(write(other, old.data, old.len), (ssize_t)old.len);
		if (!same)
			CHECK_EQ_INT(pwrite(other, "other", 5, 50000), 5);
		CHECK_EQ_INT(mbox_recover(scratch, other), 0);
		read_all(other, &got);
		CHECK_EQ_INT(got.len, same ? new.len : old.len);
		if (same)
			CHECK(bytes_equal(buf_contents(&got), buf_contents(&new)));
		else
			CHECK(memcmp(got.data + 50000, "other", 5) == 0
			    && memcmp(got.data, old.data, 50000) == 0);
		close(other);
		close(fd);
	}
	buf_free(&old);
	buf_free(&new);
	buf_free(&got);
}

TEST_MAIN(
	TEST(from_lines),
	TEST(messages_begin_and_end),
	TEST(our_fields_are_read),
	TEST(windows_have_no_borders),
	TEST(a_crash_leaves_the_old_or_the_new_file),
	TEST(what_is_appended_after_a_crash_stays),
	TEST(a_failing_call_leaves_the_old_or_the_new_file),
	TEST(a_foreign_change_after_a_crash_wins),
	TEST(a_small_file_rewritten_after_a_crash_stays),
	TEST(a_replaced_file_is_changed_only_where_it_is_known)
)
