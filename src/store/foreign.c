/*
 * A list of messages as another server noted them.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "foreign.h"

/* Offset of the last c, or the length. */
static size_t
last(struct bytes b, unsigned char c)
{
	for (size_t i = b.n; i-- > 0;)
		if (b.p[i] == c)
			return i;
	return b.n;
}

struct bytes
foreign_key(struct bytes file)
{
	struct bytes base = bytes_first(file, last(file, ':'));
	struct bytes head = bytes_first(base, last(base, ','));
	struct bytes field = bytes_from(base, head.n + 1);

	return bytes_starts(field, BYTES("U=")) && head.n > 0 ? head : base;
}

int
foreign_add(struct foreign *f, struct bytes key, uint32_t uid)
{
	struct foreign_message *v;
	size_t cap = f->cap == 0 ? 64 : f->cap * 2;

	if (f->n >= FOREIGN_MESSAGES_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (f->n == f->cap) {
		v = reallocarray(f->v, cap, sizeof *v);
		if (v == NULL)
			return -1;
		f->v = v;
		f->cap = cap;
	}
	f->v[f->n++] = (struct foreign_message){ .name = key, .uid = uid };
	return 0;
}

/* One with a UID comes before one without. */
static int
by_name(const void *a, const void *b)
{
	const struct foreign_message *x = a, *y = b;
	int order = bytes_compare(x->name, y->name);

	if (order == 0 && x->uid != y->uid)
		order = x->uid < y->uid ? 1 : -1;
	return order;
}

static int
by_uid(const void *a, const void *b)
{
	const struct foreign_message *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return bytes_compare(x->name, y->name);
}

static bool
same_name(const struct foreign_message *a, const struct foreign_message *b)
{
	return bytes_equal(a->name, b->name);
}

static bool
same_uid(const struct foreign_message *a, const struct foreign_message *b)
{
	return a->uid != 0 && a->uid == b->uid;
}

static void
drop_doubles(struct foreign *f, bool (*same)(const struct foreign_message *,
    const struct foreign_message *))
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++)
		if (kept > 0 && same(&f->v[kept - 1], &f->v[i])) {
			if (f->v[kept - 1].uidl == NULL)
				f->v[kept - 1].uidl = f->v[i].uidl;
			else
				free(f->v[i].uidl);
		} else {
			f->v[kept++] = f->v[i];
		}
	f->n = kept;
}

void
foreign_sort(struct foreign *f)
{
	if (f->n == 0)
		return;
	qsort(f->v, f->n, sizeof *f->v, by_uid);
	drop_doubles(f, same_uid);
	qsort(f->v, f->n, sizeof *f->v, by_name);
	drop_doubles(f, same_name);
}

struct foreign_message *
foreign_find(const struct foreign *f, struct bytes key)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = bytes_compare(f->v[mid].name, key);

		if (order == 0)
			return &f->v[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

int
foreign_keyword(struct foreign *f, struct bytes name)
{
	for (int i = 0; i < MAIL_KEYWORDS_MAX; i++) {
		if (f->keyword[i] == NULL) {
			f->keyword[i] = strndup((const char *)name.p, name.n);
			return f->keyword[i] == NULL ? -1 : i;
		}
		if (bytes_case_equal(bytes_of(f->keyword[i]), name))
			return i;
	}
	return -1;
}

void
foreign_free(struct foreign *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].uidl);
	free(f->v);
	for (size_t i = 0; i < MAIL_KEYWORDS_MAX; i++)
		free(f->keyword[i]);
	for (size_t i = 0; i < sizeof f->text / sizeof f->text[0]; i++)
		buf_free(&f->text[i]);
	*f = (struct foreign){ 0 };
}
