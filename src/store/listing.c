/*
 * The listing that is kept: a head, then for each name its kind, itself and NUL.
 * Runs as: the mailbox owner.
 */
#include "listing.h"

struct head {
	uint64_t inode;
	int64_t sec;
	uint64_t nsec;
};

static struct head
head_of(const struct stamp_part *dir)
{
	return (struct head){ dir->inode, dir->sec, dir->nsec };
}

void
listing_begin(struct buf *b, const struct stamp_part *dir)
{
	struct head h = head_of(dir);

	buf_clear(b);
	buf_add(b, &h, sizeof h);
}

void
listing_add(struct buf *b, struct bytes name, enum listing_kind kind)
{
	buf_byte(b, (unsigned char)kind);
	buf_bytes(b, name);
	buf_byte(b, '\0');
}

bool
listing_of(struct bytes all, const struct stamp_part *dir, struct bytes *names)
{
	struct head h = head_of(dir);

	*names = bytes_from(all, sizeof h);
	return all.n >= sizeof h && memcmp(all.p, &h, sizeof h) == 0;
}

bool
listing_next(struct bytes *names, struct bytes *name, enum listing_kind *kind)
{
	ssize_t end = bytes_find(*names, '\0');

	if (end < 1)
		return false;
	*kind = names->p[0];
	*name = bytes_make(names->p + 1, (size_t)end - 1);
	*names = bytes_from(*names, (size_t)end + 1);
	return true;
}
