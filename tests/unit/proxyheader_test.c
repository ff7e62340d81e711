/*
 * The PROXY protocol's header.
 * Runs as: the person who builds.
 */
#include "proxyheader.h"
#include "test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/*
 * Reads as a process would: only as many bytes as are asked for. *used is how
 * many were.
 */
static enum proxy_result
feed(struct bytes all, struct proxy_header *h, size_t *used)
{
	struct bytes head = bytes_first(all, 0);
	enum proxy_result r;
	size_t more;

	while ((r = proxy_header(head, h, &more)) == PROXY_MORE) {
		if (!CHECK(more > 0) || all.n - head.n < more)
			break;
		head.n += more;
	}
	*used = head.n;
	return r;
}

static void
reads(struct bytes all, size_t behind, bool client, const char *source,
    unsigned port)
{
	struct proxy_header h;
	size_t used;

	if (!CHECK_EQ_INT(feed(all, &h, &used), PROXY_DONE))
		return;
	CHECK_EQ_INT(used, all.n - behind);
	CHECK_EQ_INT(h.client, client);
	if (!client)
		return;
	CHECK_EQ_BYTES(bytes_make(h.source, h.address_size),
	    bytes_make(source, h.address_size));
	CHECK_EQ_INT(h.source_port[0] << 8 | h.source_port[1], port);
}

static void
version_1(void)
{
	reads(BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1025 143\r\na1"), 2, true,
	    "\xc0\0\2\1", 1025);
	reads(BYTES("PROXY TCP6 ::1 2001:db8::2 65535 143\r\n"), 0, true,
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 65535);
	reads(BYTES("PROXY UNKNOWN\r\na1"), 2, false, NULL, 0);
	reads(BYTES("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\na"), 1, false, NULL, 0);
}

static void
version_2(void)
{
	reads(BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\4\1\0\x8f" "a1"),
	    2, true, "\xc0\0\2\1", 1025);
	reads(BYTES(SIGNATURE "\x20\0\0\0a1"), 2, false, NULL, 0);
	reads(BYTES(SIGNATURE "\x20\x11\0\2xxa1"), 2, false, NULL, 0);
	reads(BYTES(SIGNATURE "\x21\x31\0\0"), 0, false, NULL, 0);
}

static void
tls_of_the_client(void)
{
#define ADDRESSES "\xc0\0\2\1\xc0\0\2\2\4\1\0\x8f"
	struct proxy_header h;
	size_t used;

	CHECK_EQ_INT(feed(BYTES(SIGNATURE "\x21\x11\0\x14" ADDRESSES
	    "\x20\0\5\1\0\0\0\0"), &h, &used), PROXY_DONE);
	CHECK(h.tls);
	CHECK_EQ_INT(feed(BYTES(SIGNATURE "\x21\x11\0\x18" ADDRESSES
	    "\1\0\1x\x20\0\5\0\0\0\0\0"), &h, &used), PROXY_DONE);
	CHECK(!h.tls);
}

static void
bad_headers(void)
{
	static const struct bytes bad[] = {
#define B(text) { (const unsigned char *)(text), sizeof(text) - 1 }
		B("a LOGIN ann secret\r\n"),
		B("PROXY TCP4 192.0.2 192.0.2.2 1025 143\r\n"),
		B("PROXY TCP4 192.0.2.1 192.0.2.2 65536 143\r\n"),
		B("PROXY TCP4 192.0.2.1 192.0.2.2 1025 143 x\r\n"),
		B("PROXY TCP4 192.0.2.1 192.0.2.2 1025\r\n"),
		B("PROXY TCP4 192.0.2.1 192.0.2.2 1025 143\n"),
		B("PROXY TCP6 192.0.2.1 192.0.2.2 1025 143\r\n"),
		B("PROXY UNIX /a /b 1 2\r\n"),
		B("PROXY TCP4 192.0.2.1\0x 192.0.2.2 1025 143\r\n"),
		B(SIGNATURE "\x31\x11\0\x0c" ADDRESSES),
		B(SIGNATURE "\x22\x11\0\x0c" ADDRESSES),
		B(SIGNATURE "\x21\x11\0\x0b" ADDRESSES),
		B(SIGNATURE "\x21\x11\xff\xff" ADDRESSES),
		B(SIGNATURE "\x21\x11\0\x0e" ADDRESSES "\x20\0"),
		B(SIGNATURE "\x21\x11\0\x10" ADDRESSES "\x20\0\5\1"),
		B("\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c" ADDRESSES),
#undef B
	};
	struct proxy_header h;
	size_t used;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!CHECK_EQ_INT(feed(bad[i], &h, &used), PROXY_BAD))
			printf("# number %zu\n", i);
}

static void
a_long_version_1_is_refused_at_its_limit(void)
{
	char text[PROXY_V1_MAX + 20];
	struct proxy_header h;
	size_t used;

	memset(text, 'x', sizeof text);
	memcpy(text, "PROXY UNKNOWN ", 14);
	CHECK_EQ_INT(feed(bytes_make(text, sizeof text), &h, &used), PROXY_BAD);
	CHECK_EQ_INT(used, PROXY_V1_MAX);
	memcpy(text + PROXY_V1_MAX - 2, "\r\n", 2);
	CHECK_EQ_INT(feed(bytes_make(text, sizeof text), &h, &used), PROXY_DONE);
}

TEST_MAIN(
	TEST(version_1),
	TEST(version_2),
	TEST(tls_of_the_client),
	TEST(bad_headers),
	TEST(a_long_version_1_is_refused_at_its_limit)
)
