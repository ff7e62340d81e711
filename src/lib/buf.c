/*
 * A growing buffer with a hard maximum.
 * Runs as: any user.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define FIRST_CAP 64

static int
fail(struct buf *b, int error)
{
	if (b->error == 0)
		b->error = error;
	errno = error;
	return -1;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT(b->max);
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
}

/*
 * Grows by doubling into fresh memory instead of realloc(), so that no copy
 * of a secret is left behind in freed memory.
 */
static int
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap == 0 ? FIRST_CAP : b->cap;
	unsigned char *data;

	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	data = malloc(cap);
	if (data == NULL)
		return fail(b, ENOMEM);
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	if (b->data != NULL)
		explicit_bzero(b->data, b->len);
	free(b->data);
	b->data = data;
	b->cap = cap;
	return 0;
}

/* Apart from buf_room(), which has little to do but to look where there is room. */
static __attribute__((noinline)) unsigned char *
room_made(struct buf *b, size_t n)
{
	if (n > b->max || b->len > b->max - n) {
		fail(b, E2BIG);
		return NULL;
	}
	return grow(b, b->len + n) < 0 ? NULL : b->data + b->len;
}

unsigned char *
buf_room(struct buf *b, size_t n)
{
	return n > b->cap - b->len ? room_made(b, n) : b->data + b->len;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	unsigned char *to;

	if (n == 0)
		return 0;
	to = buf_room(b, n);
	if (to == NULL)
		return -1;
	memcpy(to, p, n);
	b->len += n;
	return 0;
}

int
buf_number(struct buf *b, uint64_t v)
{
	unsigned char digits[20];
	size_t i = sizeof digits;

	do {
		digits[--i] = (unsigned char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return buf_add(b, digits + i, sizeof digits - i);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	unsigned char *to;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return fail(b, EINVAL);
	to = buf_room(b, (size_t)n + 1);
	if (to == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *
buf_string(struct buf *b)
{
	unsigned char *to = buf_room(b, 1);

	if (to == NULL)
		return NULL;
	*to = '\0';
	return (const char *)b->data;
}
