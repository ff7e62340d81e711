/*
 * Signed tokens: the form, the signature, then what is claimed.
 * Runs as: _mailreeve.
 */
#include <openssl/err.h>

#include <math.h>
#include <stdlib.h>

#include "base64url.h"
#include "jws.h"
#include "jwt.h"
#include "verifier.h"

struct token {
	struct bytes header, payload, signature;	/* in base64url */
	struct bytes text;				/* what is signed */
};

/* RFC 7515 section 7.1: three parts, none of them empty. */
static bool
split(struct bytes in, struct token *t)
{
	struct bytes rest = in;

	t->header = bytes_split(&rest, '.');
	t->payload = bytes_split(&rest, '.');
	t->signature = rest;
	t->text = bytes_first(in, t->header.n + 1 + t->payload.n);
	return t->header.n > 0 && t->payload.n > 0 && t->signature.n > 0
	    && bytes_find(t->signature, '.') < 0;
}

/*
 * Types that an access token may have; others are tokens for something else
 * (RFC 8725 section 3.11).
 */
static bool
type_fits(const json_t *header)
{
	static const char *const types[] = { "JWT", "at+jwt", "application/at+jwt" };
	struct bytes typ = json_text(header, "typ");

	if (json_object_get(header, "typ") == NULL)
		return true;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (bytes_case_equal(typ, bytes_of(types[i])))
			return true;
	return false;
}

static bool
same_id(const json_t *header, const json_t *jwk)
{
	return json_object_get(header, "kid") == NULL
	    || json_equal(json_object_get(header, "kid"),
	    json_object_get(jwk, "kid"));
}

/* True when any key that the header leaves to choose made the signature. */
static bool
signed_by(const json_t *keys, const json_t *header,
    const struct jws_algorithm *a, struct bytes text, struct bytes signature)
{
	const json_t *list = json_object_get(keys, "keys");
	size_t n = json_array_size(list);
	bool good = false;

	for (size_t i = 0; i < n && i < JWT_KEYS_MAX && !good; i++) {
		const json_t *jwk = json_array_get(list, i);
		EVP_PKEY *key = same_id(header, jwk) ? jws_key(a, jwk) : NULL;

		good = key != NULL && jws_verify(a, key, text, signature);
		EVP_PKEY_free(key);
		ERR_clear_error();
	}
	return good;
}

static const char *
check_signature(const struct token *t, const json_t *header, const json_t *keys)
{
	const struct jws_algorithm *a = jws_algorithm(json_text(header, "alg"));
	unsigned char *signature;
	const char *why = NULL;
	ssize_t n;

	if (a == NULL)
		return "token has no algorithm that is permitted";
	/* Extensions that must be understood (RFC 7515 section 4.1.11): none are. */
	if (json_object_get(header, "crit") != NULL)
		return "token has an extension that is not known";
	if (!type_fits(header))
		return "token is of a type that is for something else";
	signature = malloc(BASE64URL_DECODED_MAX(t->signature.n));
	if (signature == NULL)
		return "out of memory";
	n = base64url_decode(t->signature, signature);
	if (n < 0 || !signed_by(keys, header, a, t->text,
	    bytes_make(signature, (size_t)n)))
		why = "token is not signed by a key of oauth-keys";
	free(signature);
	return why;
}

/*
 * A time claim (RFC 7519 section 2: seconds, perhaps with a fraction): 0, or -1
 * when it is none.
 */
static int
time_of(const json_t *claims, const char *name, double *out)
{
	const json_t *j = json_object_get(claims, name);

	*out = json_number_value(j);
	return json_is_number(j) && isfinite(*out) ? 0 : -1;
}

/* How far claims must be from now: name, and whether it may be missing. */
static const char *
check_times(const json_t *claims, time_t now)
{
	double when;

	if (time_of(claims, "exp", &when) < 0)
		return "token does not say when it expires";
	if ((double)now >= when + JWT_LEEWAY)
		return "token has expired";
	if (json_object_get(claims, "nbf") != NULL
	    && (time_of(claims, "nbf", &when) < 0
	    || (double)now + JWT_LEEWAY < when))
		return "token is not valid yet";
	if (json_object_get(claims, "iat") != NULL
	    && (time_of(claims, "iat", &when) < 0
	    || (double)now + JWT_LEEWAY < when))
		return "token is from the future";
	return NULL;
}

static const char *
take_name(const json_t *claims, char name[JWT_NAME_MAX + 1])
{
	const char *claim = json_object_get(claims, "preferred_username") != NULL
	    ? "preferred_username" : "sub";
	struct bytes text = json_text(claims, claim);

	if (text.n > JWT_NAME_MAX || !verifier_name(text))
		return "token names no account";
	memcpy(name, text.p, text.n);
	name[text.n] = '\0';
	return NULL;
}

static const char *
check_claims(const json_t *claims, const struct jwt_policy *p,
    char name[JWT_NAME_MAX + 1])
{
	const char *why;

	if (!bytes_equal(json_text(claims, "iss"), bytes_of(p->issuer)))
		return "token is not of oauth-issuer";
	if (!json_has(claims, "aud", p->audience))
		return "token is not for oauth-audience";
	/* Bound to a key that the client would have to prove (RFC 7800). */
	if (json_object_get(claims, "cnf") != NULL)
		return "token is no bearer token";
	why = check_times(claims, p->now);
	return why != NULL ? why : take_name(claims, name);
}

const char *
jwt_check(struct bytes token, const struct jwt_policy *p,
    char name[JWT_NAME_MAX + 1])
{
	json_t *header, *claims = NULL;
	const char *why = "token is no signed JWT";
	struct token t;

	if (!split(token, &t) || (header = json_object_encoded(t.header)) == NULL)
		return why;
	why = check_signature(&t, header, p->keys);
	if (why == NULL) {
		claims = json_object_encoded(t.payload);
		why = claims == NULL ? "token claims nothing"
		    : check_claims(claims, p, name);
	}
	json_decref(claims);
	json_decref(header);
	return why;
}
