/*
 * Verifiers that need nothing but the secrets file, or a user's own, and digests.
 * Strangers get the challenges, replies and work that users get.
 *
 * What each request brings is in mailreeve-privsep(7).
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "exchange.h"

/* SCRAM (RFC 5802), with any of its digests. */
exchange_step verify_scram_begin, verify_scram_step;

/* CRAM-MD5 (RFC 2195); APOP (RFC 1939 section 7), which is one request. */
exchange_step verify_cram_begin, verify_cram_step, verify_apop;

/* EXTERNAL, when a verifier has found what the certificate says: the token. */
exchange_step verify_external;

/* ANONYMOUS (RFC 4505) */
exchange_step verify_anonymous;

/*
 * The kinds of secrets that there are, as bits of enum secret_kind; only the
 * beginning of the file is looked at.
 */
#define VERIFY_LOOK_MAX ((size_t)65536)
uint32_t verify_kinds(const struct config *conf);

/* A time stamp as a POP3 greeting has it: never the same twice. */
void verify_stamp(char out[STAMP_MAX]);

/* ---- for verifiers ---- */

/*
 * Reads the secrets file: CHAN_OK, or CHAN_UNAVAILABLE with x->why. verify_forget()
 * wipes it, also then.
 */
#define SECRETS_BUF BUF_INIT(SECRETS_FILE_MAX)
enum chan_result verify_read(struct exchange *x, struct buf *text);
void verify_forget(struct buf *text);

/*
 * Where users may have secrets of their own: one of x->user becomes x->secret,
 * when the administrator's file has none. Takes as long for any name, and
 * forgets text. CHAN_OK, or CHAN_UNAVAILABLE with x->why.
 */
enum chan_result verify_own(struct exchange *x, struct buf *text);

/* x->secret becomes that of x->user, or one like it; x->known is set. */
void verify_look_up(struct exchange *x, struct bytes text, enum secret_kind k);

#endif
