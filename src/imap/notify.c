/*
 * NOTIFY (RFC 5465), and telling while no command runs.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "commands.h"
#include "limits.h"
#include "log.h"
#include "notify.h"

static void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	snapshot_free(&n->seen);
	arena_free(&n->arena);
	free(n);
}

static struct notify *
notify_new(void)
{
	struct notify *n = calloc(1, sizeof *n);

	if (n != NULL)
		n->arena = (struct arena)ARENA_INIT(NOTIFY_ARENA_MAX);
	return n;
}

/* Watches what snapshots look at; where that cannot be, one looks now and then. */
static void
watch(struct session *s, struct notify *n)
{
	struct bytes *names = reallocarray(NULL, n->seen.n + 2, sizeof *names);
	size_t count = 0;

	n->polling = n->n > 0 || n->selected != 0;
	if (names == NULL || !n->polling) {
		free(names);
		mail_watch(s->mail, NULL, 0);
		return;
	}
	for (size_t i = 0; i < n->seen.n; i++)
		if (n->seen.v[i].events != 0)
			names[count++] = bytes_of(n->seen.v[i].name);
	if (s->box != NULL)
		names[count++] = mailbox_name_of(s->box);
	n->polling = mail_watch(s->mail, names, count) < 0;
	free(names);
}

static void
overflow(struct session *s)
{
	static const struct response_code code = { .code = CODE_NOTIFICATIONOVERFLOW };
	struct notify *none = notify_new();

	put_condition(&s->out, BYTES(""), "OK", &code, "Too much to tell of");
	mail_watch(s->mail, NULL, 0);
	if (none == NULL)
		return;
	notify_free(s->notify);
	s->notify = none;
}

/* ---- telling ---- */

/*
 * A directory that is listed while a name in it changes may show neither the old
 * name nor the new one: who misses something looks twice.
 */
static int
take(struct session *s, const struct notify *n, struct snapshot *now)
{
	if (snapshot_take(s, n, now) < 0)
		return -1;
	if (!snapshot_lost(&n->seen, now))
		return 0;
	snapshot_free(now);
	return snapshot_take(s, n, now);
}

/* Other mailboxes, and names; but_for: what this session did itself. */
static void
look_around(struct session *s, unsigned but_for)
{
	struct notify *n = s->notify;
	struct snapshot now;
	bool grown;

	if (n->n == 0)
		return;
	if (take(s, n, &now) < 0) {
		log_warn("cannot look at all mailboxes: %s", strerror(errno));
		overflow(s);
		return;
	}
	grown = snapshot_tell(s, &n->seen, &now, but_for);
	snapshot_free(&n->seen);
	n->seen = now;
	if (!grown)
		return;
	/* What happened in a new one before it was watched shows by looking again. */
	watch(s, n);
	look_around(s, but_for);
}

int
session_tell(struct session *s, bool expunge)
{
	static const struct {
		enum notify_event event;
		unsigned what;
	} tells[] = {
		{ NOTIFY_NEW, TELL_NEW }, { NOTIFY_EXPUNGE, TELL_EXPUNGE },
		{ NOTIFY_FLAGS, TELL_FLAGS },
	};
	unsigned what = 0;

	if (s->notify == NULL)
		return tell_changes(s, expunge);
	for (size_t i = 0; i < sizeof tells / sizeof tells[0]; i++)
		if ((s->notify->selected & tells[i].event) != 0)
			what |= tells[i].what;
	return what == 0 ? 0 : tell_events(s, expunge, what);
}

int
session_look(struct session *s, bool idle)
{
	mail_events_read(s->mail);
	if (s->notify != NULL)
		look_around(s, 0);
	if (s->box == NULL)
		return 0;
	return session_tell(s, idle || s->notify == NULL || !s->notify->delayed);
}

