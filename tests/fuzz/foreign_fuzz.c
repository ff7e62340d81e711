/*
 * Fuzzes the readers of other servers' notes: lists stay sorted, without
 * doubles, below their next UID; names of mailboxes are names.
 * Runs as: the person who builds.
 */
#include <assert.h>
#include <stdint.h>

#include "../../src/store/foreign.h"
#include "../../src/store/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
look_at_name(void *arg, struct bytes name)
{
	(void)arg;
	assert(layout_good(name));
	return 0;
}

static void
look_at_list(const struct foreign *f)
{
	for (size_t i = 0; i < f->n; i++) {
		assert(f->v[i].name.n > 0);
		assert(f->v[i].uid == 0 || f->v[i].uid < f->uid_next);
		assert(foreign_find(f, f->v[i].name) == &f->v[i]);
	}
}

/* The parts of the input, at NULs, are the files. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_make(data, size);
	struct bytes list = bytes_split(&rest, '\0');
	struct bytes keywords = bytes_split(&rest, '\0');
	struct foreign f = { 0 };

	if (foreign_uidlist(list, &f) == 0)
		look_at_list(&f);
	foreign_dovecot_keywords(keywords, &f);
	foreign_courier_keywords(keywords, &f);
	if (foreign_courier_sizes(rest, &f) == 0)
		look_at_list(&f);
	if (f.n > 0)
		foreign_courier_message(rest, &f, &f.v[0]);
	foreign_dovecot_subscriptions(rest, look_at_name, NULL);
	foreign_courier_subscriptions(rest, look_at_name, NULL);
	foreign_free(&f);
	return 0;
}
