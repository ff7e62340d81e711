/*
 * A run of bytes with its length: how every parser here takes its input.
 *
 * Protocol bytes are unsigned and ASCII; nothing here looks at the locale and
 * nothing here expects a terminating NUL.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct bytes {
	const unsigned char *p;		/* may be NULL only when n is 0 */
	size_t n;
};

/* A string literal as bytes, usable in initialisers of automatic objects. */
#define BYTES(lit) ((struct bytes){ (const unsigned char *)(lit), sizeof(lit) - 1 })

/* Bytes of a NUL-terminated string, without the NUL. */
static inline struct bytes
bytes_of(const char *s)
{
	return (struct bytes){ (const unsigned char *)s, strlen(s) };
}

static inline struct bytes
bytes_make(const void *p, size_t n)
{
	return (struct bytes){ p, n };
}

/* The part of b that starts at byte off; empty when off is past the end. */
static inline struct bytes
bytes_from(struct bytes b, size_t off)
{
	return off >= b.n ? (struct bytes){ b.p, 0 }
	    : (struct bytes){ b.p + off, b.n - off };
}

/* The first n bytes of b, or all of it when it is shorter. */
static inline struct bytes
bytes_first(struct bytes b, size_t n)
{
	return (struct bytes){ b.p, n < b.n ? n : b.n };
}

static inline bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII lower case of one byte; other bytes stay as they are. */
static inline unsigned char
ascii_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static inline unsigned char
ascii_upper(unsigned char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
}

static inline bool
ascii_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The value of a hexadecimal digit, or -1. */
static inline int
ascii_hex(unsigned char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_upper(c);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Equality under ASCII case folding (i;ascii-casemap, RFC 4790). */
bool bytes_case_equal(struct bytes a, struct bytes b);

/* Byte order, shorter first when one is a prefix of the other. */
int bytes_compare(struct bytes a, struct bytes b);

/* True when b begins with prefix, without and with ASCII case folding. */
bool bytes_starts(struct bytes b, struct bytes prefix);
bool bytes_case_starts(struct bytes b, struct bytes prefix);

/* b without leading and trailing spaces, tabs, CR and LF. */
struct bytes bytes_trim(struct bytes b);

/* Offset of the first c in b, or -1. */
static inline ssize_t
bytes_find(struct bytes b, unsigned char c)
{
	const unsigned char *hit = b.n == 0 ? NULL : memchr(b.p, c, b.n);

	return hit == NULL ? -1 : hit - b.p;
}

/*
 * Splits *rest at the first sep: the part before it is returned, *rest becomes
 * what follows it. Without a sep all of *rest is returned and *rest is empty.
 */
struct bytes bytes_split(struct bytes *rest, unsigned char sep);

/* The octet of which sign and two hexadecimal digits begin b, as "%2F"; else -1. */
int bytes_escaped(struct bytes b, unsigned char sign);

/*
 * The decimal number that is all of b: one or more digits, no sign, at most
 * max. Returns 0, or -1 with errno EINVAL (not digits) or ERANGE.
 */
int bytes_number(struct bytes b, uint64_t max, uint64_t *out);

#endif
