/*
 * The text of a part as a stream: transfer encoding and character set undone,
 * for SEARCH BODY and TEXT and for PREVIEW (RFC 8970).
 */
#ifndef TEXT_H
#define TEXT_H

#include "charset.h"
#include "fold.h"
#include "mime.h"

struct text {
	struct decoder decoder;
	struct charset charset;
	struct buf decoded;		/* behind the transfer encoding */
	struct buf utf8;
};

/* charset and encoding are those of the part; a NULL part is a header: 7bit, guessed. */
void text_begin(struct text *t, const struct mime_part *part);

/* 0 and *out is the UTF-8 of this piece, valid until the next call; -1. */
int text_push(struct text *t, struct bytes piece, struct bytes *out);

/* What was held back; frees t. Then *out is valid until text_free(). */
int text_end(struct text *t, struct bytes *out);
void text_free(struct text *t);

/*
 * Searches a part's bytes as stored for several folded needles at once.
 */
struct text_search {
	struct text text;
	struct buf folded;
	struct matcher *needles;
	size_t n;
};

void text_search_begin(struct text_search *s, const struct mime_part *part,
    struct matcher *needles, size_t n);
/* 1 when all needles are found, 0 not yet, -1 with errno. */
int text_search_push(struct text_search *s, struct bytes piece);
int text_search_end(struct text_search *s);	/* also frees it, not the needles */

/* ---- PREVIEW ---- */

#define PREVIEW_CHARS_MAX 200		/* RFC 8970 section 3.1 */
#define PREVIEW_BYTES_MAX (PREVIEW_CHARS_MAX * 4)
#define PREVIEW_READ_MAX ((size_t)1 << 18)	/* more of a part is not worth reading */

/* The part to be shown: the first plain or HTML text that is no attachment; NULL: none. */
const struct mime_part *preview_part(const struct mime_tree *t);

#define PREVIEW_WORD_MAX 11		/* tags and entities that matter are shorter */

struct preview {
	struct text text;
	bool html;
	bool done;			/* enough: no more needs to be pushed */
	bool space;			/* one is due before the next character */
	unsigned chars;
	unsigned state;			/* of reading HTML */
	unsigned char quote;		/* around an attribute's value */
	unsigned char last;		/* byte before, in a tag or comment */
	unsigned char dashes;
	const char *hidden;		/* element whose contents are not shown, or NULL */
	size_t word_n;
	char word[PREVIEW_WORD_MAX + 1];
	struct buf out;			/* the preview: UTF-8, one line */
};

void preview_begin(struct preview *v, const struct mime_part *part);
int preview_push(struct preview *v, struct bytes piece);
int preview_end(struct preview *v, struct bytes *out);	/* valid until preview_free() */
void preview_free(struct preview *v);

#endif
