/*
 * Two sessions and other programs make, change and remove mailboxes; what is
 * told of each and of all is what stands on the disk.
 * Runs as: the person who builds.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <stdarg.h>
#include <time.h>

#include "../../src/store/state.h"
#include "maildirs.h"
#include "test.h"

#ifndef STEPS
#define STEPS 240
#endif
#define KEYWORDS 32			/* those from 26 on need a file of their own */

static const char *const names[] = { "INBOX", "A", "A/B", "A/C", "D/E", "F" };
static const char *const disks[] = { ".", ".A", ".A.B", ".A.C", ".D.E", ".F" };
#define NAMES (sizeof names / sizeof names[0])

#define SESSIONS 2

static struct mail *mail;		/* in the process of a session */
static bool listed[NAMES];
static unsigned files;

static struct bytes
name_of(size_t i)
{
	return bytes_of(names[i]);
}

static bool
path_is(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

/* Paths are relative to the Maildir. */
static bool
is_there(size_t i)
{
	char cur[64];

	snprintf(cur, sizeof cur, "%s/cur", disks[i]);
	return path_is(disks[i], S_IFDIR) && path_is(cur, S_IFDIR);
}

static void __attribute__((format(printf, 1, 2)))
shell(const char *fmt, ...)
{
	char command[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		CHECK_EQ_TEXT(command, "done");
}

/* ---- what sessions do ---- */

static void
make(size_t i, size_t other)
{
	(void)other;
	mail_create(mail, name_of(i), 0);
}

static void
delete(size_t i, size_t other)
{
	(void)other;
	mail_delete(mail, name_of(i));
}

static void
rename_it(size_t i, size_t other)
{
	mail_rename(mail, name_of(i), name_of(other));
}

static void
mark(size_t i, size_t other)
{
	struct mail_store s = { .how = rand() % 2 ? FLAGS_ADD : FLAGS_REMOVE,
	    .flags = rand() % 2 ? FLAG_SEEN : 0 };
	char keyword[16];
	struct mail_stored out;
	struct mailbox *b;
	int number;

	(void)other;
	if (mailbox_open(mail, name_of(i), false, &b) < 0)
		return;
	snprintf(keyword, sizeof keyword, "k%d", rand() % KEYWORDS);
	number = mailbox_keyword_number(b, bytes_of(keyword), true);
	if (number >= 0)
		s.keywords.bits[number / 64] |= UINT64_C(1) << number % 64;
	if (CHECK_EQ_INT(mailbox_store(b, mailbox_view(b), &s, &out), 0))
		mail_stored_free(&out);
	mailbox_close(b);
}

static void
append_one(size_t i, size_t other)
{
	(void)other;
	if (is_there(i))
		append(mail, names[i], "A: b\r\n\r\n", 0);
}

/* ---- what other programs do ---- */

static void
program_makes(size_t i, size_t other)
{
	(void)other;
	if (!path_is(disks[i], S_IFDIR))
		shell("mkdir -p %s/new %s/tmp", disks[i], disks[i]);
	else if (!is_there(i))
		shell("mkdir %s/cur", disks[i]);
}

static void
program_removes(size_t i, size_t other)
{
	(void)other;
	if (i != 0)
		shell("rm -rf %s", disks[i]);
}

static void
program_takes_cur(size_t i, size_t other)
{
	(void)other;
	if (i != 0)
		shell("rm -rf %s/cur", disks[i]);
}

/* In its place, or in another's; a backup that comes back keeps all times. */
static void
program_copies(size_t i, size_t other)
{
	if (i != 0 && other != 0 && is_there(i))
		shell("cp -a %s copy && rm -rf %s && mv copy %s", disks[i],
		    disks[other], disks[other]);
}

static void
program_moves(size_t i, size_t other)
{
	if (i != 0 && other != 0 && !path_is(disks[other], S_IFDIR)
	    && path_is(disks[i], S_IFDIR))
		shell("mv %s %s", disks[i], disks[other]);
}

static void
program_swaps(size_t i, size_t other)
{
	if (i != 0 && other != 0 && i != other)
		renameat2(AT_FDCWD, disks[i], AT_FDCWD, disks[other],
		    RENAME_EXCHANGE);
}

static void
program_delivers(size_t i, size_t other)
{
	(void)other;
	if (is_there(i))
		shell("mkdir -p %s/new; echo a: b > %s/new/%u.x.host", disks[i],
		    disks[i], files++);
}

/* Takes all in, or all back to unread. */
static void
program_marks(size_t i, size_t other)
{
	bool reads = rand() % 2;

	(void)other;
	shell("cd %s; for f in %s/*; do [ ! -f $f ] || mv $f cur/$(basename $f | "
	    "sed 's/:.*//'):2,%s 2>/dev/null || :; done", is_there(i) ? disks[i] : ".",
	    reads ? "new" : "cur", reads ? "S" : "");
}

static void
program_empties(size_t i, size_t other)
{
	(void)other;
	shell("rm -f %s/cur/* %s/new/*", disks[i], disks[i]);
}

/* Lost, or another mailbox's. */
static void
state_goes(size_t i, size_t other)
{
	char from[64], to[64];

	snprintf(from, sizeof from, "%s/" STATE_FILE, disks[i]);
	snprintf(to, sizeof to, "%s/" STATE_FILE, disks[other]);
	if (i == other)
		unlink(from);
	else
		rename(from, to);
}

static void
flags_go(size_t i, size_t other)
{
	(void)other;
	shell("rm -f %s/mailreeve-flags", disks[i]);
}

static void
index_goes(size_t i, size_t other)
{
	(void)i;
	(void)other;
	drop_index();
}

static void
index_is_spoilt(size_t i, size_t other)
{
	(void)i;
	(void)other;
	shell("[ ! -f mailreeve-index ] || dd if=/dev/zero of=mailreeve-index bs=4096 "
	    "count=2 conv=notrunc status=none");
}

/* ---- what is told ---- */

static uint64_t
count(const char *disk, const char *part, bool unseen)
{
	char path[64];
	uint64_t n = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof path, "%s/%s", disk, part);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		const char *info = strstr(e->d_name, ":2,");

		n += e->d_name[0] != '.'
		    && (!unseen || info == NULL || strchr(info, 'S') == NULL);
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

static void
check_state(size_t i, const struct mailbox_status *st)
{
	int dir = open(disks[i], O_RDONLY | O_DIRECTORY);
	struct state s;

	if (CHECK_EQ_INT(state_load(dir, &s), 0)) {
		CHECK_EQ_INT(st->uidvalidity, s.uidvalidity);
		CHECK(strcmp(st->id, s.id) == 0);
	}
	close(dir);
}

static void
check_status(size_t i)
{
	struct mailbox_status st;
	int rc = mail_status(mail, name_of(i), STATUS_COUNTS, &st);

	if (!CHECK_EQ_INT(rc, is_there(i) ? 0 : -1) || rc < 0)
		return;
	CHECK_EQ_INT(st.messages, count(disks[i], "cur", false)
	    + count(disks[i], "new", false));
	CHECK_EQ_INT(st.unseen, count(disks[i], "cur", true)
	    + count(disks[i], "new", true));
	check_state(i, &st);
}

static int
note_name(void *arg, const struct mailbox_name *n)
{
	(void)arg;
	for (size_t i = 0; i < NAMES; i++)
		if (bytes_equal(n->name, name_of(i)))
			listed[i] = (n->attributes & MAILBOX_NOSELECT) == 0;
	return 0;
}

static void
check_list(void)
{
	memset(listed, 0, sizeof listed);
	CHECK_EQ_INT(mail_list(mail, note_name, NULL), 0);
	for (size_t i = 0; i < NAMES; i++)
		CHECK_EQ_INT(listed[i], is_there(i));
}

static void
check_all(size_t i, size_t other)
{
	(void)i;
	(void)other;
	for (size_t n = 0; n < NAMES; n++)
		check_status(n);
	check_list();
}

static void
check_names(size_t i, size_t other)
{
	(void)i;
	(void)other;
	check_list();
}

static void
rest(size_t i, size_t other)
{
	(void)i;
	(void)other;
	mail_shrink(mail);
}

/* ---- sessions ---- */

struct order {
	void (*what)(size_t i, size_t other);
	size_t i, other;
	unsigned seed;
};

static struct {
	int orders, answers;
	pid_t pid;
} sessions[SESSIONS];

static void
serve(int orders, int answers)
{
	struct order o;

	mail = same_mail();
	while (read(orders, &o, sizeof o) == sizeof o) {
		unsigned before = test_failures;
		bool good;

		srand(o.seed);
		o.what(o.i, o.other);
		good = test_failures == before;
		fflush(stdout);
		if (write(answers, &good, 1) != 1)
			break;
	}
	mail_close(mail);
	_exit(0);
}

static void
start(size_t i)
{
	int to[2], from[2];

	fflush(stdout);
	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0
	    || (sessions[i].pid = fork()) < 0) {
		perror("start");
		exit(1);
	}
	if (sessions[i].pid == 0) {
		for (size_t n = 0; n < i; n++)
			close(sessions[n].orders);
		close(to[1]);
		serve(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	sessions[i].orders = to[1];
	sessions[i].answers = from[0];
}

static bool
in_session(void (*what)(size_t, size_t), size_t i, size_t other)
{
	size_t n = (size_t)rand() % SESSIONS;
	struct order o = { what, i, other, (unsigned)rand() };
	bool good = false;

	return CHECK_EQ_INT(write(sessions[n].orders, &o, sizeof o), sizeof o)
	    && CHECK_EQ_INT(read(sessions[n].answers, &good, 1), 1) && CHECK(good);
}

/* ---- both ---- */

static const struct {
	void (*what)(size_t i, size_t other);
	bool in_session;
} steps[] = {
	{ make, true }, { make, true }, { delete, true }, { rename_it, true },
	{ mark, true }, { mark, true }, { append_one, true }, { append_one, true },
	{ rest, true }, { program_makes, false }, { program_makes, false },
	{ program_removes, false }, { program_takes_cur, false },
	{ program_copies, false }, { program_moves, false }, { program_swaps, false },
	{ program_delivers, false }, { program_delivers, false },
	{ program_marks, false }, { program_marks, false }, { program_empties, false },
	{ state_goes, false }, { flags_go, false }, { index_goes, false },
	{ index_is_spoilt, false },
};
#define STEP_KINDS (sizeof steps / sizeof steps[0])

/* Until what was written now has a time that the clock has left behind. */
static void
let_time_pass(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 25000000 }, NULL);
}

static void
step(void)
{
	size_t n = (size_t)rand() % STEP_KINDS, i = (size_t)rand() % NAMES,
	    other = (size_t)rand() % NAMES;
	unsigned before = test_failures;

	if (steps[n].in_session)
		in_session(steps[n].what, i, other);
	else
		steps[n].what(i, other);
	/* That cur/ went is seen by who asks for that mailbox. */
	if (steps[n].what != program_takes_cur)
		in_session(check_names, 0, 0);
	in_session(check_all, 0, 0);
	if (test_failures != before)
		printf("# after change %zu of %s, %s\n", n, names[i], names[other]);
}

static void
names_and_counts(void)
{
	const char *seed = getenv("MODEL_SEED");
	unsigned before = test_failures;
	char root[100];

	srand(seed != NULL ? (unsigned)atoi(seed) : 1);
	mail_close(fresh_mail());
	snprintf(root, sizeof root, "%s/Maildir", maildirs_home);
	CHECK_EQ_INT(chdir(root), 0);
	for (size_t i = 0; i < SESSIONS; i++)
		start(i);
	for (unsigned n = 0; n < STEPS && test_failures == before; n++) {
		if (rand() % 3 == 0)
			let_time_pass();
		step();
		if (test_failures != before)
			printf("# at step %u\n", n);
	}
	for (size_t i = 0; i < SESSIONS; i++) {
		int status;

		close(sessions[i].orders);
		CHECK(waitpid(sessions[i].pid, &status, 0) > 0 && status == 0);
	}
	CHECK_EQ_INT(chdir("/"), 0);
}

TEST_MAIN(TEST(names_and_counts))
