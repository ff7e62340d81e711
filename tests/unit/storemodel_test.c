/*
 * Two sessions in two processes and other programs at work on one mailbox,
 * against a model that knows every message by its content.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>

/* givenmodel_test.c plays the same with UIDs beside the names. */
#ifndef MANY
#define MANY 1000
#endif

#include "../../src/store/pass.h"
#include "maildirs.h"
#include "test.h"

#define STEPS 400
#define SESSIONS 2
#define UID_MAX 20000
#define LIST_MAX 600
#define ENOUGH 120			/* messages; above it more are removed */

enum what { APPEND, STORE, KEYWORD, REMOVE, COPY, MOVE, UPKEEP, LIST, REOPEN, QUIT, WHATS };

struct order {
	enum what what;
	unsigned seed;
	unsigned content;
	bool drop;			/* the index goes first */
};

struct listed {
	uint32_t uid;
	unsigned content;
	uint32_t flags;
	uint64_t keywords;
	uint64_t modseq;
};

struct answer {
	int failed;			/* errno */
	unsigned n_added, n_removed, n_listed;
	struct listed added[200], removed[200], listed[LIST_MAX];
	struct mailbox_status st;	/* just after the list */
};

/* ---- a session ---- */

static struct answer answer;
static struct mail *mail;
static struct mailbox *box;

static unsigned
content_of(uint32_t uid)
{
	struct message msg;
	char text[64] = "";
	unsigned content = 0;

	if (mailbox_message(box, uid, &msg) < 0)
		return 0;
	if (message_read(&msg, 0, text, sizeof text - 1) > 0)
		sscanf(text, "X: %u", &content);
	message_close(&msg);
	return content;
}

/* Contents of what was chosen, which may be gone when the model asks. */
static unsigned chosen[UID_MAX];

/* Some of the UIDs in the view, at random. */
static void
choose(struct runs *out, unsigned most)
{
	const struct runs *view = mailbox_view(box);
	unsigned n = 1 + (unsigned)rand() % most;

	while (n-- > 0 && view->count > 0) {
		uint32_t uid = runs_nth(view, 1 + (unsigned)rand() % view->count);
		unsigned content = content_of(uid);

		if (content != 0)
			chosen[uid] = content;
		runs_add(out, uid, uid);
	}
}

static struct listed
of_chosen(uint32_t uid, uint32_t from)
{
	return (struct listed){ .uid = uid, .content = chosen[from] };
}

static void
tell_all(void)
{
	struct mail_changes c;

	if (mailbox_sync(box) < 0 || mailbox_changes(box, &c) < 0) {
		answer.failed = errno;
		return;
	}
	mailbox_told_vanished(box, &c.vanished);
	mailbox_told_arrived(box, &c.arrived);
	mailbox_told_modseq(box, c.modseq);
	mail_changes_free(&c);
}

static void
do_append(const struct order *o)
{
	struct delivery *d;
	struct runs uids = RUNS_INIT;
	uint32_t validity;
	char text[64];

	snprintf(text, sizeof text, "X: %u\r\n\r\n", o->content);
	if (delivery_begin(mail, BYTES("INBOX"), &d) < 0
	    || delivery_message(d, o->seed & FLAG_FLAGGED, NULL, 0,
	    DELIVERY_NOW) < 0
	    || delivery_write(d, text, strlen(text)) < 0
	    || delivery_commit(d, &validity, &uids) < 0)
		answer.failed = errno;
	else
		answer.added[answer.n_added++] = (struct listed){
		    .uid = runs_first(&uids), .content = o->content };
	runs_free(&uids);
}

static void
do_store(const struct order *o)
{
	struct runs uids = RUNS_INIT;
	struct mail_store s = { .how = (enum flags_change)(o->seed % 3),
	    .flags = o->seed & (FLAG_SEEN | FLAG_FLAGGED | FLAG_DELETED) };
	struct mail_stored out;

	if (o->what == KEYWORD) {
		char name[20];
		int i;

		snprintf(name, sizeof name, "$kw%u", o->seed % 60);
		i = mailbox_keyword_number(box, bytes_of(name), true);
		if (i < 0)
			answer.failed = errno;
		else
			keyword_put(&s.keywords, (unsigned)i);
	}
	choose(&uids, 20);
	if (mailbox_store(box, &uids, &s, &out) < 0)
		answer.failed = errno;
	else
		mail_stored_free(&out);
	runs_free(&uids);
}

