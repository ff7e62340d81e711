/*
 * Looks up secrets, of users and of strangers.
 * Runs as: root (conn).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rootfile.h"
#include "verify.h"

enum chan_result
verify_read(struct exchange *x, struct buf *text)
{
	/* In one piece, so that growing leaves no copies behind. */
	if (buf_room(text, SECRETS_FILE_MAX) != NULL
	    && rootfile_read(x->conf->secrets, ROOTFILE_SECRET, text) == 0)
		return CHAN_OK;
	x->why = "cannot read the secrets file";
	return CHAN_UNAVAILABLE;
}

void
verify_forget(struct buf *text)
{
	/* Not buf_wipe(): most of the room was never touched. */
	if (text->data != NULL)
		explicit_bzero(text->data, text->len);
	buf_free(text);
}

/* A file that nobody can read has none, and that is logged by its readers. */
uint32_t
verify_kinds(const struct config *conf)
{
	int fd = rootfile_open(conf->secrets, ROOTFILE_SECRET);
	unsigned char head[VERIFY_LOOK_MAX];
	ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
	uint32_t kinds = 0;
	struct secret s;

	for (int k = 0; n > 0 && k < SECRETS; k++) {
		struct bytes text = bytes_make(head, (size_t)n);

		if (secrets_next_of(&text, (struct bytes){ 0 }, (enum secret_kind)k, &s))
			kinds |= 1U << k;
	}
	/* Who has some of his own, nobody knows. */
	if (n > 0 && secrets_own_anybody(bytes_make(head, (size_t)n)))
		kinds |= (1U << DIGESTS) - 1;
	if (n > 0)
		explicit_bzero(head, (size_t)n);
	explicit_bzero(&s, sizeof s);
	if (fd >= 0)
		close(fd);
	return kinds;
}

/* Without a line of its own, the host's secret is made of all the others. */
static void
host_secret(struct bytes text, unsigned char out[DIGEST_MAX])
{
	struct secret s;

	memset(out, 0, DIGEST_MAX);
	if (secrets_find(text, BYTES("*"), SECRET_HOST, &s))
		memcpy(out, s.value, s.value_n);
	else
		digest_of(DIGEST_SHA512, text, BYTES(""), out);
	explicit_bzero(&s, sizeof s);
}

/*
 * The count and the length of salt of somebody here, else new ones: as many
 * strangers as users have them, and a stranger's do not change when others come.
 * Those that users have of their own are new, and how many there are, nobody
 * knows: half.
 */
static void
liken(struct secret *s, struct bytes text, struct bytes key, struct bytes name)
{
	unsigned char drawn[DIGEST_MAX];
	uint64_t number;
	struct secret like;

	digest_hmac(DIGEST_SHA256, key, BYTES("like"), name, drawn);
	memcpy(&number, drawn, sizeof number);
	if (!secrets_alike(text, s->kind, number, &like)
	    || ((drawn[sizeof number] & 1) != 0 && secrets_own_anybody(text)))
		like = (struct secret){ .iterations = SECRETS_ITERATIONS,
		    .salt_n = SECRETS_SALT_SIZE };
	s->iterations = like.iterations;
	s->salt_n = like.salt_n;
	explicit_bzero(drawn, sizeof drawn);
	explicit_bzero(&like, sizeof like);
}

/* The secret that a stranger would have: always the same for a name. */
static void
make_stranger(struct exchange *x, struct bytes text, enum secret_kind k)
{
	unsigned char host[DIGEST_MAX], drawn[DIGEST_MAX];
	struct bytes key = bytes_make(host, sizeof host);
	struct bytes name = bytes_of(x->user);
	struct secret *s = &x->secret;

	host_secret(text, host);
	*s = (struct secret){ .kind = k, .value_n = SECRETS_HOST_SIZE };
	liken(s, text, key, name);
	digest_hmac(DIGEST_SHA512, key, bytes_of(secrets_kind_name(k)), name, drawn);
	memcpy(s->salt, drawn, s->salt_n);
	digest_hmac(DIGEST_SHA512, key, BYTES("keys"), name, drawn);
	memcpy(s->stored, drawn, sizeof s->stored);
	memcpy(s->server, drawn, sizeof s->server);
	memcpy(s->value, drawn, s->value_n);
	explicit_bzero(host, sizeof host);
	explicit_bzero(drawn, sizeof drawn);
}

void
verify_look_up(struct exchange *x, struct bytes text, enum secret_kind k)
{
	struct secret s;

	make_stranger(x, text, k);
	x->known = secrets_find(text, bytes_of(x->user), k, &s);
	if (x->known)
		x->secret = s;
	else
		x->why = "no such secret";
	explicit_bzero(&s, sizeof s);
}

void
verify_stamp(char out[STAMP_MAX])
{
	unsigned char random[20];
	int n = snprintf(out, STAMP_MAX, "<");

	arc4random_buf(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		n += snprintf(out + n, STAMP_MAX - (size_t)n, "%02x", random[i]);
	snprintf(out + n, STAMP_MAX - (size_t)n, "@mailreeve>");
}
