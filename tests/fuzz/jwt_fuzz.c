/*
 * Fuzz target: tokens and key sets. The input is a JWK set, a NUL, and a token;
 * what follows a second NUL is made into a token that a known key has signed,
 * so that claims are reached. Nothing that the known key did not sign is good.
 * Runs as: the person who builds.
 */
#include <openssl/evp.h>

#include <stdlib.h>

#include "../unit/jose.h"
#include "../../src/verify/jwt.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct {
	const struct jws_algorithm *a;
	EVP_PKEY *key;
	json_t *keys;
} known;

static void
begin(void)
{
	static const unsigned char seed[32] = { 1, 2, 3 };
	struct buf jwk = BUF_INIT(4096);

	known.a = jws_algorithm(BYTES("EdDSA"));
	known.key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    sizeof seed);
	(void)buf_text(&jwk, "{\"keys\":[");
	jose_jwk(&jwk, known.a, known.key, "k");
	(void)buf_text(&jwk, "]}");
	known.keys = json_object_in(buf_contents(&jwk));
	if (known.keys == NULL)
		abort();
	buf_free(&jwk);
}

static const char *
check(struct bytes token, const json_t *keys, char name[JWT_NAME_MAX + 1])
{
	const struct jwt_policy p = { .keys = keys, .issuer = "i",
	    .audience = "a", .now = 1800000000 };
	const char *why = jwt_check(token, &p, name);

	if (why == NULL && (strlen(name) == 0 || !utf8_valid(bytes_of(name))))
		abort();
	return why;
}

/* claims, signed: good or not, and never another's name. */
static void
check_signed(struct bytes claims)
{
	struct buf token = BUF_INIT(1 << 22);
	char name[JWT_NAME_MAX + 1], text[4096];

	if (claims.n >= sizeof text)
		return;
	memcpy(text, claims.p, claims.n);
	text[claims.n] = '\0';
	jose_token(&token, known.a, known.key, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}",
	    text);
	(void)check(buf_contents(&token), known.keys, name);
	token.data[token.len - 1] = token.data[token.len - 1] == 'A' ? 'Q' : 'A';
	if (check(buf_contents(&token), known.keys, name) == NULL)
		abort();
	buf_free(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes rest = bytes_make(p, n);
	struct bytes set = bytes_split(&rest, '\0');
	struct bytes token = bytes_split(&rest, '\0');
	char name[JWT_NAME_MAX + 1];
	json_t *keys;

	if (known.a == NULL)
		begin();
	keys = json_object_in(set);
	if (keys != NULL)
		(void)check(token, keys, name);
	json_decref(keys);
	if (check(token, known.keys, name) == NULL)
		abort();
	check_signed(rest);
	return 0;
}
