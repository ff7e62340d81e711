/*
 * Asks a user's own file of secrets.
 * Runs as: root; what looks into the file is the user, for ever.
 *
 * A process of its own does that, which is the user's and holds nothing else:
 * none that could be root parses what users write. For names that have no such
 * file one is started all the same, and looks where nothing is.
 */
#include <sys/socket.h>

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "homefile.h"
#include "ids.h"
#include "log.h"
#include "process.h"
#include "verify.h"

#define LOOK_MS 10000
#define END_MS 1000
#define ANSWER_MS 20			/* at least: how fast a disk is tells nothing */

/* As whom, and where, to look for what. */
struct place {
	uid_t uid;
	gid_t gid;
	char home[PATH_MAX];
	char name[EXCHANGE_NAME_MAX + 1];
	enum secret_kind kind;
};

/* All else about such a secret is as it always is. */
struct found {
	uint32_t found;			/* 0 or 1 */
	unsigned char salt[SECRETS_SALT_SIZE];
	unsigned char stored[DIGEST_MAX], server[DIGEST_MAX];
};

/* ---- as the user ---- */

/* One that strangers cannot be told from, and of this user only. */
static void
find(const struct place *p, struct bytes text, struct found *f)
{
	struct secret s;

	if (secrets_find(text, bytes_of(p->name), p->kind, &s)
	    && s.iterations == SECRETS_ITERATIONS && s.salt_n == sizeof f->salt) {
		f->found = 1;
		memcpy(f->salt, s.salt, sizeof f->salt);
		memcpy(f->stored, s.stored, sizeof f->stored);
		memcpy(f->server, s.server, sizeof f->server);
	}
	explicit_bzero(&s, sizeof s);
}

static noreturn void
look(const struct place *p, int chan)
{
	const struct process_fd fds[] = { { DIAGNOSTICS_FD, DIAGNOSTICS_FD },
	    { chan, CHANNEL_FD }, { LOG_FD, LOG_FD } };
	struct homefile file = { .home = p->home, .name = SECRETS_OWN_PATH,
	    .uid = p->uid, .max = SECRETS_OWN_MAX };
	struct buf text = BUF_INIT(SECRETS_OWN_MAX);
	struct found f = { 0 };

	log_part();
	if (process_place(fds, log_fd() < 0 ? 2 : 3) < 0
	    || ids_lend(p->uid, p->gid) < 0 || ids_drop(p->uid, p->gid) < 0)
		_exit(EX_OSERR);
	if (homefile_read(&file, &text) == HOMEFILE_READ)
		find(p, buf_contents(&text), &f);
	_exit(chan_send(CHANNEL_FD, &f, sizeof f, clock_ms() + LOOK_MS) < 0);
}

/* ---- as root ---- */

static int
ask(const struct place *p, struct found *f)
{
	int pair[2], watch, r = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = child_fork(&watch);
	if (pid == 0)
		look(p, pair[1]);
	close(pair[1]);
	if (pid > 0) {
		r = chan_recv(pair[0], f, sizeof *f, clock_ms() + LOOK_MS);
		/* The user may have stopped it. */
		if (r < 0 || child_ends(watch, END_MS) < 0)
			child_kill(watch);
		close(watch);
		(void)child_reap(pid, "look at own secrets");
	}
	close(pair[0]);
	return r;
}

/* The account's own name counts: NSS may know it by several. */
static bool
is_owner(const struct exchange *x, const struct passwd *pw, struct bytes text)
{
	return pw != NULL && pw->pw_uid != 0 && !x->known
	    && strlen(pw->pw_dir) < PATH_MAX
	    && strlen(pw->pw_name) <= EXCHANGE_NAME_MAX
	    && secrets_own(text, bytes_of(pw->pw_name));
}

/* True when the name is somebody's who may have secrets. */
static bool
find_place(const struct exchange *x, struct bytes text, struct place *p)
{
	const struct passwd *pw = getpwnam(x->conf->service_user);

	*p = (struct place){ .uid = pw == NULL ? (uid_t)-1 : pw->pw_uid,
	    .gid = pw == NULL ? (gid_t)-1 : pw->pw_gid, .home = "/nonexistent",
	    .kind = (enum secret_kind)(x->mechanism - MECHANISM_SCRAM_SHA_1) };
	pw = secrets_name(bytes_of(x->user)) ? getpwnam(x->user) : NULL;
	if (!is_owner(x, pw, text))
		return false;
	p->uid = pw->pw_uid;
	p->gid = pw->pw_gid;
	snprintf(p->home, sizeof p->home, "%s", pw->pw_dir);
	snprintf(p->name, sizeof p->name, "%s", pw->pw_name);
	return true;
}

static void
take(struct exchange *x, const struct place *p, const struct found *f)
{
	struct secret *s = &x->secret;

	*s = (struct secret){ .kind = p->kind, .iterations = SECRETS_ITERATIONS,
	    .salt_n = sizeof f->salt };
	memcpy(s->salt, f->salt, sizeof f->salt);
	memcpy(s->stored, f->stored, sizeof s->stored);
	memcpy(s->server, f->server, sizeof s->server);
	x->known = true;
	x->uid = p->uid;
	x->why = "secret of the user's own";
}

enum chan_result
verify_own(struct exchange *x, struct buf *text)
{
	uint64_t begun = clock_ms();
	struct found f = { 0 };
	struct place p;
	bool owner;

	if (!secrets_own_anybody(buf_contents(text)))
		return CHAN_OK;
	owner = find_place(x, buf_contents(text), &p);
	/* What is the user's is to have nobody else's secrets in its memory. */
	verify_forget(text);
	if (ask(&p, &f) < 0) {
		x->why = "cannot look at secrets of the user's own";
		return CHAN_UNAVAILABLE;
	}
	if (owner && f.found == 1)
		take(x, &p, &f);
	explicit_bzero(&f, sizeof f);
	clock_wait(begun + ANSWER_MS);
	return CHAN_OK;
}
