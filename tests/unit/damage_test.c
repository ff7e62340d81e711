/*
 * Indexes that are damaged or hostile, and Maildirs that are.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>

#include <errno.h>

#include "../../src/store/mailbox.h"
#include "maildirs.h"
#include "test.h"

#define MESSAGES 200

static struct mail *
some_mail(void)
{
	struct mail *m = fresh_mail();

	for (int i = 0; i < MESSAGES; i++) {
		char name[40];

		snprintf(name, sizeof name, "%d.x.host:2,%s", 1000 + i,
		    i % 2 ? "S" : "");
		deliver("cur", name, "Subject: x\n\nbody\n");
	}
	return m;
}

static const char *
path_of(const char *file)
{
	static char path[400];

	snprintf(path, sizeof path, "%s/Maildir/%s", maildirs_home, file);
	return path;
}

static bool
all_at_once(struct mailbox *b)
{
	static struct mail_row v[MESSAGES + 1];
	size_t n, seen = 0;

	if (mailbox_rows_alone(b, mailbox_view(b), v, MESSAGES + 1, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		seen += (v[i].flags & FLAG_SEEN) != 0;
	return n == MESSAGES && seen == MESSAGES / 2;
}

/* All messages, with the flags they must have. */
static bool
all_there(struct mailbox *b)
{
	struct mail_cursor *c;
	struct mail_row row;
	unsigned n = 0, seen = 0;
	int rc;

	if (mailbox_sync(b) < 0 || !all_at_once(b) || mailbox_rows(b, mailbox_view(b), &c) < 0)
		return false;
	while ((rc = mail_cursor_next(c, &row)) == 1) {
		n++;
		seen += (row.flags & FLAG_SEEN) != 0;
	}
	mail_cursor_end(c);
	return rc == 0 && n == MESSAGES && seen == MESSAGES / 2;
}

static bool
opens_whole(void)
{
	struct mail *m = same_mail();
	struct mailbox *b;
	bool good = mailbox_open(m, BYTES("INBOX"), true, &b) == 0;

	if (good) {
		good = all_there(b);
		mailbox_close(b);
	}
	mail_close(m);
	return good;
}

static void
cut_under_an_open_session(void)
{
	struct mail *m = some_mail();
	struct mailbox *b;

	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK(all_there(b));
	for (off_t size = 65536; size >= 0; size -= 16384) {
		CHECK_EQ_INT(truncate(path_of("mailreeve-index"), size), 0);
		if (!CHECK(all_there(b)))
			printf("# cut to %ld\n", (long)size);
	}
	mailbox_close(b);
	mail_close(m);
}

/* Every page overwritten in turn with bytes that make no sense. */
static void
pages_of_noise(void)
{
	struct mail *m = some_mail();
	unsigned char noise[4096];
	struct stat st;
	FILE *f;

	mail_close(m);
	CHECK(opens_whole());
	CHECK_EQ_INT(stat(path_of("mailreeve-index"), &st), 0);
	for (long at = 0; at < st.st_size; at += 4096) {
		CHECK(opens_whole());
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (unsigned char)(i * 31 + (size_t)at / 4096);
		f = fopen(path_of("mailreeve-index"), "r+");
		if (!CHECK(f != NULL))
			return;
		fseek(f, at, SEEK_SET);
		fwrite(noise, 1, sizeof noise, f);
		fclose(f);
		if (!CHECK(opens_whole()))
			printf("# page %ld\n", at / 4096);
	}
}

/* One bit of each value that matters most. */
static void
bits_turned(void)
{
	struct mail *m = some_mail();
	struct stat st;

	mail_close(m);
	CHECK(opens_whole());
	CHECK_EQ_INT(stat(path_of("mailreeve-index"), &st), 0);
	for (long at = 8; at < st.st_size; at += 509) {
		FILE *f = fopen(path_of("mailreeve-index"), "r+");
		int c;

		if (f == NULL)
			break;
		fseek(f, at, SEEK_SET);
		c = getc(f);
		fseek(f, at, SEEK_SET);
		if (c != EOF)
			putc(c ^ 4, f);
		fclose(f);
		if (!CHECK(opens_whole()))
			printf("# byte %ld\n", at);
	}
}

/* Leaves of the tree become branches. */
static int
spoil_leaves(void *arg, struct bytes key, struct bytes value)
{
	enum { FLAGS_AT = 10, BRANCH = 1, LEAF = 2, PAGE = 4096 };
	FILE *f = fopen(path_of("mailreeve-index"), "r+b");
	unsigned *calls = arg;
	int c;

	(void)key;
	(void)value;
	++*calls;
	if (!CHECK(f != NULL))
		return 1;
	for (long at = FLAGS_AT; fseek(f, at, SEEK_SET) == 0
	    && (c = getc(f)) != EOF; at += PAGE)
		if (c == LEAF && fseek(f, at, SEEK_SET) == 0)
			putc(BRANCH, f);
	fclose(f);
	return 0;
}

/* While LMDB goes from one to the next: it asserts that they are leaves. */
static void
leaves_become_branches(void)
{
	struct mail *m = some_mail();
	struct mailbox *b;
	unsigned calls = 0;

	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(db_walk(m->db, TABLE_ROWS, bytes_make("", 1),
	    spoil_leaves, &calls), -1);
	CHECK_EQ_INT(errno, EIO);
	CHECK_EQ_INT(calls, 1);
	CHECK(all_there(b));
	mailbox_close(b);
	mail_close(m);
}

