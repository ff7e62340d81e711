/*
 * App passwords: the lines of the file, what is let in, what is not.
 * Runs as: the person who builds.
 */
#include <stdio.h>

#include "apppass.h"
#include "test.h"

#define SECRET "abcd-efgh-ijkm-npqr-stuv-wxyz"
/* printf 0123456789abcdef0123456789abcdefabcdefghijkmnpqrstuvwxyz | sha256sum */
#define KEY "0123456789abcdef0123456789abcdef$" \
	"312e4f54aa29f19f5f70164968468c604f9c31d04e14f723235e96fda26ad6dc"

static const char *
made_key(char shown[APPPASS_SHOWN])
{
	static char key[APPPASS_KEY + 1];

	apppass_make(shown, key);
	return key;
}

static bool
match(const char *text, const char *secret, unsigned service,
    struct netaddr from, const char *today)
{
	struct apppass_try t = { .secret = bytes_of(secret), .service = service,
	    .from = &from };
	struct apppass a;

	snprintf(t.today, sizeof t.today, "%s", today);
	return apppass_match(bytes_of(text), &t, &a);
}

static const struct netaddr here = { AF_INET, { 192, 0, 2, 7 }, 1 };

static void
made_secret_matches_in_any_form(void)
{
	char shown[APPPASS_SHOWN], text[512], secret[64];
	const char *key = made_key(shown);

	CHECK_EQ_INT(strlen(shown), 29);
	CHECK_EQ_INT(strlen(key), APPPASS_KEY);
	snprintf(text, sizeof text, "phone imap,pop3 - - %s -\n", key);
	CHECK(match(text, shown, APPPASS_IMAP, here, "2026-11-28"));
	CHECK(match(text, shown, APPPASS_POP3, here, "2026-11-28"));
	for (size_t i = 0, n = 0; i <= strlen(shown); i++)
		if (shown[i] != '-')
			secret[n++] = (char)ascii_upper((unsigned char)shown[i]);
	CHECK(match(text, secret, APPPASS_IMAP, here, "2026-11-28"));
	shown[3] = shown[3] == 'a' ? 'b' : 'a';
	CHECK(!match(text, shown, APPPASS_IMAP, here, "2026-11-28"));
	secret[23] = '\0';
	CHECK(!match(text, secret, APPPASS_IMAP, here, "2026-11-28"));
	CHECK(!match(text, "", APPPASS_IMAP, here, "2026-11-28"));
}

static void
two_are_never_the_same(void)
{
	char a[APPPASS_SHOWN], b[APPPASS_SHOWN], key[APPPASS_KEY + 1];

	snprintf(key, sizeof key, "%s", made_key(a));
	CHECK(strcmp(key, made_key(b)) != 0);
	CHECK(strcmp(a, b) != 0);
}

static void
limits_are_kept(void)
{
	static const struct {
		const char *fields;	/* services networks until */
		unsigned service;
		const char *today;
		bool good;
	} rows[] = {
		{ "imap - -", APPPASS_IMAP, "2026-11-28", true },
		{ "imap - -", APPPASS_POP3, "2026-11-28", false },
		{ "pop3 - -", APPPASS_POP3, "2026-11-28", true },
		{ "imap 192.0.2.0/24 -", APPPASS_IMAP, "2026-11-28", true },
		{ "imap 192.0.2.8 -", APPPASS_IMAP, "2026-11-28", false },
		{ "imap 2001:db8::/32,192.0.2.7 -", APPPASS_IMAP, "2026-11-28", true },
		{ "imap - 2026-11-28", APPPASS_IMAP, "2026-11-28", true },
		{ "imap - 2026-11-28", APPPASS_IMAP, "2026-11-29", false },
		{ "imap - 2026-12-01", APPPASS_IMAP, "2026-11-30", true },
		{ "imap - 2026-12-31", APPPASS_IMAP, "2027-01-01", false },
	};
	char shown[APPPASS_SHOWN], text[512];
	const char *key = made_key(shown);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "# comment\nbroken line\n"
		    "x %s %s -\n", rows[i].fields, key);
		if (!CHECK_EQ_INT(match(text, shown, rows[i].service,
		    here, rows[i].today), rows[i].good))
			printf("# row %zu\n", i);
	}
}

static void
mistakes_are_no_lines(void)
{
	static const char *const bad[] = {
		"phone", "phone imap - -", "phone imap - - x -",
		" imap - - " KEY " -", "-x imap - - " KEY " -",
		"main-password imap - - " KEY " -",
		"a/b imap - - " KEY " -", "phone smtp - - " KEY " -",
		"phone pop3,imap - - " KEY " -", "phone imap  - " KEY " -",
		"phone imap 192.0.2.0/33 - " KEY " -",
		"phone imap - 2026-02-29 " KEY " -", "phone imap - never " KEY " -",
		"phone imap - 26-02-02 " KEY " -",
		"phone imap - - 0" KEY " -",
		"abcdefghijklmnopqrstuvwxyz0123456 imap - - " KEY " -",
	};
	struct apppass a;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct bytes text = bytes_of(bad[i]);

		if (!CHECK_EQ_INT(apppass_next(&text, &a), -1))
			printf("# %s\n", bad[i]);
	}
}

static void
good_lines_are_taken_apart(void)
{
	struct bytes text = BYTES("# x\n\nmain-password no\n"
	    "abcdefghijklmnopqrstuvwxyz012345 imap,pop3 10.0.0.0/8 2028-02-29 "
	    KEY " then here it\nb. imap - - " KEY "\n");
	struct apppass a;

	CHECK(apppass_main_barred(text));
	CHECK_EQ_INT(apppass_next(&text, &a), 1);
	CHECK_EQ_INT(a.name.n, APPPASS_NAME_MAX);
	CHECK_EQ_INT(a.services, APPPASS_IMAP | APPPASS_POP3);
	CHECK_EQ_BYTES(a.networks, BYTES("10.0.0.0/8"));
	CHECK_EQ_BYTES(a.until, BYTES("2028-02-29"));
	CHECK_EQ_BYTES(a.used, BYTES("then here it"));
	CHECK_EQ_INT(apppass_next(&text, &a), 1);
	CHECK_EQ_BYTES(a.used, BYTES(""));
	CHECK_EQ_INT(apppass_next(&text, &a), 0);
	CHECK(!apppass_main_barred(BYTES("main-password yes\nmain-password\n"
	    "#main-password no\n")));
}

static void
last_use_has_a_fixed_width(void)
{
	static const struct netaddr six = { AF_INET6, { 0x20, 1, 0xd, 0xb8,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	    1 };
	char used[APPPASS_USED + 1], client[200];

	memset(client, 'x', sizeof client - 1);
	client[sizeof client - 1] = '\0';
	apppass_used(used, 1795867200, &six, client);
	CHECK_EQ_INT(strlen(used), APPPASS_USED);
	CHECK_EQ_BYTES(bytes_first(bytes_of(used), 21),
	    BYTES("2026-11-28T12:00:00Z "));
	apppass_used(used, 0, NULL, "-");
	CHECK_EQ_INT(strlen(used), APPPASS_USED);
	CHECK_EQ_INT(used[0], '-');
	CHECK(bytes_find(bytes_of(used), '\n') < 0);
}

TEST_MAIN(TEST(made_secret_matches_in_any_form), TEST(two_are_never_the_same),
    TEST(limits_are_kept), TEST(mistakes_are_no_lines),
    TEST(good_lines_are_taken_apart), TEST(last_use_has_a_fixed_width))