static void
do_remove(void)
{
	struct runs uids = RUNS_INIT, gone = RUNS_INIT;
	struct runs_cursor c = RUNS_CURSOR(&gone);
	uint32_t uid;

	choose(&uids, 10);
	if (mailbox_remove(box, &uids, &gone) < 0)
		answer.failed = errno;
	while ((uid = runs_next(&c)) != 0)
		answer.removed[answer.n_removed++] = of_chosen(uid, uid);
	runs_free(&uids);
	runs_free(&gone);
}

static void
do_copy(bool move)
{
	struct runs uids = RUNS_INIT;
	struct mail_copied out;

	choose(&uids, 10);
	if (mailbox_copy(box, &uids, BYTES("INBOX"), move, &out) < 0) {
		answer.failed = errno;
		mail_copied_free(&out);
		runs_free(&uids);
		return;
	}
	struct runs_cursor from = RUNS_CURSOR(&out.from);
	struct runs_cursor to = RUNS_CURSOR(&out.to);
	uint32_t uid;

	while ((uid = runs_next(&from)) != 0) {
		uint32_t new = runs_next(&to);

		answer.added[answer.n_added++] = of_chosen(new, uid);
		if (move)
			answer.removed[answer.n_removed++] = of_chosen(uid, uid);
	}
	mail_copied_free(&out);
	runs_free(&uids);
}

static void
do_list(void)
{
	struct mail_cursor *c;
	struct mail_row row;
	int rc;

	tell_all();
	if (mailbox_rows(box, mailbox_view(box), &c) < 0) {
		answer.failed = errno;
		return;
	}
	while ((rc = mail_cursor_next(c, &row)) == 1 && answer.n_listed < LIST_MAX)
		answer.listed[answer.n_listed++] = (struct listed){ row.uid,
		    content_of(row.uid), row.flags,
		    row.keywords.bits[0] ^ row.keywords.bits[1] << 1, row.modseq };
	if (rc < 0)
		answer.failed = errno;
	if (answer.n_listed != mailbox_view(box)->count)
		answer.failed = ERANGE;
	mail_cursor_end(c);
	mailbox_columns_flush(box);
	if (mailbox_status_now(box, STATUS_COUNTS, &answer.st) < 0)
		answer.failed = errno;
}

static void
obey(const struct order *o)
{
	srand(o->seed);
	if (o->drop)
		drop_index();
	switch (o->what) {
	case APPEND:
		do_append(o);
		break;
	case STORE:
	case KEYWORD:
		do_store(o);
		break;
	case REMOVE:
		do_remove();
		break;
	case COPY:
	case MOVE:
		do_copy(o->what == MOVE);
		break;
	case UPKEEP:
		if (mailbox_upkeep(box) < 0)
			answer.failed = errno;
		break;
	case LIST:
		do_list();
		break;
	case REOPEN:
		mailbox_close(box);
		if (mailbox_open(mail, BYTES("INBOX"), false, &box) < 0)
			answer.failed = errno;
		break;
	default:
		break;
	}
}

static void
session(int in, int out)
{
	struct order o;

	mail = same_mail();
	if (mailbox_open(mail, BYTES("INBOX"), false, &box) < 0)
		_exit(1);
	while (read(in, &o, sizeof o) == sizeof o && o.what != QUIT) {
		answer.failed = 0;
		answer.n_added = answer.n_removed = answer.n_listed = 0;
		obey(&o);
		if (write(out, &answer, sizeof answer) != sizeof answer)
			break;
	}
	mailbox_close(box);
	mail_close(mail);
	_exit(0);
}

/* ---- the model ---- */

static struct {
	pid_t pid;
	int to, from;
} sessions[SESSIONS];

static unsigned content_by_uid[UID_MAX];
static bool alive[UID_MAX];
static bool pending[UID_MAX];		/* contents that other programs delivered */
static uint32_t highest;
static unsigned contents = 1;
static unsigned last_listed;

static void
start(void)
{
	for (int i = 0; i < SESSIONS; i++) {
		int to[2], from[2];

		if (pipe(to) < 0 || pipe(from) < 0)
			exit(1);
		sessions[i].pid = fork();
		if (sessions[i].pid == 0) {
			close(to[1]);
			close(from[0]);
			session(to[0], from[1]);
		}
		close(to[0]);
		close(from[1]);
		sessions[i].to = to[1];
		sessions[i].from = from[0];
	}
}

