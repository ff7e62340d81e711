/*
 * Lines of the secrets file, mailreeve-secrets(5), and the keys of SCRAM in
 * them (RFC 5802 section 3, RFC 5803).
 */
#ifndef SECRETS_H
#define SECRETS_H

#include "buf.h"
#include "digest.h"

#define SECRETS_FILE_MAX ((size_t)16 << 20)
#define SECRETS_OWN_PATH ".mailreeve/secrets"	/* in a user's home directory */
#define SECRETS_OWN_MAX ((size_t)65536)
#define SECRETS_SALT_MAX 64
#define SECRETS_ITERATIONS_MIN 4096	/* RFC 7677 section 4 */
#define SECRETS_ITERATIONS_MAX 1000000
#define SECRETS_ITERATIONS 10000	/* of new keys; the client makes as many at each login */
#define SECRETS_SALT_SIZE 16		/* the same */
#define SECRETS_PASSWORD_MAX 256	/* of CRAM-MD5 and APOP */
#define SECRETS_HOST_SIZE 32

/* The first ones are SCRAM with that digest. */
enum secret_kind {
	SECRET_SCRAM_SHA_1 = DIGEST_SHA1,
	SECRET_SCRAM_SHA_256 = DIGEST_SHA256,
	SECRET_SCRAM_SHA_512 = DIGEST_SHA512,
	SECRET_CRAM_MD5 = DIGESTS,	/* the password itself; for APOP too */
	SECRET_EXTERNAL,		/* what a certificate says of its owner */
	SECRET_HOST,			/* the host's own: what strangers are made of */
	SECRET_OWN,			/* may users have secrets of their own? "yes" or "no" */
	SECRETS
};

struct secret {
	struct bytes user;		/* points into the line; "*" of SECRET_HOST */
	enum secret_kind kind;
	/* SCRAM */
	uint32_t iterations;
	size_t salt_n;
	unsigned char salt[SECRETS_SALT_MAX];
	unsigned char stored[DIGEST_MAX];	/* StoredKey */
	unsigned char server[DIGEST_MAX];	/* ServerKey */
	/* CRAM-MD5 and HOST: raw; EXTERNAL and OWN: text */
	size_t value_n;
	unsigned char value[SECRETS_PASSWORD_MAX];
};

/* "SCRAM-SHA-256" and its like; secrets_kind() returns -1 for others. */
const char *secrets_kind_name(enum secret_kind k);
int secrets_kind(struct bytes name);

/* A name that can stand in the file. */
bool secrets_name(struct bytes name);

/* An identity of EXTERNAL: "sha256:", "email:" or "subject:" and text. */
bool secrets_identity(struct bytes text);

/* One line without its end: 0, or -1 with errno EINVAL. */
int secrets_parse(struct bytes line, struct secret *out);

/* The next line of *text that holds a secret or a mistake: 1, -1; 0: no more. */
int secrets_next(struct bytes *text, struct secret *out);

/*
 * The next line of *text of that kind and user, p NULL for any user; false: no
 * more. secrets_find() gives the first, and takes as long for any.
 */
bool secrets_next_of(struct bytes *text, struct bytes user, enum secret_kind k,
    struct secret *out);
bool secrets_find(struct bytes text, struct bytes user, enum secret_kind k,
    struct secret *out);

/*
 * The line of that kind that somebody with this key is like. Of many keys each
 * line has its share, and a key keeps its line while that is there, whatever
 * others come and go. False: there is none.
 */
bool secrets_alike(struct bytes text, enum secret_kind k, uint64_t key,
    struct secret *out);

/*
 * May this user have secrets of his own? As the OWN line of his says, else that
 * of everybody ("*"), but never beside a line of SCRAM. The second: may anybody?
 */
bool secrets_own(struct bytes text, struct bytes user);
bool secrets_own_anybody(struct bytes text);

/* The line of s, with its end, behind what is in out. 0, or -1 with errno. */
int secrets_print(const struct secret *s, struct buf *out);

/* Makes both keys from a password; kind, iterations and salt are set. */
void secrets_derive(struct secret *s, struct bytes password);

#endif
