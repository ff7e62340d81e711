/*
 * A growing buffer with a hard maximum.
 *
 * Invariants: len <= cap <= max; data is NULL only while cap is 0. A failed
 * append changes nothing and leaves the buffer marked as failed, so that a
 * sequence of appends may be checked once, at its end. A buffer that holds
 * secrets is given buf_wipe() instead of buf_free().
 */
#ifndef BUF_H
#define BUF_H

#include "bytes.h"

struct buf {
	unsigned char *data;
	size_t len;
	size_t cap;
	size_t max;
	int error;			/* errno of the first failed append, or 0 */
};

/* An empty buffer that will never hold more than max bytes. */
#define BUF_INIT(maximum) ((struct buf){ .max = (maximum) })

/* Gives the memory back; the buffer is empty and usable again. */
void buf_free(struct buf *b);

/* The same, after overwriting the bytes. */
void buf_wipe(struct buf *b);

/* Forgets the contents and the error, keeps the memory. */
void buf_clear(struct buf *b);

/*
 * Each append returns 0, or -1 with errno E2BIG (past max) or ENOMEM and
 * b->error set. buf_room() makes room for n more bytes and returns where they
 * may be written (the caller then adds to len), or NULL.
 */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_number(struct buf *b, uint64_t v);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
unsigned char *buf_room(struct buf *b, size_t n);

/* A byte mostly fits: nothing else needs looking at. */
static inline int
buf_byte(struct buf *b, unsigned char c)
{
	if (b->len == b->cap)
		return buf_add(b, &c, 1);
	b->data[b->len++] = c;
	return 0;
}

static inline int
buf_bytes(struct buf *b, struct bytes s)
{
	return buf_add(b, s.p, s.n);
}

static inline int
buf_text(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

/* Takes the first n bytes away. */
void buf_consume(struct buf *b, size_t n);

/* The contents, valid until the next change of the buffer. */
static inline struct bytes
buf_contents(const struct buf *b)
{
	return (struct bytes){ b->data, b->len };
}

/* The contents as a string; a NUL is kept behind them. NULL on failure. */
const char *buf_string(struct buf *b);

#endif
