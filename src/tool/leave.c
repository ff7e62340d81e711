/*
 * mailreeve leave: notes for another server what it must know of a Maildir.
 * Runs as: the mailbox owner.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../store/layout.h"
#include "../store/maildir.h"
#include "../store/sys.h"
#include "../store/text.h"
#include "each.h"
#include "leave.h"
#include "tool.h"

#define NAMES_MAX ((size_t)4 << 30)

static const struct server *const servers[] = { &dovecot_server, &courier_server };
#define SERVERS (sizeof servers / sizeof servers[0])

struct round {
	struct store *store;
	const struct server *to;
	bool dry;
};

int
leave_file(int dir, const char *name, const struct buf *text)
{
	if (text->error == 0)
		return text_replace(dir, name, buf_contents(text));
	errno = text->error;
	return -1;
}

static int
note_message(void *arg, const struct entry *e)
{
	struct leaving *l = arg;
	struct departing *v;
	struct file_name n;

	if (e->uid == 0 || e->uidvalidity != l->state.uidvalidity) {
		l->without++;
		return 0;
	}
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		v = reallocarray(l->v, l->cap, sizeof *v);
		if (v == NULL)
			return -1;
		l->v = v;
	}
	name_parse(bytes_of(e->where + 4), &n);
	l->v[l->n++] = (struct departing){ e->uid, n.letters, l->names.len };
	buf_bytes(&l->names, n.base);
	buf_byte(&l->names, '\0');
	return buf_add(&l->names, e->where, strlen(e->where) + 1);
}

static int
by_uid(const void *a, const void *b)
{
	const struct departing *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* Of two files with one UID the other server gives one a new UID, as we would. */
static void
sort(struct leaving *l)
{
	size_t kept = 0;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof *l->v, by_uid);
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || l->v[kept - 1].uid != l->v[i].uid)
			l->v[kept++] = l->v[i];
	l->without += l->n - kept;
	l->n = kept;
}

static int
gather(struct leaving *l)
{
	struct folder *f = l->f;

	l->names.max = NAMES_MAX;
	if (state_load(f->dir, &l->state) < 0
	    || f->store->ops->scan(f, PART_ALL, note_message, l) < 0
	    || uidls_load(&l->uidls, f->dir) < 0
	    || keywords_flags_load(f->dir, &l->extra, &l->n_extra) < 0)
		return -1;
	keywords_load(&f->keywords, f->dir);
	sort(l);
	return 0;
}

/* Our own state goes last: who comes back is taken over again. */
static int
leave_locked(struct leaving *l, const struct round *r)
{
	if (gather(l) < 0)
		return errno == ENOENT ? 0 : -1;
	if (r->dry)
		return 1;
	if (r->to->folder(l) < 0 || sys_unlink(l->f->dir, STATE_FILE) < 0)
		return -1;
	return sys_fsync(l->f->dir) < 0 ? -1 : 1;
}

static int
leave_folder(struct folder *f, const struct round *r)
{
	struct leaving l = { .f = f };
	int rc;

	if (folder_lock(f) < 0)
		return -1;
	rc = leave_locked(&l, r);
	folder_unlock(f);
	if (rc >= 0)
		tool_print(f->name);
	if (rc > 0)
		printf(": %zu messages, %llu without a UID, UIDVALIDITY %u, "
		    "next UID %u\n", l.n, (unsigned long long)l.without,
		    l.state.uidvalidity, l.state.uid_bound);
	else if (rc == 0)
		printf(": never visited\n");
	free(l.v);
	free(l.extra);
	buf_free(&l.names);
	uidls_free(&l.uidls);
	return rc;
}

/* Directory .A.B with levels in UTF-8; a level with a dot has no such name. */
static int
name_there(struct store *s, struct bytes name)
{
	char from[LAYOUT_DISK_MAX + 1];
	struct buf to = BUF_INIT(LAYOUT_DISK_MAX);
	const char *path;
	int rc = 0;

	if (layout_to_disk(name, from) < 0 || layout_inbox(name)
	    || bytes_find(name, '.') >= 0)
		return 0;
	buf_byte(&to, '.');
	for (size_t i = 0; i < name.n; i++)
		buf_byte(&to, name.p[i] == '/' ? '.' : name.p[i]);
	path = buf_string(&to);
	if (path == NULL)
		rc = -1;
	else if (strcmp(path, from) != 0)
		rc = sys_rename_new(s->root, from, s->root, path);
	buf_free(&to);
	return rc;
}

static int
one_mailbox(void *arg, struct folder *f)
{
	const struct round *r = arg;

	if (leave_folder(f, r) < 0)
		return -1;
	return r->to->utf8_names && !r->dry
	    ? name_there(r->store, bytes_of(f->name)) : 0;
}

/* The list of uses marks a first visit; without it the next one is one again. */
static int
leave_lists(const struct round *r)
{
	struct name_list names;
	int rc;

	if (lists_first_visit(r->store) || lists_subscribed(r->store, &names) < 0)
		return 0;
	printf("subscriptions: %zu\n", names.n);
	rc = r->dry ? 0 : r->to->subscriptions(r->store, &names);
	if (rc == 0 && !r->dry && sys_unlink(r->store->root, USES_FILE) < 0)
		rc = -1;
	name_list_free(&names);
	return rc;
}

static int
leave(const struct config *conf, const struct subject *who, struct round *r)
{
	size_t failed = 0;

	if (store_open(conf, &maildir_ops, who->maildir, &r->store) < 0) {
		warn("%s", who->maildir);
		return EX_NOINPUT;
	}
	if (leave_lists(r) < 0
	    || each_mailbox(r->store, one_mailbox, r, &failed) < 0) {
		warn("%s", who->maildir);
		failed++;
	}
	store_close(r->store);
	return fflush(stdout) != 0 ? EX_IOERR : failed > 0 ? TOOL_FOUND : TOOL_CLEAN;
}

static const struct server *
find_server(const char *name)
{
	for (size_t i = 0; i < SERVERS; i++)
		if (strcmp(servers[i]->name, name) == 0)
			return servers[i];
	return NULL;
}

int
leave_main(const struct config *conf, int argc, char **argv)
{
	struct round r = { .dry = argc > 0 && strcmp(argv[0], "--dry-run") == 0 };
	struct subject who = { 0 };
	int rc;

	argv += r.dry;
	argc -= r.dry;
	if (argc != 3 || argv[0][0] == '-' || strcmp(argv[1], "--to") != 0
	    || (r.to = find_server(argv[2])) == NULL)
		return tool_usage("leave");
	rc = subject_enter(conf, argv[0], false, &who);
	if (rc == 0)
		rc = leave(conf, &who, &r);
	subject_free(&who);
	return rc;
}
