/*
 * A stream's filter that compresses by DEFLATE (RFC 1951), raw, as IMAP's
 * COMPRESS=DEFLATE wants it.
 *
 * Memory: while data flows, DEFLATE_MEMORY_MAX at most in both directions. When
 * shrunk, nothing but what the peer may still refer to: at most its window of
 * 32 KB, in practice the few commands that an idle client has sent. Decoding
 * answers in small pieces whatever the ratio of compression, so that a
 * decompression bomb is no more than a long input.
 */
#ifndef DEFLATE_H
#define DEFLATE_H

#include "stream.h"

#define DEFLATE_MEMORY_MAX ((size_t)192 << 10)

/* A new filter, or NULL with errno ENOMEM. */
struct filter *deflate_filter(void);

#endif
