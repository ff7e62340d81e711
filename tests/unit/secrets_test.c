/*
 * The secrets file's lines, digests, and SCRAM's keys by the RFCs' examples.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "secrets.h"
#include "test.h"

#define SHA1_LINE "user SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$" \
	"6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE="
#define SHA256_LINE "user SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define SHA512_LINE "user SCRAM-SHA-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" \
	"6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2" \
	"hK/60dzj9DoO5DvVkOHbvg==:" \
	"jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFe" \
	"wf91nLDfKF24mvD5nmE6rA=="

static const char *const lines[DIGESTS] = { SHA1_LINE, SHA256_LINE, SHA512_LINE };

static void
check_hex(const unsigned char *p, size_t n, const char *want)
{
	CHECK_EQ_INT(strlen(want), 2 * n);
	for (size_t i = 0; i < n; i++)
		if (!CHECK_EQ_INT(p[i], ascii_hex((unsigned char)want[2 * i]) * 16
		    + ascii_hex((unsigned char)want[2 * i + 1])))
			return;
}

/* RFC 2202 section 3 and RFC 4231 section 4: keys short and over a block. */
static void
hmac_is_that_of_the_rfcs(void)
{
	unsigned char out[DIGEST_MAX], key[131];
	struct bytes k = bytes_make(key, sizeof key);

	memset(key, 0xaa, sizeof key);
	digest_hmac(DIGEST_SHA1, BYTES("Jefe"), BYTES("what do ya want "),
	    BYTES("for nothing?"), out);
	check_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	digest_hmac(DIGEST_SHA256, BYTES("Jefe"),
	    BYTES("what do ya want for nothing?"), BYTES(""), out);
	check_hex(out, 32, "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	digest_hmac(DIGEST_SHA256, k, BYTES("Test Using Larger Than Block-Size "),
	    BYTES("Key - Hash Key First"), out);
	check_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
	digest_hmac(DIGEST_SHA512, k, BYTES("Test Using Larger Than Block-Size "),
	    BYTES("Key - Hash Key First"), out);
	check_hex(out, 64, "80b24263c7c1a3ebb71493c1dd7be8b4"
	    "9b46d1f41b4aeec1121b013783f8f352"
	    "6b56d037e05f2598bd0fd2215d6a1e52"
	    "95e64f73f63f0aec8b915a985d786598");
}

static void
lines_are_read(void)
{
	struct secret s;

	CHECK_EQ_INT(secrets_parse(BYTES(SHA256_LINE), &s), 0);
	CHECK_EQ_BYTES(s.user, BYTES("user"));
	CHECK_EQ_INT(s.kind, DIGEST_SHA256);
	CHECK_EQ_INT(s.iterations, 4096);
	check_hex(s.salt, s.salt_n, "5b6d99689d12358eeca04b141236fa81");
}

static void
lines_are_printed_as_they_were_read(void)
{
	struct buf out = BUF_INIT(4096);
	struct secret s;

	for (int d = 0; d < DIGESTS; d++) {
		buf_clear(&out);
		CHECK_EQ_INT(secrets_parse(bytes_of(lines[d]), &s), 0);
		CHECK_EQ_INT(secrets_print(&s, &out), 0);
		CHECK_EQ_BYTES(bytes_first(buf_contents(&out), out.len - 1),
		    bytes_of(lines[d]));
	}
	buf_free(&out);
}

/* The passwords of RFC 5802 section 5 and RFC 7677 section 3 are "pencil". */
static void
keys_come_from_the_password(void)
{
	for (int d = 0; d < DIGESTS; d++) {
		struct secret want, s;

		CHECK_EQ_INT(secrets_parse(bytes_of(lines[d]), &want), 0);
		s = want;
		memset(s.stored, 0, sizeof s.stored);
		memset(s.server, 0, sizeof s.server);
		secrets_derive(&s, BYTES("pencil"));
		CHECK_EQ_BYTES(bytes_make(s.stored, sizeof s.stored),
		    bytes_make(want.stored, sizeof want.stored));
		CHECK_EQ_BYTES(bytes_make(s.server, sizeof s.server),
		    bytes_make(want.server, sizeof want.server));
	}
}

