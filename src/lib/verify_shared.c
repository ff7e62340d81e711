/*
 * CRAM-MD5 (RFC 2195) and APOP (RFC 1939 section 7): both sides know the
 * password itself.
 * Runs as: root (conn).
 */
#include "verify.h"

/* Whom it is about, and whether digest is what the secret makes of the challenge. */
static enum chan_result
compare(struct exchange *x, const struct chan_req *q,
    void (*make)(struct bytes challenge, struct bytes secret,
    unsigned char out[DIGEST_MAX]), struct bytes challenge)
{
	struct buf text = SECRETS_BUF;
	enum chan_result r = verify_read(x, &text);
	unsigned char digest[DIGEST_MAX];
	bool same;

	if (!chan_string(&q->user, x->user, EXCHANGE_NAME_MAX))
		x->user[0] = '\0';
	if (r == CHAN_OK) {
		verify_look_up(x, buf_contents(&text), SECRET_CRAM_MD5);
		make(challenge, bytes_make(x->secret.value, x->secret.value_n), digest);
		same = digest_equal(bytes_make(digest, digest_size(DIGEST_MD5)),
		    bytes_make(q->secret.p, q->secret.n));
		r = same && x->known ? CHAN_OK : CHAN_REFUSED;
		if (x->known && !same)
			x->why = "wrong digest";
		explicit_bzero(digest, sizeof digest);
	}
	verify_forget(&text);
	return r;
}

static void
make_cram(struct bytes challenge, struct bytes secret,
    unsigned char out[DIGEST_MAX])
{
	digest_hmac(DIGEST_MD5, secret, challenge, BYTES(""), out);
}

static void
make_apop(struct bytes challenge, struct bytes secret,
    unsigned char out[DIGEST_MAX])
{
	digest_of(DIGEST_MD5, challenge, secret, out);
}

enum chan_result
verify_cram_begin(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	(void)q, (void)token;
	verify_stamp(x->said);
	return buf_text(&x->challenge, x->said) == 0 ? CHAN_CHALLENGE
	    : CHAN_UNAVAILABLE;
}

enum chan_result
verify_cram_step(struct exchange *x, const struct chan_req *q,
    struct bytes token)
{
	(void)token;
	return compare(x, q, make_cram, bytes_of(x->said));
}

enum chan_result
verify_apop(struct exchange *x, const struct chan_req *q, struct bytes token)
{
	(void)token;
	return compare(x, q, make_apop, bytes_of(x->stamp));
}
