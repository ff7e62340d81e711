/*
 * Messages with bearer tokens: the examples of RFC 7628 and of Google, and what
 * is none of them.
 */
#include "../../src/verify/bearer.h"
#include "test.h"

struct row {
	const char *text;		/* ^ is %x01 */
	const char *name, *token;	/* token NULL: refused */
};

/* text with %x01; in b, which is large enough. */
static struct bytes
message(const char *text, char *b)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		b[i] = text[i] == '^' ? 1 : text[i];
	return bytes_make(b, n);
}

static void
check(const struct row *r, size_t n, bool xoauth2)
{
	char text[1024];
	struct bearer b;

	for (; n > 0; n--, r++) {
		int got = bearer_parse(message(r->text, text), xoauth2, &b);
		bool good = CHECK_EQ_INT(got, r->token == NULL ? -1 : 0);

		if (good && got == 0)
			good = CHECK_EQ_TEXT(b.name, r->name)
			    && CHECK_EQ_BYTES(b.token, bytes_of(r->token));
		if (!good)
			printf("# %s\n", r->text);
	}
}

#define T "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="

static void
oauthbearer(void)
{
	static const struct row rows[] = {
		{ "n,a=user@example.com,^host=server.example.com^port=143^"
		    "auth=Bearer " T "^^", "user@example.com", T },
		{ "n,a=user@example.com,^host=server.example.com^port=143^auth=^^",
		    "user@example.com", "" },
		{ "n,,^auth=Bearer " T "^^", "", T },
		{ "y,,^auth=bEaReR  " T "^^", "", T },
		{ "n,a=a=2Cb=3Dc,^auth=Bearer x^^", "a,b=c", "x" },
		{ "n,a=\xc3\xa4,^auth=Bearer x^^", "\xc3\xa4", "x" },
		{ "n,,^unknown=a b^auth=Bearer x^mthd=^^", "", "x" },
		{ "n,,^auth=Bearer a=b^^", "", "a=b" },
		{ "^", "", NULL }, { "", "", NULL }, { "^^", "", NULL },
		{ "n,,", "", NULL }, { "n,,^", "", NULL }, { "n,,^^", "", NULL },
		{ "n,^auth=Bearer x^^", "", NULL },
		{ "n^auth=Bearer x^^", "", NULL },
		{ "x,,^auth=Bearer x^^", "", NULL },
		{ "p=tls-exporter,,^auth=Bearer x^^", "", NULL },
		{ "F,n,,^auth=Bearer x^^", "", NULL },
		{ "n,a=,^auth=Bearer x^^", "", NULL },
		{ "n,a=a=2cb,^auth=Bearer x^^", "", NULL },
		{ "n,a=a=,^auth=Bearer x^^", "", NULL },
		{ "n,a=a=2,^auth=Bearer x^^", "", NULL },
		{ "n,a=a,b,^auth=Bearer x^^", "", NULL },
		{ "n,user=ann,^auth=Bearer x^^", "", NULL },
		{ "n,a=\xff,^auth=Bearer x^^", "", NULL },
		{ "n,,^auth=Bearer x^", "", NULL },
		{ "n,,^auth=Bearer x", "", NULL },
		{ "n,,^auth=Bearer x^^^", "", NULL },
		{ "n,,^auth=Bearer x^^more", "", NULL },
		{ "n,,^auth=Bearer x^auth=Bearer y^^", "", NULL },
		{ "n,,^auth=Bearer ^^", "", NULL },
		{ "n,,^auth=Bearer^^", "", NULL },
		{ "n,,^auth=Basic x^^", "", NULL },
		{ "n,,^host=x^^", "", NULL },
		{ "n,,^auth^^", "", NULL },
		{ "n,,^=x^auth=Bearer x^^", "", NULL },
		{ "n,,^a1=x^auth=Bearer x^^", "", NULL },
		{ "n,,^x=\x02^auth=Bearer x^^", "", NULL },
		{ "n,,^x=\x7f^auth=Bearer x^^", "", NULL },
	};

	check(rows, sizeof rows / sizeof rows[0], false);
}

static void
xoauth2(void)
{
	static const struct row rows[] = {
		{ "user=someuser@example.com^auth=Bearer " T "^^",
		    "someuser@example.com", T },
		{ "user=a=b,c^auth=Bearer x^^", "a=b,c", "x" },
		{ "auth=Bearer x^user=ann^^", "ann", "x" },
		{ "user=ann^auth=^^", "ann", "" },
		{ "auth=Bearer x^^", "", NULL },
		{ "user=^auth=Bearer x^^", "", NULL },
		{ "user=a^user=b^auth=Bearer x^^", "", NULL },
		{ "user=\xff^auth=Bearer x^^", "", NULL },
		{ "n,a=ann,^auth=Bearer x^^", "", NULL },
		{ "user=ann^auth=Bearer x^", "", NULL },
		{ "", "", NULL }, { "^", "", NULL },
	};

	check(rows, sizeof rows / sizeof rows[0], true);
}

/* 255 bytes are a name, 256 are none; a NUL is in none. */
static void
names(void)
{
	char text[600], name[300];
	struct bearer b;

	for (size_t n = 255; n <= 256; n++)
		for (int xoauth2 = 0; xoauth2 < 2; xoauth2++) {
			int size;

			memset(name, 'x', n);
			name[n] = '\0';
			size = snprintf(text, sizeof text,
			    xoauth2 ? "user=%s\1auth=Bearer x\1\1"
			    : "n,a=%s,\1auth=Bearer x\1\1", name);
			CHECK_EQ_INT(bearer_parse(bytes_make(text, (size_t)size),
			    xoauth2, &b), n == 255 ? 0 : -1);
		}
	CHECK_EQ_INT(bearer_parse(BYTES("user=a\0b\1auth=Bearer x\1\1"), true, &b),
	    -1);
	CHECK_EQ_INT(bearer_parse(BYTES("n,a=a\0b,\1auth=Bearer x\1\1"), false, &b),
	    -1);
}

TEST_MAIN(TEST(oauthbearer), TEST(xoauth2), TEST(names))
