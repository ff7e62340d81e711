/*
 * Every change of the mail, cut short before each of its system calls: by a
 * kill, and by a disk that is full or broken. What was acknowledged is there,
 * once and whole; the rest is as before or as after.
 * Runs as: the person who builds.
 */
#include <sys/wait.h>

#include <errno.h>

/* mboxcrash_test.c plays the same with the other format. */
#ifndef MAILDIRS_OPTIONS
#define MAILDIRS_OPTIONS "special-folders no\n"
#define OLD_CHILD "A/B"
#define NEW_CHILD "C/B"			/* where it is once A was renamed */
#endif
/* givencrash_test.c plays it with files whose names do not show their UIDs. */
#ifndef MANY
#define MANY 1000
#define PART "new"			/* where other programs deliver, ... */
#define INFO ""				/* ... and how they call it there */
#endif

#include "../../src/store/pass.h"
#include "../../src/store/sys.h"
#include "maildirs.h"
#include "test.h"

#define BEFORE 5			/* messages in the inbox at the start */
#define CALLS_MAX 200
#define CONTENTS 16
#define WAITING 13			/* from here on they wait to be taken in */

enum { KILLED = 42, DONE = 0, REFUSED = 1 };

static int countdown;
static int fault;			/* errno, or 0: the process ends */
static bool far_away;			/* A lies in another file system */

static int
cut_short(const char *call)
{
	if (far_away && (strcmp(call, "link") == 0 || strcmp(call, "move") == 0))
		return EXDEV;
	if (--countdown != 0)
		return 0;
	if (fault == 0)
		_exit(KILLED);
	return fault;
}

/* ---- the changes ---- */

static struct mailbox *
inbox(struct mail *m)
{
	struct mailbox *b = NULL;

	if (mailbox_open(m, BYTES("INBOX"), false, &b) < 0)
		_exit(REFUSED);
	return b;
}

static int
deliver_some(struct mail *m, unsigned n)
{
	struct runs uids = RUNS_INIT;
	struct delivery *d;
	uint32_t validity;
	char text[40];

	if (delivery_begin(m, BYTES("INBOX"), &d) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof text, "X: %u\r\n\r\nend\r\n", BEFORE + i);
		if (delivery_message(d, FLAG_SEEN, NULL, 0, DELIVERY_NOW) < 0
		    || delivery_write(d, text, strlen(text)) < 0) {
			delivery_abort(d);
			return -1;
		}
	}
	return delivery_commit(d, &validity, &uids);
}

static int
do_append(struct mail *m)
{
	return deliver_some(m, 1);
}

static int
do_multiappend(struct mail *m)
{
	return deliver_some(m, 3);
}

static int
transfer(struct mail *m, bool move)
{
	struct mailbox *b = inbox(m);
	struct mail_copied out;
	struct runs some = RUNS_INIT;

	runs_add(&some, 1, 3);
	return mailbox_copy(b, &some, BYTES("A"), move, &out);
}

static int
do_copy(struct mail *m)
{
	return transfer(m, false);
}

static int
do_move(struct mail *m)
{
	return transfer(m, true);
}

static int
do_copy_far(struct mail *m)
{
	far_away = true;
	return transfer(m, false);
}

static int
do_move_far(struct mail *m)
{
	far_away = true;
	return transfer(m, true);
}

static int
do_store(struct mail *m)
{
	struct mailbox *b = inbox(m);
	struct mail_store s = { .how = FLAGS_ADD, .flags = FLAG_FLAGGED };
	struct mail_stored out;
	int i;

	/* One keyword with a letter, and enough to need the other file. */
	for (i = 0; i < 28; i++) {
		char name[8];

		snprintf(name, sizeof name, "k%d", i);
		if (mailbox_keyword_number(b, bytes_of(name), true) < 0)
			return -1;
	}
	keyword_put(&s.keywords, 0);
	keyword_put(&s.keywords, 27);
	return mailbox_store(b, mailbox_view(b), &s, &out);
}

