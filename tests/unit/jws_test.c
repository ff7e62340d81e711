/*
 * Signatures of JOSE: the RFCs' own, and each algorithm against the keys and
 * signatures of all the others.
 */
#include "../../src/verify/base64url.h"
#include "jose.h"
#include "test.h"

static const char *const names[] = { "RS256", "RS384", "RS512", "PS256", "PS384",
    "PS512", "ES256", "ES384", "ES512", "EdDSA" };
#define NAMES (sizeof names / sizeof names[0])

#define PAYLOAD_7515 "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6" \
    "Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define PAYLOAD_7520 "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V" \
    "0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBr" \
    "ZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlI" \
    "HN3ZXB0IG9mZiB0by4"
#define RSA_7520 "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRo" \
    "jdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC" \
    "0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lF" \
    "HpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKn" \
    "S2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
#define RSA_7515 "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQ" \
    "p-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690" \
    "r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT" \
    "BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNm" \
    "oudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

struct vector {
	const char *where, *alg, *jwk, *text, *signature;
};

static const struct vector vectors[] = {
	{ "RFC 7515 A.2", "RS256",
	    "{\"kty\":\"RSA\",\"n\":\"" RSA_7515 "\",\"e\":\"AQAB\"}",
	    "eyJhbGciOiJSUzI1NiJ9." PAYLOAD_7515,
	    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHI"
	    "m4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB"
	    "--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN938"
	    "3LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
	    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw" },
	{ "RFC 7515 A.3", "ES256",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
	    "eyJhbGciOiJFUzI1NiJ9." PAYLOAD_7515,
	    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQx"
	    "fKTUJqPP3-Kg6NU1Q" },
	{ "RFC 7520 4.2", "PS384",
	    "{\"kty\":\"RSA\",\"kid\":\"bilbo.baggins@hobbiton.example\","
	    "\"use\":\"sig\",\"n\":\"" RSA_7520 "\",\"e\":\"AQAB\"}",
	    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZ"
	    "SJ9." PAYLOAD_7520,
	    "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPi"
	    "d6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8bii"
	    "ReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT"
	    "3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtf"
	    "a64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw" },
	{ "RFC 7520 4.3", "ES512",
	    "{\"kty\":\"EC\",\"kid\":\"bilbo.baggins@hobbiton.example\","
	    "\"use\":\"sig\",\"crv\":\"P-521\",\"x\":\"AHKZLLOsCOzz5cY97ewNUajB957y-"
	    "C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt\","
	    "\"y\":\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkA"
	    "gDPrwQrJmbnX9cwlGfP-HqHZR1\"}",
	    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZ"
	    "SJ9." PAYLOAD_7520,
	    "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7"
	    "KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQe"
	    "ns_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2" },
	{ "RFC 8037 A.4", "EdDSA",
	    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt"
	    "9g7sVvpAr_MuM0KAg" },
};

static struct bytes
decoded(const char *text, unsigned char *to)
{
	ssize_t n = base64url_decode(bytes_of(text), to);

	CHECK(n > 0);
	return bytes_make(to, n > 0 ? (size_t)n : 0);
}

static EVP_PKEY *
key_of(const char *alg, const char *jwk)
{
	json_t *j = json_object_in(bytes_of(jwk));
	EVP_PKEY *key = j == NULL ? NULL : jws_key(jws_algorithm(bytes_of(alg)), j);

	json_decref(j);
	return key;
}

/* As it is; then with one bit of text, signature, or its length another. */
static void
vectors_of_the_rfcs(void)
{
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *v = &vectors[i];
		const struct jws_algorithm *a = jws_algorithm(bytes_of(v->alg));
		EVP_PKEY *key = key_of(v->alg, v->jwk);
		unsigned char to[600];
		struct bytes s = decoded(v->signature, to);
		struct bytes text = bytes_of(v->text);

		if (!CHECK(key != NULL) || !CHECK(jws_verify(a, key, text, s)))
			printf("# %s\n", v->where);
		CHECK(!jws_verify(a, key, bytes_from(text, 1), s));
		CHECK(!jws_verify(a, key, text, bytes_first(s, s.n - 1)));
		CHECK(!jws_verify(a, key, text, bytes_first(s, 0)));
		to[s.n / 2] ^= 1;
		CHECK(!jws_verify(a, key, text, s));
		EVP_PKEY_free(key);
	}
}

