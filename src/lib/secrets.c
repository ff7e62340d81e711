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

#define ENCODED_MAX ((SECRETS_PASSWORD_MAX + 2) / 3 * 4 + 1)

static int parse_scram(struct bytes rest, struct secret *s);
static int parse_raw(struct bytes rest, struct secret *s);
static int parse_identity(struct bytes rest, struct secret *s);
static int parse_word(struct bytes rest, struct secret *s);
static void print_scram(const struct secret *s, struct buf *out);
static void print_raw(const struct secret *s, struct buf *out);
static void print_text(const struct secret *s, struct buf *out);

static const struct {
	const char *name;
	int (*parse)(struct bytes rest, struct secret *s);	/* 0, or -1 */
	void (*print)(const struct secret *s, struct buf *out);
} kinds[SECRETS] = {
	[SECRET_SCRAM_SHA_1] = { "SCRAM-SHA-1", parse_scram, print_scram },
	[SECRET_SCRAM_SHA_256] = { "SCRAM-SHA-256", parse_scram, print_scram },
	[SECRET_SCRAM_SHA_512] = { "SCRAM-SHA-512", parse_scram, print_scram },
	[SECRET_CRAM_MD5] = { "CRAM-MD5", parse_raw, print_raw },
	[SECRET_EXTERNAL] = { "EXTERNAL", parse_identity, print_text },
	[SECRET_HOST] = { "HOST", parse_raw, print_raw },
	[SECRET_OWN] = { "OWN", parse_word, print_text },
};

const char *
secrets_kind_name(enum secret_kind k)
{
	return kinds[k].name;
}

