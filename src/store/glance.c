/*
 * Folders as the index has them, by a look from outside.
 * Runs as: the mailbox owner.
 *
 * A folder is found by the inode of its directory; the state file, which is
 * only ever replaced, says which mailbox it is. Unless it was changed since,
 * which its stamp tells, it need not be read again; nor even looked at while
 * nothing in the directory was replaced, which the directory's own time tells.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "glance.h"

/* So many notes make one transaction. */
#define NOTES_MAX 128

struct glances {
	size_t n;
	struct {
		uint64_t inode;
		struct index_place place;
	} v[NOTES_MAX];
};

/* A file system that keeps no times shows none, as a place known by its files has none. */
static bool
same_dir(const struct index_place *p, const struct glimpse *g)
{
	return g->dir.firm && p->dir_sec == g->dir.sec && p->dir_nsec == g->dir.nsec;
}

static bool
same_state(const struct index_place *p, const struct glimpse *g)
{
	return p->state_inode == g->state.inode && p->state_sec == g->state.sec
	    && p->state_nsec == g->state.nsec;
}

/* What the index notes of the folder, or soon will. */
static bool
find_place(struct mail *m, const struct glimpse *g,
    bool (*same)(const struct index_place *, const struct glimpse *),
    struct index_place *p)
{
	const struct glances *noted = m->glances;

	if (index_place_get(m->db, g->dir.inode, p) == 0 && same(p, g))
		return true;
	for (size_t i = 0; noted != NULL && i < noted->n; i++)
		if (noted->v[i].inode == g->dir.inode
		    && same(&noted->v[i].place, g)) {
			*p = noted->v[i].place;
			return true;
		}
	return false;
}

static void
note(struct mail *m, const struct glimpse *g, uint32_t uidvalidity, const char *id)
{
	bool by_dir = g->dir.firm && !g->flags;
	struct index_place *p;

	if (m->glances == NULL)
		m->glances = calloc(1, sizeof *m->glances);
	if (m->glances == NULL)
		return;
	m->glances->v[m->glances->n].inode = g->dir.inode;
	p = &m->glances->v[m->glances->n].place;
	*p = (struct index_place){
	    .state_inode = g->state.inode, .state_sec = g->state.sec,
	    .state_nsec = g->state.nsec,
	    .dir_sec = by_dir ? g->dir.sec : 0,
	    .dir_nsec = by_dir ? g->dir.nsec : 0,
	    .uidvalidity = uidvalidity };
	memcpy(p->id, id, sizeof p->id);
	if (++m->glances->n == NOTES_MAX)
		glances_flush(m);
}

/* Which mailbox it is; what is known by its files alone will soon be by more. */
static bool
place(struct mail *m, struct bytes name, struct glimpse *g, struct index_place *p)
{
	if (find_place(m, g, same_dir, p))
		return true;
	if (m->store->ops->glance_files(m->store, name, g) < 0) {
		g->state.firm = 0;
		return false;
	}
	if (!find_place(m, g, same_state, p))
		return false;
	if (g->dir.firm && !g->flags)
		note(m, g, p->uidvalidity, p->id);
	return true;
}

/*
 * Whether the file is still the one that is open: asked once in a tick of the
 * clock, not for each of a thousand folders of one command.
 */
static bool
index_there(struct mail *m)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec == m->glanced.tv_sec && now.tv_nsec == m->glanced.tv_nsec)
		return true;
	if (db_check(m->db) < 0)
		return false;
	m->glanced = now;
	return true;
}

bool
glance(struct mail *m, struct bytes name, struct glimpse *g, struct bound *b)
{
	const struct store_ops *ops = m->store->ops;
	struct index_place p;

	*b = (struct bound){ .mail = m };
	*g = (struct glimpse){ 0 };
	if (ops->glance == NULL || ops->glance(m->store, name, g) < 0)
		return false;
	if (!index_there(m) || !place(m, name, g, &p))
		return false;
	/* Known already: there is nothing to note. */
	g->state.firm = 0;
	memcpy(b->id, p.id, sizeof b->id);
	return index_folder_get(m->db, b->id, &b->rec) == 0
	    && b->rec.uidvalidity == p.uidvalidity
	    && bound_clean(b, &g->stamp);
}

void
glance_note(const struct bound *b, const struct glimpse *g)
{
	struct state s;

	/* The file was read behind the look at it: a newer one spoils the note. */
	if (!g->state.firm || state_load(b->folder->dir, &s) < 0
	    || s.inode != g->dir.inode || strcmp(s.id, b->id) != 0
	    || s.uidvalidity != b->rec.uidvalidity)
		return;
	note(b->mail, g, s.uidvalidity, s.id);
}

void
glances_flush(struct mail *m)
{
	struct glances *g = m->glances;
	int rc = 0;

	m->glances = NULL;
	if (g != NULL && db_begin(m->db) == 0) {
		for (size_t i = 0; rc == 0 && i < g->n; i++)
			rc = index_place_put(m->db, g->v[i].inode, &g->v[i].place);
		if (rc == 0)
			db_commit(m->db);
		else
			db_abort(m->db);
	}
	free(g);
}

/* ---- for others ---- */

static int64_t
nanoseconds(const struct stamp_part *p)
{
	return p->sec * INT64_C(1000000000) + p->nsec;
}

int
mail_glimpse(struct mail *m, struct bytes name, struct mail_glimpse *out)
{
	const struct store_ops *ops = m->store->ops;
	struct glimpse g = { 0 };
	const struct stamp_part *new = &g.stamp.part[0], *cur = &g.stamp.part[1];

	errno = ENOTSUP;
	*out = (struct mail_glimpse){ 0 };
	if (ops->glance == NULL)
		return -1;
	if (ops->glance(m->store, name, &g) < 0)
		return -1;
	out->visited = ops->glance_files(m->store, name, &g) == 0;
	if (!out->visited && errno != ENOENT)
		return -1;
	out->folder = g.dir.inode;
	out->arrivals = nanoseconds(new);
	out->messages = nanoseconds(cur);
	out->firm = new->firm && cur->firm;
	return 0;
}
