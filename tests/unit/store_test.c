/*
 * mail.h over a Maildir: what sessions ask for, from the first visit on.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../../src/store/bound.h"
#include "../../src/store/sys.h"
#include "maildirs.h"
#include "test.h"

static int
count_name(void *arg, const struct mailbox_name *n)
{
	unsigned *count = arg;

	count[0]++;
	count[1] += n->uses != 0;
	count[2] += (n->attributes & MAILBOX_SUBSCRIBED) != 0;
	return 0;
}

static void
first_visit(void)
{
	struct mail *m = fresh_mail();
	unsigned count[3] = { 0 };

	CHECK_EQ_INT(mail_list(m, count_name, count), 0);
	CHECK_EQ_INT(count[0], 6);
	CHECK_EQ_INT(count[1], 5);
	CHECK_EQ_INT(count[2], 6);
	mail_close(m);
}

static void
append_and_read(void)
{
	struct mail *m = fresh_mail();
	struct mailbox *b;
	struct mail_row row;
	struct message msg;
	char text[100];
	uint64_t size;

	append(m, "INBOX", "Subject: a\r\n\r\nbody\r\n", FLAG_SEEN);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(mailbox_view(b)->count, 1);
	CHECK_EQ_INT(mailbox_row(b, 1, &row), 0);
	CHECK_EQ_INT(row.flags, FLAG_SEEN);
	CHECK_EQ_INT(row.internaldate, 1000000000);
	CHECK_EQ_INT(mailbox_row_size(b, 1, &size), 0);
	CHECK_EQ_INT(size, 20);
	CHECK_EQ_INT(mailbox_message(b, 1, &msg), 0);
	CHECK_EQ_INT(message_read(&msg, 0, text, sizeof text), 17);
	CHECK(memcmp(text, "Subject: a\n\nbody\n", 17) == 0);
	message_close(&msg);
	mailbox_close(b);
	mail_close(m);
}

static void
a_delivery_is_seen(void)
{
	struct mail *m = fresh_mail();
	struct mail_changes c;
	struct mailbox *b;

	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	deliver("new", "1000.a.host", "Subject: x\n\n");
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(mailbox_changes(b, &c), 0);
	CHECK_EQ_INT(c.arrived.count, 1);
	CHECK_EQ_INT(c.vanished.count + c.changed.count, 0);
	CHECK_EQ_INT(mailbox_view(b)->count, 0);
	CHECK_EQ_INT(mailbox_told_arrived(b, &c.arrived), 0);
	mailbox_told_modseq(b, c.modseq);
	mail_changes_free(&c);
	CHECK_EQ_INT(mailbox_view(b)->count, 1);
	CHECK_EQ_INT(mailbox_recent(b)->count, 1);
	CHECK_EQ_INT(mailbox_changes(b, &c), 0);
	CHECK_EQ_INT(c.arrived.count + c.vanished.count + c.changed.count, 0);
	mail_changes_free(&c);
	mailbox_close(b);
	mail_close(m);
}

static void
flags_and_expunge(void)
{
	struct mail *m = fresh_mail();
	struct mail_store s = { .how = FLAGS_ADD, .flags = FLAG_DELETED };
	struct mailbox_status st;
	struct mail_stored out;
	struct mailbox *b;
	struct runs one = RUNS_INIT, gone = RUNS_INIT;

	for (int i = 0; i < 3; i++)
		append(m, "INBOX", "A: b\r\n\r\n", 0);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	runs_add(&one, 2, 2);
	CHECK_EQ_INT(mailbox_store(b, &one, &s, &out), 0);
	CHECK_EQ_INT(out.stored.count, 1);
	CHECK(out.modseq > out.modseq_before);
	mail_stored_free(&out);
	CHECK_EQ_INT(mailbox_status_now(b, STATUS_SIZES, &st), 0);
	CHECK_EQ_INT(st.deleted, 1);
	CHECK_EQ_INT(st.size, 24);
	CHECK_EQ_INT(st.deleted_size, 8);
	CHECK_EQ_INT(st.first_unseen, 1);
	CHECK_EQ_INT(mailbox_expunge(b, mailbox_view(b), &gone), 0);
	CHECK_EQ_INT(gone.count, 1);
	CHECK_EQ_INT(runs_first(&gone), 2);
	CHECK_EQ_INT(mailbox_vanished_since(b, st.highest_modseq, &gone), 0);
	CHECK_EQ_INT(gone.count, 1);
	runs_free(&one);
	runs_free(&gone);
	mailbox_close(b);
	mail_close(m);
}

static void
an_index_may_go_at_any_time(void)
{
	struct mail *m = fresh_mail();
	struct mail_changes c;
	struct mail_row row;
	struct mailbox *b;

	for (int i = 0; i < 5; i++)
		append(m, "INBOX", "A: b\r\n\r\n", i % 2 ? FLAG_SEEN : 0);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	drop_index();
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(mailbox_changes(b, &c), 0);
	CHECK_EQ_INT(c.arrived.count + c.vanished.count + c.changed.count, 0);
	mail_changes_free(&c);
	drop_index();
	CHECK_EQ_INT(mailbox_row(b, 2, &row), 0);
	CHECK_EQ_INT(row.flags, FLAG_SEEN);
	append(m, "INBOX", "C: d\r\n\r\n", 0);
	CHECK_EQ_INT(mailbox_changes(b, &c), 0);
	CHECK_EQ_INT(c.arrived.count, 1);
	CHECK(runs_first(&c.arrived) > 5);
	mail_changes_free(&c);
	mailbox_close(b);
	mail_close(m);
}

static void
copy_and_move(void)
{
	struct mail *m = fresh_mail();
	struct mailbox_status st;
	struct mail_copied out;
	struct mailbox *b;

	for (int i = 0; i < 4; i++)
		append(m, "INBOX", "A: b\r\n\r\n", FLAG_FLAGGED);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(mailbox_copy(b, mailbox_view(b), BYTES("Trash"), false, &out), 0);
	CHECK_EQ_INT(out.from.count, 4);
	CHECK_EQ_INT(out.to.count, 4);
	mail_copied_free(&out);
	CHECK_EQ_INT(mailbox_copy(b, mailbox_view(b), BYTES("Trash"), true, &out), 0);
	CHECK_EQ_INT(runs_first(&out.to), 5);
	mail_copied_free(&out);
	CHECK_EQ_INT(mail_status(m, BYTES("Trash"), STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.messages, 8);
	CHECK_EQ_INT(mail_status(m, BYTES("INBOX"), STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.messages, 0);
	CHECK(mailbox_copy(b, mailbox_view(b), BYTES("None"), false, &out) < 0
	    && errno == ENOENT);
	mailbox_close(b);
	mail_close(m);
}

/* Another program renames the second message, so many times. */
static unsigned renamings;