static int
do_expunge(struct mail *m)
{
	struct runs some = RUNS_INIT;

	runs_add(&some, 4, 5);
	return mailbox_remove(inbox(m), &some, NULL);
}

/* Messages that another program delivered (set_up()) are taken in. */
static int
do_select(struct mail *m)
{
	struct mailbox *b;

	return mailbox_open(m, BYTES("A"), false, &b);
}

/* What a session does while its client waits for nothing. */
static int
do_upkeep(struct mail *m)
{
	struct mailbox *b = inbox(m);
	int rc;

	while ((rc = mailbox_upkeep(b)) > 0)
		;
	return rc;
}

static int
do_create(struct mail *m)
{
	return mail_create(m, BYTES("New"), USE_ALL);
}

static int
do_rename(struct mail *m)
{
	return mail_rename(m, BYTES("A"), BYTES("C"));
}

static int
do_delete(struct mail *m)
{
	return mail_delete(m, BYTES(OLD_CHILD));
}

static int
do_subscribe(struct mail *m)
{
	return mail_subscribe(m, BYTES("A"), true);
}

/* ---- what is there afterwards ---- */

struct seen {
	unsigned in[2][CONTENTS];	/* how often, in INBOX and in A or C */
	unsigned marked;		/* with all that STORE gives */
	uint32_t uid[2][CONTENTS];	/* the last one of them */
	bool moved_uid;			/* a message of the start has another UID */
	bool broken;
	bool folder[4];			/* A, C, New, A/B or C/B */
	bool torn;			/* half a rename */
};

static bool
is_marked(struct mailbox *b, uint32_t uid)
{
	int letter = mailbox_keyword_number(b, BYTES("k0"), false);
	int number = mailbox_keyword_number(b, BYTES("k27"), false);
	struct mail_row row;

	return letter >= 0 && number >= 0 && mailbox_row(b, uid, &row) == 0
	    && (row.flags & FLAG_FLAGGED)
	    && keyword_has(&row.keywords, (unsigned)letter)
	    && keyword_has(&row.keywords, (unsigned)number);
}

static void
look_at(struct mailbox *b, unsigned which, struct seen *s)
{
	struct runs_cursor c = RUNS_CURSOR(mailbox_view(b));
	uint32_t uid;

	while ((uid = runs_next(&c)) != 0) {
		struct message msg;
		char text[64] = "";
		unsigned content;

		if (mailbox_message(b, uid, &msg) < 0
		    || message_read(&msg, 0, text, sizeof text - 1) <= 0
		    || sscanf(text, "X: %u", &content) != 1
		    || strstr(text, "\n\nend\n") == NULL || content >= CONTENTS) {
			s->broken = true;
			continue;
		}
		message_close(&msg);
		s->marked += is_marked(b, uid);
		s->in[which][content]++;
		s->uid[which][content] = uid;
		if (which == 0 && content < BEFORE && uid != content + 1)
			s->moved_uid = true;
	}
}

static bool
look_into(struct mail *m, const char *name, unsigned which, struct seen *s)
{
	struct mailbox *b;

	if (mailbox_open(m, bytes_of(name), true, &b) < 0)
		return false;
	look_at(b, which, s);
	mailbox_close(b);
	return true;
}

static void
look(struct mail *m, struct seen *s)
{
	bool old_child, new_child;

	memset(s, 0, sizeof *s);
	if (!look_into(m, "INBOX", 0, s))
		s->broken = true;
	s->folder[0] = look_into(m, "A", 1, s);
	s->folder[1] = look_into(m, "C", 1, s);
	s->folder[2] = look_into(m, "New", 1, s);
	old_child = look_into(m, OLD_CHILD, 1, s);
	new_child = look_into(m, NEW_CHILD, 1, s);
	s->folder[3] = old_child || new_child;
	s->torn = s->folder[0] == s->folder[1]
	    || (strcmp(OLD_CHILD, NEW_CHILD) != 0
		&& ((old_child && !s->folder[0])
		|| (new_child && !s->folder[1])));
}

