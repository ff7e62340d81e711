/*
 * Messages whose file names do not show their UIDs: who they are stands in
 * mailreeve-uids until the names are seen to.
 * Runs as: the person who builds.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define MAILDIRS_OPTIONS "special-folders no\n"

#include "../../src/store/given.h"
#include "../../src/store/pass.h"
#include "../../src/store/sys.h"
#include "maildirs.h"
#include "test.h"

#define MESSAGES 40

static struct mailbox *
open_box(struct mail *m)
{
	struct mailbox *b = NULL;

	CHECK_EQ_INT(mailbox_open(m, BYTES("INBOX"), false, &b), 0);
	return b;
}

static void
close_both(struct mail *m, struct mailbox *b)
{
	mailbox_close(b);
	mail_close(m);
}

/* As a later session that finds no index. */
static void
start_over(struct mail **m, struct mailbox **b)
{
	close_both(*m, *b);
	drop_index();
	*m = same_mail();
	*b = open_box(*m);
}

static const char *
path_of(const char *file)
{
	static char path[2][400];
	static unsigned turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/Maildir/%s", maildirs_home, file);
	return path[turn];
}

/* The youngest first, so that the order of names is not that of making. */
static struct mail *
foreign_mail(void)
{
	struct mail *m = fresh_mail();

	pass_many = 10;
	for (unsigned i = MESSAGES; i > 0; i--) {
		char name[60], text[40];

		snprintf(name, sizeof name, "%u.M%uP1.host%s:2,%s", 1000 + i, i,
		    i % 3 ? "" : ",S=15", i % 2 ? "S" : "");
		snprintf(text, sizeof text, "X: %u\n\nbody\n", i);
		deliver("cur", name, text);
	}
	return m;
}

static unsigned
content_of(struct mailbox *b, uint32_t uid)
{
	struct message msg;
	char text[64] = "";
	unsigned content = 0;

	if (mailbox_message(b, uid, &msg) < 0)
		return 0;
	if (message_read(&msg, 0, text, sizeof text - 1) > 0)
		sscanf(text, "X: %u", &content);
	message_close(&msg);
	return content;
}

/* UID n is message n, for all up to count but those in `without`. */
static bool
as_given(struct mailbox *b, unsigned count, unsigned without)
{
	bool good = true;

	for (unsigned i = 1; i <= count; i++)
		good = CHECK_EQ_INT(content_of(b, i), i == without ? 0 : i) && good;
	return good;
}

/* How many files in cur/ say a UID, and how many do not. */
static unsigned
count_names(bool with)
{
	DIR *d = opendir(path_of("cur"));
	unsigned n = 0;
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' && (strstr(e->d_name, ",U=") != NULL) == with;
	closedir(d);
	return n;
}

static bool
there(const char *file)
{
	return access(path_of(file), F_OK) == 0;
}

static void
names_stay_and_uids_hold(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);

	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
	CHECK_EQ_INT(count_names(true), 0);
	CHECK(there("mailreeve-uids"));
	as_given(b, MESSAGES, 0);
	start_over(&m, &b);
	as_given(b, MESSAGES, 0);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
	CHECK_EQ_INT(count_names(true), 0);
	close_both(m, b);
}

/* mutt marks messages read; Dovecot would also add a size: still the same ones. */
static void
others_rename(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);
	struct mail_row row;

	CHECK_EQ_INT(rename(path_of("cur/1002.M2P1.host:2,"),
	    path_of("cur/1002.M2P1.host:2,RS")), 0);
	CHECK_EQ_INT(rename(path_of("cur/1004.M4P1.host:2,"),
	    path_of("cur/1004.M4P1.host,S=13:2,F")), 0);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(mailbox_row(b, 2, &row), 0);
	CHECK_EQ_INT(row.flags, FLAG_SEEN | FLAG_ANSWERED);
	CHECK_EQ_INT(mailbox_row(b, 4, &row), 0);
	CHECK_EQ_INT(row.flags, FLAG_FLAGGED);
	as_given(b, MESSAGES, 0);
	/* And to where new mail is: taken in from there, as itself. */
	CHECK_EQ_INT(rename(path_of("cur/1008.M8P1.host:2,"),
	    path_of("new/1008.M8P1.host")), 0);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(count_names(true), 1);
	as_given(b, MESSAGES, 0);
	start_over(&m, &b);
	as_given(b, MESSAGES, 0);
	close_both(m, b);
}