int
secrets_kind(struct bytes name)
{
	for (int k = 0; k < SECRETS; k++)
		if (bytes_case_equal(name, bytes_of(kinds[k].name)))
			return k;
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

/* Labels of identities, and nothing that could not stand in a line. */
bool
secrets_identity(struct bytes text)
{
	static const char *const labels[] = { "sha256:", "email:", "subject:" };

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
		if (bytes_starts(text, bytes_of(labels[i])))
			return text.n > strlen(labels[i])
			    && text.n <= SECRETS_PASSWORD_MAX;
	return false;
}

/* How many bytes, at most max; -1: no base64, or too much. */
static int
decode(struct bytes text, unsigned char *out, int max)
{
	/* b64_pton() wants room behind the last byte. */
	unsigned char bytes[SECRETS_PASSWORD_MAX + 3];
	char string[ENCODED_MAX];
	int n;

	if (text.n == 0 || text.n >= sizeof string
	    || bytes_find(text, '\0') >= 0)
		return -1;
	memcpy(string, text.p, text.n);
	string[text.n] = '\0';
	n = b64_pton(string, bytes, sizeof bytes);
	if (n > max)
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
	int size = (int)digest_size((enum digest)s->kind);
	int n = decode(salt, s->salt, SECRETS_SALT_MAX);

	if (n <= 0 || decode(stored, s->stored, DIGEST_MAX) != size
	    || decode(server, s->server, DIGEST_MAX) != size)
		return -1;
	s->salt_n = (size_t)n;
	return 0;
}

static int
parse_scram(struct bytes rest, struct secret *s)
{
	struct bytes count = bytes_split(&rest, ':');
	struct bytes salt = bytes_split(&rest, '$');
	struct bytes stored = bytes_split(&rest, ':');
	uint64_t iterations;

	if (bytes_number(count, SECRETS_ITERATIONS_MAX, &iterations) < 0
	    || iterations < SECRETS_ITERATIONS_MIN)
		return -1;
	s->iterations = (uint32_t)iterations;
	return parse_keys(salt, stored, rest, s);
}

static int
parse_raw(struct bytes rest, struct secret *s)
{
	int n = decode(rest, s->value, SECRETS_PASSWORD_MAX);

	if (n <= 0 || (s->kind == SECRET_HOST && n != SECRETS_HOST_SIZE))
		return -1;
	s->value_n = (size_t)n;
	return 0;
}

static int
parse_identity(struct bytes rest, struct secret *s)
{
	if (!secrets_identity(rest))
		return -1;
	memcpy(s->value, rest.p, rest.n);
	s->value_n = rest.n;
	return 0;
}

static int
parse_word(struct bytes rest, struct secret *s)
{
	if (!bytes_equal(rest, BYTES("yes")) && !bytes_equal(rest, BYTES("no")))
		return -1;
	memcpy(s->value, rest.p, rest.n);
	s->value_n = rest.n;
	return 0;
}

/* "*" is the host, and everybody. */
static bool
may_stand_for(struct bytes user, int kind)
{
	bool star = bytes_equal(user, BYTES("*"));

	return kind == SECRET_HOST ? star
	    : (kind == SECRET_OWN && star) || secrets_name(user);
}

int
secrets_parse(struct bytes line, struct secret *out)
{
	struct bytes user = bytes_split(&line, ' ');
	int kind = secrets_kind(bytes_split(&line, '$'));
	bool named = may_stand_for(user, kind);

	*out = (struct secret){ .user = user };
	if (named && kind >= 0) {
		out->kind = (enum secret_kind)kind;
		if (kinds[kind].parse(line, out) == 0)
			return 0;
	}
	explicit_bzero(out, sizeof *out);
	errno = EINVAL;
	return -1;
}

/* Does the line say "USER KIND$", whatever comes then? */
static bool
is_about(struct bytes line, struct bytes user, enum secret_kind k)
{
	struct bytes name = bytes_split(&line, ' ');

	return (user.p == NULL || bytes_equal(name, user))
	    && bytes_case_equal(bytes_split(&line, '$'), bytes_of(kinds[k].name));
}

bool
secrets_next_of(struct bytes *text, struct bytes user, enum secret_kind k,
    struct secret *out)
{
	while (text->n > 0) {
		struct bytes line = bytes_split(text, '\n');

		if (is_about(line, user, k) && secrets_parse(line, out) == 0)
			return true;
	}
	return false;
}

bool
secrets_find(struct bytes text, struct bytes user, enum secret_kind k,
    struct secret *out)
{
	bool found = secrets_next_of(&text, user, k, out);
	struct secret more;

	/* However early it was found, all of the file is looked at. */
	while (secrets_next_of(&text, user, k, &more))
		explicit_bzero(&more, sizeof more);
	return found;
}

/* How much a key likes a user's line: no digest, for all lines are asked. */
static uint64_t
affinity(struct bytes user, uint64_t key)
{
	for (size_t i = 0; i < user.n; i++)
		key = (key ^ user.p[i]) * 0x100000001b3;	/* FNV-1a */
	key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9;	/* SplitMix64 */
	key = (key ^ key >> 27) * 0x94d049bb133111eb;
	return key ^ key >> 31;
}

/* Rendezvous hashing. */
bool
secrets_alike(struct bytes text, enum secret_kind k, uint64_t key,
    struct secret *out)
{
	uint64_t most = 0;
	bool found = false;
	struct secret s;

	while (text.n > 0) {
		struct bytes line = bytes_split(&text, '\n'), rest = line;
		uint64_t a = affinity(bytes_split(&rest, ' '), key);

		if (a < most || !is_about(line, (struct bytes){ 0 }, k)
		    || secrets_parse(line, &s) < 0)
			continue;
		most = a;
		*out = s;
		found = true;
	}
	explicit_bzero(&s, sizeof s);
	return found;
}

static bool
says_yes(const struct secret *s)
{
	return s->value[0] == 'y';
}

bool
secrets_own_anybody(struct bytes text)
{
	struct secret s;

	while (secrets_next_of(&text, (struct bytes){ 0 }, SECRET_OWN, &s))
		if (says_yes(&s))
			return true;
	return false;
}

/* Also a line of SCRAM with a mistake is the administrator's word. */
bool
secrets_own(struct bytes text, struct bytes user)
{
	struct bytes rest = text;
	struct secret s;

	while (rest.n > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		for (int k = 0; k < DIGESTS; k++)
			if (is_about(line, user, (enum secret_kind)k))
				return false;
	}
	return (secrets_find(text, user, SECRET_OWN, &s)
	    || secrets_find(text, BYTES("*"), SECRET_OWN, &s)) && says_yes(&s);
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

static void
print_scram(const struct secret *s, struct buf *out)
{
	size_t size = digest_size((enum digest)s->kind);

	(void)buf_printf(out, "%u:", (unsigned)s->iterations);
	print_encoded(out, s->salt, s->salt_n, "$");
	print_encoded(out, s->stored, size, ":");
	print_encoded(out, s->server, size, "");
}

static void
print_raw(const struct secret *s, struct buf *out)
{
	print_encoded(out, s->value, s->value_n, "");
}

static void
print_text(const struct secret *s, struct buf *out)
{
	(void)buf_add(out, s->value, s->value_n);
}

int
secrets_print(const struct secret *s, struct buf *out)
{
	(void)buf_bytes(out, s->user);
	(void)buf_printf(out, " %s$", kinds[s->kind].name);
	kinds[s->kind].print(s, out);
	(void)buf_byte(out, '\n');
	return out->error == 0 ? 0 : -1;
}

/* Hi() of RFC 5802 section 2.2: one block of PBKDF2. */
static void
stretch(const struct secret *s, struct bytes password,
    unsigned char out[DIGEST_MAX])
{
	unsigned char u[DIGEST_MAX];
	enum digest d = (enum digest)s->kind;
	size_t size = digest_size(d);

	digest_hmac(d, password, bytes_make(s->salt, s->salt_n),
	    BYTES("\0\0\0\1"), u);
	memcpy(out, u, size);
	for (uint32_t i = 1; i < s->iterations; i++) {
		digest_hmac(d, password, bytes_make(u, size), BYTES(""), u);
		for (size_t k = 0; k < size; k++)
			out[k] ^= u[k];
	}
	explicit_bzero(u, sizeof u);
}

void
secrets_derive(struct secret *s, struct bytes password)
{
	unsigned char salted[DIGEST_MAX], client[DIGEST_MAX];
	enum digest d = (enum digest)s->kind;
	struct bytes key = bytes_make(salted, digest_size(d));

	stretch(s, password, salted);
	digest_hmac(d, key, BYTES("Client Key"), BYTES(""), client);
	digest_of(d, bytes_make(client, key.n), BYTES(""), s->stored);
	digest_hmac(d, key, BYTES("Server Key"), BYTES(""), s->server);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client, sizeof client);
}
