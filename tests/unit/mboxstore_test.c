/*
 * mbox behind mail.h: what is given comes back, UIDs and flags stand in the
 * file, other programs may change it at any time.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>

#define MAILDIRS_OPTIONS "special-folders no\nmail-format mbox\nmbox-inbox inbox\n"
#define MAILDIRS_ROOT "mail/.mailreeve"

#include "../../src/store/bound.h"
#include "../../src/store/mailbox.h"
#include "../../src/store/mbox.h"
#include "../../src/store/sys.h"
#include "maildirs.h"
#include "test.h"

#define FROM "From a@example.org Sat Nov 21 01:02:03 2026\n"

static const char *
file_path(const char *name)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/%s", maildirs_home, name);
	return path;
}

static void
write_file(const char *name, const char *mode, const char *text)
{
	FILE *f = fopen(file_path(name), mode);

	if (CHECK(f != NULL)) {
		CHECK(fputs(text, f) >= 0);
		CHECK_EQ_INT(fclose(f), 0);
	}
}

static const char *
read_file(const char *name)
{
	static char text[100000];
	FILE *f = fopen(file_path(name), "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);

	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	return text;
}

static struct mailbox *
open_box(struct mail *m, const char *name)
{
	struct mailbox *b = NULL;

	CHECK_EQ_INT(mailbox_open(m, bytes_of(name), false, &b), 0);
	return b;
}

/* "UID:flags:text|" of each message. */
static const char *
show(struct mail *m, const char *name)
{
	static struct buf out = BUF_INIT(1 << 20);
	struct mailbox *b = open_box(m, name);
	struct runs_cursor c = RUNS_CURSOR(mailbox_view(b));
	uint32_t uid;

	buf_clear(&out);
	while ((uid = runs_next(&c)) != 0) {
		struct mail_row row;
		struct message msg;
		char text[4096];
		ssize_t n;

		CHECK_EQ_INT(mailbox_row(b, uid, &row), 0);
		buf_printf(&out, "%u:%x:", uid, row.flags);
		if (!CHECK_EQ_INT(mailbox_message(b, uid, &msg), 0))
			continue;
		for (uint64_t at = 0; (n = message_read(&msg, at, text,
		    sizeof text)) > 0; at += (uint64_t)n)
			buf_add(&out, text, (size_t)n);
		message_close(&msg);
		buf_byte(&out, '|');
	}
	mailbox_close(b);
	return buf_string(&out);
}

static void
store(struct mail *m, const char *name, uint32_t uid, uint32_t flags,
    const char *keyword)
{
	struct mailbox *b = open_box(m, name);
	struct mail_store how = { .how = FLAGS_ADD, .flags = flags };
	struct mail_stored out;
	struct runs one = RUNS_INIT;

	runs_add(&one, uid, uid);
	if (keyword != NULL)
		keyword_put(&how.keywords, (unsigned)mailbox_keyword_number(b,
		    bytes_of(keyword), true));
	CHECK_EQ_INT(mailbox_store(b, &one, &how, &out), 0);
	CHECK_EQ_INT(out.stored.count, 1);
	mail_stored_free(&out);
	runs_free(&one);
	mailbox_close(b);
}

static void
delete_uid(struct mail *m, const char *name, uint32_t uid)
{
	struct mailbox *b = open_box(m, name);
	struct runs one = RUNS_INIT, gone = RUNS_INIT;

	runs_add(&one, uid, uid);
	CHECK_EQ_INT(mailbox_remove(b, &one, &gone), 0);
	CHECK_EQ_INT(gone.count, 1);
	runs_free(&one);
	runs_free(&gone);
	mailbox_close(b);
}

