/*
 * Encoded words, character sets and transfer encodings: RFC 2047's examples
 * and what is found in mail.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "charset.h"
#include "decode.h"
#include "fold.h"
#include "test.h"
#include "words.h"

struct text_case {
	struct bytes in;
	const char *out;
};

static void
check_words(const struct text_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_INIT(10000);

		CHECK_EQ_INT(words_decode(cases[i].in, &b), 0);
		CHECK_EQ_TEXT(buf_string(&b), cases[i].out);
		buf_free(&b);
	}
}

#define CHECK_WORDS(cases) check_words((cases), sizeof (cases) / sizeof (cases)[0])

/* RFC 2047 section 8 */
static void
rfc2047_examples(void)
{
	static const struct text_case cases[] = {
		{ BYTES("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>"),
		  "Keith Moore <moore@cs.utk.edu>" },
		{ BYTES("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?="),
		  "Keld J\xc3\xb8rn Simonsen" },
		{ BYTES("=?ISO-8859-1?Q?Andr=E9?= Pirard"), "Andr\xc3\xa9 Pirard" },
		{ BYTES("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
		    "    =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="),
		  "If you can read this you understand the example." },
		{ BYTES("(=?ISO-8859-1?Q?a?=)"), "(a)" },
		{ BYTES("(=?ISO-8859-1?Q?a?= b)"), "(a b)" },
		{ BYTES("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)"), "(ab)" },
		{ BYTES("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)"), "(ab)" },
		{ BYTES("(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)"), "(ab)" },
		{ BYTES("(=?ISO-8859-1?Q?a_b?=)"), "(a b)" },
		{ BYTES("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)"), "(a b)" },
	};

	CHECK_WORDS(cases);
}

static void
in_use(void)
{
	static const struct text_case cases[] = {
		{ BYTES(""), "" },
		{ BYTES(" plain \r\n text "), "plain  text" },
		{ BYTES("=?US-ASCII*EN?Q?Keith_Moore?="), "Keith Moore" },
		{ BYTES("x=?utf-8?Q?y?=z"), "xyz" },
		{ BYTES("=?utf-8?q?=E2=82?= =?utf-8?b?rA==?="), "\xe2\x82\xac" },
		{ BYTES("=?UTF-8?Q?two words?="), "two words" },
		{ BYTES("=?utf-8?Q?=XX=4?="), "=XX=4" },
		{ BYTES("=?utf-8?Q?" "?="), "" },
		{ BYTES("=?x-nonsense?Q?caf=E9?="), "caf\xc3\xa9" },
		{ BYTES("=?utf-8?Q?a=00b?="), "ab" },
		{ BYTES("=?iso-2022-jp?B?GyRCMnE1RBsoQg==?="),
		  "\xe4\xbc\x9a\xe8\xad\xb0" },
		{ BYTES("caf\xe9 \xc3\xa9"), "caf\xc3\xa9 \xc3\xa9" },
		{ BYTES("\x80"), "\xe2\x82\xac" },
		{ BYTES("a\0b"), "ab" },
		/* not encoded words */
		{ BYTES("=?utf-8?X?abc?="), "=?utf-8?X?abc?=" },
		{ BYTES("=?utf-8?Q?abc"), "=?utf-8?Q?abc" },
		{ BYTES("=??Q?abc?="), "=??Q?abc?=" },
		{ BYTES("=?utf 8?Q?abc?="), "=?utf 8?Q?abc?=" },
		{ BYTES("=?utf-8?Q?a?b?="), "=?utf-8?Q?a?b?=" },
		{ BYTES("=?=?utf-8?Q?a?="), "=?a" },
	};

	CHECK_WORDS(cases);
}

