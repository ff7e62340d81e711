/*
 * XCLIENT, as Postfix and Dovecot send it, and fields of ID.
 * Runs as: the person who builds.
 */
#include <stdio.h>

#include "test.h"
#include "xclient.h"

static void
lines(void)
{
	static const struct {
		const char *line;
		bool good, client;
		const char *source;
		size_t size;
		unsigned port;
	} rows[] = {
		{ "ADDR=192.0.2.1 PORT=1025", true, true, "\xc0\0\2\1", 4, 1025 },
		{ "ADDR=192.0.2.1 PORT=65535 SESSION=abc TTL=4 FORWARD=Zm9v", true,
		    true, "\xc0\0\2\1", 4, 65535 },
		{ "NAME=mail.example.org addr=IPV6:2001:db8::1 PROTO=ESMTP", true,
		    true, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, 0 },
		{ "ADDR=::1", true, true, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, 0 },
		{ "ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]", true, false, "", 0, 0 },
		{ "", true, false, "", 0, 0 },
		{ "SESSION=x", true, false, "", 0, 0 },
		{ "ADDR", false, false, "", 0, 0 },
		{ "ADDR=", false, false, "", 0, 0 },
		{ "ADDR=192.0.2", false, false, "", 0, 0 },
		{ "ADDR=192.0.2.1/24", false, false, "", 0, 0 },
		{ "ADDR=example.org", false, false, "", 0, 0 },
		{ "ADDR=192.0.2.1 PORT=65536", false, false, "", 0, 0 },
		{ "ADDR=192.0.2.1 PORT=-1", false, false, "", 0, 0 },
		{ "ADDR=192.0.2.1 DESTADDR=x", false, false, "", 0, 0 },
	};
	struct proxy_header h;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!CHECK_EQ_INT(xclient_line(bytes_of(rows[i].line), &h),
		    rows[i].good))
			printf("# %s\n", rows[i].line);
		if (!rows[i].good)
			continue;
		CHECK_EQ_INT(h.client, rows[i].client);
		CHECK_EQ_INT(h.address_size, rows[i].size);
		CHECK_EQ_BYTES(bytes_make(h.source, h.address_size),
		    bytes_make(rows[i].source, rows[i].size));
		CHECK_EQ_INT(h.source_port[0] << 8 | h.source_port[1], rows[i].port);
		CHECK_EQ_INT(h.destination_size, 0);
	}
}

static void
fields_of_id(void)
{
	struct proxy_header h = { 0 };

	CHECK(xclient_attribute(BYTES("x-session-id"), BYTES("\"=? "), &h));
	CHECK(!h.client);
	CHECK(xclient_attribute(BYTES("X-Originating-IP"), BYTES("192.0.2.9"), &h));
	CHECK(xclient_attribute(BYTES("x-originating-port"), BYTES("99"), &h));
	CHECK(xclient_attribute(BYTES("x-connected-ip"), BYTES("2001:db8::1"), &h));
	CHECK(h.client);
	CHECK_EQ_INT(h.address_size, 4);
	CHECK_EQ_INT(h.destination_size, 16);
	CHECK_EQ_INT(h.source_port[1], 99);
	CHECK(!xclient_attribute(BYTES("x-originating-ip"), BYTES("1.2.3.4\0"), &h));
}

TEST_MAIN(TEST(lines), TEST(fields_of_id))