static void
what_is_appended_comes_back(void)
{
	static const char *const texts[] = {
		"A: 1\r\n\r\nbody\r\n", "A: 1\r\n\r\nno end", "A: 1\r\n\r\n",
		"A: 1\r\n\r\n\r\n\r\n", "\r\nno header\r\n",
		"A: 1\r\n\r\nx\r\n\r\nFrom a@b Sat Nov 21 01:02:03 2026\r\nB: 2\r\n\r\ny\r\n",
		"A: 1\r\n\r\n>From x\r\n>>From y\r\n",
	};
	static const char *const back[] = {
		"A: 1\n\nbody\n", "A: 1\n\nno end", "A: 1\n\n", "A: 1\n\n\n\n",
		"\nno header\n",
		"A: 1\n\nx\n\nFrom a@b Sat Nov 21 01:02:03 2026\nB: 2\n\ny\n",
		"A: 1\n\n>From x\n>>From y\n",
	};
	struct mail *m = fresh_mail();
	struct buf want = BUF_INIT(100000);

	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		append(m, "INBOX", texts[i], i);
		buf_printf(&want, "%u:%x:%s|", i + 1, i, back[i]);
	}
	CHECK_EQ_TEXT(show(m, "INBOX"), buf_string(&want));
	mail_close(m);
	drop_index();
	m = same_mail();
	CHECK_EQ_TEXT(show(m, "INBOX"), buf_string(&want));
	mail_close(m);
	buf_free(&want);
}

/* Fields that have a meaning in the file cannot be a client's. */
static void
our_fields_of_others_go(void)
{
	struct mail *m = fresh_mail();

	append(m, "INBOX", "X-UID: 77\r\nA: 1\r\nStatus: RO\r\nX-IMAPbase: 1 2\r\n\r\nx\r\n", 0);
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:0:A: 1\n\nx\n|");
	append(m, "INBOX", "A: 2", 0);
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:0:A: 1\n\nx\n|2:0:A: 2\n\n|");
	mail_close(m);
}

static void
deliveries_get_uids_and_keep_them(void)
{
	struct mail *m = fresh_mail();
	static const char want[] = "1:0:A: 1\n\none\n|2:1:A: 2\n\ntwo\n|";

	write_file("inbox", "w", FROM "A: 1\n\none\n\n" FROM "A: 2\nStatus: RO\n\ntwo\n\n");
	CHECK_EQ_TEXT(show(m, "INBOX"), want);
	CHECK(strstr(read_file("inbox"), "X-UID: 2\nStatus: RO\n") != NULL);
	write_file("inbox", "a", FROM "A: 3\n\nthree\n\n");
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:0:A: 1\n\none\n|2:1:A: 2\n\ntwo\n|3:0:A: 3\n\nthree\n|");
	delete_uid(m, "INBOX", 3);
	write_file("inbox", "a", FROM "A: 4\n\nfour\n\n");
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:0:A: 1\n\none\n|2:1:A: 2\n\ntwo\n|4:0:A: 4\n\nfour\n|");
	delete_uid(m, "INBOX", 1);
	CHECK_EQ_TEXT(show(m, "INBOX"), "2:1:A: 2\n\ntwo\n|4:0:A: 4\n\nfour\n|");
	mail_close(m);
}

static void
flags_stand_in_the_file(void)
{
	struct mail *m = fresh_mail();
	struct mailbox *b;
	struct mail_row row;
	struct stat before, after;

	append(m, "INBOX", "A: 1\r\n\r\none\r\n", 0);
	append(m, "INBOX", "A: 2\r\n\r\ntwo\r\n", 0);
	CHECK_EQ_INT(stat(file_path("inbox"), &before), 0);
	store(m, "INBOX", 1, FLAG_SEEN | FLAG_FLAGGED, "work");
	store(m, "INBOX", 2, FLAG_ANSWERED | FLAG_DRAFT | FLAG_DELETED, "$Forwarded");
	CHECK_EQ_INT(stat(file_path("inbox"), &after), 0);
	/* All of it fits over what was there. */
	CHECK_EQ_INT(before.st_size, after.st_size);
	CHECK_EQ_INT(before.st_ino, after.st_ino);
	mail_close(m);
	drop_index();
	m = same_mail();
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:5:A: 1\n\none\n|2:1a:A: 2\n\ntwo\n|");
	b = open_box(m, "INBOX");
	CHECK_EQ_INT(mailbox_row(b, 1, &row), 0);
	CHECK(keyword_has(&row.keywords, (unsigned)mailbox_keyword_number(b,
	    BYTES("work"), false)));
	mailbox_close(b);
	/* These do not. */
	for (unsigned i = 0; i < 30; i++) {
		char name[32];

		snprintf(name, sizeof name, "keyword%u", i);
		store(m, "INBOX", 1, 0, name);
	}
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:5:A: 1\n\none\n|2:1a:A: 2\n\ntwo\n|");
	CHECK(strstr(read_file("inbox"), " keyword0 keyword1 ") != NULL);
	mail_close(m);
}