struct doing {
	const char *name;
	int (*run)(struct mail *m);
	bool (*good)(const struct seen *s, bool acknowledged);
};

static unsigned
sum(const struct seen *s, unsigned content)
{
	return s->in[0][content] + s->in[1][content];
}

static bool
old_ones_once(const struct seen *s)
{
	for (unsigned i = 0; i < BEFORE; i++)
		if (s->in[0][i] != 1)
			return false;
	return true;
}

static bool
good_append(const struct seen *s, bool ack)
{
	unsigned most = s->in[0][BEFORE];

	for (unsigned i = BEFORE; i < WAITING; i++)
		if (s->in[0][i] > 1)
			return false;
	return old_ones_once(s) && (!ack || most == 1);
}

static bool
good_multiappend(const struct seen *s, bool ack)
{
	return good_append(s, ack)
	    && (!ack || (s->in[0][BEFORE + 1] == 1 && s->in[0][BEFORE + 2] == 1));
}

static bool
good_copy(const struct seen *s, bool ack)
{
	for (unsigned i = 0; i < 3; i++)
		if (s->in[1][i] > 1 || (ack && s->in[1][i] != 1))
			return false;
	return old_ones_once(s);
}

static bool
good_move(const struct seen *s, bool ack)
{
	for (unsigned i = 0; i < BEFORE; i++)
		if (sum(s, i) != 1
		    || (ack && s->in[1][i] != (i < 3)))
			return false;
	return true;
}

/* The one that a kill met may be in both, whole; one that a fault met may not. */
static bool
good_move_far(const struct seen *s, bool ack)
{
	unsigned both = 0;

	for (unsigned i = 0; i < BEFORE; i++) {
		if (s->in[0][i] > 1 || s->in[1][i] > 1 || sum(s, i) == 0
		    || (ack && s->in[1][i] != (i < 3)))
			return false;
		both += sum(s, i) == 2;
	}
	return both <= (fault == 0 && !ack);
}

static bool
good_expunge(const struct seen *s, bool ack)
{
	for (unsigned i = 0; i < 3; i++)
		if (s->in[0][i] != 1)
			return false;
	return s->in[0][3] <= !ack && s->in[0][4] <= !ack;
}

static bool
good_select(const struct seen *s, bool ack)
{
	(void)ack;
	for (unsigned i = WAITING; i < CONTENTS; i++)
		if (s->in[1][i] != 1)
			return false;
	return old_ones_once(s);
}

static bool
good_create(const struct seen *s, bool ack)
{
	return old_ones_once(s) && (!ack || s->folder[2]);
}

static bool
good_rename(const struct seen *s, bool ack)
{
	return old_ones_once(s) && !s->torn && s->folder[3]
	    && (!ack || s->folder[1]);
}

static bool
good_delete(const struct seen *s, bool ack)
{
	return old_ones_once(s) && (!ack || !s->folder[3]);
}

static bool
good_store(const struct seen *s, bool ack)
{
	return old_ones_once(s) && (!ack || s->marked == BEFORE);
}

static bool
good_rest(const struct seen *s, bool ack)
{
	(void)ack;
	return old_ones_once(s) && s->folder[0];
}

static const struct doing changes[] = {
	{ "APPEND", do_append, good_append },
	{ "MULTIAPPEND", do_multiappend, good_multiappend },
	{ "COPY", do_copy, good_copy },
	{ "MOVE", do_move, good_move },
	{ "COPY far", do_copy_far, good_copy },
	{ "MOVE far", do_move_far, good_move_far },
	{ "STORE", do_store, good_store },
	{ "EXPUNGE", do_expunge, good_expunge },
	{ "CREATE", do_create, good_create },
	{ "RENAME", do_rename, good_rename },
	{ "DELETE", do_delete, good_delete },
	{ "SUBSCRIBE", do_subscribe, good_rest },
	{ "SELECT", do_select, good_select },
	{ "IDLE", do_upkeep, good_rest },
};

#define CHANGES (sizeof changes / sizeof changes[0])

/* ---- the sweep ---- */

