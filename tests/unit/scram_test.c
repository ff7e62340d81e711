/*
 * The client's messages of SCRAM, by the examples of RFC 5802 and 7677 and by what
 * their grammar forbids.
 * Runs as: the person who builds.
 */
#include <errno.h>

#include "scram.h"
#include "test.h"

static unsigned char room[256];

static void
first_messages(void)
{
	static const struct {
		const char *message, *header, *binding, *authzid, *user, *nonce;
		char flag;
	} rows[] = {
		{ "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "n,,", "", "", "user",
		    "fyko+d2lbbFgONRv9qkxdawL", 'n' },
		{ "y,,n=user,r=rOprNGfwEbeRWgbNEkqO", "y,,", "", "", "user",
		    "rOprNGfwEbeRWgbNEkqO", 'y' },
		{ "p=tls-exporter,,n=u,r=!~", "p=tls-exporter,,", "tls-exporter", "",
		    "u", "!~", 'p' },
		{ "n,a=a=2Cb=3D,n==3Dx=2C,r=1", "n,a=a=2Cb=3D,", "", "a,b=", "=x,",
		    "1", 'n' },
		{ "n,,n=u,r=1,x=y,z=a=b", "n,,", "", "", "u", "1", 'n' },
	};
	struct scram_first f;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes m = bytes_of(rows[i].message);

		if (!CHECK_EQ_INT(scram_first(m, room, &f), 0))
			continue;
		CHECK_EQ_INT(f.flag, rows[i].flag);
		CHECK_EQ_BYTES(f.header, bytes_of(rows[i].header));
		CHECK_EQ_BYTES(f.binding, bytes_of(rows[i].binding));
		CHECK_EQ_BYTES(f.authzid, bytes_of(rows[i].authzid));
		CHECK_EQ_BYTES(f.user, bytes_of(rows[i].user));
		CHECK_EQ_BYTES(f.nonce, bytes_of(rows[i].nonce));
		CHECK_EQ_INT(f.header.n + f.bare.n, m.n);
	}
}

static void
first_messages_that_are_none(void)
{
	static const char *const bad[] = {
		"", "n", "n,", "n,,", ",,n=u,r=1", "nn,,n=u,r=1", "x,,n=u,r=1",
		"p,,n=u,r=1", "p=,,n=u,r=1", "pp=x,,n=u,r=1", "y=x,,n=u,r=1",
		"n,a=,n=u,r=1", "n,a=b", "n,b=b,n=u,r=1", "n,ab,n=u,r=1",
		"n,,n=,r=1", "n,,u,r=1", "n,,n=u", "n,,n=u,r=", "n,,n=u,r",
		"n,,r=1,n=u", "n,,n=u,r=a b", "n,,n=u,r=\x7f", "n,,n=u,r=\xc3\xa4",
		"n,,n=u=,r=1", "n,,n=u=2,r=1", "n,,n=u=2D,r=1", "n,,n=u=00,r=1",
		"n,,n=u,r=1,x", "n,,n=u,r=1,x=", "n,,n=u,r=1,=x", "n,,n=u,r=1,1=x",
		"n,,n=u,r=1,,x=y", "n,,n=u,r=1,",
	};
	struct scram_first f;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		errno = 0;
		if (!CHECK_EQ_INT(scram_first(bytes_of(bad[i]), room, &f), -1)
		    || !CHECK_EQ_INT(errno, EINVAL))
			printf("# %s\n", bad[i]);
	}
	CHECK_EQ_INT(scram_first(BYTES("n,,n=a\0b,r=1"), room, &f), -1);
	CHECK_EQ_INT(scram_first(BYTES("n,,m=x,n=u,r=1"), room, &f), -1);
	CHECK_EQ_INT(errno, ENOTSUP);
}

static void
final_messages(void)
{
	static const char message[] = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
	struct scram_final f;

	CHECK_EQ_INT(scram_final(bytes_of(message), &f), 0);
	CHECK_EQ_BYTES(f.binding, BYTES("biws"));
	CHECK_EQ_BYTES(f.nonce, BYTES("fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"));
	CHECK_EQ_BYTES(f.proof, BYTES("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
	CHECK_EQ_BYTES(f.behind, BYTES(","
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"));
	CHECK_EQ_INT(scram_final(BYTES("c=x,r=1,y=z,p=q"), &f), 0);
	CHECK_EQ_BYTES(f.behind, BYTES(",r=1,y=z"));
}

static void
final_messages_that_are_none(void)
{
	static const char *const bad[] = {
		"", "p=x", ",p=x", "c=x,p=x", "r=1,p=x", "c=x,r=1", "c=x,r=1,",
		"c=x,r=1,p", "c=x,r=1,q=x", "c=x,r=,p=x", "c,r=1,p=x", "r=1,c=x,p=x",
		"c=x,r=1,p=x,y=z", "c=x,r=a b,p=x", "c=x,r=1,y,p=x", "c=x,r=1,,p=x",
		"c=x,r=1,p=x,",
	};
	struct scram_final f;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		errno = 0;
		if (!CHECK_EQ_INT(scram_final(bytes_of(bad[i]), &f), -1)
		    || !CHECK_EQ_INT(errno, EINVAL))
			printf("# %s\n", bad[i]);
	}
}

TEST_MAIN(TEST(first_messages), TEST(first_messages_that_are_none),
    TEST(final_messages), TEST(final_messages_that_are_none))