static void
store_one(struct mailbox *b, uint32_t uid)
{
	struct mail_store how = { .how = FLAGS_ADD, .flags = FLAG_FLAGGED };
	struct mail_stored out;
	struct runs one = RUNS_INIT;

	runs_add(&one, uid, uid);
	CHECK_EQ_INT(mailbox_store(b, &one, &how, &out), 0);
	CHECK_EQ_INT(out.stored.count, 1);
	mail_stored_free(&out);
	runs_free(&one);
}

static void
a_store_names(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);

	store_one(b, 3);
	CHECK_EQ_INT(count_names(true), 1);
	as_given(b, MESSAGES, 0);
	start_over(&m, &b);
	as_given(b, MESSAGES, 0);
	close_both(m, b);
}

/* A copy of a file, with other flags or in new/, is another message. */
static void
twins(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);

	CHECK_EQ_INT(link(path_of("cur/1005.M5P1.host:2,S"),
	    path_of("cur/1005.M5P1.host:2,FS")), 0);
	CHECK_EQ_INT(link(path_of("cur/1007.M7P1.host:2,S"),
	    path_of("new/1007.M7P1.host")), 0);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	as_given(b, MESSAGES, 0);
	CHECK_EQ_INT(content_of(b, MESSAGES + 1) + content_of(b, MESSAGES + 2), 12);
	CHECK_EQ_INT(content_of(b, MESSAGES + 3), 0);
	start_over(&m, &b);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 2);
	as_given(b, MESSAGES, 0);
	close_both(m, b);
}

/* Twins at the first look: the second is one by its new name. */
static void
twins_from_the_start(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b;

	CHECK_EQ_INT(link(path_of("cur/1005.M5P1.host:2,S"),
	    path_of("cur/1005.M5P1.host:2,FS")), 0);
	b = open_box(m);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 1);
	CHECK_EQ_INT(count_names(true), 1);
	CHECK_EQ_INT(content_of(b, 5), 5);
	CHECK_EQ_INT(content_of(b, 6), 5);
	CHECK_EQ_INT(content_of(b, 7), 6);
	close_both(m, b);
}

static void
expunged_never_again(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);
	struct runs one = RUNS_INIT;

	runs_add(&one, 5, 5);
	CHECK_EQ_INT(link(path_of("cur/1005.M5P1.host:2,S"), path_of("kept")), 0);
	CHECK_EQ_INT(mailbox_remove(b, &one, NULL), 0);
	CHECK_EQ_INT(link(path_of("kept"), path_of("cur/1005.M5P1.host:2,S")), 0);
	CHECK_EQ_INT(mailbox_sync(b), 0);
	as_given(b, MESSAGES, 5);
	CHECK_EQ_INT(content_of(b, MESSAGES + 1), 5);
	CHECK_EQ_INT(count_names(true), 1);
	runs_free(&one);
	close_both(m, b);
}

/* Names get their UIDs little by little, while others rename the files too. */
static void
names_are_seen_to(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);
	uint64_t modseq = mailbox_view_modseq(b);
	struct mail_changes c;
	unsigned steps = 0;
	int rc;

	/* Between what we know and what we do. */
	CHECK_EQ_INT(rename(path_of("cur/1002.M2P1.host:2,"),
	    path_of("cur/1002.M2P1.host:2,S")), 0);
	while ((rc = mailbox_upkeep(b)) > 0 && steps < 100)
		steps++;
	CHECK_EQ_INT(rc, 0);
	CHECK(steps > 0);
	CHECK_EQ_INT(count_names(false), 0);
	CHECK_EQ_INT(count_names(true), MESSAGES);
	CHECK(!there("mailreeve-uids"));
	as_given(b, MESSAGES, 0);
	CHECK_EQ_INT(mailbox_changes(b, &c), 0);
	CHECK_EQ_INT(c.vanished.count + c.arrived.count, 0);
	/* Only what mutt changed is a change. */
	CHECK_EQ_INT(c.changed.count, 1);
	CHECK(runs_contains(&c.changed, 2));
	CHECK(c.modseq > modseq);
	mail_changes_free(&c);
	CHECK_EQ_INT(mailbox_upkeep(b), 0);
	start_over(&m, &b);
	as_given(b, MESSAGES, 0);
	close_both(m, b);
}