static int
copy_beside_renames(struct folder *f, struct folder *from, uint32_t uidvalidity,
    struct draft *v, size_t n, bool move, size_t *done)
{
	if (renamings == 0 || n == 0)
		return maildir_ops.copy(f, from, uidvalidity, v, n, move, done);
	renamings--;
	maildir_ops.copy(f, from, uidvalidity, v, v[0].flags == 0 ? 1 : 0, move,
	    done);
	errno = ENOENT;
	return -1;
}

/* RFC 6851 section 3.3: those that have moved are told of, also when others could not. */
static void
move_beside_renames(void)
{
	struct mail *m = fresh_mail();
	struct store_ops ops = maildir_ops;
	struct mail_copied out;
	struct mailbox *b;

	for (unsigned times = 1; times < 200; times += 100) {
		append(m, "INBOX", "A: 1\r\n\r\n", 0);
		append(m, "INBOX", "A: 2\r\n\r\n", FLAG_SEEN);
		CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
		ops.copy = copy_beside_renames;
		m->store->ops = &ops;
		renamings = times;
		if (times == 1) {
			CHECK_EQ_INT(mailbox_copy(b, mailbox_view(b), BYTES("Trash"), true, &out), 0);
			CHECK_EQ_INT(out.from.count, 2);
		} else {
			CHECK(mailbox_copy(b, mailbox_view(b), BYTES("Trash"), true, &out) < 0
			    && errno == EBUSY);
			CHECK_EQ_INT(out.from.count, 1);
		}
		CHECK_EQ_INT(out.to.count, out.from.count);
		mail_copied_free(&out);
		m->store->ops = &maildir_ops;
		mailbox_close(b);
	}
	mail_close(m);
}

