/*
 * The boundaries of the multiparts that are open: private to src/mime.
 */
#ifndef BOUNDARY_H
#define BOUNDARY_H

#include "mime.h"

/* "--", the boundary, "--" and the byte behind them decide about a line. */
#define BOUNDARY_NEED(n) ((n) + 5)

/* A multipart whose boundary is looked for. */
struct frame {
	uint32_t part;
	uint32_t last;			/* its last child so far */
	size_t need;			/* of a line, for it and those around it */
	size_t boundary_n;
	unsigned char boundary[MIME_BOUNDARY_MAX];
};

struct frames {
	size_t n;
	struct frame v[MIME_DEPTH_MAX];
};

/* The innermost, or NULL. */
struct frame *frames_top(struct frames *f);

/* Puts one on top; the caller sees to it that there is room. */
void frames_push(struct frames *f, uint32_t part, struct bytes boundary);

/* How many bytes of a line, its end counted, are enough to know what it is. */
size_t frames_need(const struct frames *f);

/*
 * The frame whose boundary line this is, or NULL: the longest boundary, and of
 * equal ones the innermost. closing tells whether it was the last one.
 */
struct frame *frames_find(struct frames *f, struct bytes line, bool *closing);

#endif