static void
what_is_on_the_list(void)
{
	static const char *const off[] = { "", "none", "None", "NONE", "HS256",
	    "HS384", "HS512", "rs256", "RS1", "RS256 ", "ES256K", "RSA-OAEP" };

	for (size_t i = 0; i < NAMES; i++)
		CHECK(jws_algorithm(bytes_of(names[i])) != NULL);
	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		CHECK(jws_algorithm(bytes_of(off[i])) == NULL);
	CHECK(jws_algorithm((struct bytes){ 0 }) == NULL);
	CHECK(jws_algorithm(BYTES("EdDSA\0")) == NULL);
}

static bool
same_kind(const struct jws_algorithm *a, const struct jws_algorithm *b)
{
	return strcmp(a->kty, b->kty) == 0
	    && (a->crv == NULL || strcmp(a->crv, b->crv) == 0);
}

/* What a has signed is good with a and its key, and with nothing else. */
static void
check_against_all(const struct jws_algorithm *a, EVP_PKEY *key, const json_t *jwk)
{
	static const char text[] = "header.payload";
	struct buf s = BUF_INIT(4096);

	jose_sign(&s, a, key, bytes_of(text));
	for (size_t i = 0; i < NAMES; i++) {
		const struct jws_algorithm *b = jws_algorithm(bytes_of(names[i]));
		EVP_PKEY *k = jws_key(b, jwk);

		if (!CHECK_EQ_INT(k != NULL, same_kind(a, b))
		    || !CHECK_EQ_INT(k != NULL && jws_verify(b, k, bytes_of(text),
		    buf_contents(&s)), a == b))
			printf("# signed with %s, checked with %s\n", a->name, b->name);
		EVP_PKEY_free(k);
	}
	buf_free(&s);
}

static void
each_algorithm_with_each_key(void)
{
	for (size_t i = 0; i < NAMES; i++) {
		const struct jws_algorithm *a = jws_algorithm(bytes_of(names[i]));
		EVP_PKEY *key = jose_generate(a);
		struct buf text = BUF_INIT(4096);
		json_t *jwk;

		jose_jwk(&text, a, key, NULL);
		jwk = json_object_in(buf_contents(&text));
		if (CHECK(key != NULL && jwk != NULL))
			check_against_all(a, key, jwk);
		json_decref(jwk);
		EVP_PKEY_free(key);
		buf_free(&text);
	}
}

#define X25519_X "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define EC_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define EC_Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""