static void
names(void)
{
	struct mail *m = fresh_mail();
	struct mailbox_status a, b;

	CHECK_EQ_INT(mail_create(m, BYTES("Work/2026.Q1"), 0), 0);
	CHECK(mail_create(m, BYTES("Work/2026.Q1"), 0) < 0 && errno == EEXIST);
	CHECK(mail_create(m, BYTES("a//b"), 0) < 0 && errno == EINVAL);
	append(m, "Work/2026.Q1", "A: b\r\n\r\n", 0);
	CHECK_EQ_INT(mail_status(m, BYTES("Work/2026.Q1"), 0, &a), 0);
	CHECK_EQ_INT(mail_rename(m, BYTES("Work"), BYTES("Play")), 0);
	CHECK_EQ_INT(mail_status(m, BYTES("Play/2026.Q1"), 0, &b), 0);
	CHECK_EQ_TEXT(a.id, b.id);
	CHECK_EQ_INT(a.uidvalidity, b.uidvalidity);
	CHECK_EQ_INT(b.messages, 1);
	CHECK(mail_delete(m, BYTES("Play")) < 0 && errno == ENOTEMPTY);
	CHECK_EQ_INT(mail_delete(m, BYTES("Play/2026.Q1")), 0);
	CHECK(mail_status(m, BYTES("Play/2026.Q1"), 0, &b) < 0 && errno == ENOENT);
	CHECK_EQ_INT(mail_create(m, BYTES("Play/2026.Q1"), 0), 0);
	CHECK_EQ_INT(mail_status(m, BYTES("Play/2026.Q1"), 0, &b), 0);
	CHECK(b.uidvalidity > a.uidvalidity);
	mail_close(m);
}

/* Until what was written now has a time that the clock has left behind. */
static void
let_time_pass(void)
{
	struct timespec from, now;

	clock_gettime(CLOCK_REALTIME, &from);
	do
		clock_gettime(CLOCK_REALTIME, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec)
	    / 1000000 < 50);
}

static void
expect_counts(struct mail *m, const char *name, uint64_t messages, uint64_t unseen)
{
	struct mailbox_status st;

	CHECK_EQ_INT(mail_status(m, bytes_of(name), STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.messages, messages);
	CHECK_EQ_INT(st.unseen, unseen);
}

/* Asked so often that nothing needs to be opened any more, and then it changes. */
static void
counters_of_what_is_closed(void)
{
	struct mail *m = fresh_mail();
	struct mailbox_status before, after;
	char from[400], to[400];

	deliver("cur", "1.a.host:2,", "A: b\n\n");
	for (int i = 0; i < 3; i++) {
		expect_counts(m, "INBOX", 1, 1);
		expect_counts(m, "Trash", 0, 0);
		let_time_pass();
		mail_close(m);
		m = same_mail();
	}
	CHECK_EQ_INT(mail_status(m, BYTES("Trash"), 0, &before), 0);
	deliver("new", "2.b.host", "A: b\n\n");
	expect_counts(m, "INBOX", 2, 2);
	deliver("cur", "3.c.host:2,S", "A: b\n\n");
	expect_counts(m, "INBOX", 3, 2);
	snprintf(from, sizeof from, "%s/Maildir/.Trash/mailreeve-state",
	    maildirs_home);
	snprintf(to, sizeof to, "%s/Maildir/.Sent/mailreeve-state", maildirs_home);
	/* Another mailbox's state, which is as good as none. */
	CHECK_EQ_INT(rename(to, from), 0);
	CHECK_EQ_INT(mail_status(m, BYTES("Trash"), 0, &after), 0);
	CHECK(strcmp(before.id, after.id) != 0);
	drop_index();
	expect_counts(m, "INBOX", 3, 2);
	expect_counts(m, "Sent", 0, 0);
	mail_close(m);
}

static void
rename_inbox(void)
{
	struct mail *m = fresh_mail();
	struct mailbox_status st;

	append(m, "INBOX", "A: b\r\n\r\n", 0);
	CHECK_EQ_INT(mail_rename(m, BYTES("INBOX"), BYTES("Old")), 0);
	CHECK_EQ_INT(mail_status(m, BYTES("Old"), 0, &st), 0);
	CHECK_EQ_INT(st.messages, 1);
	CHECK_EQ_INT(mail_status(m, BYTES("INBOX"), 0, &st), 0);
	CHECK_EQ_INT(st.messages, 0);
	mail_close(m);
}

static void
expect_status(struct mailbox *b, uint64_t messages, uint64_t deleted)
{
	struct mailbox_status st;

	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(mailbox_status_now(b, STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.messages, messages);
	CHECK_EQ_INT(st.deleted, deleted);
}

/* So many at once that the folder is looked at again instead of being watched. */
static void
most_of_a_large_folder(void)
{
	struct mail *m = fresh_mail(), *other;
	struct mail_store s = { .how = FLAGS_ADD, .flags = FLAG_DELETED };
	struct runs one = RUNS_INIT, gone = RUNS_INIT;
	struct mail_stored out;
	struct mailbox *b, *b2;
	char name[64];

	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "%d.a.host:2,", 1000 + i);
		deliver("cur", name, "A: b\n\n");
	}
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK(mail_events_fd(m) >= 0);
	CHECK_EQ_INT(mailbox_store(b, mailbox_view(b), &s, &out), 0);
	CHECK_EQ_INT(out.stored.count, 1500);
	mail_stored_free(&out);
	expect_status(b, 1500, 1500);

	/* What others do is still met, and waiting for it works again. */
	other = same_mail();
	CHECK_EQ_INT(mailbox_open(other, BYTES("INBOX"), false, &b2), 0);
	expect_status(b2, 1500, 1500);
	s.how = FLAGS_REMOVE;
	runs_add(&one, 7, 7);
	CHECK_EQ_INT(mailbox_store(b2, &one, &s, &out), 0);
	mail_stored_free(&out);
	deliver("new", "9000.late.host", "A: b\n\n");
	CHECK(mail_events_fd(m) >= 0);
	expect_status(b, 1501, 1499);
	CHECK_EQ_INT(mailbox_expunge(b, mailbox_view(b), &gone), 0);
	CHECK_EQ_INT(gone.count, 1499);
	expect_status(b, 2, 0);
	expect_status(b2, 2, 0);
	runs_free(&one);
	runs_free(&gone);
	mailbox_close(b2);
	mail_close(other);
	mailbox_close(b);
	mail_close(m);
}

