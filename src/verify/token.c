/*
 * OAUTHBEARER (RFC 7628) and XOAUTH2: one message with a token; when it is no
 * good, one challenge that says so, one empty response, and then the refusal.
 * Runs as: _mailreeve (token_prepare: root, before the cage).
 */
#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

#include "bearer.h"
#include "jwt.h"
#include "log.h"
#include "rootfile.h"
#include "sandbox.h"
#include "token.h"

#define SCOPE "openid"			/* what clients are to ask a token for */
#define FILE_ROOM (TOKEN_KEYS_MAX + 16384)
#define URL_MAX ((size_t)400)		/* of an issuer, so that challenges fit */

static struct {
	bool xoauth2;
	struct jwt_policy policy;
	struct buf text;		/* of the file with the keys */
	json_t *keys;
	const char *why;		/* set when the error was told */
	struct bearer bearer;
} state;

static int
token_prepare(const struct config *conf, const char *how)
{
	state.xoauth2 = strcmp(how, "XOAUTH2") == 0;
	state.policy.issuer = conf->oauth_issuer;
	state.policy.audience = conf->oauth_audience;
	if (conf->oauth_keys[0] == '\0' || conf->oauth_issuer[0] == '\0'
	    || conf->oauth_audience[0] == '\0') {
		log_error("oauth-keys, oauth-issuer and oauth-audience: set all three");
		return -1;
	}
	/* Both want randomness or files once, and have neither in the cage. */
	json_object_seed(0);
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG
	    | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL) != 1)
		return -1;
	state.text = BUF_INIT(FILE_ROOM);
	if (rootfile_read(conf->oauth_keys, ROOTFILE_PUBLIC, &state.text) == 0)
		return 0;
	log_error("oauth-keys: cannot read %s", conf->oauth_keys);
	return -1;
}

/* The keys, parsed where nothing can be done to root. */
static int
load_keys(void)
{
	if (state.keys == NULL && state.text.len <= TOKEN_KEYS_MAX)
		state.keys = json_object_in(buf_contents(&state.text));
	if (state.keys == NULL
	    || !json_is_array(json_object_get(state.keys, "keys"))) {
		log_error("oauth-keys: the file is no JWK set (RFC 7517)");
		return -1;
	}
	state.policy.keys = state.keys;
	return 0;
}

/* Where a client learns how to get a token, when the issuer is a web site. */
static json_t *
discovery(void)
{
	struct bytes url = bytes_of(state.policy.issuer);

	if (!bytes_starts(url, BYTES("https://")) || url.n > URL_MAX)
		return NULL;
	if (url.p[url.n - 1] == '/')
		url.n--;
	return json_sprintf("%.*s/.well-known/openid-configuration", (int)url.n,
	    (const char *)url.p);
}

/* RFC 7628 section 3.2.2; Google's form of it has HTTP's numbers. */
static int
tell_error(const char *status, const char *number, struct outside_answer *out)
{
	json_t *j = state.xoauth2
	    ? json_pack("{ssssss}", "status", number, "schemes", "bearer",
	    "scope", SCOPE)
	    : json_pack("{ssssso*}", "status", status, "scope", SCOPE,
	    "openid-configuration", discovery());
	char *text = j == NULL ? NULL
	    : json_dumps(j, JSON_COMPACT | JSON_PRESERVE_ORDER);
	int r = text == NULL ? -1 : verifier_challenge(out, bytes_of(text));

	free(text);
	json_decref(j);
	return r;
}

static int
accept_name(const char *name, struct outside_answer *out)
{
	const char *wanted = state.bearer.name;

	out->verdict = OUTSIDE_ACCEPTED;
	if (wanted[0] != '\0' && strcmp(wanted, name) != 0
	    && chan_put(&out->authzid, bytes_of(wanted)) < 0)
		return -1;
	return chan_put(&out->user, bytes_of(name));
}

static int
token_step(struct bytes in, struct outside_answer *out)
{
	char name[JWT_NAME_MAX + 1];

	if (state.why != NULL) {
		verifier_refuse(out, state.why);
		return chan_put(&out->user, bytes_of(state.bearer.name));
	}
	if (bearer_parse(in, state.xoauth2, &state.bearer) < 0) {
		state.why = "no message of this mechanism";
		return tell_error("invalid_request", "400", out);
	}
	if (load_keys() < 0)
		return -1;
	state.policy.now = time(NULL);
	state.why = state.bearer.token.n == 0 ? "no token"
	    : jwt_check(state.bearer.token, &state.policy, name);
	return state.why == NULL ? accept_name(name, out)
	    : tell_error("invalid_token", "401", out);
}

const struct verify_program token_verifier = {
	"mailreeve-token", token_prepare, sandbox_token, token_step,
};