static void
append_text(const char *file, const char *text)
{
	FILE *f = fopen(path_of(file), "a");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* What a crash leaves at the end is no line, and does not spoil the next one. */
static void
torn_lines(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);
	unsigned i;

	append_text("mailreeve-uids", "0 zero\n77\nx y\n99 a/b\n41 2000.M0P1.ho");
	for (i = 0; i < 12; i++) {
		char name[60], text[40];

		snprintf(name, sizeof name, "%u.M%uP1.host:2,", 2000 + i, i);
		snprintf(text, sizeof text, "X: %u\n\nbody\n", MESSAGES + 1 + i);
		deliver("cur", name, text);
	}
	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(count_names(true), 0);
	start_over(&m, &b);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 12);
	for (i = 0; i < 12; i++) {
		uint32_t uid = runs_nth(mailbox_view(b), MESSAGES + 1 + i);

		CHECK(uid > MESSAGES);
		CHECK_EQ_INT(content_of(b, uid), MESSAGES + 1 + i);
	}
	as_given(b, MESSAGES, 0);
	close_both(m, b);
}

/* The list of another UIDVALIDITY is none; one that is lost costs new UIDs. */
static void
of_another_mailbox(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);
	FILE *f;

	mailbox_close(b);
	mail_close(m);
	f = fopen(path_of("mailreeve-uids"), "r+");
	CHECK(f != NULL && fputs("uidvalidity 1000000000", f) >= 0
	    && fclose(f) == 0);
	drop_index();
	m = same_mail();
	b = open_box(m);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
	CHECK(runs_first(mailbox_view(b)) > MESSAGES);
	close_both(m, b);
}

static int countdown;

static int
full_at_nth(const char *call)
{
	return strcmp(call, "write") == 0 && --countdown < 0 ? ENOSPC : 0;
}

/* No room for the list: the names, which need none. */
static void
no_room_for_it(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);

	mailbox_close(b);
	for (unsigned i = 0; i < 12; i++) {
		char name[60];

		snprintf(name, sizeof name, "%u.M%uP1.host:2,", 2000 + i, i);
		deliver("cur", name, "X: 50\n\nbody\n");
	}
	countdown = 0;
	sys_before = full_at_nth;
	b = open_box(m);
	sys_before = NULL;
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 12);
	CHECK_EQ_INT(count_names(true), 12);
	as_given(b, MESSAGES, 0);
	close_both(m, b);
}

/* What is only looked up in the file is found as what was read of it. */
static void
glance_finds(struct folder *f, const char *unique, uint32_t uid)
{
	struct folder whole = { .dir = f->dir };
	uint32_t got = UINT32_MAX, want = UINT32_MAX;

	CHECK_EQ_INT(given_glance(f), 0);
	CHECK_EQ_INT(given_load(&whole), 0);
	CHECK_EQ_INT(given_find(f, bytes_of(unique), &got), 0);
	CHECK_EQ_INT(given_find(&whole, bytes_of(unique), &want), 0);
	CHECK_EQ_INT(want, uid);
	CHECK_EQ_INT(got, uid);
	CHECK_EQ_INT(given_validity(f), given_validity(&whole));
	CHECK(given_highest(f) >= given_highest(&whole));
	given_free(&whole);
	given_free(f);
}