static void
not_an_index_at_all(void)
{
	struct mail *m = some_mail();

	mail_close(m);
	deliver(".", "mailreeve-index", "this is no index\n");
	CHECK(opens_whole());
	unlink(path_of("mailreeve-index"));
	CHECK_EQ_INT(symlink("/etc/passwd", path_of("mailreeve-index")), 0);
	CHECK(opens_whole());
	unlink(path_of("mailreeve-index"));
	CHECK_EQ_INT(mkdir(path_of("mailreeve-index"), 0700), 0);
	CHECK(opens_whole());
}

static void
what_is_no_message_is_passed_over(void)
{
	struct mail *m = some_mail();
	char from[400];

	CHECK_EQ_INT(symlink("/etc/passwd", path_of("cur/1.link:2,")), 0);
	CHECK_EQ_INT(symlink("/etc/passwd", path_of("new/1.link")), 0);
	CHECK_EQ_INT(mkfifo(path_of("new/2.fifo"), 0600), 0);
	CHECK_EQ_INT(mkdir(path_of("cur/3.dir"), 0700), 0);
	CHECK_EQ_INT(symlink("/etc", path_of(".Evil")), 0);
	snprintf(from, sizeof from, "%s", path_of(".&AC8-"));
	CHECK_EQ_INT(mkdir(from, 0700), 0);
	mail_close(m);
	CHECK(opens_whole());
}

static void
names_with_any_bytes(void)
{
	struct mail *m = some_mail();
	struct mailbox *b;
	char name[256];
	int n = 0;

	deliver("new", "a b\nc\x01\xff", "X: 1\n\n");
	deliver("new", ",,,", "X: 2\n\n");
	deliver("new", ":", "X: 3\n\n");
	deliver("new", "x,U=,U=9.9,U=4294967295.4294967295:2,SS", "X: 4\n\n");
	memset(name, 'n', sizeof name - 1);
	name[255] = '\0';
	deliver("new", name, "X: 5\n\n");
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 5);
	for (uint32_t uid = MESSAGES + 1; uid <= MESSAGES + 5; uid++) {
		struct message msg;

		if (CHECK_EQ_INT(mailbox_message(b, uid, &msg), 0)) {
			n++;
			message_close(&msg);
		}
	}
	CHECK_EQ_INT(n, 5);
	mailbox_close(b);
	mail_close(m);
}

/* The index as it is when a page of it is not the one that was written last. */
static void
spoil_counts(struct mailbox *b, bool row)
{
	struct bound *bound = &b->b;

	CHECK_EQ_INT(bound_reload(bound), 0);
	CHECK_EQ_INT(bound_begin(bound), 0);
	if (row)
		CHECK_EQ_INT(index_row_remove(bound->mail->db,
		    bound->rec.number, 7), 0);
	else
		bound->rec.messages += 4;
	CHECK_EQ_INT(bound_commit(bound), 0);
}

static uint64_t
status_messages(void)
{
	struct mail *m = same_mail();
	struct mailbox_status st = { 0 };

	CHECK_EQ_INT(mail_status(m, BYTES("INBOX"), STATUS_COUNTS, &st), 0);
	mail_close(m);
	return st.messages;
}

static void
counts_that_are_wrong(void)
{
	for (int row = 0; row < 2; row++) {
		struct mail *m = some_mail();
		struct mailbox *b;

		CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
		/* Who selects it counts ... */
		spoil_counts(b, false);
		CHECK_EQ_INT(status_messages(), MESSAGES + 4);
		CHECK(opens_whole());
		CHECK_EQ_INT(status_messages(), MESSAGES);
		/* ... and so does who looks at the folder. */
		CHECK(all_there(b));
		spoil_counts(b, row);
		deliver("cur", "9999.x.host:2,", "Subject: y\n\nbody\n");
		CHECK_EQ_INT(status_messages(), MESSAGES + 1);
		mailbox_close(b);
		mail_close(m);
	}
}

static const char *const foreign_lists[] = { "dovecot-uidlist",
    "dovecot-keywords", "courierimapuiddb", "courierpop3dsizelist" };

/* Mail is not held back by what other servers' lists should have been. */
static void
foreign_lists_that_are_no_files(void)
{
	for (size_t i = 0; i < sizeof foreign_lists / sizeof *foreign_lists; i++)
		for (int fifo = 0; fifo < 2; fifo++) {
			struct mail *m = some_mail();
			const char *path = path_of(foreign_lists[i]);

			CHECK_EQ_INT(fifo ? mkfifo(path, 0600)
			    : mkdir(path, 0700), 0);
			mail_close(m);
			CHECK(opens_whole());
		}
}

/* A directory, though younger, hides no list that another server left. */
static void
a_list_beside_what_is_no_file(void)
{
	struct mail *m = some_mail();
	struct mailbox *b;

	deliver(".", "courierimapuiddb", "1 77 5000\n4711 1003.x.host\n");
	CHECK_EQ_INT(mkdir(path_of("dovecot-uidlist"), 0700), 0);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), true, &b), 0);
	CHECK_EQ_INT(b->b.rec.uidvalidity, 77);
	CHECK(runs_contains(mailbox_view(b), 4711));
	mailbox_close(b);
	mail_close(m);
}

TEST_MAIN(TEST(cut_under_an_open_session), TEST(pages_of_noise),
    TEST(bits_turned), TEST(leaves_become_branches),
    TEST(not_an_index_at_all),
    TEST(what_is_no_message_is_passed_over), TEST(names_with_any_bytes),
    TEST(counts_that_are_wrong), TEST(foreign_lists_that_are_no_files), TEST(a_list_beside_what_is_no_file))
