/*
 * Lines of the secrets file, and the keys of SCRAM in them.
 * Runs as: root (conn), the administrator.
 *
 * Base64 is the C library's: what is decoded here is root's own file, and
 * nothing that clients' messages are decoded with is linked to conn.
 */
#include <netinet/in.h>

#include <errno.h>
#include <resolv.h>

#include "secrets.h"

#define ENCODED_MAX ((DIGEST_MAX + 2) / 3 * 4 + 1)

static const char *const names[DIGESTS] = {
	[DIGEST_SHA1] = "SCRAM-SHA-1",
	[DIGEST_SHA256] = "SCRAM-SHA-256",
	[DIGEST_SHA512] = "SCRAM-SHA-512",
};

const char *
secrets_mechanism_name(enum digest d)
{
	return names[d];
}

int
secrets_mechanism(struct bytes name)
{
	for (int d = 0; d < DIGESTS; d++)
		if (bytes_case_equal(name, bytes_of(names[d])))
			return d;
	return -1;
}

bool
secrets_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] == 0x7f || name.p[i] == ':'
		    || name.p[i] == '/')
			return false;
	return name.n > 0 && name.p[0] != '#' && name.p[0] != '*';
}

/* How many bytes, at most DIGEST_MAX; -1: no base64, or too much. */
static int
decode(struct bytes text, unsigned char out[DIGEST_MAX])
{
	/* b64_pton() wants room behind the last byte. */
	unsigned char bytes[DIGEST_MAX + 3];
	char string[ENCODED_MAX];
	int n;

	if (text.n == 0 || text.n >= sizeof string
	    || bytes_find(text, '\0') >= 0)
		return -1;
	memcpy(string, text.p, text.n);
	string[text.n] = '\0';
	n = b64_pton(string, bytes, sizeof bytes);
	if (n > DIGEST_MAX)
		n = -1;
	if (n > 0)
		memcpy(out, bytes, (size_t)n);
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(string, sizeof string);
	return n;
}

/* base64 of the salt, base64 of both keys: RFC 5803 */
static int
parse_keys(struct bytes salt, struct bytes stored, struct bytes server,
    struct secret *s)
{
	int size = (int)digest_size(s->digest), n = decode(salt, s->salt);

	if (n <= 0 || decode(stored, s->stored) != size
	    || decode(server, s->server) != size)
		return -1;
	s->salt_n = (size_t)n;
	return 0;
}

int
secrets_parse(struct bytes line, struct secret *out)
{
	struct bytes user = bytes_split(&line, ' ');
	int mechanism = secrets_mechanism(bytes_split(&line, '$'));
	struct bytes count = bytes_split(&line, ':');
	struct bytes salt = bytes_split(&line, '$');
	struct bytes stored = bytes_split(&line, ':');
	uint64_t iterations;

	*out = (struct secret){ .user = user };
	if (!secrets_name(user) || mechanism < 0
	    || bytes_number(count, SECRETS_ITERATIONS_MAX, &iterations) < 0
	    || iterations < SECRETS_ITERATIONS_MIN) {
		errno = EINVAL;
		return -1;
	}
	out->digest = (enum digest)mechanism;
	out->iterations = (uint32_t)iterations;
	if (parse_keys(salt, stored, line, out) < 0) {
		explicit_bzero(out, sizeof *out);
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
secrets_next(struct bytes *text, struct secret *out)
{
	while (text->n > 0) {
		struct bytes line = bytes_split(text, '\n');

		if (line.n > 0 && line.p[0] != '#')
			return secrets_parse(line, out) == 0 ? 1 : -1;
	}
	return 0;
}

static void
print_encoded(struct buf *out, const unsigned char *p, size_t n,
    const char *behind)
{
	char text[ENCODED_MAX];

	(void)b64_ntop(p, n, text, sizeof text);	/* it fits */
	(void)buf_text(out, text);
	(void)buf_text(out, behind);
	explicit_bzero(text, sizeof text);
}

int
secrets_print(const struct secret *s, struct buf *out)
{
	size_t size = digest_size(s->digest);

	(void)buf_bytes(out, s->user);
	(void)buf_printf(out, " %s$%u:", names[s->digest],
	    (unsigned)s->iterations);
	print_encoded(out, s->salt, s->salt_n, "$");
	print_encoded(out, s->stored, size, ":");
	print_encoded(out, s->server, size, "\n");
	return out->error == 0 ? 0 : -1;
}

/* Hi() of RFC 5802 section 2.2: one block of PBKDF2. */
static void
stretch(const struct secret *s, struct bytes password,
    unsigned char out[DIGEST_MAX])
{
	unsigned char u[DIGEST_MAX];
	size_t size = digest_size(s->digest);

	digest_hmac(s->digest, password, bytes_make(s->salt, s->salt_n),
	    BYTES("\0\0\0\1"), u);
	memcpy(out, u, size);
	for (uint32_t i = 1; i < s->iterations; i++) {
		digest_hmac(s->digest, password, bytes_make(u, size), BYTES(""), u);
		for (size_t k = 0; k < size; k++)
			out[k] ^= u[k];
	}
	explicit_bzero(u, sizeof u);
}

void
secrets_derive(struct secret *s, struct bytes password)
{
	unsigned char salted[DIGEST_MAX], client[DIGEST_MAX];
	struct bytes key = bytes_make(salted, digest_size(s->digest));

	stretch(s, password, salted);
	digest_hmac(s->digest, key, BYTES("Client Key"), BYTES(""), client);
	digest_of(s->digest, bytes_make(client, key.n), s->stored);
	digest_hmac(s->digest, key, BYTES("Server Key"), BYTES(""), s->server);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client, sizeof client);
}
