/*
 * EMAILID and THREADID from a message's content.
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>
#include <sha2.h>
#include <stdlib.h>

#include "crlf.h"
#include "objectid.h"
#include "subject.h"

#define ID_VERSION	1
#define THREAD_AT	1
#define EMAIL_AT	(THREAD_AT + OBJECTID_BITS)
#define COLUMN_SIZE	(EMAIL_AT + OBJECTID_BITS)

/* An identifier longer than this is a thread of its own. */
#define MESSAGE_ID_MAX	((size_t)65536)

/* What is converted at once. */
#define PIECE		((size_t)16384)

/* What the column holds: n octets of it. */
struct ids {
	unsigned char column[COLUMN_SIZE];
	size_t n;
};

static bool
get_column(struct facts *f, struct ids *ids)
{
	struct bytes b;

	if (mailbox_column(f->box, f->uid, COLUMN_ID, &b) != 1
	    || (b.n != EMAIL_AT && b.n != COLUMN_SIZE) || b.p[0] != ID_VERSION)
		return false;
	memcpy(ids->column, b.p, b.n);
	ids->n = b.n;
	return true;
}

static void
keep_column(struct facts *f, const struct ids *ids)
{
	mailbox_column_put(f->box, f->uid, COLUMN_ID,
	    bytes_make(ids->column, ids->n));
}

/* ---- EMAILID ---- */

static void
hash_piece(SHA2_CTX *sha, struct crlf *state, struct bytes piece, unsigned char *room)
{
	while (piece.n > 0) {
		struct bytes now = bytes_first(piece, PIECE);

		SHA256Update(sha, room, crlf_convert(state, now, room));
		piece = bytes_from(piece, now.n);
	}
}

static int
hash_message(struct facts *f, unsigned char digest[SHA256_DIGEST_LENGTH])
{
	unsigned char *room = malloc(2 * PIECE);
	struct crlf state = { 0 };
	struct bytes piece;
	uint64_t at = 0;
	SHA2_CTX sha;
	int r = room == NULL ? -1 : 0;

	SHA256Init(&sha);
	do {
		if (r == 0)
			r = source_at(&f->source, at, SOURCE_WINDOW, &piece);
		if (r == 0)
			hash_piece(&sha, &state, piece, room);
		at += piece.n;
	} while (r == 0 && piece.n > 0);
	SHA256Final(digest, &sha);
	free(room);
	return r;
}

static int
make_email(struct facts *f, unsigned char out[OBJECTID_BITS])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	if (hash_message(f, digest) == -1)
		return -1;
	memcpy(out, digest, OBJECTID_BITS);
	return 0;
}

/* ---- THREADID ---- */

/* The identifier that began the thread: 1, 0 when there is none, -1. */
static int
find_root(struct bytes header, struct buf *out)
{
	static const char *const names[] = { "References", "In-Reply-To", "Message-ID" };
	struct bytes value;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof names / sizeof names[0]; i++)
		if (header_find(header, names[i], &value))
			r = msgid_next(&value, out);
	return r == -1 && out->error == E2BIG ? 0 : r;
}

static int
hash_root(struct bytes root, unsigned char out[OBJECTID_BITS])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, root.p, root.n);
	SHA256Final(digest, &sha);
	memcpy(out, digest, OBJECTID_BITS);
	return 0;
}

static int
make_thread(struct facts *f, unsigned char out[OBJECTID_BITS])
{
	struct buf root = BUF_INIT(MESSAGE_ID_MAX);
	struct bytes header;
	int r;

	if (facts_header(f, &header) == -1)
		return -1;
	r = find_root(header, &root);
	if (r == 1)
		r = hash_root(buf_contents(&root), out);
	else if (r == 0)
		r = make_email(f, out);
	buf_free(&root);
	return r;
}

/* ---- both ---- */

static void
print(struct objectid *id, char prefix, const unsigned char bits[OBJECTID_BITS])
{
	static const char hex[] = "0123456789abcdef";

	id->text[0] = (unsigned char)prefix;
	for (size_t i = 0; i < OBJECTID_BITS; i++) {
		id->text[1 + 2 * i] = (unsigned char)hex[bits[i] >> 4];
		id->text[2 + 2 * i] = (unsigned char)hex[bits[i] & 15];
	}
}

static int
thread_known(struct facts *f, struct ids *ids)
{
	if (get_column(f, ids))
		return 0;
	ids->column[0] = ID_VERSION;
	if (make_thread(f, ids->column + THREAD_AT) == -1)
		return -1;
	ids->n = EMAIL_AT;
	keep_column(f, ids);
	return 0;
}

int
objectid_thread(struct facts *f, struct objectid *out)
{
	struct ids ids;

	if (thread_known(f, &ids) == -1)
		return -1;
	print(out, 'T', ids.column + THREAD_AT);
	return 0;
}

int
objectid_email(struct facts *f, struct objectid *out)
{
	struct ids ids;

	if (thread_known(f, &ids) == -1)
		return -1;
	if (ids.n != COLUMN_SIZE) {
		if (make_email(f, ids.column + EMAIL_AT) == -1)
			return -1;
		ids.n = COLUMN_SIZE;
		keep_column(f, &ids);
	}
	print(out, 'M', ids.column + EMAIL_AT);
	return 0;
}