static void
send_order(int i, struct order o)
{
	if (write(sessions[i].to, &o, sizeof o) != sizeof o)
		test_check(false, __FILE__, __LINE__, "session is there");
}

static bool
get_answer(int i, struct answer *a)
{
	char *p = (char *)a;
	size_t n = 0;

	while (n < sizeof *a) {
		ssize_t got = read(sessions[i].from, p + n, sizeof *a - n);

		if (!CHECK(got > 0))
			return false;
		n += (size_t)got;
	}
	return true;
}

static void
take_added(const struct answer *a)
{
	for (unsigned k = 0; k < a->n_added; k++) {
		uint32_t uid = a->added[k].uid;

		if (!CHECK(uid < UID_MAX) || !CHECK(content_by_uid[uid] == 0))
			continue;
		content_by_uid[uid] = a->added[k].content;
		alive[uid] = true;
	}
}

static void
take_removed(const struct answer *a)
{
	for (unsigned k = 0; k < a->n_removed; k++) {
		uint32_t uid = a->removed[k].uid;

		/* Delivered and removed between two lists. */
		if (content_by_uid[uid] == 0) {
			content_by_uid[uid] = a->removed[k].content;
			pending[a->removed[k].content] = false;
		}
		alive[uid] = false;
	}
}

/* What a session sees, against what must be there. */
static void
check_list(const struct answer *a)
{
	unsigned expected = 0;

	for (unsigned k = 0; k < a->n_listed; k++) {
		uint32_t uid = a->listed[k].uid;

		if (content_by_uid[uid] == 0 && pending[a->listed[k].content]) {
			/* A delivery by others: a UID above all before. */
			CHECK(uid > highest);
			content_by_uid[uid] = a->listed[k].content;
			alive[uid] = true;
			pending[a->listed[k].content] = false;
		}
		CHECK_EQ_INT(a->listed[k].content, content_by_uid[uid]);
		CHECK(alive[uid]);
	}
	for (uint32_t uid = 1; uid < UID_MAX; uid++)
		expected += alive[uid];
	CHECK_EQ_INT(a->n_listed, expected);
	for (unsigned c = 0; c < contents; c++)
		CHECK(!pending[c]);
	if (a->n_listed > 0)
		highest = a->listed[a->n_listed - 1].uid;
	last_listed = a->n_listed;
}

/* Nobody else is at work. */
static void
check_counts(const struct answer *a)
{
	uint32_t first = 0;
	uint64_t unseen = 0;

	for (unsigned k = a->n_listed; k-- > 0;)
		if (!(a->listed[k].flags & FLAG_SEEN)) {
			first = a->listed[k].uid;
			unseen++;
		}
	CHECK_EQ_INT(a->st.messages, a->n_listed);
	CHECK_EQ_INT(a->st.unseen, unseen);
	CHECK_EQ_INT(a->st.first_unseen, first);
}

static void
check_same(const struct answer *a, const struct answer *b)
{
	CHECK_EQ_INT(a->n_listed, b->n_listed);
	for (unsigned k = 0; k < a->n_listed && k < b->n_listed; k++) {
		CHECK_EQ_INT(a->listed[k].uid, b->listed[k].uid);
		CHECK_EQ_INT(a->listed[k].flags, b->listed[k].flags);
		CHECK_EQ_INT(a->listed[k].keywords, b->listed[k].keywords);
		CHECK_EQ_INT(a->listed[k].modseq, b->listed[k].modseq);
	}
}

/* ---- other programs ---- */

static void
program_delivers(void)
{
	char name[40], text[40];
	unsigned content = contents++;

	bool old = MANY == 1 && content % 4 != 0;

	snprintf(name, sizeof name, "%u.x.host%s", content, old ? ":2,F" : "");
	snprintf(text, sizeof text, "X: %u\n\n", content);
	pending[content] = true;
	deliver(old ? "cur" : "new", name, text);
}

static bool
any_file(char name[256])
{
	char path[100];
	struct dirent *e;
	unsigned skip = (unsigned)rand() % (last_listed + 1);
	DIR *dir;

	snprintf(path, sizeof path, "%s/Maildir/cur", maildirs_home);
	dir = opendir(path);
	name[0] = '\0';
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.') {
			snprintf(name, 256, "%s", e->d_name);
			if (skip-- == 0)
				break;
		}
	closedir(dir);
	return name[0] != '\0';
}