/* Keys that say that they are for something else, or are none. */
static void
unfit_keys(void)
{
	static const struct {
		bool fit;
		const char *alg, *jwk;
	} rows[] = {
		{ true, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," X25519_X "}" },
		{ true, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\","
		    "\"alg\":\"EdDSA\",\"key_ops\":[\"sign\",\"verify\"]," X25519_X "}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\","
		    X25519_X "}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":1,"
		    X25519_X "}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":"
		    "\"ES256\"," X25519_X "}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":"
		    "[\"sign\"]," X25519_X "}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"X25519\"," X25519_X "}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}" },
		{ false, "EdDSA", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}" },
		{ false, "EdDSA", "{\"kty\":\"oct\",\"k\":\"11qY\"}" },
		{ true, "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "," EC_Y "}" },
		/* not on the curve */
		{ false, "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ",\"y\":"
		    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}" },
		{ false, "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "}" },
		{ false, "ES256", "{\"kty\":\"EC\",\"crv\":\"P-384\"," EC_X "," EC_Y "}" },
		/* without its first byte, which is 0; with one more */
		{ true, "ES512", "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":"
		    "\"cpkss6wI7PPlxj3t7A1RqMH3nvL4L5Tzxze_XeeYZnHqxiX-gle70DlGRMqq"
		    "Oq-PJ6RYX7vK0PJFdiAIXlyPQq0\",\"y\":"
		    "\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQ"
		    "kAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}" },
		{ false, "ES512", "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":"
		    "\"AABymSyzrAjs8-XGPe3sDVGowfee8vgvlPPHN79d55hmcerGJf6CV7vQOUZE"
		    "yqo6r48npFhfu8rQ8kV2IAheXI9CrQ\",\"y\":"
		    "\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQ"
		    "kAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}" },
		{ true, "RS256", "{\"kty\":\"RSA\",\"n\":\"" RSA_7515
		    "\",\"e\":\"AQAB\"}" },
		{ false, "RS256", "{\"kty\":\"RSA\",\"n\":\"" RSA_7515
		    "\",\"e\":\"AQ\"}" },
		{ false, "RS256", "{\"kty\":\"RSA\",\"n\":\"" RSA_7515
		    "\",\"e\":\"AA\"}" },
		{ false, "RS256", "{\"kty\":\"RSA\",\"n\":\"" RSA_7515 "\"}" },
		/* 128 bits */
		{ false, "RS256", "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNg\","
		    "\"e\":\"AQAB\"}" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		EVP_PKEY *key = key_of(rows[i].alg, rows[i].jwk);

		if (!CHECK_EQ_INT(key != NULL, rows[i].fit))
			printf("# row %zu\n", i);
		EVP_PKEY_free(key);
	}
}

/* A modulus of n bytes, all bits set. */
static bool
takes_modulus(size_t n)
{
	struct buf jwk = BUF_INIT(8192), bytes = BUF_INIT(4096);
	EVP_PKEY *key;

	for (size_t i = 0; i < n; i++)
		(void)buf_byte(&bytes, 0xff);
	(void)buf_text(&jwk, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
	jose_encode(&jwk, buf_contents(&bytes));
	(void)buf_text(&jwk, "\"}");
	key = key_of("RS256", buf_string(&jwk));
	EVP_PKEY_free(key);
	buf_free(&jwk);
	buf_free(&bytes);
	return key != NULL;
}

static void
sizes_of_rsa(void)
{
	CHECK(!takes_modulus(255));
	CHECK(takes_modulus(256));
	CHECK(takes_modulus(1024));
	CHECK(!takes_modulus(1025));
	CHECK(!takes_modulus(2048));
}

static void
base64url(void)
{
	static const struct {
		const char *text;
		ssize_t n;
		const char *bytes;
	} rows[] = {
		{ "", 0, "" }, { "Zg", 1, "f" }, { "Zm8", 2, "fo" },
		{ "Zm9v", 3, "foo" }, { "Zm9vYg", 4, "foob" }, { "-_8", 2, "\xfb\xff" },
		{ "Z", -1, "" }, { "Zm9vY", -1, "" }, { "Zh", -1, "" },
		{ "Zm9", -1, "" }, { "Zg==", -1, "" }, { "+/8", -1, "" },
		{ "Zm\n8", -1, "" }, { "Zm 8", -1, "" }, { "Zg=", -1, "" },
	};
	unsigned char out[16];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ssize_t n = base64url_decode(bytes_of(rows[i].text), out);

		CHECK_EQ_INT(n, rows[i].n);
		if (n > 0)
			CHECK_EQ_BYTES(bytes_make(out, (size_t)n),
			    bytes_of(rows[i].bytes));
	}
}

TEST_MAIN(TEST(vectors_of_the_rfcs), TEST(what_is_on_the_list),
    TEST(each_algorithm_with_each_key), TEST(unfit_keys), TEST(sizes_of_rsa),
    TEST(base64url))