/* Notes of renames that make no sense keep nobody from the mail. */
static void
odd_notes(void)
{
	static const char *const texts[] = { "", "A", "A\nA\n", "A\nINBOX\n",
	    "INBOX\nA\n", "x\nA\n", "A\nA/x\n", "\xff\n\xfe\n", NULL };
	char path[400], deep[1024];
	struct mail *m = fresh_mail();
	struct mailbox *b;

	CHECK_EQ_INT(mail_create(m, BYTES("A"), 0), 0);
	CHECK_EQ_INT(mail_create(m, BYTES("A/B"), 0), 0);
	mail_close(m);
	/* A name that is good by itself, and too long with what is below. */
	snprintf(deep, sizeof deep, "A\n%0238d\n", 1);
	snprintf(path, sizeof path, "%s/Maildir/mailreeve-renaming", maildirs_home);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		FILE *f = fopen(path, "w");

		CHECK(f != NULL && fputs(texts[i] != NULL ? texts[i] : deep, f) >= 0
		    && fclose(f) == 0);
		m = same_mail();
		CHECK_EQ_INT(mailbox_open(m, BYTES("A/B"), true, &b), 0);
		mailbox_close(b);
		CHECK(access(path, F_OK) < 0);
		mail_close(m);
	}
}

/* A keyword that has no letter, for one message. */
static void
mark(struct mailbox *b, uint32_t uid, const char *keyword)
{
	struct mail_store s = { .how = FLAGS_ADD };
	struct mail_stored out;
	struct runs one = RUNS_INIT;

	runs_add(&one, uid, uid);
	keyword_put(&s.keywords, (unsigned)mailbox_keyword_number(b,
	    bytes_of(keyword), false));
	if (CHECK_EQ_INT(mailbox_store(b, &one, &s, &out), 0))
		mail_stored_free(&out);
	runs_free(&one);
}

static bool
is_marked(struct mailbox *b, uint32_t uid, const char *keyword)
{
	struct mail_row row;

	return CHECK_EQ_INT(mailbox_row(b, uid, &row), 0)
	    && keyword_has(&row.keywords, (unsigned)mailbox_keyword_number(b,
	    bytes_of(keyword), false));
}

/* What a full disk or a power cut left of a line is none, and spoils no other. */
/* ---- another program, while most of a large folder changes ---- */

#define MANY 1200
#define MIDST 1100			/* calls of rename(2) before it comes */

/* The file in cur/ whose name begins with unique. */
static void
file_of(const char *unique, char out[400])
{
	char path[200];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof path, "%s/Maildir/cur", maildirs_home);
	dir = opendir(path);
	out[0] = '\0';
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (bytes_starts(bytes_of(e->d_name), bytes_of(unique)))
			snprintf(out, 400, "%s/%s", path, e->d_name);
	if (dir != NULL)
		closedir(dir);
	CHECK(out[0] != '\0');
}

