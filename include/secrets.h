/*
 * Lines of the secrets file, mailreeve-secrets(5), and the keys of SCRAM in
 * them (RFC 5802 section 3, RFC 5803).
 */
#ifndef SECRETS_H
#define SECRETS_H

#include "buf.h"
#include "digest.h"

#define SECRETS_FILE_MAX ((size_t)16 << 20)
#define SECRETS_SALT_MAX 64
#define SECRETS_ITERATIONS_MIN 4096	/* RFC 7677 section 4 */
#define SECRETS_ITERATIONS_MAX 1000000

struct secret {
	struct bytes user;		/* points into the line */
	enum digest digest;
	uint32_t iterations;
	size_t salt_n;
	unsigned char salt[SECRETS_SALT_MAX];
	unsigned char stored[DIGEST_MAX];	/* StoredKey */
	unsigned char server[DIGEST_MAX];	/* ServerKey */
};

/* "SCRAM-SHA-256" and its like; secrets_mechanism() returns -1 for others. */
const char *secrets_mechanism_name(enum digest d);
int secrets_mechanism(struct bytes name);

/* A name that can stand in the file. */
bool secrets_name(struct bytes name);

/* One line without its end: 0, or -1 with errno EINVAL. */
int secrets_parse(struct bytes line, struct secret *out);

/* The next line of *text that holds a secret or a mistake: 1, -1; 0: no more. */
int secrets_next(struct bytes *text, struct secret *out);

/* The line of s, with its end, behind what is in out. 0, or -1 with errno. */
int secrets_print(const struct secret *s, struct buf *out);

/* Makes both keys from a password; digest, iterations and salt are set. */
void secrets_derive(struct secret *s, struct bytes password);

#endif
