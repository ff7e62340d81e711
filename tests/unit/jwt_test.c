/*
 * Tokens: what is taken, and every way in which one is no good.
 */
#include "jose.h"
#include "test.h"

#include "../../src/verify/jwt.h"

#define NOW 1800000000
#define GOOD "\"iss\":\"https://idp.example\",\"aud\":\"mail\",\"sub\":\"ann\"," \
    "\"exp\":1800000300"
#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"one\"}"

static struct {
	const struct jws_algorithm *a;
	EVP_PKEY *key, *other;
	json_t *keys;
	char name[JWT_NAME_MAX + 1];
} t;

static json_t *
key_set(const struct jws_algorithm *a, const EVP_PKEY *key, const char *kid)
{
	struct buf text = BUF_INIT(8192);
	json_t *j;

	(void)buf_text(&text, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"one\",\"k\":"
	    "\"c2VjcmV0\"},7,{\"kty\":\"unheard of\"},");
	jose_jwk(&text, a, key, kid);
	(void)buf_text(&text, "]}");
	j = json_object_in(buf_contents(&text));
	buf_free(&text);
	CHECK(j != NULL);
	return j;
}

static void
begin(void)
{
	if (t.a != NULL)
		return;
	t.a = jws_algorithm(BYTES("EdDSA"));
	t.key = jose_generate(t.a);
	t.other = jose_generate(t.a);
	t.keys = key_set(t.a, t.key, "one");
}

static const char *
check_text(struct bytes token, const json_t *keys)
{
	const struct jwt_policy p = { .keys = keys,
	    .issuer = "https://idp.example", .audience = "mail", .now = NOW };

	t.name[0] = '\0';
	return jwt_check(token, &p, t.name);
}

/* Why a token of these is refused, or NULL. */
static const char *
check_token(const char *header, const char *claims, EVP_PKEY *key,
    const json_t *keys)
{
	struct buf token = BUF_INIT(1 << 20);
	const char *why;

	jose_token(&token, t.a, key, header, claims);
	why = check_text(buf_contents(&token), keys);
	buf_free(&token);
	return why;
}

static void
good_ones(void)
{
	static const struct {
		const char *claims, *name;
	} rows[] = {
		{ "{" GOOD "}", "ann" },
		{ "{" GOOD ",\"preferred_username\":\"bob\"}", "bob" },
		{ "{" GOOD ",\"nbf\":1799999990,\"iat\":1799999990}", "ann" },
		{ "{" GOOD ",\"nbf\":1800000060,\"iat\":1800000060.0}", "ann" },
		{ "{" GOOD ",\"email\":\"cem@example.org\",\"groups\":[]}", "ann" },
		{ "{\"iss\":\"https://idp.example\",\"aud\":[\"other\",\"mail\"],"
		    "\"sub\":\"\xc3\xa4nn\",\"exp\":1799999940.5}", "\xc3\xa4nn" },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_EQ_TEXT(check_token(HEADER, rows[i].claims, t.key, t.keys), NULL);
		CHECK_EQ_TEXT(t.name, rows[i].name);
	}
}

static void
headers(void)
{
	static const struct {
		const char *header;
		const char *why;
	} rows[] = {
		{ "{\"alg\":\"EdDSA\"}", NULL },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"one\"}", NULL },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"AT+jwt\"}", NULL },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"application/at+jwt\"}", NULL },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}",
		    "token is of a type that is for something else" },
		{ "{\"alg\":\"EdDSA\",\"typ\":7}",
		    "token is of a type that is for something else" },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"two\"}",
		    "token is not signed by a key of oauth-keys" },
		{ "{\"alg\":\"EdDSA\",\"kid\":null}",
		    "token is not signed by a key of oauth-keys" },
		{ "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}",
		    "token has an extension that is not known" },
		{ "{\"alg\":\"EdDSA\",\"crit\":[]}",
		    "token has an extension that is not known" },
		{ "{\"alg\":\"none\"}", "token has no algorithm that is permitted" },
		{ "{\"alg\":\"HS256\"}", "token has no algorithm that is permitted" },
		{ "{\"alg\":\"eddsa\"}", "token has no algorithm that is permitted" },
		{ "{\"alg\":[\"EdDSA\"]}", "token has no algorithm that is permitted" },
		{ "{}", "token has no algorithm that is permitted" },
		{ "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}", "token is no signed JWT" },
		{ "[]", "token is no signed JWT" },
		{ "{\"alg\":\"EdDSA\"} x", "token is no signed JWT" },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"o\\u0000ne\"}",
		    "token is no signed JWT" },
		{ "{\"alg\":\"ES256\"}", "token is not signed by a key of oauth-keys" },
		{ "{\"alg\":\"RS256\"}", "token is not signed by a key of oauth-keys" },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!CHECK_EQ_TEXT(check_token(rows[i].header, "{" GOOD "}", t.key,
		    t.keys), rows[i].why))
			printf("# %s\n", rows[i].header);
}