/* Section 5: what this client did itself it is not told. */
void
session_own(struct session *s, const struct command *row)
{
	static const struct {
		struct outcome (*run)(struct session *s, struct call *c);
		unsigned events;
	} own[] = {
		{ cmd_create, NOTIFY_NAME | NOTIFY_SUBSCRIPTION },
		{ cmd_delete, NOTIFY_NAME | NOTIFY_SUBSCRIPTION },
		{ cmd_rename, NOTIFY_NAME | NOTIFY_SUBSCRIPTION },
		{ cmd_subscribe, NOTIFY_SUBSCRIPTION },
		{ cmd_unsubscribe, NOTIFY_SUBSCRIPTION },
		{ cmd_setmetadata, NOTIFY_METADATA | NOTIFY_SERVER_METADATA },
	};

	if (s->notify == NULL)
		return;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (own[i].run == row->run)
			look_around(s, own[i].events);
	/* Another mailbox may be the selected one now. */
	if (row->run == cmd_select || row->run == cmd_examine)
		watch(s, s->notify);
}

static bool
fetches_new(const struct session *s)
{
	return s->notify != NULL && s->notify->fetch.n > 0;
}

void
session_made(struct session *s, uint32_t uidvalidity, const struct runs *uids)
{
	struct mailbox_status st;

	/* Without memory for it they are told: that is no harm. */
	if (fetches_new(s) && s->box != NULL
	    && mailbox_status_now(s->box, STATUS_COUNTS, &st) == 0
	    && st.uidvalidity == uidvalidity)
		runs_copy(&s->made, uids);
}

/* Section 5.2: not of those that the client made itself. */
void
session_arrived(struct session *s, const struct runs *uids)
{
	struct runs news = RUNS_INIT;

	if (fetches_new(s) && runs_subtract(&news, uids, &s->made) == 0 && news.n > 0)
		fetch_tell(s, s->notify->fetch, &news);
	runs_free(&news);
}

void
session_await(struct session *s)
{
	uint64_t autologout = s->stream.read_deadline;
	uint64_t due = clock_ms() + SHRINK_AFTER_MS;
	bool tells = s->notify != NULL &&
	    (s->notify->n > 0 || s->notify->selected != 0);
	int r = 0;

	while (r == 0 && stream_pending(&s->stream).n == 0) {
		if (stream_flush(&s->stream) < 0)
			break;
		r = (tells ? session_wait : session_wait_quietly)(s, autologout, due);
		if (r == 0 && tells && session_look(s, false) < 0)
			break;
		arena_reset(&s->arena);
		if (r == 0 && due != 0 && clock_ms() >= due) {
			session_shrink(s);
			due = 0;
		}
	}
	s->stream.read_deadline = autologout;
}

bool
session_polls(const struct session *s)
{
	return s->notify != NULL && s->notify->polling;
}

/* ---- the command ---- */

void
session_unnotify(struct session *s)
{
	notify_free(s->notify);
	s->notify = NULL;
}

static void
begin(struct session *s, struct notify *n)
{
	notify_free(s->notify);
	s->notify = n;
	mail_watch(s->mail, NULL, 0);
	watch(s, n);
	/* What happened before it was watched. */
	look_around(s, 0);
}

static struct outcome
notify_set(struct session *s, struct call *c, struct notify *n)
{
	struct outcome o = notify_parse(s, &c->args, n);
	struct snapshot seen = { 0 };

	if (o.result != RESULT_OK)
		return o;
	if (n->n > 0 && snapshot_take(s, n, &seen) < 0)
		return no(CODE_NOTIFICATIONOVERFLOW, "Too much to watch");
	n->seen = seen;
	/* Section 3.1: as if by NOOP. */
	if (s->box != NULL && tell_changes(s, true) < 0 && errno != ESTALE)
		log_warn("cannot look for changes: %s", strerror(errno));
	if (n->status)
		snapshot_tell_status(s, &n->seen);
	return ok("NOTIFY completed");
}

struct outcome
cmd_notify(struct session *s, struct call *c)
{
	struct notify *n = notify_new();
	struct outcome o;

	if (n == NULL)
		return failed(errno);
	if (lex_word(&c->args, "NONE"))
		o = lex_end(&c->args) < 0 ? bad_syntax(&c->args)
		    : ok("NOTIFY completed");
	else if (lex_word(&c->args, "SET"))
		o = notify_set(s, c, n);
	else
		o = bad("SET or NONE was expected");
	if (o.result == RESULT_OK)
		begin(s, n);
	else
		notify_free(n);
	return o;
}
