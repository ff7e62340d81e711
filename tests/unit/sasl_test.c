/*
 * What SASL exchanges carry: base64, PLAIN's message, names with digests.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "base64.h"
#include "foreign.h"
#include "sasl.h"
#include "test.h"

static bool
decodes_to(const char *text, struct bytes want)
{
	unsigned char out[64];
	ssize_t n = base64_decode(bytes_of(text), out);

	return CHECK(n >= 0) && CHECK_EQ_BYTES(bytes_make(out, (size_t)n), want);
}

static void
base64_decodes(void)
{
	/* RFC 4648 section 10. */
	decodes_to("", BYTES(""));
	decodes_to("Zg==", BYTES("f"));
	decodes_to("Zm8=", BYTES("fo"));
	decodes_to("Zm9v", BYTES("foo"));
	decodes_to("Zm9vYg==", BYTES("foob"));
	decodes_to("Zm9vYmE=", BYTES("fooba"));
	decodes_to("Zm9vYmFy", BYTES("foobar"));
	decodes_to("+/+/AAAA", BYTES("\xfb\xff\xbf\0\0\0"));
}

static void
base64_is_strict(void)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "=", "==", "===", "====", "Zg==Zg==", "=AAA",
		"AAA=BBB=", "Z===", "Zm9v\n", "Zm9v ", " Zm9v", "Zm-_", "Zm9\x80",
		"Zm=v", "Z=9v", "A===", "*",
	};
	unsigned char out[64];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (!CHECK_EQ_INT(base64_decode(bytes_of(bad[i]), out), -1))
			printf("# %s\n", bad[i]);
		CHECK_EQ_INT(errno, EINVAL);
	}
}

static void
base64_decodes_in_place(void)
{
	unsigned char text[] = "Zm9vYmFy";

	CHECK_EQ_INT(base64_decode(bytes_make(text, 8), text), 6);
	CHECK_EQ_BYTES(bytes_make(text, 6), BYTES("foobar"));
}

static void
plain_has_three_parts(void)
{
	struct sasl_plain p;

	CHECK_EQ_INT(sasl_plain(BYTES("zid\0cid\0pass word"), &p), 0);
	CHECK_EQ_BYTES(p.authzid, BYTES("zid"));
	CHECK_EQ_BYTES(p.authcid, BYTES("cid"));
	CHECK_EQ_BYTES(p.password, BYTES("pass word"));
	CHECK_EQ_INT(sasl_plain(BYTES("\0cid\0p"), &p), 0);
	CHECK_EQ_INT(p.authzid.n, 0);
	CHECK_EQ_BYTES(p.authcid, BYTES("cid"));
}

static void
plain_refuses_other_messages(void)
{
	static const struct bytes bad[] = {
		{ (const unsigned char *)"", 0 },
		{ (const unsigned char *)"cid", 3 },
		{ (const unsigned char *)"\0cid", 4 },
		{ (const unsigned char *)"\0cid\0", 5 },
		{ (const unsigned char *)"\0\0p", 3 },
		{ (const unsigned char *)"z\0c\0p\0", 6 },
		{ (const unsigned char *)"z\0c\0p\0q", 7 },
	};
	struct sasl_plain p;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_EQ_INT(sasl_plain(bad[i], &p), -1);
}

static void
other_protocols_are_known(void)
{
	CHECK_EQ_TEXT(foreign_protocol(BYTES("GET / HTTP/1.1\r\n")), "HTTP");
	CHECK_EQ_TEXT(foreign_protocol(BYTES("host: example.org\r\n")), "HTTP");
	CHECK_EQ_TEXT(foreign_protocol(BYTES("ehlo x\r\n")), "SMTP");
	CHECK_EQ_TEXT(foreign_protocol(BYTES("\x16\x03\x01")), "TLS");
	CHECK_EQ_TEXT(foreign_protocol(BYTES("a1 XYZZY\r\n")), NULL);
	CHECK_EQ_TEXT(foreign_protocol(BYTES("GET")), NULL);
	CHECK_EQ_TEXT(foreign_protocol(BYTES("")), NULL);
}

/* RFC 4648 section 10. */
static void
base64_encodes(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" },
	};
	unsigned char out[16];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes text = bytes_of(rows[i].text);

		base64_encode(text, out);
		CHECK_EQ_BYTES(bytes_make(out, BASE64_ENCODED(text.n)),
		    bytes_of(rows[i].want));
	}
}

#define ZEROS "00000000000000000000000000000000"

/* CRAM-MD5's response in RFC 2195 section 2; names with spaces. */
static void
names_with_digests(void)
{
	static const char *const bad[] = {
		"", " ", ZEROS, " " ZEROS, "a" ZEROS, "a  " ZEROS "0", "a " ZEROS "0",
		"a 0000000000000000000000000000000", "a g0000000000000000000000000000000",
		"a 0000000000000000000000000000000g", "a " ZEROS " ",
	};
	struct sasl_digest d;

	CHECK_EQ_INT(sasl_digest(BYTES("tim b913a602c7eda7a495b4e6e7334D3890"), &d), 0);
	CHECK_EQ_BYTES(d.user, BYTES("tim"));
	CHECK_EQ_BYTES(bytes_make(d.digest, 16), BYTES("\xb9\x13\xa6\x02\xc7\xed\xa7\xa4"
	    "\x95\xb4\xe6\xe7\x33\x4d\x38\x90"));
	CHECK_EQ_INT(sasl_digest(BYTES("a b  " ZEROS), &d), 0);
	CHECK_EQ_BYTES(d.user, BYTES("a b "));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		errno = 0;
		if (!CHECK_EQ_INT(sasl_digest(bytes_of(bad[i]), &d), -1)
		    || !CHECK_EQ_INT(errno, EINVAL))
			printf("# %s\n", bad[i]);
	}
	CHECK_EQ_INT(sasl_digest(BYTES("a\0b " ZEROS), &d), -1);
}

TEST_MAIN(
	TEST(base64_decodes),
	TEST(base64_is_strict),
	TEST(base64_decodes_in_place),
	TEST(plain_has_three_parts),
	TEST(plain_refuses_other_messages),
	TEST(other_protocols_are_known),
	TEST(base64_encodes),
	TEST(names_with_digests)
)
