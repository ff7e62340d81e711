/*
 * Digests of libmd under one table, and HMAC on top of them.
 * Runs as: root (conn), the administrator.
 */
#include <md5.h>
#include <sha1.h>
#include <sha2.h>

#include "digest.h"

#define PARTS 3				/* HMAC's padded key and two pieces of text */

static void
md5(const struct bytes part[PARTS], unsigned char *out)
{
	MD5_CTX c;

	MD5Init(&c);
	for (int i = 0; i < PARTS; i++)
		MD5Update(&c, part[i].p, part[i].n);
	MD5Final(out, &c);
	explicit_bzero(&c, sizeof c);
}

static void
sha1(const struct bytes part[PARTS], unsigned char *out)
{
	SHA1_CTX c;

	SHA1Init(&c);
	for (int i = 0; i < PARTS; i++)
		SHA1Update(&c, part[i].p, part[i].n);
	SHA1Final(out, &c);
	explicit_bzero(&c, sizeof c);
}

static void
sha256(const struct bytes part[PARTS], unsigned char *out)
{
	SHA2_CTX c;

	SHA256Init(&c);
	for (int i = 0; i < PARTS; i++)
		SHA256Update(&c, part[i].p, part[i].n);
	SHA256Final(out, &c);
	explicit_bzero(&c, sizeof c);
}

static void
sha512(const struct bytes part[PARTS], unsigned char *out)
{
	SHA2_CTX c;

	SHA512Init(&c);
	for (int i = 0; i < PARTS; i++)
		SHA512Update(&c, part[i].p, part[i].n);
	SHA512Final(out, &c);
	explicit_bzero(&c, sizeof c);
}

static const struct {
	size_t size, block;
	void (*run)(const struct bytes part[PARTS], unsigned char *out);
} digests[] = {
	[DIGEST_SHA1] = { 20, 64, sha1 },
	[DIGEST_SHA256] = { 32, 64, sha256 },
	[DIGEST_SHA512] = { 64, 128, sha512 },
	[DIGEST_MD5] = { 16, 64, md5 },
};

size_t
digest_size(enum digest d)
{
	return digests[d].size;
}

void
digest_of(enum digest d, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_MAX])
{
	const struct bytes part[PARTS] = { a, b, BYTES("") };

	digests[d].run(part, out);
}

/* RFC 2104 section 2: the key, filled up with zeros, each byte XOR pad. */
static void
pad_key(enum digest d, struct bytes key, unsigned char pad,
    unsigned char out[DIGEST_BLOCK_MAX])
{
	memset(out, 0, DIGEST_BLOCK_MAX);
	if (key.n > digests[d].block)
		digest_of(d, key, BYTES(""), out);
	else if (key.n > 0)
		memcpy(out, key.p, key.n);
	for (size_t i = 0; i < digests[d].block; i++)
		out[i] ^= pad;
}

void
digest_hmac(enum digest d, struct bytes key, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_MAX])
{
	unsigned char padded[DIGEST_BLOCK_MAX], inner[DIGEST_MAX];
	struct bytes block = bytes_make(padded, digests[d].block);

	pad_key(d, key, 0x36, padded);
	digests[d].run((const struct bytes[PARTS]){ block, a, b }, inner);
	pad_key(d, key, 0x5c, padded);
	digests[d].run((const struct bytes[PARTS]){ block,
	    bytes_make(inner, digests[d].size), BYTES("") }, out);
	explicit_bzero(padded, sizeof padded);
	explicit_bzero(inner, sizeof inner);
}

bool
digest_equal(struct bytes a, struct bytes b)
{
	unsigned char differ = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differ |= a.p[i] ^ b.p[i];
	return differ == 0;
}