/* A row that only moved is no change for a client. */
static void
what_moves_does_not_change(void)
{
	struct mail *m = fresh_mail();
	struct mailbox *b;
	struct mail_row before, after;

	for (int i = 0; i < 4; i++)
		append(m, "INBOX", "A: 1\r\n\r\none\r\n", 0);
	b = open_box(m, "INBOX");
	CHECK_EQ_INT(mailbox_row(b, 3, &before), 0);
	delete_uid(m, "INBOX", 1);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(mailbox_row(b, 3, &after), 0);
	CHECK_EQ_INT(before.modseq, after.modseq);
	mailbox_close(b);
	mail_close(m);
}

/* What mutt does: a message gone, flags changed, all written anew. */
static void
other_programs_rewrite_the_file(void)
{
	struct mail *m = fresh_mail();
	char text[20000], *first, *second, *at;

	for (int i = 0; i < 3; i++)
		append(m, "INBOX", "A: 1\r\n\r\nx\r\n", 0);
	snprintf(text, sizeof text, "%s", read_file("inbox"));
	first = strstr(text, "\n\nx\n\nFrom ") + 5;
	second = strstr(first, "\n\nx\n\nFrom ") + 5;
	/* The first, which held the base, goes; the last is there twice. */
	at = strstr(first, "Status:   ");
	memcpy(at, "Status: RO", 10);
	write_file("inbox", "w", first);
	write_file("inbox", "a", second);
	CHECK_EQ_TEXT(show(m, "INBOX"),
	    "2:1:A: 1\n\nx\n|3:0:A: 1\n\nx\n|4:0:A: 1\n\nx\n|");
	store(m, "INBOX", 4, FLAG_SEEN, NULL);
	mail_close(m);
	drop_index();
	m = same_mail();
	CHECK_EQ_TEXT(show(m, "INBOX"),
	    "2:1:A: 1\n\nx\n|3:0:A: 1\n\nx\n|4:1:A: 1\n\nx\n|");
	mail_close(m);
}

static void
placeholders_are_hidden(void)
{
	struct mail *m = fresh_mail();
	static const char want[] = FROM "X-IMAP: 1234567890 0000000017 old\nStatus: RO\n\nFOLDER INTERNAL DATA\n\n";

	mail_close(m);
	fresh_mail();
	write_file("inbox", "w", want);
	m = same_mail();
	CHECK_EQ_TEXT(show(m, "INBOX"), "");
	append(m, "INBOX", "A: 1\r\n\r\nx\r\n", 0);
	CHECK(strncmp(show(m, "INBOX"), "18:0:A: 1\n\nx\n|", 15) == 0);
	CHECK(strstr(read_file("inbox"), "X-IMAP: 1234567890 0000000018") != NULL);
	CHECK(strstr(read_file("inbox"), "FOLDER INTERNAL DATA") != NULL);
	mail_close(m);
}

static void
copies_and_moves(void)
{
	struct mail *m = fresh_mail();
	struct runs two = RUNS_INIT;
	struct mail_copied out;
	struct mailbox *b;

	for (int i = 0; i < 3; i++)
		append(m, "INBOX", "A: 1\r\n\r\nx\r\n", FLAG_FLAGGED);
	CHECK_EQ_INT(mail_create(m, BYTES("Deep/Er/Box"), 0), 0);
	store(m, "INBOX", 2, 0, "work");
	b = open_box(m, "INBOX");
	runs_add(&two, 1, 2);
	CHECK_EQ_INT(mailbox_copy(b, &two, BYTES("Deep/Er/Box"), false, &out), 0);
	mail_copied_free(&out);
	CHECK_EQ_INT(mailbox_copy(b, &two, BYTES("Deep/Er/Box"), true, &out), 0);
	CHECK_EQ_INT(out.to.count, 2);
	mail_copied_free(&out);
	runs_clear(&two);
	runs_add(&two, 3, 3);
	CHECK_EQ_INT(mailbox_copy(b, &two, BYTES("INBOX"), false, &out), 0);
	mail_copied_free(&out);
	CHECK_EQ_INT(mailbox_copy(b, &two, BYTES("INBOX"), true, &out), 0);
	mail_copied_free(&out);
	mailbox_close(b);
	CHECK_EQ_TEXT(show(m, "INBOX"), "4:4:A: 1\n\nx\n|5:4:A: 1\n\nx\n|");
	CHECK_EQ_TEXT(show(m, "Deep/Er/Box"),
	    "1:4:A: 1\n\nx\n|2:4:A: 1\n\nx\n|3:4:A: 1\n\nx\n|4:4:A: 1\n\nx\n|");
	CHECK(strstr(read_file("mail/Deep/Er/Box"), "X-Keywords: work ") != NULL);
	mail_close(m);
}