/* The server's signature in the conversation of each RFC. */
static void
keys_sign_as_in_the_rfcs(void)
{
	unsigned char out[DIGEST_MAX];
	struct secret s;

	CHECK_EQ_INT(secrets_parse(BYTES(SHA1_LINE), &s), 0);
	digest_hmac((enum digest)s.kind, bytes_make(s.server, 20),
	    BYTES("n=user,r=fyko+d2lbbFgONRv9qkxdawL,"),
	    BYTES("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096,c=biws,"
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"), out);
	check_hex(out, 20, "ae617da6a57c4bbb2e0286568dae1d251905b0a4");
	CHECK_EQ_INT(secrets_parse(BYTES(SHA256_LINE), &s), 0);
	digest_hmac((enum digest)s.kind, bytes_make(s.server, 32),
	    BYTES("n=user,r=rOprNGfwEbeRWgbNEkqO,"),
	    BYTES("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"), out);
	check_hex(out, 32, "eabae24d1062db75a9451ff0b6ea7e98"
	    "c8546549ff741e672d3251b2397de46e");
}

static void
mistakes_are_refused(void)
{
#define KEYS "6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE="
	static const char *const bad[] = {
		"", "user", "user SCRAM-SHA-1", "#x SCRAM-SHA-1$4096:QSXC$" KEYS,
		" SCRAM-SHA-1$4096:QSXC$" KEYS, "a:b SCRAM-SHA-1$4096:QSXC$" KEYS,
		"a/b SCRAM-SHA-1$4096:QSXC$" KEYS, "* SCRAM-SHA-1$4096:QSXC$" KEYS,
		"u  SCRAM-SHA-1$4096:QSXC$" KEYS, "u SCRAM-MD5$4096:QSXC$" KEYS,
		"u SCRAM-SHA-1$4095:QSXC$" KEYS, "u SCRAM-SHA-1$1000001:QSXC$" KEYS,
		"u SCRAM-SHA-1$-4096:QSXC$" KEYS, "u SCRAM-SHA-1$:QSXC$" KEYS,
		"u SCRAM-SHA-1$4096:$" KEYS, "u SCRAM-SHA-1$4096:QSX$" KEYS,
		"u SCRAM-SHA-256$4096:QSXC$" KEYS, "u SCRAM-SHA-512$4096:QSXC$" KEYS,
		"u SCRAM-SHA-1$4096:QSXC$" KEYS ":", "u SCRAM-SHA-1$4096:QSXC$" KEYS "x",
		"u SCRAM-SHA-1$4096:QSXC$:", "u SCRAM-SHA-1$4096:QSXC",
	};
	struct secret s;

	CHECK_EQ_INT(secrets_parse(BYTES("u SCRAM-SHA-1$4096:QSXC$" KEYS), &s), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		errno = 0;
		if (!CHECK_EQ_INT(secrets_parse(bytes_of(bad[i]), &s), -1))
			printf("# %s\n", bad[i]);
		CHECK_EQ_INT(errno, EINVAL);
	}
}

static void
files_have_comments_and_mistakes(void)
{
	struct bytes text = BYTES("# of this host\n\nnonsense\n" SHA1_LINE "\n"
	    SHA512_LINE);
	struct secret s;

	CHECK_EQ_INT(secrets_next(&text, &s), -1);
	CHECK_EQ_INT(secrets_next(&text, &s), 1);
	CHECK_EQ_INT(s.kind, DIGEST_SHA1);
	CHECK_EQ_INT(secrets_next(&text, &s), 1);
	CHECK_EQ_INT(s.kind, DIGEST_SHA512);
	CHECK_EQ_INT(secrets_next(&text, &s), 0);
}

#define EXTERNAL "ann EXTERNAL$email:a@x\n"
#define HOST "* HOST$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

/* Other kinds than SCRAM, read and printed. */
static void
lines_of_other_kinds(void)
{
	static const char *const good[] = { "tim CRAM-MD5$dGFuc3RhYWY=\n", EXTERNAL,
	    "a EXTERNAL$subject:CN=Ann B\\, C,O=x$y:z\n", HOST, "* OWN$yes\n",
	    "ann OWN$no\n" };
	static const char *const bad[] = {
		"tim CRAM-MD5$", "tim CRAM-MD5$x", "tim CRAM-MD5$dGFu=c3",
		"* CRAM-MD5$dGFu", "ann EXTERNAL$", "ann EXTERNAL$a@x",
		"ann EXTERNAL$email:", "ann EXTERNAL$EMAIL:a@x",
		"ann EXTERNAL$email:a\tb", "ann HOST$AAAA", "* HOST$AAAA",
		"* HOST$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"* EXTERNAL$email:a@x", "ann OWN$", "ann OWN$yes ", "ann OWN$YES",
		"* OWN$maybe", "ann OWN$ye", "OWN$yes", " OWN$yes",
	};
	struct buf out = BUF_INIT(4096);
	struct secret s;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct bytes text = bytes_of(good[i]);

		buf_clear(&out);
		CHECK_EQ_INT(secrets_next(&text, &s), 1);
		CHECK_EQ_INT(secrets_print(&s, &out), 0);
		CHECK_EQ_BYTES(buf_contents(&out), bytes_of(good[i]));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!CHECK_EQ_INT(secrets_parse(bytes_of(bad[i]), &s), -1))
			printf("# %s\n", bad[i]);
	buf_free(&out);
}

/* A password and an identity of the most bytes that they may have, and one more. */
static void
values_have_a_limit(void)
{
	char text[SECRETS_PASSWORD_MAX + 2];
	struct bytes longest = bytes_make(text, SECRETS_PASSWORD_MAX);
	struct buf line = BUF_INIT(4096);
	struct secret s = { .user = BYTES("u"), .kind = SECRET_CRAM_MD5,
	    .value_n = SECRETS_PASSWORD_MAX }, again;

	memset(s.value, 'x', sizeof s.value);
	CHECK_EQ_INT(secrets_print(&s, &line), 0);
	CHECK_EQ_INT(secrets_parse(bytes_first(buf_contents(&line), line.len - 1),
	    &again), 0);
	CHECK_EQ_INT(again.value_n, SECRETS_PASSWORD_MAX);
	line.len -= 5;			/* "eA==\n" of the last byte: three in its place */
	(void)buf_text(&line, "eHh4");
	CHECK_EQ_INT(secrets_parse(buf_contents(&line), &again), -1);
	memset(text, 'x', sizeof text);
	memcpy(text, "email:", 6);
	CHECK(secrets_identity(longest));
	CHECK(!secrets_identity(bytes_make(text, longest.n + 1)));
	buf_free(&line);
}

static void
secrets_are_found(void)
{
	struct bytes text = BYTES("ann SCRAM-SHA-1$broken\n" EXTERNAL SHA1_LINE "\n"
	    "users CRAM-MD5$AAAA\nuser CRAM-MD5$AQID\nuser CRAM-MD5$BBBB\n" HOST);
	struct bytes rest = text;
	struct secret s;

	CHECK(secrets_find(text, BYTES("user"), SECRET_SCRAM_SHA_1, &s));
	CHECK(secrets_find(text, BYTES("user"), SECRET_CRAM_MD5, &s));
	CHECK_EQ_BYTES(bytes_make(s.value, s.value_n), BYTES("\1\2\3"));
	CHECK(secrets_find(text, BYTES("*"), SECRET_HOST, &s));
	CHECK(secrets_find(text, (struct bytes){ 0 }, SECRET_EXTERNAL, &s));
	CHECK_EQ_BYTES(s.user, BYTES("ann"));
	CHECK(!secrets_find(text, BYTES("ann"), SECRET_SCRAM_SHA_1, &s));
	CHECK(!secrets_find(text, BYTES("use"), SECRET_CRAM_MD5, &s));
	CHECK(!secrets_find(text, BYTES(""), SECRET_CRAM_MD5, &s));
	CHECK(!secrets_find(BYTES(""), BYTES("user"), SECRET_CRAM_MD5, &s));
	for (int i = 0; i < 3; i++)
		CHECK(secrets_next_of(&rest, (struct bytes){ 0 }, SECRET_CRAM_MD5, &s));
	CHECK(!secrets_next_of(&rest, (struct bytes){ 0 }, SECRET_CRAM_MD5, &s));
}

/* RFC 2104's second example, and MD5 of two pieces. */
static void
md5_is_there_for_old_mechanisms(void)
{
	unsigned char out[DIGEST_MAX];

	digest_hmac(DIGEST_MD5, BYTES("Jefe"), BYTES("what do ya want "),
	    BYTES("for nothing?"), out);
	check_hex(out, 16, "750c783e6ab0b503eaa86e310a5db738");
	digest_of(DIGEST_MD5, BYTES("a"), BYTES("bc"), out);
	check_hex(out, 16, "900150983cd24fb0d6963f7d28e17f72");
	CHECK(digest_equal(BYTES("abc"), BYTES("abc")));
	CHECK(!digest_equal(BYTES("abc"), BYTES("abd")));
	CHECK(!digest_equal(BYTES("abc"), BYTES("ab")));
}

/* A line of the user's own wins, and the administrator's keys over all. */
static void
who_may_have_some_of_his_own(void)
{
	static const struct {
		const char *text;
		bool ann, anybody;
	} rows[] = {
		{ "", false, false }, { EXTERNAL HOST, false, false },
		{ "* OWN$yes\n", true, true }, { "* OWN$no\n", false, false },
		{ "ann OWN$yes\n", true, true }, { "bob OWN$yes\n", false, true },
		{ "* OWN$yes\nann OWN$no\n", false, true },
		{ "* OWN$no\nann OWN$yes\n", true, true },
		{ "ann OWN$no\nann OWN$yes\n", false, true },
		{ "* OWN$yes\nann SCRAM-SHA-1$broken\n", false, true },
		{ "* OWN$yes\nann scram-sha-512$\nann OWN$yes\n", false, true },
		{ "* OWN$yes\nanne SCRAM-SHA-1$x\n an SCRAM-SHA-1$x\n", true, true },
		{ "* OWN$yes\n" EXTERNAL "ann CRAM-MD5$AQID\n", true, true },
		{ "# ann SCRAM-SHA-1$x\n* OWN$yes", true, true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes text = bytes_of(rows[i].text);

		CHECK_EQ_INT(secrets_own(text, BYTES("ann")), rows[i].ann);
		CHECK_EQ_INT(secrets_own_anybody(text), rows[i].anybody);
	}
}

TEST_MAIN(
	TEST(hmac_is_that_of_the_rfcs),
	TEST(lines_are_read),
	TEST(lines_are_printed_as_they_were_read),
	TEST(keys_come_from_the_password),
	TEST(keys_sign_as_in_the_rfcs),
	TEST(mistakes_are_refused),
	TEST(files_have_comments_and_mistakes),
	TEST(lines_of_other_kinds),
	TEST(values_have_a_limit),
	TEST(secrets_are_found),
	TEST(who_may_have_some_of_his_own),
	TEST(md5_is_there_for_old_mechanisms)
)