#define NOT_OURS "token is not of oauth-issuer"
#define NOT_FOR_US "token is not for oauth-audience"
#define NO_END "token does not say when it expires"
#define NO_NAME "token names no account"
#define REST ",\"iss\":\"https://idp.example\",\"aud\":\"mail\",\"sub\":\"ann\"}"

static void
claims(void)
{
	static const struct {
		const char *claims, *why;
	} rows[] = {
		{ "{\"iss\":\"https://idp.example/\",\"aud\":\"mail\",\"sub\":\"ann\","
		    "\"exp\":1800000300}", NOT_OURS },
		{ "{\"aud\":\"mail\",\"sub\":\"ann\",\"exp\":1800000300}", NOT_OURS },
		{ "{\"iss\":[\"https://idp.example\"],\"aud\":\"mail\",\"exp\":"
		    "1800000300}", NOT_OURS },
		{ "{\"iss\":\"https://idp.example\",\"sub\":\"ann\",\"exp\":"
		    "1800000300}", NOT_FOR_US },
		{ "{\"iss\":\"https://idp.example\",\"aud\":\"Mail\",\"sub\":\"ann\","
		    "\"exp\":1800000300}", NOT_FOR_US },
		{ "{\"iss\":\"https://idp.example\",\"aud\":[[\"mail\"],\"mailx\",1],"
		    "\"sub\":\"ann\",\"exp\":1800000300}", NOT_FOR_US },
		{ "{\"x\":1" REST, NO_END },
		{ "{\"exp\":\"1800000300\"" REST, NO_END },
		{ "{\"exp\":null" REST, NO_END },
		{ "{\"exp\":1e999" REST, "token claims nothing" },
		{ "{\"exp\":1799999940" REST, "token has expired" },
		{ "{\"exp\":1799999941" REST, NULL },
		{ "{\"exp\":0" REST, "token has expired" },
		{ "{\"exp\":-1e308" REST, "token has expired" },
		{ "{" GOOD ",\"nbf\":1800000061}", "token is not valid yet" },
		{ "{" GOOD ",\"nbf\":\"now\"}", "token is not valid yet" },
		{ "{" GOOD ",\"iat\":1800000061}", "token is from the future" },
		{ "{" GOOD ",\"iat\":true}", "token is from the future" },
		{ "{" GOOD ",\"cnf\":{\"jkt\":\"x\"}}", "token is no bearer token" },
		{ "{" GOOD ",\"preferred_username\":\"\"}", NO_NAME },
		{ "{" GOOD ",\"preferred_username\":7}", NO_NAME },
		{ "{" GOOD ",\"preferred_username\":null}", NO_NAME },
		{ "{" GOOD ",\"preferred_username\":\"a\\nb\"}", NO_NAME },
		{ "{" GOOD ",\"preferred_username\":\"a\\u007fb\"}", NO_NAME },
		{ "{\"iss\":\"https://idp.example\",\"aud\":\"mail\",\"exp\":"
		    "1800000300}", NO_NAME },
		{ "{" GOOD ",\"sub\":\"ann\"}", "token claims nothing" },
		{ "{" GOOD, "token claims nothing" },
		{ "7", "token claims nothing" },
		{ "{" GOOD ",\"x\":\"\xff\"}", "token claims nothing" },
	};

	begin();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!CHECK_EQ_TEXT(check_token(HEADER, rows[i].claims, t.key, t.keys),
		    rows[i].why))
			printf("# %s\n", rows[i].claims);
}

/* A name of 255 bytes is one, of 256 none. */
static void
length_of_a_name(void)
{
	for (size_t n = 255; n <= 256; n++) {
		struct buf text = BUF_INIT(4096);

		(void)buf_text(&text, "{" GOOD ",\"preferred_username\":\"");
		for (size_t i = 0; i < n; i++)
			(void)buf_byte(&text, 'x');
		(void)buf_text(&text, "\"}");
		CHECK_EQ_TEXT(check_token(HEADER, buf_string(&text), t.key, t.keys),
		    n == 255 ? NULL : NO_NAME);
		buf_free(&text);
	}
}

static void
forms(void)
{
	static const char *const bad[] = { "", ".", "..", "a.b", "a.b.c", "a..c",
	    "e30.e30.", ".e30.e30", "e30.e30.e30.e30", "e30.e30.e30.e30.e30",
	    "eyJhbGciOiJub25lIn0.e30.", "e30=.e30.e30", "e30 .e30.e30" };

	begin();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(check_text(bytes_of(bad[i]), t.keys) != NULL);
}