/* Somebody moves until we have the lock, and is killed then: what is left is a note. */
static int
finish_too_early(struct folder *f)
{
	static unsigned calls;
	char note[300];

	if (strcmp(f->name, "INBOX") != 0 || ++calls != 2)
		return mbox_ops.finish(f);
	snprintf(note, sizeof note, "%s", file_path("note"));
	CHECK_EQ_INT(rename(note,
	    file_path("mail/.mailreeve/.INBOX/mailreeve-moving")), 0);
	return 0;
}

static void
moved_until_we_have_the_lock(void)
{
	struct mail *m = fresh_mail();
	struct store_ops ops = mbox_ops;
	struct mail_copied out = { 0 };
	struct runs one = RUNS_INIT;
	struct mailbox *b;
	char note[40];

	append(m, "INBOX", "A: 1\r\n\r\nx\r\n", 0);
	CHECK_EQ_INT(mail_create(m, BYTES("Other"), 0), 0);
	runs_add(&one, 1, 1);
	b = open_box(m, "INBOX");
	CHECK_EQ_INT(mailbox_copy(b, &one, BYTES("Other"), false, &out), 0);
	mailbox_close(b);
	snprintf(note, sizeof note, "Other\n%u\n1 1\n", out.uidvalidity);
	mail_copied_free(&out);
	write_file("note", "w", note);
	/* Whoever moves it back is not to make two of it. */
	b = open_box(m, "Other");
	ops.finish = finish_too_early;
	m->store->ops = &ops;
	CHECK_EQ_INT(mailbox_copy(b, &one, BYTES("INBOX"), true, &out), 0);
	mail_copied_free(&out);
	mailbox_close(b);
	CHECK_EQ_TEXT(show(m, "INBOX"), "2:0:A: 1\n\nx\n|");
	CHECK_EQ_TEXT(show(m, "Other"), "");
	runs_free(&one);
	mail_close(m);
}

/* Callers leave in it what was there before. */
static void
each_change_has_an_error_of_its_own(void)
{
	struct mail *m = fresh_mail();
	struct change v = { .uid = 1, .error = EXDEV };
	struct mailbox *b;
	struct mbox_folder *open;
	int fd;

	append(m, "INBOX", "A: 1\r\n\r\nx\r\n", 0);
	b = open_box(m, "INBOX");
	open = b->b.folder->mbox;
	fd = open->fd;
	open->fd = -1;
	mbox_ops.apply(b->b.folder, CHANGE_FLAGS, 1, &v, 1);
	open->fd = fd;
	CHECK_EQ_INT(v.error, ENOENT);
	mailbox_close(b);
	mail_close(m);
}

static int
note_name(void *arg, const struct mailbox_name *n)
{
	buf_printf(arg, "%.*s%s ", (int)n->name.n, (const char *)n->name.p,
	    n->attributes & MAILBOX_NOSELECT ? "(" : "");
	return 0;
}

static const char *
names(struct mail *m)
{
	static struct buf out = BUF_INIT(10000);

	buf_clear(&out);
	CHECK_EQ_INT(mail_list(m, note_name, &out), 0);
	return buf_string(&out);
}