static const struct {
	const char *text, *unique;
	uint32_t uid;
} lists[] = {
	{ "uidvalidity 5\n1 a\n2 b\n", "a", 1 },
	{ "uidvalidity 5\n1 a\n2 b\n", "b", 2 },
	{ "uidvalidity 5\n1 a\n2 b\n", "c", 0 },
	{ "uidvalidity 5\n1 a\n2 b\n", "5", 0 },	/* the first line's */
	{ "uidvalidity 5\n1 a\n2 a\n", "a", 1 },	/* the first one counts */
	{ "uidvalidity 5\n1 aa\n2 b\n", "a", 0 },	/* only whole ones do */
	{ "uidvalidity 5\n1 b a\n2 a\n", "a", 2 },
	{ "uidvalidity 5\n1 b a\n2 a\n", "b a", 1 },
	{ "uidvalidity 5\n1 2 a\n3 a\n", "a", 3 },
	{ "uidvalidity 5\n0 a\n4294967295 a\nx a\n a\n3 a\n", "a", 3 },
	{ "uidvalidity 5\n1 a\n2 b", "b", 0 },		/* cut short */
	{ "uidvalidity 5\n1 a\n2 b\nx\n", "b", 2 },
	{ "uidvalidity 5\n", "a", 0 },
	{ "uidvalidity x\n1 a\n", "a", 0 },
	{ "1 a\n2 b\n", "a", 0 },
	{ "", "a", 0 },
	{ "uidvalidity 5\n1 a\n", "", 0 },
	{ "uidvalidity 5\n1 a/b\n2 c\n", "a/b", 0 },
};

static void
put_list(const char *text)
{
	FILE *f = fopen(path_of("mailreeve-uids"), "w");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void
a_glance_is_enough(void)
{
	struct mail *m = fresh_mail();
	struct folder f = { 0 };

	mail_close(m);
	f.dir = open(path_of(""), O_RDONLY | O_DIRECTORY);
	CHECK(f.dir >= 0);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		put_list(lists[i].text);
		glance_finds(&f, lists[i].unique, lists[i].uid);
	}
	CHECK_EQ_INT(unlink(path_of("mailreeve-uids")), 0);
	glance_finds(&f, "a", 0);
	close(f.dir);
}

/* Longer than what is read at once, with lines on each side of every seam. */
static void
a_glance_at_much(void)
{
	struct mail *m = fresh_mail();
	struct folder f = { 0 };
	char unique[40];
	FILE *list;

	mail_close(m);
	f.dir = open(path_of(""), O_RDONLY | O_DIRECTORY);
	list = fopen(path_of("mailreeve-uids"), "w");
	CHECK(f.dir >= 0 && list != NULL);
	fputs("uidvalidity 7\n", list);
	for (unsigned i = 1; i <= 6000; i++)
		fprintf(list, "%u %u.M%uP1.host\n", i, 1000 + i, i);
	CHECK_EQ_INT(fclose(list), 0);
	for (unsigned i = 1; i <= 6001; i += 50) {
		snprintf(unique, sizeof unique, "%u.M%uP1.host", 1000 + i, i);
		glance_finds(&f, unique, i <= 6000 ? i : 0);
	}
	/* And so many at once that it is read after all. */
	CHECK_EQ_INT(given_glance(&f), 0);
	for (uint32_t i = 2000, uid = 0; i <= 6000; i++) {
		snprintf(unique, sizeof unique, "%u.M%uP1.host", 1000 + i, i);
		CHECK_EQ_INT(given_find(&f, bytes_of(unique), &uid), 0);
		CHECK_EQ_INT(uid, i);
	}
	given_free(&f);
	/* A line that is longer than that. */
	list = fopen(path_of("mailreeve-uids"), "a");
	CHECK(list != NULL);
	for (unsigned i = 0; i < 200000; i++)
		fputc('9', list);
	fputs(" a\n6001 a\n6002 b\n", list);
	CHECK_EQ_INT(fclose(list), 0);
	glance_finds(&f, "a", 6001);
	glance_finds(&f, "b", 6002);
	glance_finds(&f, "1001.M1P1.host", 1);
	close(f.dir);
}

/* A second name of a known file comes to new/, and nothing else happens. */
static void
a_twin_arrives(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b = open_box(m);

	CHECK_EQ_INT(mailbox_sync(b), 0);
	CHECK_EQ_INT(link(path_of("cur/1007.M7P1.host:2,S"),
	    path_of("new/1007.M7P1.host")), 0);
	deliver("new", "3000.M1P1.host", "X: 50\n\nbody\n");
	CHECK_EQ_INT(mailbox_sync(b), 0);
	as_given(b, MESSAGES, 0);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
	mailbox_close(b);
	b = open_box(m);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 2);
	CHECK_EQ_INT(content_of(b, MESSAGES + 1) + content_of(b, MESSAGES + 2), 57);
	CHECK_EQ_INT(count_names(true), 2);
	CHECK_EQ_INT(count_names(false), MESSAGES);
	close_both(m, b);
}