static void
flags_of(const char *unique, const char *flags)
{
	char from[400], to[440];

	file_of(unique, from);
	snprintf(to, sizeof to, "%.*s:2,%s", (int)strcspn(from, ":"), from, flags);
	CHECK_EQ_INT(rename(from, to), 0);
}

static void
flags_change_places(void)
{
	flags_of("1005.", "ST");
	flags_of("1006.", "T");
}

static void
one_goes(void)
{
	char path[400];

	file_of("1005.", path);
	CHECK_EQ_INT(unlink(path), 0);
}

static void
one_comes(void)
{
	deliver("cur", "5000.late.host:2,", "A: b\n\n");
}

static void
one_goes_for_another(void)
{
	one_goes();
	one_comes();
}

static void
one_is_delivered(void)
{
	deliver("new", "5000.late.host", "A: b\n\n");
}

static void (*intrude)(void);
static unsigned calls;

static int
in_the_midst(const char *call)
{
	if (strcmp(call, "rename") == 0 && ++calls == MIDST)
		intrude();
	return 0;
}

static uint64_t
added(uint64_t sum, const struct mail_row *row)
{
	return sum * 31 + (uint64_t)row->uid * 64 + row->flags;
}

/* What all rows at once say, and that no more are told than wanted. */
static uint64_t
flags_and_uids_at_once(struct mailbox *b)
{
	size_t n = (size_t)mailbox_view(b)->count, got, few;
	struct mail_row *v = reallocarray(NULL, n + 1, sizeof *v);
	uint64_t sum = 0;

	CHECK_EQ_INT(mailbox_rows_alone(b, mailbox_view(b), v, n + 1, &got), 0);
	CHECK_EQ_INT(got, n);
	for (size_t i = 0; i < got; i++)
		sum = added(sum, &v[i]);
	CHECK_EQ_INT(mailbox_rows_alone(b, mailbox_view(b), v, n - 1, &few), 0);
	CHECK_EQ_INT(few, n - 1);
	free(v);
	return sum;
}

/* All that a look at the files themselves finds. */
static uint64_t
flags_and_uids(struct mailbox *b)
{
	struct mail_cursor *c;
	struct mail_row row;
	uint64_t sum = 0;

	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(mailbox_rows(b, mailbox_view(b), &c), 0);
	while (mail_cursor_next(c, &row) == 1)
		sum = added(sum, &row);
	mail_cursor_end(c);
	CHECK(flags_and_uids_at_once(b) == sum);
	return sum;
}

static void
meets(void (*intruder)(void), uint64_t messages)
{
	struct mail *m = fresh_mail();
	struct mail_store s = { .how = FLAGS_ADD, .flags = FLAG_DELETED };
	struct mail_stored out;
	struct mailbox *b;
	uint64_t sum;
	char name[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%d.a.host:2,%s", 1000 + i, i % 2 ? "" : "S");
		deliver("cur", name, "A: b\n\n");
	}
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	calls = 0;
	intrude = intruder;
	sys_before = in_the_midst;
	CHECK_EQ_INT(mailbox_store(b, mailbox_view(b), &s, &out), 0);
	sys_before = NULL;
	CHECK(calls >= MIDST);
	mail_stored_free(&out);
	mailbox_close(b);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(mailbox_view(b)->count, messages);
	sum = flags_and_uids(b);
	mailbox_close(b);
	mail_close(m);
	drop_index();
	m = same_mail();
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK(sum == flags_and_uids(b));
	mailbox_close(b);
	mail_close(m);
}

static void
others_in_the_midst_of_many(void)
{
	meets(flags_change_places, MANY);
	meets(one_goes, MANY - 1);
	meets(one_comes, MANY + 1);
	meets(one_goes_for_another, MANY);
	meets(one_is_delivered, MANY + 1);
}

static void
a_torn_line_of_keywords(void)
{
	struct mail *m = fresh_mail();
	struct mailbox *b = NULL;
	char name[400];
	FILE *f;

	append(m, "INBOX", "A: 1\r\n\r\n", 0);
	append(m, "INBOX", "A: 2\r\n\r\n", 0);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "k%u", i);
		CHECK_EQ_INT(mailbox_keyword_number(b, bytes_of(name), true), i);
	}
	mark(b, 1, "k30");
	snprintf(name, sizeof name, "%s/Maildir/mailreeve-flags", maildirs_home);
	f = fopen(name, "a");
	CHECK(f != NULL && fputs("1 3", f) >= 0 && fclose(f) == 0);
	mark(b, 2, "k39");
	mailbox_close(b);
	mail_close(m);
	drop_index();
	m = same_mail();
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK(is_marked(b, 1, "k30"));
	CHECK(is_marked(b, 2, "k39"));
	CHECK(!is_marked(b, 1, "k39"));
	mailbox_close(b);
	f = fopen(name, "a");
	CHECK(f != NULL && fputs("2 3", f) >= 0 && fclose(f) == 0);
	mail_close(m);
	drop_index();
	m = same_mail();
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK(is_marked(b, 2, "k39"));
	mailbox_close(b);
	mail_close(m);
}

