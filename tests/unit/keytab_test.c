/*
 * Which account a Kerberos principal has, and which keys of a keytab are ours.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../../src/verify/gss.h"
#include "log.h"
#include "test.h"

static krb5_context k;

static bool
begin(void)
{
	log_level(LOG_EMERG);
	return k != NULL || CHECK_EQ_INT(krb5_init_context(&k), 0);
}

static void
accounts(void)
{
	static const struct {
		const char *client, *server, *name;	/* NULL: none */
	} rows[] = {
		{ "ann@EXAMPLE.ORG", "imap/host@EXAMPLE.ORG", "ann" },
		{ "\xc3\xa4nn@R", "imap/host@R", "\xc3\xa4nn" },
		{ "a b@R", "imap/host@R", "a b" },
		{ "ann\\@x@R", "imap/host@R", NULL },
		{ "ann\\/x@R", "imap/host@R", NULL },
		{ "x\\\\ann@R", "imap/host@R", NULL },
		{ "ann@EXAMPLE.ORG", "imap/host@OTHER.ORG", NULL },
		{ "ann@example.org", "imap/host@EXAMPLE.ORG", NULL },
		{ "ann/admin@R", "imap/host@R", NULL },
		{ "ann/@R", "imap/host@R", NULL },
		{ "/ann@R", "imap/host@R", NULL },
		{ "@R", "imap/host@R", NULL },
		{ "ann@", "imap/host@R", NULL },
		{ "ann", "imap/host@R", NULL },
		{ "ann@R@R", "imap/host@R", NULL },
		{ "ann@R", "imap/host", NULL },
		{ "", "imap/host@R", NULL },
		{ "a\\nb@R", "imap/host@R", NULL },
		{ "a\\0b@R", "imap/host@R", NULL },
		{ "\xff@R", "imap/host@R", NULL },
		{ "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", "imap/host@R", NULL },
	};
	char name[CHAN_TEXT_MAX + 1];

	if (!begin())
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = keytab_account(k, bytes_of(rows[i].client),
		    bytes_of(rows[i].server), name);

		if (!CHECK_EQ_INT(why == NULL, rows[i].name != NULL)
		    || (why == NULL && !CHECK_EQ_TEXT(name, rows[i].name)))
			printf("# %s: %s\n", rows[i].client, why == NULL ? name : why);
	}
	CHECK(keytab_account(k, BYTES("a\0b@R"), BYTES("imap/h@R"), name) != NULL);
}

/* 255 bytes are a name, 256 are none; nor is anything over the parser's limit. */
static void
long_names(void)
{
	static const size_t lengths[] = { 255, 256, 1022, 1023, 100000 };
	char name[CHAN_TEXT_MAX + 1];

	if (!begin())
		return;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		char *text = malloc(lengths[i] + 3);

		memset(text, 'x', lengths[i]);
		memcpy(text + lengths[i], "@R", 3);
		CHECK_EQ_INT(keytab_account(k, bytes_of(text), BYTES("imap/h@R"), name)
		    == NULL, i == 0);
		free(text);
	}
}

static void
add(krb5_keytab to, const char *principal)
{
	krb5_keytab_entry e = { .vno = 1, .key = { .enctype
	    = ENCTYPE_AES128_CTS_HMAC_SHA1_96, .length = 16,
	    .contents = (krb5_octet[16]){ 1 } } };

	CHECK_EQ_INT(krb5_parse_name(k, principal, &e.principal), 0);
	CHECK_EQ_INT(krb5_kt_add_entry(k, to, &e), 0);
	krb5_free_principal(k, e.principal);
}

/* How many keys of that principal are in memory. */
static int
count(const char *principal)
{
	krb5_keytab_entry e;
	krb5_keytab kt;
	krb5_kt_cursor cursor;
	krb5_principal p;
	int n = 0;

	CHECK_EQ_INT(krb5_kt_resolve(k, KEYTAB_MEMORY, &kt), 0);
	CHECK_EQ_INT(krb5_parse_name(k, principal, &p), 0);
	CHECK_EQ_INT(krb5_kt_start_seq_get(k, kt, &cursor), 0);
	while (krb5_kt_next_entry(k, kt, &e, &cursor) == 0) {
		n += krb5_principal_compare(k, p, e.principal) != 0;
		krb5_free_keytab_entry_contents(k, &e);
	}
	krb5_kt_end_seq_get(k, kt, &cursor);
	krb5_free_principal(k, p);
	krb5_kt_close(k, kt);
	return n;
}

static void
only_keys_of_the_service(void)
{
	char path[] = "/tmp/keytab_test.XXXXXX", name[64];
	krb5_keytab kt;

	if (!begin() || !CHECK(mkdtemp(path) != NULL))
		return;
	snprintf(name, sizeof name, "FILE:%s/keytab", path);
	CHECK_EQ_INT(krb5_kt_resolve(k, name, &kt), 0);
	add(kt, "host/one@R");
	add(kt, "pop/one@R");
	CHECK_EQ_INT(keytab_load(k, name + strlen("FILE:"), "imap"), -1);
	add(kt, "imap/one@R");
	add(kt, "imap/two@OTHER");
	add(kt, "imap@R");
	add(kt, "imap/one/x@R");
	add(kt, "IMAP/one@R");
	add(kt, "imapx/one@R");
	CHECK_EQ_INT(keytab_load(k, name + strlen("FILE:"), "imap"), 0);
	CHECK_EQ_INT(count("imap/one@R"), 1);
	CHECK_EQ_INT(count("imap/two@OTHER"), 1);
	CHECK_EQ_INT(count("imap@R") + count("imap/one/x@R") + count("IMAP/one@R")
	    + count("imapx/one@R") + count("host/one@R") + count("pop/one@R"), 0);
	CHECK_EQ_INT(keytab_load(k, "/nonexistent/keytab", "imap"), -1);
	krb5_kt_close(k, kt);
	CHECK_EQ_INT(unlink(name + strlen("FILE:")), 0);
	CHECK_EQ_INT(rmdir(path), 0);
}

TEST_MAIN(TEST(accounts), TEST(long_names), TEST(only_keys_of_the_service))
