/*
 * Notes of other servers: what real ones wrote, and what nobody should.
 * Runs as: the person who builds.
 */
#include "../../src/store/foreign.h"
#include "test.h"

static void
dovecot_list(void)
{
	struct foreign f = { 0 };
	struct foreign_message *m;

	CHECK_EQ_INT(foreign_uidlist(BYTES("3 V1275660208 N25022 G3085f01b7f11\n"
	    "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n"
	    "25017 W2481 POld-Id :1276533073.M242911P3632.kurkku:2,F\n"
	    "x :bad\n0 :bad\n25018\n25030 :last,U=5.6:2,S\n"), &f), 0);
	CHECK_EQ_INT(f.uidvalidity, 1275660208);
	CHECK_EQ_INT(f.uid_next, 25031);
	CHECK_EQ_INT(f.n, 3);
	m = foreign_find(&f, BYTES("1276533073.M242911P3632.kurkku"));
	if (CHECK(m != NULL)) {
		CHECK_EQ_INT(m->uid, 25017);
		CHECK_EQ_TEXT(m->uidl, "Old-Id");
	}
	m = foreign_find(&f, BYTES("1276528487.M364837P9451.kurkku,S=1355,W=1394"));
	CHECK(m != NULL && m->uid == 25006 && m->uidl == NULL);
	CHECK(foreign_find(&f, BYTES("last")) != NULL);
	foreign_dovecot_keywords(BYTES("0 $Forwarded\n2 work\n26 much\nx y\n"), &f);
	CHECK_EQ_TEXT(f.keyword[0], "$Forwarded");
	CHECK(f.keyword[1] == NULL);
	CHECK_EQ_TEXT(f.keyword[2], "work");
	CHECK(f.keyword[26] == NULL);
	foreign_free(&f);
}

static void
first_version_is_courier_too(void)
{
	struct foreign f = { 0 };

	CHECK_EQ_INT(foreign_uidlist(BYTES("1 795233910 5\n1 a.b.host\n"
	    "2 c.d.host\n4 c.d.host\n4 e\n"), &f), 0);
	CHECK_EQ_INT(f.uidvalidity, 795233910);
	CHECK_EQ_INT(f.uid_next, 5);
	CHECK_EQ_INT(f.n, 2);
	CHECK_EQ_INT(foreign_find(&f, BYTES("c.d.host"))->uid, 4);
	foreign_free(&f);
}

static void
bad_headers(void)
{
	static const char *const bad[] = { "", "2 1 2\n", "3 N5\n", "3 V0 N5\n",
	    "1 0 5\n", "1 4294967296 5\n", "rubbish\n" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct foreign f = { 0 };

		CHECK_EQ_INT(foreign_uidlist(bytes_of(bad[i]), &f), -1);
		foreign_free(&f);
	}
}

static void
courier_keywords(void)
{
	struct foreign f = { 0 };
	struct foreign_message *m;
	struct bytes key;
	uint64_t tick;

	CHECK_EQ_INT(foreign_uidlist(BYTES("1 9 5\n1 a:x\n2 b\n"), &f), 0);
	foreign_courier_keywords(BYTES("work\n$Forwarded\nother\n\n"
	    "a:1 0\nb:2 77\nc:1\nno\n"), &f);
	m = foreign_find(&f, BYTES("a"));
	CHECK(m != NULL && m->keywords.bits[0] == 3);
	m = foreign_find(&f, BYTES("b"));
	CHECK(m != NULL && m->keywords.bits[0] == 4);
	CHECK(foreign_courier_update(BYTES(".5984114.b"), &tick, &key));
	CHECK_EQ_INT(tick, 5984114);
	CHECK_EQ_BYTES(key, BYTES("b"));
	CHECK(!foreign_courier_update(BYTES(":list"), &tick, &key));
	CHECK(!foreign_courier_update(BYTES("."), &tick, &key));
	foreign_courier_message(BYTES("work\nmore\n"), &f, m);
	CHECK_EQ_INT(m->keywords.bits[0], 1 | 8);
	CHECK_EQ_TEXT(f.keyword[3], "more");
	foreign_free(&f);
}

static void
courier_sizes(void)
{
	struct foreign f = { 0 };

	CHECK_EQ_INT(foreign_uidlist(BYTES("1 9 5\n1 a\n2 b\n"), &f), 0);
	CHECK_EQ_INT(foreign_courier_sizes(BYTES("/3 4 795233914\n"
	    "a:2,S 53 1:795233914:0\nb:2, 53 7:0:0\nc +d:2, 5 0:0\nrest\n"), &f), 0);
	CHECK_EQ_INT(f.n, 3);
	CHECK_EQ_TEXT(foreign_find(&f, BYTES("a"))->uidl, "UID1-795233914");
	CHECK_EQ_TEXT(foreign_find(&f, BYTES("b"))->uidl, "UID7");
	CHECK_EQ_TEXT(foreign_find(&f, BYTES("c +d"))->uidl, "c+20+2Bd");
	CHECK_EQ_INT(foreign_find(&f, BYTES("c +d"))->uid, 0);
	foreign_free(&f);
}

static int
join(void *arg, struct bytes name)
{
	buf_bytes(arg, name);
	return buf_byte(arg, ';');
}

static void
subscriptions(void)
{
	struct buf got = BUF_INIT(1000);

	foreign_dovecot_subscriptions(BYTES("INBOX\nWork.2026\nEntw&APw-rfe\n"
	    "..\n"), join, &got);
	foreign_dovecot_subscriptions(BYTES("V\t2\n\nINBOX\nWork\t2026\nA.b\n"),
	    join, &got);
	foreign_courier_subscriptions(BYTES("INBOX\nINBOX.Entw\303\274rfe.a\n"
	    "INBOX.Entw&APw-rfe\nelsewhere\n"), join, &got);
	CHECK_EQ_BYTES(buf_contents(&got), BYTES("INBOX;Work/2026;Entw\303\274rfe;"
	    "INBOX;Work/2026;A.b;INBOX;Entw\303\274rfe/a;Entw\303\274rfe;"));
	buf_free(&got);
}

TEST_MAIN(TEST(dovecot_list), TEST(first_version_is_courier_too),
    TEST(bad_headers), TEST(courier_keywords), TEST(courier_sizes),
    TEST(subscriptions))
