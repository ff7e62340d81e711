/*
 * The index: which mailbox lies in which folder, and which mailboxes there are.
 * Runs as: the mailbox owner.
 */
#include <errno.h>

#include "index.h"
#include "key.h"

struct place_record {
	struct index_place p;
	uint32_t sum, none;
};

/* A key of TABLE_META, whose others are single letters. */
static struct key
place_key(uint64_t inode)
{
	struct key k = { .n = 0 };

	key_add(&k, 'i', 1);
	key_add(&k, inode, sizeof inode);
	return k;
}

/* A record under another folder's key is none: the key counts too. */
static uint32_t
place_sum(const struct place_record *r, uint64_t inode)
{
	return db_checksum(&r->p, sizeof r->p) ^ (uint32_t)(inode ^ inode >> 32);
}

int
index_place_get(struct db *d, uint64_t inode, struct index_place *p)
{
	struct key k = place_key(inode);
	struct place_record r;
	size_t n;

	if (db_get(d, TABLE_META, key_bytes(&k), &r, sizeof r, &n) < 0)
		return -1;
	if (n != sizeof r || r.sum != place_sum(&r, inode)
	    || memchr(r.p.id, '\0', sizeof r.p.id) == NULL) {
		errno = ENOENT;
		return -1;
	}
	*p = r.p;
	return 0;
}

int
index_place_put(struct db *d, uint64_t inode, const struct index_place *p)
{
	struct key k = place_key(inode);
	struct place_record r;

	memset(&r, 0, sizeof r);
	memcpy(&r.p, p, sizeof r.p);
	r.sum = place_sum(&r, inode);
	return db_put(d, TABLE_META, key_bytes(&k), bytes_make(&r, sizeof r));
}

int
index_place_drop(struct db *d, uint64_t inode)
{
	struct key k = place_key(inode);

	return db_delete(d, TABLE_META, key_bytes(&k));
}

/* ---- all mailboxes: a checksum, then the bytes ---- */

#define LISTING BYTES("a")

int
index_listing_get(struct db *d, struct buf *out)
{
	uint32_t sum;
	size_t n;

	buf_clear(out);
	if (buf_room(out, out->max) == NULL
	    || db_get(d, TABLE_META, LISTING, out->data, out->cap, &n) < 0)
		return -1;
	if (n >= sizeof sum)
		memcpy(&sum, out->data, sizeof sum);
	if (n < sizeof sum
	    || sum != db_checksum(out->data + sizeof sum, n - sizeof sum)) {
		errno = ENOENT;
		return -1;
	}
	out->len = n;
	buf_consume(out, sizeof sum);
	return 0;
}

int
index_listing_put(struct db *d, struct bytes value)
{
	struct buf copy = BUF_INIT(DB_VALUE_MAX);
	uint32_t sum = db_checksum(value.p, value.n);
	int rc = -1;

	buf_add(&copy, &sum, sizeof sum);
	if (buf_bytes(&copy, value) == 0)
		rc = db_put(d, TABLE_META, LISTING, buf_contents(&copy));
	buf_free(&copy);
	return rc;
}
