/*
 * Every mailbox of somebody, one after the other.
 * Runs as: the mailbox owner.
 */
#include <err.h>

#include "each.h"

struct each {
	struct store *store;
	int (*one)(void *arg, struct folder *f);
	void *arg;
	size_t failed;
};

static int
visit(void *arg, struct bytes name, enum listed_as is)
{
	struct each *e = arg;
	struct folder *f;

	if (is == LISTED_NOT_YET || is == LISTED_PARENT)
		return 0;
	if (folder_get(e->store, name, &f) < 0) {
		warn("mailbox %.*s", (int)name.n, (const char *)name.p);
		e->failed++;
		return 0;
	}
	if (e->one(e->arg, f) < 0) {
		warn("%s", f->path);
		e->failed++;
	}
	folder_put(f);
	return 0;
}

int
each_mailbox(struct store *s, int (*one)(void *arg, struct folder *f), void *arg,
    size_t *failed)
{
	struct each e = { s, one, arg, 0 };
	int rc = s->ops->list(s, visit, &e);

	*failed = e.failed;
	return rc;
}