static void
charsets(void)
{
	static const struct { const char *name; struct bytes in; const char *out; } cases[] = {
		{ "utf-8", BYTES("\xc3\xa9\xff\xe2\x82"),
		  "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "UTF-8", BYTES("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "iso-8859-1", BYTES("\xe9\x80"), "\xc3\xa9\xe2\x82\xac" },
		{ "iso-8859-15", BYTES("\xa4"), "\xe2\x82\xac" },
		{ "koi8-r", BYTES("\xf4\xc5\xd3\xd4"),
		  "\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82" },
		{ "Shift_JIS", BYTES("\x89\xef\x8b\x63"), "\xe4\xbc\x9a\xe8\xad\xb0" },
		{ "gb2312", BYTES("\xbb\xe1\xd2\xe9"), "\xe4\xbc\x9a\xe8\xae\xae" },
		{ "utf-7", BYTES("a+AOk-b"), "a\xc3\xa9" "b" },
		{ "utf-16be", BYTES("\0a\x20\xac"), "a\xe2\x82\xac" },
		{ "iso-2022-jp", BYTES("\x1b$B2q5D\x1b(Bx"),
		  "\xe4\xbc\x9a\xe8\xad\xb0x" },
		{ "utf-8//TRANSLIT", BYTES("\xc3\xa9"), "\xc3\xa9" },
		{ "", BYTES("\xc3\xa9\xe9"), "\xc3\xa9\xc3\xa9" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t at = 0; at <= cases[i].in.n; at++) {
			struct buf b = BUF_INIT(1000);
			struct charset c;

			charset_begin(&c, bytes_of(cases[i].name));
			charset_push(&c, bytes_first(cases[i].in, at), &b);
			charset_push(&c, bytes_from(cases[i].in, at), &b);
			CHECK_EQ_INT(charset_end(&c, &b), 0);
			if (!CHECK_EQ_TEXT(buf_string(&b), cases[i].out))
				printf("#   %s cut at %zu\n", cases[i].name, at);
			buf_free(&b);
		}
}

static void
known_charsets(void)
{
	static const char *const known[] = {
		"utf-8", "US-ASCII", "ISO-8859-1", "iso-8859-7", "Big5", "x-sjis",
	};
	static const char *const unknown[] = {
		"", "x-nonsense", "utf-8//IGNORE", "../x", "utf-8 ", "a\nb",
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		CHECK(charset_known(bytes_of(known[i])));
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		CHECK(!charset_known(bytes_of(unknown[i])));
}

static const struct {
	enum mime_encoding encoding;
	const char *in, *out;
	bool bad;
} encoded[] = {
	{ ENCODING_BASE64, "", "", false },
	{ ENCODING_BASE64, "Zg==", "f", false },
	{ ENCODING_BASE64, "Zm8=", "fo", false },
	{ ENCODING_BASE64, "Zm9v", "foo", false },
	{ ENCODING_BASE64, "Zm9v\r\nYmE=\r\n", "fooba", false },
	{ ENCODING_BASE64, "Zm9", "fo", true },
	{ ENCODING_BASE64, "Z", "", true },
	{ ENCODING_BASE64, "Zm9v!Zg==", "foof", true },
	{ ENCODING_BASE64, "Zg==Zg==", "ff", true },
	{ ENCODING_BASE64, "====", "", true },
	{ ENCODING_QUOTED_PRINTABLE, "a=3Db", "a=b", false },
	{ ENCODING_QUOTED_PRINTABLE, "a=c3=A9b", "a\xc3\xa9" "b", false },
	{ ENCODING_QUOTED_PRINTABLE, "soft=\nbreak=\r\n!", "softbreak!", false },
	{ ENCODING_QUOTED_PRINTABLE, "soft= \t\r\n!", "soft!", false },
	{ ENCODING_QUOTED_PRINTABLE, "tail \t\nx \r\ny ", "tail\nx\r\ny", false },
	{ ENCODING_QUOTED_PRINTABLE, "kept =20\n", "kept  \n", false },
	{ ENCODING_QUOTED_PRINTABLE, "ends=", "ends", false },
	{ ENCODING_QUOTED_PRINTABLE, "a=XYb", "a=XYb", true },
	{ ENCODING_QUOTED_PRINTABLE, "a=4Yb", "a=4Yb", true },
	{ ENCODING_QUOTED_PRINTABLE, "a=4", "a=4", true },
	{ ENCODING_QUOTED_PRINTABLE, "a= b", "a= b", true },
	{ ENCODING_QUOTED_PRINTABLE, "a==3D", "a==", true },
	{ ENCODING_8BIT, "\xe9=20\n", "\xe9=20\n", false },
	{ ENCODING_UNKNOWN, "as is", "as is", true },
};

static void
check_encoded(size_t i, size_t at, bool strict)
{
	struct bytes in = bytes_of(encoded[i].in);
	struct buf b = BUF_INIT(1000);
	struct decoder d;
	int rc, good;

	decoder_begin(&d, encoded[i].encoding, strict);
	CHECK_EQ_INT(decoder_push(&d, bytes_first(in, at), &b), 0);
	CHECK_EQ_INT(decoder_push(&d, bytes_from(in, at), &b), 0);
	rc = decoder_end(&d, &b);
	good = CHECK_EQ_INT(rc, strict && encoded[i].bad ? -1 : 0);
	good += CHECK(rc == 0 || errno == EILSEQ);
	good += CHECK_EQ_TEXT(buf_string(&b), encoded[i].out);
	if (good != 3)
		printf("#   %s cut at %zu\n", encoded[i].in, at);
	buf_free(&b);
}

static void
encodings(void)
{
	for (size_t i = 0; i < sizeof encoded / sizeof encoded[0]; i++)
		for (size_t at = 0; at <= strlen(encoded[i].in); at++) {
			check_encoded(i, at, false);
			check_encoded(i, at, true);
		}
	CHECK_EQ_INT(encoding_named(BYTES("Base64")), ENCODING_BASE64);
	CHECK_EQ_INT(encoding_named(BYTES("")), ENCODING_7BIT);
	CHECK_EQ_INT(encoding_named(BYTES("uuencode")), ENCODING_UNKNOWN);
}

static int
decode_in_pieces(struct bytes in, size_t piece, struct buf *out)
{
	struct decoder d;

	buf_clear(out);
	decoder_begin(&d, ENCODING_QUOTED_PRINTABLE, false);
	for (; in.n > 0; in = bytes_from(in, piece))
		if (decoder_push(&d, bytes_first(in, piece), out) != 0)
			return -1;
	return decoder_end(&d, out);
}

/* Byte by byte nothing is whole: both ways give the same, blanks and all. */
static void
quoted_printable_in_any_pieces(void)
{
	struct buf whole = BUF_INIT(1000), cut = BUF_INIT(1000);
	unsigned char in[400];

	for (unsigned seed = 1; seed <= 3000; seed++) {
		size_t n = seed % sizeof in;
		unsigned next = seed;

		/* Of every third text most is white space: more than is held. */
		for (size_t i = 0; i < n; i++, next = next * 1103515245 + 12345)
			in[i] = (unsigned char)(seed % 3 == 0 && next >> 28 > 0
			    ? " \t"[next >> 20 & 1]
			    : " \t\r\n=0aDxy==zz\xe9!"[next >> 16 & 15]);
		CHECK_EQ_INT(decode_in_pieces(bytes_make(in, n), n + 1, &whole), 0);
		for (size_t piece = 1; piece < 40; piece += 1 + piece / 3) {
			CHECK_EQ_INT(decode_in_pieces(bytes_make(in, n), piece, &cut), 0);
			if (!CHECK_EQ_BYTES(buf_contents(&cut), buf_contents(&whole)))
				printf("#   seed %u in pieces of %zu\n", seed, piece);
		}
	}
	buf_free(&whole);
	buf_free(&cut);
}

/* Each character folded with others around it, and again from what is kept. */
static void
folding_in_company(void)
{
	static const uint32_t codes[] = { 'a', 0xdf, 0xe9, 0x130, 0x416, 0x436, 0x1f80,
	    0x212a, 0x3307, 0x4e2d, 0xac00, 0xfdfa, 0x1d400, 0x416 + 512, 0x436 + 1024 };
	struct buf text = BUF_INIT(10000), one = BUF_INIT(1000);
	struct buf all = BUF_INIT(10000), want = BUF_INIT(10000);

	for (unsigned seed = 1; seed < 500; seed++) {
		unsigned next = seed;

		buf_clear(&text);
		buf_clear(&all);
		buf_clear(&want);
		for (unsigned i = 0; i < seed % 40; i++, next = next * 1103515245 + 12345) {
			buf_clear(&one);
			utf8_put(&one, codes[(next >> 16) % (sizeof codes / sizeof codes[0])]);
			buf_bytes(&text, buf_contents(&one));
			CHECK_EQ_INT(fold_text(buf_contents(&one), &want), 0);
		}
		CHECK_EQ_INT(fold_text(buf_contents(&text), &all), 0);
		CHECK_EQ_BYTES(buf_contents(&all), buf_contents(&want));
	}
	buf_free(&text);
	buf_free(&one);
	buf_free(&all);
	buf_free(&want);
}

/* More character sets than are kept, again and again. */
static void
conversions_kept(void)
{
	static const char *const names[] = { "koi8-r", "iso-8859-2", "iso-8859-5",
	    "iso-8859-7", "iso-8859-15", "windows-1250", "windows-1251",
	    "windows-1253", "windows-1254", "big5", "euc-jp", "iso-2022-jp" };
	struct buf out = BUF_INIT(100);

	for (unsigned i = 0; i < 200; i++) {
		const char *name = names[i * 7 % (sizeof names / sizeof names[0])];

		buf_clear(&out);
		CHECK_EQ_INT(charset_convert(bytes_of(name), BYTES("a\r\n"), &out), 0);
		CHECK_EQ_BYTES(buf_contents(&out), BYTES("a\r\n"));
		if (i % 50 == 0)
			charset_shrink();
	}
	/* A shift that one text ends in is not the next one's. */
	buf_clear(&out);
	CHECK_EQ_INT(charset_convert(BYTES("iso-2022-jp"), BYTES("\033$B"), &out), 0);
	buf_clear(&out);
	CHECK_EQ_INT(charset_convert(BYTES("iso-2022-jp"), BYTES("0!"), &out), 0);
	CHECK_EQ_BYTES(buf_contents(&out), BYTES("0!"));
	charset_shrink();
	buf_free(&out);
}

TEST_MAIN(TEST(rfc2047_examples), TEST(in_use), TEST(charsets),
    TEST(known_charsets), TEST(encodings), TEST(quoted_printable_in_any_pieces),
    TEST(folding_in_company), TEST(conversions_kept))
