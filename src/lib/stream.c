/*
 * The client's byte stream with deadlines.
 * Runs as: any user.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

#define READ_SIZE ((size_t)16384)

/* How long, and how much, a client may go on sending after our last words. */
#define LINGER_MS 1000
#define LINGER_MAX ((size_t)262144)

void
stream_init(struct stream *s, int in_fd, int out_fd)
{
	*s = (struct stream){
		.in_fd = in_fd,
		.out_fd = out_fd,
		.in = BUF_INIT(STREAM_IN_MAX + READ_SIZE),
		/* Room for one write more than what triggers sending. */
		.out = BUF_INIT(2 * STREAM_OUT_SIZE),
		.coded = BUF_INIT(4 * STREAM_OUT_SIZE),
		.wake_fd = -1,
		.stop_fd = -1,
	};
}

void
stream_free(struct stream *s)
{
	buf_wipe(&s->in);
	buf_free(&s->out);
	buf_free(&s->coded);
	if (s->filter != NULL)
		s->filter->free(s->filter);
	s->filter = NULL;
}

/* Milliseconds until deadline as poll() wants them; -1 for no deadline. */
static int
remaining(uint64_t deadline)
{
	uint64_t now;

	if (deadline == 0)
		return -1;
	now = clock_ms();
	if (now >= deadline)
		return 0;
	return deadline - now > 3600000 ? 3600000 : (int)(deadline - now);
}

struct bytes
stream_pending(const struct stream *s)
{
	return bytes_from(buf_contents(&s->in), s->in_pos);
}

void
stream_consume(struct stream *s, size_t n)
{
	size_t have = s->in.len - s->in_pos;

	s->in_pos += n < have ? n : have;
	if (s->in_pos == s->in.len) {
		s->in.len = 0;
		s->in_pos = 0;
	}
}

/* The process is to end: -1 with errno that says why, also later. */
static int
stopped(struct stream *s)
{
	char why = 0;

	if (s->stop_error == 0)
		s->stop_error = read(s->stop_fd, &why, 1) == 1
		    && why == STREAM_MAKE_WAY ? EUSERS : ECANCELED;
	errno = s->stop_error;
	return -1;
}