static void
other_keys(void)
{
	json_t *nothing = json_object_in(BYTES("{\"keys\":[]}"));
	json_t *nameless;

	begin();
	nameless = key_set(t.a, t.key, NULL);
	CHECK_EQ_TEXT(check_token(HEADER, "{" GOOD "}", t.other, t.keys),
	    "token is not signed by a key of oauth-keys");
	CHECK_EQ_TEXT(check_token(HEADER, "{" GOOD "}", t.key, nothing),
	    "token is not signed by a key of oauth-keys");
	/* A token that names a key is not signed by one without a name. */
	CHECK_EQ_TEXT(check_token(HEADER, "{" GOOD "}", t.key, nameless),
	    "token is not signed by a key of oauth-keys");
	CHECK_EQ_TEXT(check_token("{\"alg\":\"EdDSA\"}", "{" GOOD "}", t.key,
	    nameless), NULL);
	json_decref(nothing);
	json_decref(nameless);
}

/* One bit anywhere is another token. */
static void
any_bit(void)
{
	struct buf token = BUF_INIT(8192);

	begin();
	jose_token(&token, t.a, t.key, HEADER, "{" GOOD "}");
	CHECK_EQ_TEXT(check_text(buf_contents(&token), t.keys), NULL);
	for (size_t i = 0; i < token.len; i++) {
		token.data[i] ^= 1;
		CHECK(check_text(buf_contents(&token), t.keys) != NULL);
		token.data[i] ^= 1;
	}
	for (size_t n = 0; n < token.len; n++)
		CHECK(check_text(bytes_first(buf_contents(&token), n), t.keys)
		    != NULL);
	buf_free(&token);
}

/* RFC 8725 section 2.1: the public key as the secret of an HMAC. */
static void
public_key_as_secret(void)
{
	struct buf jwk = BUF_INIT(4096), token = BUF_INIT(8192);
	unsigned char mac[32];
	size_t n = 0;

	begin();
	jose_jwk(&jwk, t.a, t.key, "one");
	jose_encode(&token, BYTES("{\"alg\":\"HS256\",\"kid\":\"one\"}"));
	(void)buf_byte(&token, '.');
	jose_encode(&token, BYTES("{" GOOD "}"));
	CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, jwk.data, jwk.len,
	    token.data, token.len, mac, sizeof mac, &n) != NULL);
	(void)buf_byte(&token, '.');
	jose_encode(&token, bytes_make(mac, n));
	CHECK_EQ_TEXT(check_text(buf_contents(&token), t.keys),
	    "token has no algorithm that is permitted");
	buf_free(&jwk);
	buf_free(&token);
}

static void
repeat(struct buf *b, const char *text, size_t n)
{
	while (n-- > 0)
		(void)buf_text(b, text);
}

/* Deep, wide, long: refused or taken, and always at an end. */
static void
large_ones(void)
{
	struct buf deep = BUF_INIT(1 << 20), wide = BUF_INIT(1 << 20);

	begin();
	(void)buf_text(&deep, "{" GOOD ",\"x\":");
	repeat(&deep, "[", 100000);
	CHECK_EQ_TEXT(check_token(HEADER, buf_string(&deep), t.key, t.keys),
	    "token claims nothing");
	repeat(&deep, "]", 100000);
	(void)buf_text(&deep, "}");
	CHECK_EQ_TEXT(check_token(HEADER, buf_string(&deep), t.key, t.keys),
	    "token claims nothing");
	(void)buf_text(&wide, "{" GOOD);
	for (int i = 0; i < 20000; i++)
		(void)buf_printf(&wide, ",\"c%d\":[%d]", i, i);
	(void)buf_text(&wide, "}");
	CHECK_EQ_TEXT(check_token(HEADER, buf_string(&wide), t.key, t.keys), NULL);
	buf_free(&deep);
	buf_free(&wide);
}

/* Only so many keys are tried: the 64th, not the 65th. */
static void
many_keys(void)
{
	begin();
	for (size_t before = JWT_KEYS_MAX - 1; before <= JWT_KEYS_MAX; before++) {
		struct buf text = BUF_INIT(65536);
		json_t *keys;

		(void)buf_text(&text, "{\"keys\":[");
		for (size_t i = 0; i < before; i++) {
			jose_jwk(&text, t.a, t.other, NULL);
			(void)buf_byte(&text, ',');
		}
		jose_jwk(&text, t.a, t.key, NULL);
		(void)buf_text(&text, "]}");
		keys = json_object_in(buf_contents(&text));
		CHECK_EQ_INT(check_token("{\"alg\":\"EdDSA\"}", "{" GOOD "}", t.key,
		    keys) == NULL, before == JWT_KEYS_MAX - 1);
		json_decref(keys);
		buf_free(&text);
	}
}

TEST_MAIN(TEST(good_ones), TEST(headers), TEST(claims), TEST(length_of_a_name),
    TEST(forms), TEST(other_keys), TEST(any_bit), TEST(public_key_as_secret),
    TEST(large_ones), TEST(many_keys))
