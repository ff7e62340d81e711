/*
 * SCRAM's server without its messages (RFC 5802 section 3).
 * Runs as: root (conn).
 *
 * login reads and writes the messages, and checks the channel binding. What is
 * here draws the nonce and puts it into what was signed with its own hands: a
 * proof that answers to it cannot be an old one. So it does with whom the client
 * wants to act for: login cannot say another than was signed.
 */
#include <netinet/in.h>

#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify.h"

#define NONCE_SIZE 18			/* 24 characters of base64: no comma among them */
#define HEADER_MAX 6144			/* flag, identity with each byte escaped, binding */
#define MESSAGE_MAX ((size_t)32768)
#define ENCODED_MAX ((SECRETS_SALT_MAX + 2) / 3 * 4 + 1)

/* The server's half of the nonce and what the message says behind it. */
static void
say_first(struct exchange *x)
{
	unsigned char random[NONCE_SIZE];
	char nonce[ENCODED_MAX], salt[ENCODED_MAX];

	arc4random_buf(random, sizeof random);
	(void)b64_ntop(random, sizeof random, nonce, sizeof nonce);
	(void)b64_ntop(x->secret.salt, x->secret.salt_n, salt, sizeof salt);
	x->said_n = (size_t)snprintf(x->said, sizeof x->said, "%s,s=%s,i=%u",
	    nonce, salt, (unsigned)x->secret.iterations);
}

enum chan_result
verify_scram_begin(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	struct buf text = SECRETS_BUF;
	enum chan_result r = verify_read(x, &text);

	(void)token;
	x->authzid = q->authzid;
	if (!chan_string(&q->user, x->user, EXCHANGE_NAME_MAX))
		x->user[0] = '\0';
	if (r == CHAN_OK) {
		verify_look_up(x, buf_contents(&text), (enum secret_kind)
		    (x->mechanism - MECHANISM_SCRAM_SHA_1));
		r = verify_own(x, &text);
	}
	if (r == CHAN_OK) {
		say_first(x);
		r = buf_add(&x->challenge, x->said, x->said_n) == 0
		    ? CHAN_CHALLENGE : CHAN_UNAVAILABLE;
	}
	verify_forget(&text);
	return r;
}

/* ClientKey is the proof XOR ClientSignature; its digest must be StoredKey. */
static bool
is_proof(const struct secret *s, struct bytes message, struct bytes proof)
{
	enum digest d = (enum digest)s->kind;
	struct bytes stored = bytes_make(s->stored, digest_size(d));
	unsigned char key[DIGEST_MAX], digest[DIGEST_MAX];
	bool same;

	if (proof.n != stored.n)
		return false;
	digest_hmac(d, stored, message, BYTES(""), key);
	for (size_t i = 0; i < proof.n; i++)
		key[i] ^= proof.p[i];
	digest_of(d, bytes_make(key, proof.n), BYTES(""), digest);
	same = digest_equal(bytes_make(digest, proof.n), stored);
	explicit_bzero(key, sizeof key);
	explicit_bzero(digest, sizeof digest);
	return same;
}

/* gs2-header (RFC 5802 section 7): flag, comma, authzid, comma. */
static void
put_header(struct bytes flag, struct bytes authzid, struct buf *out)
{
	(void)buf_bytes(out, flag);
	(void)buf_text(out, authzid.n > 0 ? ",a=" : ",");
	for (size_t i = 0; i < authzid.n; i++)
		if (authzid.p[i] == ',' || authzid.p[i] == '=')
			(void)buf_text(out, authzid.p[i] == ',' ? "=2C" : "=3D");
		else
			(void)buf_byte(out, authzid.p[i]);
	(void)buf_byte(out, ',');
}

/* The attribute c= of header and channel binding. */
static int
put_binding(struct bytes flag, struct bytes authzid, struct bytes binding,
    struct buf *out)
{
	struct buf header = BUF_INIT(HEADER_MAX);
	char text[HEADER_MAX / 3 * 4 + 1];
	int n = -1;

	put_header(flag, authzid, &header);
	(void)buf_bytes(&header, binding);
	if (header.error == 0)
		n = b64_ntop(header.data, header.len, text, sizeof text);
	if (n > 0) {
		(void)buf_text(out, ",c=");
		(void)buf_add(out, text, (size_t)n);
	}
	buf_free(&header);
	return n > 0 ? 0 : -1;
}

/*
 * From the client's nonce on. Of several bindings in what was signed, the client's
 * own is the last: others a broken login may have put behind our words, as
 * extensions of them (RFC 5802 section 7) that clients pass over.
 */
static bool
is_end(struct bytes token)
{
	if (!bytes_starts(token, BYTES(",r=")))
		return false;
	while (token.n > 0)
		if (bytes_starts(bytes_split(&token, ','), BYTES("c=")))
			return false;
	return true;
}

/*
 * AuthMessage: the client's words before ours, ours, and the client's last, whose
 * end is the token. A flag with a comma could hold an identity.
 */
static int
put_message(const struct exchange *x, const struct chan_req *q,
    struct bytes binding, struct bytes token, struct buf *out)
{
	struct bytes flag = bytes_make(q->authzid.p, q->authzid.n);
	struct bytes authzid = bytes_make(x->authzid.p, x->authzid.n);

	(void)buf_add(out, q->user.p, q->user.n);
	(void)buf_add(out, x->said, x->said_n);
	if (bytes_find(flag, ',') >= 0 || !is_end(token)
	    || put_binding(flag, authzid, binding, out) < 0)
		return -1;
	(void)buf_bytes(out, token);
	return out->error == 0 ? 0 : -1;
}

static void
sign(struct exchange *x, struct bytes message)
{
	enum digest d = (enum digest)x->secret.kind;
	unsigned char signature[DIGEST_MAX];

	digest_hmac(d, bytes_make(x->secret.server, digest_size(d)), message,
	    BYTES(""), signature);
	if (x->proved && buf_add(&x->challenge, signature, digest_size(d)) < 0)
		x->proved = false;
	explicit_bzero(signature, sizeof signature);
}

/* Behind the proof comes what the channel is bound to. */
static bool
look_at_proof(struct exchange *x, const struct chan_req *q, struct bytes token)
{
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct bytes secret = bytes_make(q->secret.p, q->secret.n);
	size_t n = digest_size((enum digest)x->secret.kind);
	bool whole = secret.n >= n && put_message(x, q, bytes_from(secret, n),
	    token, &message) == 0;

	x->proved = whole && is_proof(&x->secret, buf_contents(&message),
	    bytes_first(secret, n)) && x->known;
	if (whole)
		sign(x, buf_contents(&message));
	buf_free(&message);
	return x->proved;
}

/* Twice: the proof, then that the client has seen and believed ours. */
enum chan_result
verify_scram_step(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	if (x->proved)
		return CHAN_OK;
	if (look_at_proof(x, q, token))
		return CHAN_CHALLENGE;
	if (x->known)
		x->why = "wrong proof";
	return CHAN_REFUSED;
}