/* Waits for input. 1 input, 0 the wake descriptor, -1 errno. */
static int
wait_input(struct stream *s)
{
	/* poll() leaves negative descriptors alone. */
	struct pollfd p[3] = {
		{ .fd = s->in_fd, .events = POLLIN },
		{ .fd = s->wake_fd, .events = POLLIN },
		{ .fd = s->stop_fd, .events = POLLIN },
	};

	while (s->stop_error == 0) {
		int n = poll(p, 3, remaining(s->read_deadline));

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0 && p[2].revents != 0)
			break;
		if (n > 0)
			return p[0].revents != 0 ? 1 : 0;
		if (n == 0 && s->read_deadline != 0
		    && clock_ms() >= s->read_deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	return stopped(s);
}

/* Moves raw input into the buffer, through the filter when there is one. */
static int
take_input(struct stream *s)
{
	unsigned char raw[READ_SIZE];
	unsigned char *to = raw;
	ssize_t n;

	if (s->in_pos > 0) {
		buf_consume(&s->in, s->in_pos);
		s->in_pos = 0;
	}
	if (s->filter != NULL && s->filter->more)
		return s->filter->decode(s->filter, &s->in, NULL, 0);
	if (s->filter == NULL) {
		to = buf_room(&s->in, READ_SIZE);
		if (to == NULL)
			return -1;
	}
	do
		n = read(s->in_fd, to, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	if (n == 0) {
		errno = EPIPE;
		return -1;
	}
	s->in_total += (uint64_t)n;
	if (s->filter == NULL)
		s->in.len += (size_t)n;
	else if (s->filter->decode(s->filter, &s->in, raw, (size_t)n) < 0)
		return -1;
	return 0;
}

/* Waits for and takes more input, whether or not some is there already. */
static int
more_input(struct stream *s)
{
	size_t had = s->in.len - s->in_pos;

	while (s->in.len - s->in_pos == had) {
		bool kept = s->filter != NULL && s->filter->more;
		int r;

		if (!kept && stream_flush(s) < 0)
			return -1;
		r = kept ? 1 : wait_input(s);
		if (r <= 0)
			return r;
		if (take_input(s) < 0)
			return -1;
	}
	return 1;
}

int
stream_fill(struct stream *s)
{
	return s->in_pos < s->in.len ? 1 : more_input(s);
}

int
stream_line(struct stream *s, size_t max, struct bytes *line)
{
	for (;;) {
		struct bytes have = stream_pending(s);
		ssize_t end = bytes_find(bytes_first(have, max), '\n');

		if (end >= 0) {
			*line = bytes_first(have, (size_t)end);
			if (line->n > 0 && line->p[line->n - 1] == '\r')
				line->n--;
			/*
			 * Not stream_consume(): the line stays where it is
			 * until the next read.
			 */
			s->in_pos += (size_t)end + 1;
			return 0;
		}
		if (have.n >= max) {
			errno = E2BIG;
			return -1;
		}

		int wake = s->wake_fd, r;

		s->wake_fd = -1;	/* half a line cannot be interrupted */
		r = more_input(s);
		s->wake_fd = wake;
		if (r < 0)
			return -1;
	}
}

int
stream_skip_line(struct stream *s)
{
	for (;;) {
		struct bytes have = stream_pending(s);
		ssize_t end = bytes_find(have, '\n');

		stream_consume(s, end >= 0 ? (size_t)end + 1 : have.n);
		if (end >= 0)
			return 0;
		if (more_input(s) < 0)
			return -1;
	}
}

bool
stream_idle(struct stream *s)
{
	struct pollfd p = { .fd = s->in_fd, .events = POLLIN };

	if (s->in_pos < s->in.len || (s->filter != NULL && s->filter->more))
		return false;
	return poll(&p, 1, 0) == 0;
}

/*
 * One attempt to send without blocking. A socket may be shared with other
 * processes, so its O_NONBLOCK flag is left alone; pipes and terminals, which
 * only a session run by hand has, are written to when poll() says so.
 */
static ssize_t
send_some(struct stream *s, const unsigned char *p, size_t n)
{
	if (!s->out_is_pipe) {
		ssize_t done = send(s->out_fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (done >= 0 || errno != ENOTSOCK)
			return done;
		s->out_is_pipe = true;
	}

	struct pollfd out = { .fd = s->out_fd, .events = POLLOUT };

	if (poll(&out, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	/* A pipe that is writable takes PIPE_BUF bytes without blocking. */
	return write(s->out_fd, p, n < PIPE_BUF ? n : PIPE_BUF);
}

/* Waits until some bytes can be sent. 0, or -1 with errno. */
static int
wait_output(struct stream *s, uint64_t deadline)
{
	struct pollfd p[2] = {
		{ .fd = s->out_fd, .events = POLLOUT },
		{ .fd = s->stop_fd, .events = POLLIN },
	};
	int n = s->stop_error != 0 ? 1 : poll(p, 2, remaining(deadline));

	if (s->stop_error != 0 || (n > 0 && p[1].revents != 0))
		return stopped(s);
	if (n == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	return n > 0 || errno == EINTR ? 0 : -1;
}

/*
 * Sends n bytes. The deadline is one for all of them, so that a client that
 * takes a byte now and then cannot hold the process for ever.
 */
static int
send_all(struct stream *s, const unsigned char *p, size_t n)
{
	uint64_t deadline = s->write_timeout == 0 ? 0
	    : clock_ms() + s->write_timeout;

	while (n > 0) {
		ssize_t done = send_some(s, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
			s->out_total += (uint64_t)done;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		if (wait_output(s, deadline) < 0)
			return -1;
	}
	return 0;
}

static int
send_out(struct stream *s, bool flush)
{
	int r;

	if (s->filter == NULL) {
		r = send_all(s, s->out.data, s->out.len);
	} else {
		buf_clear(&s->coded);
		r = s->filter->encode(s->filter, &s->coded, s->out.data,
		    s->out.len, flush);
		if (r == 0)
			r = send_all(s, s->coded.data, s->coded.len);
	}
	buf_clear(&s->out);
	s->unflushed = s->filter != NULL && !flush;
	if (r < 0 && s->out_error == 0)
		s->out_error = errno;
	return r;
}

int
stream_flush(struct stream *s)
{
	if (s->out_error != 0) {
		errno = s->out_error;
		return -1;
	}
	return s->out.len == 0 && !s->unflushed ? 0 : send_out(s, true);
}

int
stream_filter(struct stream *s, struct filter *f)
{
	struct buf early = s->in;
	size_t at = s->in_pos;
	int r = stream_flush(s);

	s->filter = f;
	s->in = BUF_INIT(STREAM_IN_MAX + STREAM_DECODE_ROOM);
	s->in_pos = 0;
	if (r == 0 && early.len > at)
		r = f->decode(f, &s->in, early.data + at, early.len - at);
	buf_wipe(&early);
	return r;
}

void
stream_end(struct stream *s)
{
	size_t dropped = 0;

	if (stream_flush(s) < 0 || stream_idle(s)
	    || shutdown(s->out_fd, SHUT_WR) < 0)
		return;
	s->read_deadline = clock_ms() + LINGER_MS;
	while (dropped < LINGER_MAX && stream_fill(s) > 0) {
		dropped += stream_pending(s).n;
		stream_consume(s, stream_pending(s).n);
	}
}

int
stream_write(struct stream *s, const void *data, size_t n)
{
	const unsigned char *p = data;

	if (s->out_error != 0) {
		errno = s->out_error;
		return -1;
	}
	/* Most writes are a few bytes and fit: nothing else needs looking at. */
	if (n < s->out.cap - s->out.len && s->out.len + n < STREAM_OUT_SIZE) {
		memcpy(s->out.data + s->out.len, p, n);
		s->out.len += n;
		return 0;
	}
	while (n > 0) {
		size_t part = STREAM_OUT_SIZE - s->out.len;

		if (part > n)
			part = n;
		if (buf_add(&s->out, p, part) < 0) {
			s->out_error = errno;
			return -1;
		}
		p += part;
		n -= part;
		if (s->out.len >= STREAM_OUT_SIZE && send_out(s, false) < 0)
			return -1;
	}
	return 0;
}

unsigned char *
stream_room(struct stream *s, size_t n)
{
	unsigned char *room;

	if (s->out_error != 0) {
		errno = s->out_error;
		return NULL;
	}
	if (s->out.len > s->out.max - n && send_out(s, false) < 0)
		return NULL;
	room = buf_room(&s->out, n);
	if (room == NULL)
		s->out_error = errno;
	return room;
}

int
stream_put(struct stream *s, size_t n)
{
	s->out.len += n;
	return s->out.len < STREAM_OUT_SIZE ? 0 : send_out(s, false);
}

int
stream_text(struct stream *s, const char *text)
{
	return stream_write(s, text, strlen(text));
}

int
stream_bytes(struct stream *s, struct bytes b)
{
	return stream_write(s, b.p, b.n);
}

int
stream_number(struct stream *s, uint64_t v)
{
	char digits[20];
	size_t i = sizeof digits;

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return stream_write(s, digits + i, sizeof digits - i);
}

void
stream_shrink(struct stream *s)
{
	if (s->in_pos == s->in.len) {
		buf_free(&s->in);
		s->in_pos = 0;
	}
	if (s->out.len == 0)
		buf_free(&s->out);
	buf_free(&s->coded);
	if (s->filter != NULL)
		s->filter->shrink(s->filter, s->out.len == 0 && !s->unflushed);
}
