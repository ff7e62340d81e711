/*
 * Content-Type and Content-Disposition: a value and its parameters (RFC 2045
 * section 5.1, RFC 2183, RFC 2231).
 */
#ifndef PARAM_H
#define PARAM_H

#include "arena.h"
#include "buf.h"

#define PARAM_MAX 100			/* parameters of one field, continuations counted */
#define PARAM_ARENA_MAX ((size_t)4 << 20)

struct param {
	struct bytes name;		/* as written, without RFC 2231's marks */
	struct bytes value;		/* without quoting, continuations joined */
	bool extended;			/* value is charset'language'percent-encoded */
};

struct content {
	struct bytes type;		/* or the disposition, or whatever token there is */
	struct bytes subtype;		/* empty: none */
	struct param *params;		/* duplicates left out: the first one counts */
	size_t n;
};

/*
 * Reads a field's value as stored; texts lie in the arena. A broken value gives
 * what could be read of it, an empty type when that is nothing. 0, or -1 with
 * errno ENOMEM or E2BIG.
 */
int content_parse(struct bytes value, struct arena *a, struct content *out);

/* The first token of a value, comments before it skipped: an encoding, a language. */
struct bytes content_token(struct bytes value);

/* The URI of a Content-Location without the comments round it, or quotes; it may be folded. */
struct bytes content_uri(struct bytes value);

/* The parameter of this name, or NULL. */
const struct param *content_param(const struct content *c, const char *name);

/* Appends the parameter's value decoded to UTF-8 (RFC 2231, and RFC 2047 as many write it). */
int param_decode(const struct param *p, struct buf *out);

#endif
