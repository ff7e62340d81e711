/*
 * A message's stored bytes through one window, so that what is asked of a small
 * message is read from the disk once, and of a large one in big pieces.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "mail.h"

#define SOURCE_FIRST	((size_t)8192)	/* first read: enough for most headers */
#define SOURCE_WINDOW	((size_t)65536)

struct source {
	struct mailbox *box;
	uint32_t uid;
	bool open;
	struct message msg;
	uint64_t at;			/* offset of the window in the message */
	size_t filled;			/* bytes in it */
	unsigned char *window;		/* kept from message to message */
};

#define SOURCE_INIT(mailbox) ((struct source){ .box = (mailbox) })

/* Takes another message; it is opened by its first use. */
void source_take(struct source *s, uint32_t uid);

/* Opens the message: 0, or -1 with errno. Then s->msg.size counts. */
int source_open(struct source *s);

/*
 * What stands at offset: at least one byte, at most max, valid until the next
 * call. Empty at the end of the message. 0, or -1 with errno.
 */
int source_at(struct source *s, uint64_t offset, uint64_t max, struct bytes *out);

/* The first max bytes, or all; valid as above. Needs max <= SOURCE_WINDOW. */
int source_begin(struct source *s, size_t max, struct bytes *out);

/* Gives file and memory back. */
void source_end(struct source *s);

#endif