static uint32_t
uid_in(const char *name)
{
	const char *u = strstr(name, ",U=");
	unsigned content;

	if (u != NULL)
		return (uint32_t)strtoul(strchr(u, '.') + 1, NULL, 10);
	if (sscanf(name, "%u.x.host", &content) != 1)
		return 0;
	for (uint32_t uid = 1; uid < UID_MAX; uid++)
		if (alive[uid] && content_by_uid[uid] == content)
			return uid;
	return 0;
}

/* As mutt marks a message read, and as rm removes one. */
static void
program_changes(bool removes)
{
	char name[256], from[400], to[402];

	if (!any_file(name) || content_by_uid[uid_in(name)] == 0)
		return;
	snprintf(from, sizeof from, "%s/Maildir/cur/%s", maildirs_home, name);
	snprintf(to, sizeof to, "%s", from);
	if (strchr(strrchr(to, ':'), 'S') == NULL)
		strcat(to, "S");
	if (removes && unlink(from) == 0)
		alive[uid_in(name)] = false;
	else if (!removes)
		rename(from, to);
}

/* The same U= twice: the copy is a new message with the same content. */
static void
program_copies(void)
{
	char name[256], from[400], to[400];
	struct stat st;
	uint32_t uid;

	if (!any_file(name) || content_by_uid[uid = uid_in(name)] == 0
	    || pending[content_by_uid[uid]])
		return;
	snprintf(from, sizeof from, "%s/Maildir/cur/%s", maildirs_home, name);
	snprintf(to, sizeof to, "%s/Maildir/cur/%uc%s", maildirs_home,
	    contents, name);
	if (stat(from, &st) == 0 && link(from, to) == 0)
		pending[content_by_uid[uid]] = true;
}

static void
step(unsigned n)
{
	static struct answer a[SESSIONS];
	enum what what[SESSIONS];
	int how = rand() % 8;

	if (how < 4)
		program_delivers();
	for (int i = 0; i < SESSIONS; i++) {
		what[i] = last_listed > ENOUGH ? REMOVE
		    : (enum what)((unsigned)rand() % LIST);
		send_order(i, (struct order){ what[i], (unsigned)rand(), contents++,
		    n % 7 == 0 && i == 0 });
	}
	if (how >= 6)
		program_delivers();
	for (int i = 0; i < SESSIONS; i++)
		if (get_answer(i, &a[i])) {
			if (!CHECK_EQ_INT(a[i].failed, 0))
				printf("# order %d\n", what[i]);
			take_added(&a[i]);
		}
	for (int i = 0; i < SESSIONS; i++)
		take_removed(&a[i]);
	/* Alone in the mailbox, so that the model knows what came of it. */
	if (n % 5 == 1)
		program_changes(n % 2 == 0);
	if (n % 11 == 3)
		program_copies();
	if (n % 13 == 0)
		send_order(0, (struct order){ REOPEN, 0, 0, false }),
		    get_answer(0, &a[0]);
	for (int i = 0; i < SESSIONS; i++)
		send_order(i, (struct order){ LIST, 0, 0, n % 10 == 5 && i == 1 });
	for (int i = 0; i < SESSIONS; i++)
		if (get_answer(i, &a[i]))
			CHECK_EQ_INT(a[i].failed, 0);
	/* What arrived while the first one looked: look again. */
	send_order(0, (struct order){ LIST, 0, 0, false });
	if (!get_answer(0, &a[0]))
		return;
	check_list(&a[0]);
	check_counts(&a[0]);
	if (n % 10 != 5)
		check_same(&a[0], &a[1]);
}

static void
two_sessions_and_other_programs(void)
{
	const char *seed = getenv("MODEL_SEED");
	unsigned before = test_failures;

	pass_many = MANY;
	srand(seed != NULL ? (unsigned)atoi(seed) : 1);
	mail_close(fresh_mail());
	start();
	for (unsigned n = 0; n < STEPS && test_failures == before; n++) {
		step(n);
		if (test_failures != before)
			printf("# at step %u\n", n);
	}
	for (int i = 0; i < SESSIONS; i++) {
		int status;

		send_order(i, (struct order){ .what = QUIT });
		CHECK(waitpid(sessions[i].pid, &status, 0) > 0 && status == 0);
	}
}

TEST_MAIN(TEST(two_sessions_and_other_programs))
