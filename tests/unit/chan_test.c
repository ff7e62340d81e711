/*
 * Channel messages: whole, short, with a descriptor, past a deadline.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "test.h"

static int pair[2];

static void
open_pair(void)
{
	CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void
close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

static void
there_and_back(void)
{
	static struct chan_req out, in;
	struct bytes b;

	open_pair();
	out.type = CHAN_LOGIN;
	CHECK_EQ_INT(chan_put(&out.user, BYTES("ann")), 0);
	CHECK_EQ_INT(chan_send(pair[0], &out, sizeof out, 0), 0);
	CHECK_EQ_INT(chan_recv(pair[1], &in, sizeof in, clock_ms() + 5000), 0);
	CHECK(memcmp(&in, &out, sizeof in) == 0);
	CHECK(chan_get(&in.user, &b));
	CHECK_EQ_BYTES(b, BYTES("ann"));
	close_pair();
}

static void
ends(void)
{
	struct chan_rep rep;

	open_pair();
	CHECK_EQ_INT(chan_recv(pair[1], &rep, sizeof rep, clock_ms() + 20), -1);
	CHECK_EQ_INT(errno, ETIMEDOUT);
	CHECK_EQ_INT(chan_send(pair[0], &rep, 7, 0), 0);
	close(pair[0]);
	CHECK_EQ_INT(chan_recv(pair[1], &rep, sizeof rep, 0), -1);
	CHECK_EQ_INT(errno, EPROTO);
	CHECK_EQ_INT(chan_recv(pair[1], &rep, sizeof rep, 0), -1);
	CHECK_EQ_INT(errno, EPIPE);
	CHECK_EQ_INT(chan_send(pair[1], &rep, sizeof rep, 0), -1);
	CHECK_EQ_INT(errno, EPIPE);
	close(pair[1]);
}

static void
text_limits(void)
{
	static unsigned char many[CHAN_TEXT_MAX + 1];
	struct chan_text t;
	struct bytes b;

	CHECK_EQ_INT(chan_put(&t, bytes_make(many, CHAN_TEXT_MAX)), 0);
	CHECK(chan_get(&t, &b) && b.n == CHAN_TEXT_MAX);
	CHECK_EQ_INT(chan_put(&t, bytes_make(many, CHAN_TEXT_MAX + 1)), -1);
	CHECK_EQ_INT(errno, E2BIG);
	t.n = CHAN_TEXT_MAX + 1;
	CHECK(!chan_get(&t, &b));
	t.n = UINT16_MAX;
	CHECK(!chan_get(&t, &b));
}

static void
descriptor(void)
{
	struct chan_rep out = { .result = CHAN_OK }, in;
	struct stat sent, got;
	int fd = open("/dev/zero", O_RDONLY), passed;

	open_pair();
	CHECK_EQ_INT(chan_send_fd(pair[0], &out, sizeof out, fd, 0), 0);
	if (!CHECK(chan_recv_fd(pair[1], &in, sizeof in, &passed, 0) == 0))
		return;
	CHECK_EQ_INT(in.result, CHAN_OK);
	CHECK(passed != fd && (fcntl(passed, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(fstat(fd, &sent) == 0 && fstat(passed, &got) == 0);
	CHECK(sent.st_rdev == got.st_rdev);
	close(passed);
	close(fd);
	close_pair();
}

/* None where one is due, or a message cut short behind it: no descriptor stays. */
static void
bad_descriptors(void)
{
	struct chan_rep out = { .result = CHAN_OK }, in;
	int passed, next;

	open_pair();
	CHECK_EQ_INT(chan_send(pair[0], &out, sizeof out, 0), 0);
	CHECK_EQ_INT(chan_recv_fd(pair[1], &in, sizeof in, &passed, 0), -1);
	CHECK_EQ_INT(errno, EPROTO);
	close_pair();
	open_pair();
	CHECK_EQ_INT(chan_send_fd(pair[0], &out, 9, 0, 0), 0);
	close(pair[0]);
	next = dup(0);
	close(next);
	CHECK_EQ_INT(chan_recv_fd(pair[1], &in, sizeof in, &passed, 0), -1);
	CHECK_EQ_INT(errno, EPROTO);
	CHECK_EQ_INT(dup(0), next);
	close(next);
	close(pair[1]);
}

TEST_MAIN(TEST(there_and_back), TEST(ends), TEST(text_limits), TEST(descriptor),
    TEST(bad_descriptors))
