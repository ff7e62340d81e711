/*
 * Reading an mbox file: where its messages begin and end, and the header
 * fields in which UIDs and flags are kept (mailreeve-mbox(5)).
 *
 * Nothing here changes the file, and nothing holds a whole message: the file
 * is looked at through one window.
 */
#ifndef STORE_MBOX_SCAN_H
#define STORE_MBOX_SCAN_H

#include "mail.h"

#define MBOX_HIDDEN_MAX (MESSAGE_EXTENTS_MAX - 1)	/* runs of hidden lines in a header */
#define MBOX_KEYWORDS_TEXT_MAX 4096

/* A file, read through a window. */
struct mbox_file {
	int fd;
	uint64_t size;			/* when it was begun; what comes later is not seen */
	unsigned char *window;
	uint64_t at;			/* offset of the window's first byte */
	size_t have;
};

/* The lines that keep our knowledge and are no part of the message. */
enum mbox_field {
	MBOX_OTHER, MBOX_STATUS, MBOX_X_STATUS, MBOX_X_KEYWORDS, MBOX_X_UID,
	MBOX_X_IMAP, MBOX_X_IMAPBASE, MBOX_CONTENT_LENGTH, MBOX_FIELDS
};

struct mbox_message {
	uint64_t begin;			/* of its From_ line */
	uint64_t header;		/* behind the From_ line */
	uint64_t blank;			/* the line that ends the header; body: none */
	uint64_t body;			/* behind it, or the end */
	uint64_t end;			/* of its bytes; a separating blank line may follow */
	uint64_t next;			/* where the next From_ line is, or the file's end */
	uint32_t uid;			/* X-UID, 0: none */
	uint32_t base_validity;		/* X-IMAP or X-IMAPbase, 0: none */
	uint32_t base_last;
	bool internal;			/* a placeholder that holds only X-IMAP: no message */
	bool crlf;			/* its lines end in CRLF */
	bool unended;			/* the file ends in a line of its header */
	bool measured;			/* Content-Length told where it ends ... */
	bool cut;			/* ... or points behind the end of the file */
	uint32_t flags;			/* enum mail_flags */
	bool old;			/* Status has O: not \Recent */
	int64_t date;			/* of the From_ line, 0: unreadable */
	size_t keywords_length;
	unsigned char keywords[MBOX_KEYWORDS_TEXT_MAX];	/* X-Keywords, separated by spaces */
	/* Runs of hidden header lines, ascending. */
	unsigned hidden;
	struct message_extent hidden_at[MBOX_HIDDEN_MAX];
	uint64_t mark;			/* sum over place and hidden lines; never 0 */
};

/* 0, or -1 with errno. The descriptor stays the caller's. */
int mbox_file_begin(struct mbox_file *m, int fd);
void mbox_file_end(struct mbox_file *m);

/*
 * The message whose From_ line is at offset: 1, 0 at the end of the file, -1
 * with errno (EILSEQ: no From_ line is there).
 */
int mbox_read(struct mbox_file *m, uint64_t offset, struct mbox_message *out);

/* The message without its hidden lines, as pieces of the file. */
void mbox_extents(const struct mbox_message *msg, struct message *out);

/*
 * A From_ line, without its end: "From " sender, weekday, month, day, time,
 * year. Others that begin with "From " are text. Seconds since 1970 in *date.
 */
bool mbox_from_line(struct bytes line, int64_t *date);

/* Which of our fields the line begins, and its value; MBOX_OTHER for the rest. */
enum mbox_field mbox_field(struct bytes line, struct bytes *value);

#endif
