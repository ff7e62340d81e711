/*
 * Addresses: texts, networks, places to listen.
 */
#include <arpa/inet.h>

#include "netaddr.h"
#include "test.h"

static struct netaddr
address(const char *text)
{
	struct netaddr a = { 0 };
	unsigned char raw[16];

	if (inet_pton(AF_INET, text, raw) == 1)
		CHECK(netaddr_raw(bytes_make(raw, 4), &a) == 0);
	else
		CHECK(inet_pton(AF_INET6, text, raw) == 1
		    && netaddr_raw(bytes_make(raw, 16), &a) == 0);
	return a;
}

static void
texts(void)
{
	static const struct {
		const char *in, *text, *port;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", "192.0.2.1:99" },
		{ "2001:db8::1", "2001:db8::1", "[2001:db8::1]:99" },
		{ "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1:99" },
	};
	char out[NETADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr a = address(rows[i].in);

		a.port = 99;
		netaddr_text(&a, out);
		CHECK_EQ_TEXT(out, rows[i].text);
		netaddr_text_port(&a, out);
		CHECK_EQ_TEXT(out, rows[i].port);
	}
}

static void
raw_of_another_length(void)
{
	struct netaddr a;

	for (size_t n = 0; n < 20; n++)
		CHECK_EQ_INT(netaddr_raw(bytes_make("aaaabbbbccccddddeeee", n), &a),
		    n == 4 || n == 16 ? 0 : -1);
}

static void
networks(void)
{
	static const struct {
		const char *address, *list;
		bool in;
	} rows[] = {
		{ "192.0.2.1", "", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.2", "192.0.2.1", false },
		{ "192.0.2.129", "10.0.0.0/8,192.0.2.128/25", true },
		{ "192.0.2.127", "10.0.0.0/8 192.0.2.128/25", false },
		{ "192.0.2.127", "0.0.0.0/0", true },
		{ "::1", "0.0.0.0/0", false },
		{ "2001:db8:1::1", "2001:db8::/32", true },
		{ "2001:db9:1::1", "2001:db8::/32", false },
		{ "2001:db8:8000::1", "2001:db8:8000::/33", true },
		{ "2001:db8:7fff::1", "2001:db8:8000::/33", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr a = address(rows[i].address);

		CHECK_EQ_INT(netaddr_in(&a, bytes_of(rows[i].list)), rows[i].in);
	}
}

static void
bad_networks(void)
{
	static const char *const bad[] = { "x", "192.0.2.1/33", "::/129",
	    "192.0.2/24", "192.0.2.1/-1", "192.0.2.1/a", "localhost" };
	struct buf why = BUF_INIT(1024);

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_EQ_INT(netaddr_networks_check(bytes_of(bad[i]), &why), -1);
	CHECK(why.len > 0);
	CHECK_EQ_INT(netaddr_networks_check(BYTES(" 10.0.0.0/8, ::1 "), &why), 0);
	buf_free(&why);
}

static void
sixty_four(void)
{
	struct netaddr a = address("2001:db8:1:2:3:4:5:6"), b = netaddr_network(&a);
	char out[NETADDR_TEXT_MAX];

	netaddr_text(&b, out);
	CHECK_EQ_TEXT(out, "2001:db8:1:2::");
	a = address("192.0.2.1");
	b = netaddr_network(&a);
	CHECK(netaddr_same(&a, &b));
}

static void
listening(void)
{
	static const struct {
		const char *list;
		int n;
		const char *first;
	} rows[] = {
		{ "none", 0, NULL }, { "*:143", 2, "[::]:143" },
		{ "127.0.0.1:1143", 1, "127.0.0.1:1143" },
		{ "[::1]:143, 192.0.2.1:143", 2, "[::1]:143" },
		{ "", -1, NULL }, { "143", -1, NULL }, { "*:0", -1, NULL },
		{ "*:65536", -1, NULL }, { "::1:143", -1, NULL },
		{ "localhost:143", -1, NULL }, { "*:143 x", -1, NULL },
		{ "*:1 *:2 *:3 *:4 *:5 *:6 *:7 *:8 *:9", -1, NULL },
		{ "none *:143", -1, NULL },
	};
	struct netaddr out[NETADDR_LISTEN_MAX];
	struct buf why = BUF_INIT(4096);
	char text[NETADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_EQ_INT(netaddr_listen(bytes_of(rows[i].list), out, &why),
		    rows[i].n);
		if (rows[i].first == NULL)
			continue;
		netaddr_text_port(&out[0], text);
		CHECK_EQ_TEXT(text, rows[i].first);
	}
	buf_free(&why);
}

TEST_MAIN(TEST(texts), TEST(raw_of_another_length), TEST(networks),
    TEST(bad_networks), TEST(sixty_four), TEST(listening))
