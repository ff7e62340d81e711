/*
 * The mechanisms that are an exchange with conn; how each uses the texts of a
 * request is in mailreeve-privsep(7).
 * Runs as: root.
 */
#include "conn.h"
#include "outside.h"
#include "verify.h"

const struct verifier verifiers[MECHANISMS] = {
	[MECHANISM_SCRAM_SHA_1] = { verify_scram_begin, verify_scram_step, NULL },
	[MECHANISM_SCRAM_SHA_256] = { verify_scram_begin, verify_scram_step, NULL },
	[MECHANISM_SCRAM_SHA_512] = { verify_scram_begin, verify_scram_step, NULL },
	[MECHANISM_EXTERNAL] = { outside_external, NULL, outside_end },
	[MECHANISM_ANONYMOUS] = { verify_anonymous, NULL, NULL },
	[MECHANISM_CRAM_MD5] = { verify_cram_begin, verify_cram_step, NULL },
	[MECHANISM_APOP] = { verify_apop, NULL, NULL },
	[MECHANISM_OAUTHBEARER]	= { outside_begin, outside_step, outside_end },
	[MECHANISM_XOAUTH2]	= { outside_begin, outside_step, outside_end },
	[MECHANISM_GSSAPI]	= { outside_begin, outside_step, outside_end },
};