static void
files_are_mailboxes(void)
{
	struct mail *m = fresh_mail();

	CHECK_EQ_INT(mail_create(m, BYTES("A"), 0), 0);
	CHECK_EQ_INT(mail_create(m, BYTES("D/B\xc3\xbc"), 0), 0);
	/* A name is a file or a directory. */
	CHECK_EQ_INT(mail_create(m, BYTES("A/B"), 0), -1);
	CHECK_EQ_INT(mail_create(m, BYTES("D"), 0), -1);
	CHECK_EQ_INT(mail_create(m, BYTES("../x"), 0), -1);
	CHECK_EQ_INT(mail_create(m, BYTES(".x"), 0), -1);
	CHECK_EQ_INT(mail_create(m, BYTES("x.lock"), 0), -1);
	write_file("mail/A.lock", "w", "");
	write_file("mail/.hidden", "w", "");
	write_file("mail/inbox", "w", "");
	CHECK_EQ_TEXT(names(m), "INBOX A D( D/B\xc3\xbc ");
	CHECK_EQ_INT(access(file_path("mail/D/B&APw-"), F_OK), 0);
	CHECK_EQ_INT(remove(file_path("mail/A.lock")), 0);
	append(m, "D/B\xc3\xbc", "A: 1\r\n\r\nx\r\n", 0);
	CHECK_EQ_INT(mail_rename(m, BYTES("D"), BYTES("E/F")), 0);
	CHECK_EQ_TEXT(names(m), "INBOX A E( E/F( E/F/B\xc3\xbc ");
	CHECK_EQ_TEXT(show(m, "E/F/B\xc3\xbc"), "1:0:A: 1\n\nx\n|");
	CHECK_EQ_INT(mail_delete(m, BYTES("E/F/B\xc3\xbc")), 0);
	CHECK_EQ_TEXT(names(m), "INBOX A ");
	CHECK_EQ_INT(mail_create(m, BYTES("E"), 0), 0);
	mail_close(m);
}

static void
declared_names(void)
{
	struct mail *m = fresh_mail();

	CHECK_EQ_INT(mail_declare(m, BYTES("P/Q")), 0);
	CHECK_EQ_TEXT(names(m), "INBOX P( P/Q( ");
	CHECK(mail_declare(m, BYTES("P")) < 0 && errno == EEXIST);
	CHECK(mail_declare(m, BYTES("INBOX")) < 0 && errno == EEXIST);
	CHECK(mail_declare(m, BYTES("../x")) < 0 && errno == EINVAL);
	CHECK(mail_delete(m, BYTES("P")) < 0 && errno == ENOTEMPTY);
	CHECK_EQ_INT(mail_create(m, BYTES("P/Q/R"), 0), 0);
	CHECK_EQ_TEXT(names(m), "INBOX P( P/Q( P/Q/R ");
	CHECK(mail_declare(m, BYTES("P/Q/R")) < 0 && errno == EEXIST);
	CHECK(mail_declare(m, BYTES("P/Q/R/S")) < 0 && errno == EINVAL);
	CHECK_EQ_INT(mail_declare(m, BYTES("T")), 0);
	CHECK_EQ_INT(mail_delete(m, BYTES("T")), 0);
	CHECK(mail_delete(m, BYTES("T")) < 0 && errno == ENOENT);
	/* Others' files: the directory stays, and they do. */
	CHECK_EQ_INT(mail_declare(m, BYTES("U")), 0);
	write_file("mail/U/.notes", "w", "x");
	CHECK(mail_delete(m, BYTES("U")) < 0 && errno == ENOTEMPTY);
	CHECK_EQ_INT(access(file_path("mail/U/.notes"), F_OK), 0);
	/* It may become a mailbox yet. */
	CHECK_EQ_INT(mail_declare(m, BYTES("V")), 0);
	CHECK_EQ_INT(mail_create(m, BYTES("V"), 0), 0);
	CHECK_EQ_TEXT(names(m), "INBOX P( P/Q( P/Q/R U( V ");
	mail_close(m);
}