/* More than a pass holds: others follow until all are there. */
static void
many_passes(void)
{
	struct mail *m;
	struct mailbox *b;

	pass_newcomers = 3;
	m = foreign_mail();
	b = open_box(m);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
	mailbox_close(b);
	mail_close(m);
	pass_newcomers = (size_t)1 << 18;
	drop_index();
	m = same_mail();
	b = open_box(m);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
	CHECK_EQ_INT(runs_last(mailbox_view(b)), MESSAGES);
	mailbox_close(b);
	mail_close(m);
}

/* Long names, of one file: so many that they come in passes. */
#define MANY 150000

static bool
many_names(void)
{
	char pad[180], name[400];

	memset(pad, 'x', sizeof pad);
	deliver("tmp", "one", "X: 1\n\nbody\n");
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%s/%u.M%06uP1.host%.*s:2,S",
		    path_of("cur"), 1000000 + i * 7919 % MANY, i, (int)sizeof pad,
		    pad);
		if (link(path_of("tmp/one"), name) < 0)
			return false;
	}
	return true;
}

/* In a process of its own, which may not have more. */
static int
open_within(size_t memory)
{
	struct rlimit limit = { memory, memory };
	struct mailbox *b;
	struct mail *m;
	bool all;

#ifndef __SANITIZE_ADDRESS__		/* what that sets aside would count too */
	if (setrlimit(RLIMIT_DATA, &limit) < 0)
		return 2;
#else
	(void)limit;
#endif
	m = same_mail();
	if (mailbox_open(m, BYTES("INBOX"), false, &b) < 0)
		return 3;
	all = mailbox_view(b)->count == MANY;
	mailbox_close(b);
	mail_close(m);
	return all ? 0 : 4;
}

static void
first_look_has_bounded_memory(void)
{
	int status = -1;
	pid_t pid;

	mail_close(fresh_mail());
	pass_many = 1000;
	if (!CHECK(many_names()))
		return;
	pid = fork();
	if (pid == 0)
		_exit(open_within(PASS_MEMORY));
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_EQ_INT(status, 0);
	CHECK(there("mailreeve-uids"));
}

/* The state file is lost, or there was none, and one name of many says a UID. */
static void
one_says_a_uid(void)
{
	struct mail *m = foreign_mail();
	struct mailbox *b;
	struct mailbox_status st;

	deliver("cur", "1020.M0P1.host,U=77.5:2,F", "X: 99\n\nbody\n");
	b = open_box(m);
	CHECK_EQ_INT(mailbox_status_now(b, 0, &st), 0);
	CHECK_EQ_INT(st.uidvalidity, 77);
	CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES + 1);
	CHECK_EQ_INT(content_of(b, 5), 99);
	for (unsigned i = 1; i <= MESSAGES; i++)
		CHECK_EQ_INT(content_of(b, st.uidnext - MESSAGES + i - 1), i);
	mailbox_close(b);
	mail_close(m);
}

/* Some can be noted, others must be renamed: all are taken in by their age, with their flags. */
static void
noted_and_renamed(void)
{
	struct mail *m = fresh_mail();
	struct mailbox *b;
	struct mail_row row;

	pass_many = 10;
	for (unsigned i = MESSAGES; i > 0; i--) {
		char name[60], text[40];

		snprintf(name, sizeof name, i % 4 == 0 ? "%u.M1P1.host"
		    : i % 4 == 1 ? "%u.M1P1.host:2,Sb" : "%u.M1P1.host:2,F", 1000 + i);
		snprintf(text, sizeof text, "X: %u\n\nbody\n", i);
		deliver(i % 4 == 0 ? "new" : "cur", name, text);
	}
	for (unsigned again = 0; again < 2; again++) {
		b = open_box(m);
		CHECK_EQ_INT(mailbox_view(b)->count, MESSAGES);
		as_given(b, MESSAGES, 0);
		for (unsigned i = 1; i <= MESSAGES; i++) {
			CHECK_EQ_INT(mailbox_row(b, i, &row), 0);
			CHECK_EQ_INT(row.flags, i % 4 == 0 ? 0
			    : i % 4 == 1 ? FLAG_SEEN : FLAG_FLAGGED);
			CHECK_EQ_INT(row.keywords.bits[0], i % 4 == 1 ? 2 : 0);
		}
		mailbox_close(b);
		mail_close(m);
		drop_index();
		m = same_mail();
	}
	CHECK_EQ_INT(count_names(true), MESSAGES / 4);
	mail_close(m);
}