/* Another program's changes of a message's flags. */
static const char *const renames[] = { "cur/1000.a.host,U=7.1:2,",
    "cur/1000.a.host,U=7.1:2,S", "cur/1000.a.host,U=7.1:2,FS" };
static unsigned scans;

static void
rename_next(struct folder *f, unsigned n)
{
	CHECK_EQ_INT(renameat(f->dir, renames[n], f->dir, renames[n + 1]), 0);
}

static int
rename_and_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	if (++scans == 2)
		rename_next(f, 1);
	return maildir_ops.scan(f, parts, fn, arg);
}

/* Mail opened with one message in the inbox that another program named. */
static struct mail *
with_one_delivered(struct mail *m, struct mailbox **b)
{
	mail_close(m);
	deliver("cur", renames[0] + 4, "A: 1\n\n");
	m = same_mail();
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, b), 0);
	return m;
}

/* Between the two scans of a comparison: it is no second file of that UID. */
static void
renamed_between_two_scans(void)
{
	struct mail *m = fresh_mail();
	struct store_ops ops = maildir_ops;
	struct mail_row row;
	struct mailbox *b;

	m = with_one_delivered(m, &b);
	CHECK_EQ_INT(mailbox_row(b, 1, &row), 0);
	ops.scan = rename_and_scan;
	m->store->ops = &ops;
	rename_next(m->store->folders, 0);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK(scans > 2);
	CHECK_EQ_INT(mailbox_row(b, 1, &row), 0);
	CHECK_EQ_INT(row.flags, FLAG_FLAGGED | FLAG_SEEN);
	mailbox_close(b);
	mail_close(m);
}

/* Another program that never stops: it renames one message before each scan. */
static int
restless_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	const char *from = renames[scans % 2], *to = renames[(scans + 1) % 2];

	scans++;
	CHECK_EQ_INT(renameat(f->dir, from, f->dir, to), 0);
	return maildir_ops.scan(f, parts, fn, arg);
}

/* It is waited for before a change, and not once more behind it. */
static void
a_folder_that_never_holds_still(void)
{
	enum { LOOKS = 8, SCANS_A_LOOK = 2 };
	struct mail *m = fresh_mail();
	struct store_ops ops = maildir_ops;
	struct mailbox *b;
	unsigned before;

	mail_close(m);
	deliver("cur", renames[0] + 4, "A: 1\n\n");
	m = same_mail();
	append(m, "INBOX", "A: 2\r\n\r\n", 0);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	mailbox_keyword_number(b, BYTES("k"), true);
	ops.scan = restless_scan;
	m->store->ops = &ops;
	scans = 0;
	deliver("new", "1001.b.host", "A: 3\n\n");
	CHECK_EQ_INT(mailbox_sync(b), 0);
	before = scans;
	CHECK(before > 2);
	mark(b, runs_last(mailbox_view(b)), "k");
	CHECK(scans > before);
	CHECK(scans - before <= LOOKS * SCANS_A_LOOK);
	CHECK(is_marked(b, runs_last(mailbox_view(b)), "k"));
	mailbox_close(b);
	mail_close(m);
}

/* Two files that another host has named; a rename hides the first one from the first try. */
static const char named[] = "cur/1000.c.host,U=7.5002:2,", hidden[] = "cur/.hidden";
static unsigned hides;

static int
hide_and_scan(struct folder *f, unsigned parts,
    int (*fn)(void *arg, const struct entry *), void *arg)
{
	bool hide = hides > 0;
	int rc;

	hides -= hide;
	CHECK(!hide || renameat(f->dir, named, f->dir, hidden) == 0);
	rc = maildir_ops.scan(f, parts, fn, arg);
	CHECK(!hide || renameat(f->dir, hidden, f->dir, named) == 0);
	return rc;
}