/* Another program delivers message i into a mailbox. */
#ifdef CRASH_MBOX
static void
bring(const char *mailbox, unsigned i)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", maildirs_home,
	    strcmp(mailbox, "INBOX") == 0 ? "inbox" : "mail/A");
	f = fopen(path, "a");
	if (f == NULL || fprintf(f, "From a@example.org Sat Nov 21 01:02:03 2026\n"
	    "X: %u\n\nend\n\n", i) < 0 || fclose(f) != 0)
		perror(path);
}
#else
static void
bring(const char *mailbox, unsigned i)
{
	char part[20], name[40], text[40];

	snprintf(part, sizeof part, "%s" PART,
	    strcmp(mailbox, "INBOX") == 0 ? "" : ".A/");
	snprintf(name, sizeof name, "%u.x.host" INFO, 1000 + i);
	snprintf(text, sizeof text, "X: %u\n\nend\n", i);
	deliver(part, name, text);
}
#endif

static void
set_up(void)
{
	struct mail *m = fresh_mail();

	pass_many = MANY;
	for (unsigned i = 0; i < BEFORE; i++)
		bring("INBOX", i);
	mailbox_close(inbox(m));
	mail_create(m, BYTES("A"), 0);
	mail_create(m, BYTES(OLD_CHILD), 0);
	for (unsigned i = WAITING; i < CONTENTS; i++)
		bring("A", i);
	mail_close(m);
}

static int
run_cut(const struct doing *c, int at)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct mail *m = same_mail();
		int rc;

		countdown = at;
		sys_before = cut_short;
		rc = c->run(m);
		sys_before = NULL;
		_exit(rc < 0 ? REFUSED : countdown > 0 ? DONE + 100 : DONE);
	}
	return waitpid(pid, &status, 0) > 0 && WIFEXITED(status)
	    ? WEXITSTATUS(status) : -1;
}

static bool
one_cut(const struct doing *c, int at, int *result)
{
	struct seen s, again;
	struct mail *m;
	bool good;

	set_up();
	*result = run_cut(c, at);
	if (!CHECK(*result >= 0))
		return false;
	m = same_mail();
	look(m, &s);
	mail_close(m);
	/* Clients know these UIDs now: they hold without the index too. */
	drop_index();
	m = same_mail();
	look(m, &again);
	mail_close(m);
	good = !s.broken && !s.moved_uid && memcmp(&s, &again, sizeof s) == 0
	    && c->good(&s, *result == DONE || *result == DONE + 100);
	if (!good)
		printf("# %s cut at call %d by %s: result %d%s%s%s\n", c->name, at,
		    fault == 0 ? "kill" : strerror(fault), *result,
		    s.broken ? ", broken" : "", s.moved_uid ? ", UID moved" : "",
		    memcmp(&s, &again, sizeof s) != 0
		    ? ", other without the index" : "");
	return CHECK(good);
}

static void
sweep_one(const struct doing *c)
{
	for (int at = 1, result = 0; result != DONE + 100; at++)
		if (!CHECK(at < CALLS_MAX) || !one_cut(c, at, &result))
			return;
}

/* Side by side: they mostly wait for the system to end processes. */
static void
sweep(int error)
{
	pid_t pids[CHANGES];
	int status;

	fault = error;
	for (size_t i = 0; i < CHANGES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			maildirs_home[0] = '\0';
			sweep_one(&changes[i]);
			exit(test_failures > 0);
		}
	}
	for (size_t i = 0; i < CHANGES; i++)
		CHECK(waitpid(pids[i], &status, 0) > 0 && status == 0);
}

static void
killed_before_each_call(void)
{
	sweep(0);
}

static void
disk_full_at_each_call(void)
{
	sweep(ENOSPC);
}

static void
disk_broken_at_each_call(void)
{
	sweep(EIO);
}

static void
over_quota_at_each_call(void)
{
	sweep(EDQUOT);
}

TEST_MAIN(TEST(killed_before_each_call), TEST(disk_full_at_each_call),
    TEST(over_quota_at_each_call), TEST(disk_broken_at_each_call))