/* Files that are no mailboxes, or odd ones: no crash, and nothing is written. */
static void
hostile_files(void)
{
	static const struct {
		const char *text;
		bool opens;
	} rows[] = {
		{ "", true }, { "no mailbox\n", false }, { "From nobody\n\n", false },
		{ "\n\n" FROM "A: 1\n\nx\n", true }, { FROM, true },
		{ FROM "X-UID: 99999999999\nX-IMAPbase: x y\n\nx\n", true },
		{ FROM "X-IMAPbase: 1 4294967295\nX-UID: 4294967295\n\nx\n", true },
		{ FROM "\xff\xfe: \x80\n\n\xff\n", true },
		{ "From a Sat Nov 21 01:02:03 2026\r\nA: 1\r\n\r\nx\r\n\r\n", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mail *m = fresh_mail();
		struct mailbox *b;

		write_file("mail/x", "w", rows[i].text);
		CHECK_EQ_INT(mailbox_open(m, BYTES("x"), false, &b),
		    rows[i].opens ? 0 : -1);
		if (!rows[i].opens)
			CHECK_EQ_TEXT(read_file("mail/x"), rows[i].text);
		else
			mailbox_close(b);
		mail_close(m);
	}
}

static void
another_holds_the_lock(void)
{
	struct mail *m = fresh_mail();
	struct stat st;

	append(m, "INBOX", "A: 1\r\n\r\nx\r\n", 0);
	/* A dotlock of five minutes ago is nobody's. */
	write_file("inbox.lock", "w", "0\n");
	CHECK_EQ_INT(utimensat(AT_FDCWD, file_path("inbox.lock"),
	    (struct timespec[2]){ { 1000, 0 }, { 1000, 0 } }, 0), 0);
	append(m, "INBOX", "A: 2\r\n\r\nx\r\n", 0);
	CHECK_EQ_TEXT(show(m, "INBOX"), "1:0:A: 1\n\nx\n|2:0:A: 2\n\nx\n|");
	CHECK_EQ_INT(stat(file_path("inbox.lock"), &st), -1);
	mail_close(m);
}

static int countdown;

static int
full_once(const char *call)
{
	(void)call;
	return --countdown == 0 ? ENOSPC : 0;
}

/* From a certain write on there is no room, and the disk fails. */
static int
fails_from_then(const char *call)
{
	if (strcmp(call, "write") != 0 || countdown == 0 || --countdown > 0)
		return 0;
	countdown = 1;
	return EIO;
}

static unsigned
times(const char *name, const char *text)
{
	unsigned n = 0;

	for (const char *at = read_file(name); (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static bool
move_two(struct mail *m)
{
	struct runs two = RUNS_INIT;
	struct mail_copied out;
	struct mailbox *b = open_box(m, "INBOX");
	bool done;

	runs_add(&two, 1, 2);
	done = mailbox_copy(b, &two, BYTES("Other"), true, &out) == 0;
	mail_copied_free(&out);
	runs_free(&two);
	mailbox_close(b);
	return done;
}

static struct mail *
three_to_move(void)
{
	struct mail *m = fresh_mail();

	CHECK_EQ_INT(mail_create(m, BYTES("Other"), 0), 0);
	append(m, "INBOX", "A: 1\r\n\r\none\r\n", 0);
	append(m, "INBOX", "A: 2\r\n\r\ntwo\r\n", 0);
	append(m, "INBOX", "A: 3\r\n\r\nthree\r\n", 0);
	CHECK_EQ_TEXT(show(m, "Other"), "");
	return m;
}

/* A move that fails at any write leaves each message in one place. */
static void
moves_that_fail(void)
{
	bool done = false;

	for (int at = 1; !done && CHECK(at < 200); at++) {
		struct mail *m = three_to_move();

		countdown = at;
		sys_before = fails_from_then;
		done = move_two(m) && countdown > 1;
		sys_before = NULL;
		mail_close(m);
		m = same_mail();
		show(m, "INBOX");
		show(m, "Other");
		for (char i = '1'; i <= '3'; i++) {
			char field[] = { 'A', ':', ' ', i, '\n', '\0' };

			if (!CHECK_EQ_INT(times("inbox", field)
			    + times("mail/Other", field), 1))
				printf("# %s, write %d\n", field, at);
		}
		mail_close(m);
	}
}

/* Somebody puts a message there, without a lock, when the disk is full. */
static int
full_and_appended(const char *call)
{
	if (strcmp(call, "rename") != 0
	    || access(file_path("mail/.mailreeve/.INBOX/mailreeve-journal.new"),
	    F_OK) < 0)
		return 0;
	write_file("mail/Other", "a", FROM "A: 4\n\nfour\n\n");
	return ENOSPC;
}

static void
a_failed_move_beside_a_delivery(void)
{
	struct mail *m = three_to_move();

	sys_before = full_and_appended;
	CHECK(!move_two(m));
	sys_before = NULL;
	CHECK_EQ_TEXT(show(m, "INBOX"), "3:0:A: 3\n\nthree\n|");
	CHECK_EQ_INT(times("mail/Other", "A: 1\n"), 1);
	CHECK_EQ_INT(times("mail/Other", "A: 2\n"), 1);
	CHECK_EQ_INT(times("mail/Other", "A: 4\n"), 1);
	mail_close(m);
}

/* What cannot be opened for want of room is not made. */
static void
created_whole_or_not_at_all(void)
{
	for (int at = 1;; at++) {
		struct mail *m = fresh_mail();
		bool made;

		countdown = at;
		sys_before = full_once;
		errno = 0;
		made = mail_create(m, BYTES("D/A"), 0) == 0;
		sys_before = NULL;
		if (made) {
			CHECK_EQ_TEXT(show(m, "D/A"), "");
		} else {
			CHECK_EQ_INT(errno, ENOSPC);
			CHECK(access(file_path("mail/D"), F_OK) < 0);
			CHECK(access(file_path("mail/.mailreeve/.D.A"), F_OK) < 0);
		}
		mail_close(m);
		if (countdown > 0 || !CHECK(at < 100)) {
			CHECK(made);
			return;
		}
	}
}

static int
full_for_data(const char *call)
{
	return strcmp(call, "write") == 0 ? ENOSPC : 0;
}

static int
full_for_syncs(const char *call)
{
	return strcmp(call, "fsync") == 0 ? ENOSPC : 0;
}

/* The directory above it is there already. */
static int
full_for_q(const char *call)
{
	return strcmp(call, "mkdir") == 0
	    && access(file_path("mail/P"), F_OK) == 0 ? ENOSPC : 0;
}

static void
nothing_is_created_on_a_full_disk(void)
{
	struct mail *m = fresh_mail();

	sys_before = full_for_data;
	CHECK_EQ_INT(mail_create(m, BYTES("A"), 0), -1);
	CHECK_EQ_INT(errno, ENOSPC);
	sys_before = full_for_syncs;
	CHECK(mail_declare(m, BYTES("P/Q")) < 0 && errno == ENOSPC);
	sys_before = full_for_q;
	CHECK(mail_declare(m, BYTES("P/Q")) < 0 && errno == ENOSPC);
	sys_before = NULL;
	CHECK_EQ_TEXT(names(m), "INBOX ");
	mail_close(m);
}

/* ---- renames cut short ---- */

static int
cut_short(const char *call)
{
	(void)call;
	if (--countdown == 0)
		_exit(42);
	return 0;
}

static struct mailbox_status
status_of(struct mail *m, const char *name)
{
	struct mailbox_status st = { 0 };

	CHECK_EQ_INT(mail_status(m, bytes_of(name), STATUS_COUNTS, &st), 0);
	return st;
}

/*
 * A mailbox as a client knows it; and what a mailbox that was deleted left of
 * itself where this one will be.
 */
static struct mailbox_status
two_lives(const char *from, const char *to, const char *to_side)
{
	struct mail *m = fresh_mail();
	struct mailbox_status st;
	char side[300], keep[300];

	snprintf(side, sizeof side, "%s/mail/.mailreeve/%s", maildirs_home, to_side);
	snprintf(keep, sizeof keep, "%s/keep", maildirs_home);
	CHECK_EQ_INT(mail_create(m, bytes_of(to), 0), 0);
	append(m, to, "A: 0\r\n\r\nx\r\n", 0);
	CHECK_EQ_INT(rename(side, keep), 0);
	CHECK_EQ_INT(mail_delete(m, bytes_of(to)), 0);
	CHECK_EQ_INT(rename(keep, side), 0);
	CHECK_EQ_INT(mail_create(m, bytes_of(from), 0), 0);
	for (unsigned i = 0; i < 3; i++)
		append(m, from, "A: 1\r\n\r\nx\r\n", 0);
	delete_uid(m, from, 1);
	st = status_of(m, from);
	mail_close(m);
	return st;
}

/* True when it was not cut: it has no more calls than that. */
static bool
rename_cut(const char *from, const char *to, int at)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct mail *m = same_mail();

		countdown = at;
		sys_before = cut_short;
		_exit(mail_rename(m, bytes_of(from), bytes_of(to)) < 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status)
	    && (WEXITSTATUS(status) == 42 || WEXITSTATUS(status) == 0));
	return WEXITSTATUS(status) == 0;
}

static void
one_life(const char *from, const char *to, const char *file,
    const struct mailbox_status *known)
{
	struct mail *m = same_mail();
	bool renamed = access(file_path(file), F_OK) < 0;
	struct mailbox_status st = status_of(m, renamed ? to : from);
	struct mailbox *b;

	CHECK_EQ_INT(st.uidvalidity, known->uidvalidity);
	CHECK_EQ_TEXT(st.id, known->id);
	CHECK_EQ_TEXT(show(m, renamed ? to : from),
	    "2:0:A: 1\n\nx\n|3:0:A: 1\n\nx\n|");
	CHECK_EQ_INT(mailbox_open(m, bytes_of(renamed ? from : to), true, &b), -1);
	/* Another program makes one of the old name: nothing of this is its. */
	if (renamed) {
		if (strchr(file, '/') != strrchr(file, '/'))
			mkdir(file_path("mail/D"), 0700);
		write_file(file, "w", FROM "A: 2\n\nx\n\n");
		st = status_of(m, from);
		CHECK(st.uidvalidity != known->uidvalidity);
		CHECK(strcmp(st.id, known->id) != 0);
	}
	mail_close(m);
}

static void
renames_cut_short(void)
{
	static const struct {
		const char *from, *to, *box_from, *box_to, *file, *to_side;
	} rows[] = {
		{ "A", "C", "A", "C", "mail/A", ".C" },
		{ "D", "E", "D/A", "E/A", "mail/D/A", ".E.A" },
	};

	for (size_t i = 0; i < 2; i++) {
		bool whole = false;

		for (int at = 1; !whole; at++) {
			struct mailbox_status st = two_lives(rows[i].box_from,
			    rows[i].box_to, rows[i].to_side);

			whole = rename_cut(rows[i].from, rows[i].to, at);
			one_life(rows[i].box_from, rows[i].box_to, rows[i].file,
			    &st);
			if (!CHECK(at < 200))
				return;
		}
	}
}

/* Notes of renames that make no sense keep nobody from the mail. */
static void
odd_notes(void)
{
	static const char *const texts[] = { "", "A", "A\nA\n", "A\nINBOX\n",
	    "INBOX\nA\n", "x\nA\n", "A\n../x\n", "A\nx/.y\n", "\xff\n\xfe\n" };
	struct mail *m = fresh_mail();
	struct mailbox_status st;

	CHECK_EQ_INT(mail_create(m, BYTES("A"), 0), 0);
	append(m, "A", "A: 1\r\n\r\nx\r\n", 0);
	st = status_of(m, "A");
	mail_close(m);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		write_file("mail/.mailreeve/mailreeve-renaming", "w", texts[i]);
		m = same_mail();
		CHECK_EQ_INT(status_of(m, "A").uidvalidity, st.uidvalidity);
		CHECK_EQ_TEXT(show(m, "A"), "1:0:A: 1\n\nx\n|");
		mail_close(m);
		CHECK(access(file_path("mail/.mailreeve/mailreeve-renaming"),
		    F_OK) < 0);
	}
}

/* One that is refused takes nothing from those that are there. */
static void
a_refused_rename(void)
{
	struct mail *m = fresh_mail();
	struct mailbox_status st;

	CHECK_EQ_INT(mail_create(m, BYTES("D/A"), 0), 0);
	CHECK_EQ_INT(mail_create(m, BYTES("E/B"), 0), 0);
	st = status_of(m, "E/B");
	CHECK_EQ_INT(mail_rename(m, BYTES("D"), BYTES("E")), -1);
	CHECK_EQ_INT(errno, EEXIST);
	CHECK_EQ_TEXT(status_of(m, "E/B").id, st.id);
	CHECK_EQ_TEXT(names(m), "INBOX D( D/A E( E/B ");
	mail_close(m);
	m = same_mail();
	CHECK_EQ_TEXT(status_of(m, "E/B").id, st.id);
	mail_close(m);
}

TEST_MAIN(TEST(what_is_appended_comes_back), TEST(our_fields_of_others_go),
    TEST(deliveries_get_uids_and_keep_them), TEST(flags_stand_in_the_file),
    TEST(what_moves_does_not_change), TEST(other_programs_rewrite_the_file),
    TEST(placeholders_are_hidden), TEST(copies_and_moves),
    TEST(moved_until_we_have_the_lock),
    TEST(each_change_has_an_error_of_its_own),
    TEST(files_are_mailboxes), TEST(declared_names), TEST(hostile_files), TEST(another_holds_the_lock),
    TEST(moves_that_fail), TEST(a_failed_move_beside_a_delivery),
    TEST(created_whole_or_not_at_all), TEST(nothing_is_created_on_a_full_disk),
    TEST(renames_cut_short), TEST(a_refused_rename), TEST(odd_notes))
