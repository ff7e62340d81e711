/*
 * The client's byte stream: buffered reading by lines and counts, buffered
 * writing, both against a deadline.
 *
 * A stream never blocks past its deadline: it waits in poll() and answers
 * ETIMEDOUT. When stop_fd becomes readable, waiting ends with ECANCELED, or,
 * when STREAM_MAKE_WAY is what it has to read, with EUSERS.
 * Reading answers EPIPE at the end of the input. After a failed
 * write every further write fails at once, so that a writer may check once,
 * at the flush. Filters (COMPRESS=DEFLATE) sit between buffer and descriptor.
 */
#ifndef STREAM_H
#define STREAM_H

#include "buf.h"
#include "clock.h"

/* A filter changes bytes between a stream's buffer and its descriptor. */
struct filter {
	/*
	 * Appends to out a piece of what n raw bytes, and those kept before, decode
	 * to; -1 with errno EPROTO. What is left to decode is kept, and more is set.
	 */
	int (*decode)(struct filter *f, struct buf *out, const void *p, size_t n);
	/* Appends to out the encoding of n bytes, all of it when flush. */
	int (*encode)(struct filter *f, struct buf *out, const void *p, size_t n,
	    bool flush);
	/* Gives back memory; also what encoding needs, when all was flushed. */
	void (*shrink)(struct filter *f, bool flushed);
	void (*free)(struct filter *f);
	bool more;			/* decode(f, out, NULL, 0) would give bytes */
};

struct stream {
	int in_fd;
	int out_fd;
	struct buf in;			/* read and not yet consumed */
	size_t in_pos;			/* consumed part of in */
	struct buf out;			/* written and not yet sent */
	struct buf coded;		/* out behind the filter */
	struct filter *filter;
	bool unflushed;			/* the filter holds output back */
	uint64_t read_deadline;		/* clock_ms(); 0: none */
	uint64_t write_timeout;		/* ms for each sending of a buffer; 0: none */
	uint64_t in_total;		/* raw bytes read from and sent to the client */
	uint64_t out_total;
	bool out_is_pipe;		/* not a socket: no MSG_DONTWAIT */
	int out_error;			/* errno of the first failed write */
	int wake_fd;			/* another descriptor to wait for, or -1 */
	int stop_fd;			/* readable: the process is to end, or -1 */
	int stop_error;			/* errno of that, once it was so */
};

#define STREAM_MAKE_WAY 'w'		/* for another connection of the same user */
#define STREAM_IN_MAX ((size_t)65536)
#define STREAM_OUT_SIZE ((size_t)65536)

/* Room that a filter's decode() may count on. */
#define STREAM_DECODE_ROOM ((size_t)16384)

/* The descriptors stay the caller's. */
void stream_init(struct stream *s, int in_fd, int out_fd);
void stream_free(struct stream *s);

/*
 * Sees to it that at least one unread byte is in the buffer. Returns 1 when
 * there is, 0 when wake_fd became readable first (only if it is set), -1 with
 * errno ETIMEDOUT, EPIPE (end of input) or read's own.
 */
int stream_fill(struct stream *s);

/* Unread bytes that are in the buffer already. */
struct bytes stream_pending(const struct stream *s);
void stream_consume(struct stream *s, size_t n);

/*
 * The next line without its end (LF or CRLF), flushing output before it
 * waits. Valid until the next read. Returns 0, or -1 with errno E2BIG when no
 * line ends within max bytes (nothing is consumed), ETIMEDOUT, EPIPE.
 */
int stream_line(struct stream *s, size_t max, struct bytes *line);

/* Reads and drops input up to and including the next LF. 0, or -1 as above. */
int stream_skip_line(struct stream *s);

/* True when no input is waiting, neither here nor in the descriptor. */
bool stream_idle(struct stream *s);

/*
 * Output is kept until STREAM_OUT_SIZE bytes are there, a flush, or a wait
 * for input. 0, or -1 with errno EPIPE, ETIMEDOUT, ENOMEM.
 */
int stream_write(struct stream *s, const void *p, size_t n);
int stream_text(struct stream *s, const char *text);
int stream_bytes(struct stream *s, struct bytes b);
int stream_number(struct stream *s, uint64_t v);
int stream_flush(struct stream *s);

/*
 * From here on everything goes through f, which the stream now owns, input
 * included that came early. Sends what was written before as it is. 0, or -1
 * with errno (f is the stream's all the same).
 */
int stream_filter(struct stream *s, struct filter *f);

/*
 * Output made in place: stream_room() answers where up to n bytes
 * (STREAM_OUT_SIZE at most) may be written, sending what waits first when they
 * would not fit behind it; stream_put() says how many were. What one put adds
 * leaves in one sending. NULL and -1 as above.
 */
unsigned char *stream_room(struct stream *s, size_t n);
int stream_put(struct stream *s, size_t n);

/*
 * The last words are said: sends what waits, and nothing more. Where input
 * still comes in, it is dropped for a moment: closing a socket with unread input
 * could take the last words from the client.
 */
void stream_end(struct stream *s);

/*
 * Gives unused buffer memory back; for the moment before a long wait.
 */
void stream_shrink(struct stream *s);

#endif