static void
missed_by_the_first_try(void)
{
	struct mail *m = fresh_mail();
	struct store_ops ops = maildir_ops;
	struct mail_row row;
	struct mailbox *b;

	m = with_one_delivered(m, &b);
	ops.scan = hide_and_scan;
	m->store->ops = &ops;
	deliver("cur", named + 4, "A: 2\n\n");
	deliver("cur", "1000.d.host,U=7.5003:2,", "A: 3\n\n");
	hides = 2;
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(hides, 0);
	for (uint32_t uid = 5002; uid <= 5003; uid++)
		CHECK_EQ_INT(mailbox_row(b, uid, &row), 0);
	mailbox_close(b);
	mail_close(m);
}

/* The same mail as another host has it, with an index of its own. */
static struct mail *
mail_on(const char *host)
{
	char directory[100];
	struct mail *m;

	snprintf(directory, sizeof directory, "%s/%s", maildirs_home, host);
	mkdir(directory, 0700);
	maildirs_conf.index_directory = directory;
	m = same_mail();
	maildirs_conf.index_directory = "";
	return m;
}

/* What a visit through this host is told; it may mark a message. */
static uint64_t
highest_on(const char *host, const char *keyword)
{
	struct mailbox_status st = { 0 };
	struct mail *m = mail_on(host);
	struct mailbox *b;

	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	if (keyword != NULL) {
		mailbox_keyword_number(b, bytes_of(keyword), true);
		mark(b, 1, keyword);
	}
	CHECK_EQ_INT(mailbox_status_now(b, 0, &st), 0);
	mailbox_close(b);
	mail_close(m);
	return st.highest_modseq;
}

/* Also where the other one only noticed what this one did. */
static void
modseq_goes_up_from_host_to_host(void)
{
	struct mail *m = fresh_mail();
	uint64_t seen[6], again;

	append(m, "INBOX", "A: 1\r\n\r\n", 0);
	mail_close(m);
	seen[0] = highest_on("a", NULL);
	seen[1] = highest_on("b", NULL);
	seen[2] = highest_on("a", "one");
	seen[3] = highest_on("b", NULL);
	seen[4] = highest_on("a", NULL);
	again = highest_on("a", NULL);
	seen[5] = highest_on("b", "two");
	for (size_t i = 1; i < 6; i++)
		CHECK(seen[i] > seen[i - 1]);
	CHECK(again == seen[4]);
}

/* A file system may show a directory's old time for a while, to this host only. */
static void
another_host_under_an_old_time(void)
{
	struct mail *m = fresh_mail();
	struct mail_row row;
	struct mailbox *b;
	uint32_t uid = 2;
	struct stat st;
	char cur[100];

	append(m, "INBOX", "A: 1\r\n\r\n", 0);
	mail_close(m);
	highest_on("a", NULL);
	snprintf(cur, sizeof cur, "%s/Maildir/cur", maildirs_home);
	CHECK_EQ_INT(stat(cur, &st), 0);
	m = mail_on("b");
	append(m, "INBOX", "A: 2\r\n\r\n", 0);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	while (uid < 1000 && mailbox_row(b, uid, &row) < 0)
		uid++;
	mailbox_close(b);
	mail_close(m);
	CHECK_EQ_INT(utimensat(AT_FDCWD, cur,
	    (struct timespec[2]){ st.st_atim, st.st_mtim }, 0), 0);
	highest_on("a", "mark");
	CHECK_EQ_INT(utimensat(AT_FDCWD, cur, NULL, 0), 0);
	m = mail_on("a");
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(mailbox_view(b)->count, 2);
	CHECK_EQ_INT(mailbox_row(b, uid, &row), 0);
	mailbox_close(b);
	mail_close(m);
}