static struct folder
folder_of_list(const char *text)
{
	struct folder f = { .dir = open(path_of(""), O_RDONLY | O_DIRECTORY) };

	CHECK(f.dir >= 0);
	put_list(text);
	return f;
}

/* The descriptor that the list is open as; or -1. */
static int
open_list_of_ours(void)
{
	char link[64], target[400];

	for (int fd = 3; fd < 100; fd++) {
		ssize_t n;

		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		n = readlink(link, target, sizeof target - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strstr(target, "/mailreeve-uids") != NULL)
			return fd;
	}
	return -1;
}

/* One whose line cannot be read is nobody new. */
static void
a_list_that_cannot_be_read(void)
{
	struct mail *m = fresh_mail();
	struct folder f = folder_of_list("uidvalidity 5\n1 a\n2 b\n");
	struct given_uid again = { .unique = BYTES("b"), .uid = 3 };
	uint32_t uid;
	int fd;

	mail_close(m);
	CHECK_EQ_INT(given_load(&f), 0);
	given_rest(&f);
	CHECK_EQ_INT(given_glance(&f), 0);
	CHECK_EQ_INT(given_find(&f, BYTES("b"), &uid), 0);
	CHECK_EQ_INT(uid, 2);
	fd = open_list_of_ours();
	CHECK(fd >= 0 && dup2(f.dir, fd) == fd);
	errno = 0;
	CHECK_EQ_INT(given_find(&f, BYTES("b"), &uid), -1);
	CHECK_EQ_INT(errno, EISDIR);
	CHECK_EQ_INT(given_add(&f, 5, &again, 1), -1);
	CHECK_EQ_INT(given_load(&f), 0);
	CHECK_EQ_INT(given_find(&f, BYTES("b"), &uid), 0);
	CHECK_EQ_INT(uid, 2);
	given_free(&f);
	close(f.dir);
}

static unsigned fsyncs;

static int
full_and_counted(const char *call)
{
	fsyncs += strcmp(call, "fsync") == 0;
	return strcmp(call, "write") == 0 ? ENOSPC : 0;
}

/* What was noted before there was no room any more is to last. */
static void
those_before_are_durable(void)
{
	struct mail *m = fresh_mail();
	struct folder f = folder_of_list("uidvalidity 5\n");
	struct given_uid first = { .unique = BYTES("a"), .uid = 1 };
	struct given_uid second = { .unique = BYTES("b"), .uid = 2 };
	uint32_t uid;

	mail_close(m);
	CHECK_EQ_INT(given_add(&f, 5, &first, 1), 0);
	sys_before = full_and_counted;
	fsyncs = 0;
	CHECK_EQ_INT(given_add(&f, 5, &second, 1), -1);
	CHECK_EQ_INT(errno, ENOSPC);
	CHECK_EQ_INT(given_durable(&f), 0);
	sys_before = NULL;
	CHECK(fsyncs > 0);
	CHECK_EQ_INT(given_load(&f), 0);
	CHECK_EQ_INT(given_find(&f, BYTES("a"), &uid), 0);
	CHECK_EQ_INT(uid, 1);
	CHECK_EQ_INT(given_find(&f, BYTES("b"), &uid), 0);
	CHECK_EQ_INT(uid, 0);
	given_free(&f);
	close(f.dir);
}

TEST_MAIN(TEST(names_stay_and_uids_hold), TEST(others_rename),
    TEST(a_store_names), TEST(twins), TEST(twins_from_the_start),
    TEST(expunged_never_again), TEST(names_are_seen_to), TEST(torn_lines),
    TEST(of_another_mailbox), TEST(no_room_for_it),
    TEST(a_glance_is_enough), TEST(a_glance_at_much), TEST(a_twin_arrives),
    TEST(first_look_has_bounded_memory), TEST(many_passes),
    TEST(one_says_a_uid), TEST(noted_and_renamed),
    TEST(a_list_that_cannot_be_read), TEST(those_before_are_durable))
