/*
 * POP3 unique-ids that came from another server.
 * Runs as: the mailbox owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "mail.h"
#include "text.h"
#include "uidl.h"

/* RFC 1939 section 7: 1 to 70 characters from 0x21 to 0x7e. */
static bool
good_id(struct bytes id)
{
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] < 0x21 || id.p[i] > 0x7e)
			return false;
	return id.n > 0 && id.n <= UIDL_MAX;
}

static int
by_uid(const void *a, const void *b)
{
	const struct uidl *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int
add(struct uidls *u, uint32_t uid, struct bytes id)
{
	struct uidl *v;

	if ((u->n & (u->n - 1)) == 0) {
		v = reallocarray(u->v, u->n == 0 ? 1 : u->n * 2, sizeof *v);
		if (v == NULL)
			return -1;
		u->v = v;
	}
	u->v[u->n++] = (struct uidl){ uid, id };
	return 0;
}

static int
parse(struct uidls *u)
{
	struct bytes rest = buf_contents(&u->text), line;
	uint64_t uid;

	while (text_line(&rest, &line))
		if (bytes_number(bytes_split(&line, ' '), UINT32_MAX, &uid) == 0
		    && good_id(line) && add(u, (uint32_t)uid, line) < 0)
			return -1;
	if (u->n > 0)
		qsort(u->v, u->n, sizeof *u->v, by_uid);
	return 0;
}

int
uidls_load(struct uidls *u, int dir)
{
	int rc;

	u->text = BUF_INIT(UIDL_FILE_MAX);
	rc = text_load(dir, UIDL_FILE, &u->text);
	if (rc == 0)
		rc = parse(u);
	else if (errno == ENOENT)
		rc = 0;
	u->loaded = rc == 0;
	if (rc < 0)
		uidls_free(u);
	return rc;
}

struct bytes
uidls_find(const struct uidls *u, uint32_t uid)
{
	size_t low = 0, high = u->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->v[mid].uid == uid)
			return u->v[mid].id;
		if (u->v[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return (struct bytes){ 0 };
}

void
uidls_free(struct uidls *u)
{
	free(u->v);
	buf_free(&u->text);
	*u = (struct uidls){ 0 };
}
