/*
 * SCRAM's server without its messages (RFC 5802 section 3).
 * Runs as: root (conn).
 *
 * login reads and writes the messages, and checks the channel binding. What is
 * here draws the nonce and puts it into what was signed with its own hands: a
 * proof that answers to it cannot be an old one.
 */
#include <netinet/in.h>

#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>

#include "verify.h"

#define NONCE_SIZE 18			/* 24 characters of base64: no comma among them */
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

/* AuthMessage: the client's words before and behind ours. */
static bool
look_at_proof(struct exchange *x, const struct chan_req *q)
{
	struct buf message = BUF_INIT(2 * CHAN_TEXT_MAX + EXCHANGE_SAID_MAX);
	enum digest d = (enum digest)x->secret.kind;
	unsigned char signature[DIGEST_MAX];
	struct bytes whole;

	(void)buf_add(&message, q->user.p, q->user.n);
	(void)buf_add(&message, x->said, x->said_n);
	(void)buf_add(&message, q->authzid.p, q->authzid.n);
	whole = buf_contents(&message);
	x->proved = message.error == 0 && is_proof(&x->secret, whole,
	    bytes_make(q->secret.p, q->secret.n)) && x->known;
	digest_hmac(d, bytes_make(x->secret.server, digest_size(d)), whole,
	    BYTES(""), signature);
	if (x->proved && buf_add(&x->challenge, signature, digest_size(d)) < 0)
		x->proved = false;
	explicit_bzero(signature, sizeof signature);
	buf_free(&message);
	return x->proved;
}

/* Twice: the proof, then that the client has seen and believed ours. */
enum chan_result
verify_scram_step(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	(void)token;
	if (x->proved)
		return CHAN_OK;
	if (look_at_proof(x, q))
		return CHAN_CHALLENGE;
	if (x->known)
		x->why = "wrong proof";
	return CHAN_REFUSED;
}