/* By hand, so that clients fetch all anew: the index has UIDs of the one before. */
static void
another_uidvalidity(void)
{
	struct mail_store seen = { .how = FLAGS_ADD, .flags = FLAG_SEEN };
	struct mail *m = fresh_mail();
	struct mailbox_status st;
	struct mail_stored out;
	struct mailbox *b;
	struct state s;
	char path[100];
	int dir;

	append(m, "INBOX", "A: 1\r\n\r\n", 0);
	append(m, "INBOX", "A: 2\r\n\r\n", 0);
	snprintf(path, sizeof path, "%s/Maildir", maildirs_home);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQ_INT(state_load(dir, &s), 0);
	s.uidvalidity++;
	CHECK_EQ_INT(state_save(dir, &s), 0);
	close(dir);
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	CHECK_EQ_INT(mailbox_status_now(b, STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.uidvalidity, s.uidvalidity);
	CHECK_EQ_INT(st.messages, 2);
	CHECK(runs_first(mailbox_view(b)) > 2);
	if (CHECK_EQ_INT(mailbox_store(b, mailbox_view(b), &seen, &out), 0))
		mail_stored_free(&out);
	append(m, "INBOX", "A: 3\r\n\r\n", 0);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	mailbox_close(b);
	CHECK_EQ_INT(mail_status(m, BYTES("INBOX"), STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.uidvalidity, s.uidvalidity);
	CHECK_EQ_INT(st.messages, 3);
	CHECK_EQ_INT(st.unseen, 1);
	mail_close(m);
}

static int
glance_without_times(struct store *s, struct bytes name, struct glimpse *out)
{
	int rc = maildir_ops.glance(s, name, out);

	out->dir.sec = out->dir.nsec = out->dir.firm = 0;
	return rc;
}

/* Where directories have no times, the state file alone says which mailbox it is. */
static void
a_file_system_without_times(void)
{
	struct store_ops ops = maildir_ops;
	struct mail *m = fresh_mail();
	struct mailbox_status st;
	struct state s;

	ops.glance = glance_without_times;
	m->store->ops = &ops;
	append(m, "INBOX", "A: 1\r\n\r\n", 0);
	for (unsigned i = 0; i < 3; i++) {
		/* What is noted counts when the clock has left the file's time. */
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		CHECK_EQ_INT(mail_status(m, BYTES("INBOX"), STATUS_COUNTS, &st), 0);
	}
	CHECK_EQ_INT(state_load(m->store->root, &s), 0);
	s.uidvalidity++;
	CHECK_EQ_INT(state_save(m->store->root, &s), 0);
	CHECK_EQ_INT(mail_status(m, BYTES("INBOX"), STATUS_COUNTS, &st), 0);
	CHECK_EQ_INT(st.uidvalidity, s.uidvalidity);
	m->store->ops = &maildir_ops;
	mail_close(m);
}

/* Each lock that is taken lets one more message come first. */
static int
one_more(struct folder *f)
{
	static unsigned count;
	char name[64];

	(void)f;
	snprintf(name, sizeof name, "%u.late.host", 2000 + ++count);
	deliver("new", name, "A: b\n\n");
	return 0;
}

/*
 * The lock that claims what is \Recent meets mail that is not in the view: it
 * is no part of UIDNEXT, and \Recent for whoever is told of it.
 */
static void
mail_that_comes_at_open(void)
{
	struct store_ops ops = maildir_ops;
	struct mail *m = fresh_mail();
	struct mail_changes c;
	struct mailbox_status st;
	struct mailbox *b;

	deliver("new", "1000.a.host", "A: b\n\n");
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), true, &b), 0);
	mailbox_close(b);
	ops.finish = one_more;
	m->store->ops = &ops;
	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	m->store->ops = &maildir_ops;
	CHECK_EQ_INT(mailbox_status_now(b, STATUS_COUNTS, &st), 0);
	CHECK(st.messages > mailbox_view(b)->count);
	CHECK_EQ_INT(mailbox_view_uidnext(b), runs_last(mailbox_view(b)) + 1);
	CHECK(st.uidnext > mailbox_view_uidnext(b));
	CHECK(runs_equal(mailbox_recent(b), mailbox_view(b)));

	CHECK_EQ_INT(mailbox_changes(b, &c), 0);
	CHECK_EQ_INT(mailbox_view(b)->count + c.arrived.count, st.messages);
	CHECK_EQ_INT(mailbox_told_arrived(b, &c.arrived), 0);
	CHECK_EQ_INT(mailbox_view_uidnext(b), st.uidnext);
	CHECK(runs_equal(mailbox_recent(b), mailbox_view(b)));
	mail_changes_free(&c);
	mailbox_close(b);
	mail_close(m);
}

TEST_MAIN(TEST(first_visit), TEST(append_and_read), TEST(a_delivery_is_seen),
    TEST(flags_and_expunge), TEST(an_index_may_go_at_any_time),
    TEST(copy_and_move), TEST(move_beside_renames), TEST(names), TEST(rename_inbox),
    TEST(counters_of_what_is_closed),
    TEST(most_of_a_large_folder), TEST(others_in_the_midst_of_many),
    TEST(a_torn_line_of_keywords), TEST(odd_notes),
    TEST(renamed_between_two_scans), TEST(missed_by_the_first_try),
    TEST(a_folder_that_never_holds_still),
    TEST(modseq_goes_up_from_host_to_host),
    TEST(another_host_under_an_old_time), TEST(another_uidvalidity),
    TEST(a_file_system_without_times), TEST(mail_that_comes_at_open))
