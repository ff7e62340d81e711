/*
 * Every limit of a POP3 session, by name; mailreeve-pop3(8) lists them.
 */
#ifndef POP3_LIMITS_H
#define POP3_LIMITS_H

#include <stddef.h>

/* A command line with its CRLF (RFC 2449 section 4). */
#define COMMAND_LINE_MAX	((size_t)255)

/* What is read and dropped of a longer line before the session ends. */
#define COMMAND_SKIP_MAX	((size_t)65536)

/* The status line of an answer with its CRLF (RFC 2449 section 4). */
#define STATUS_LINE_MAX		((size_t)512)

/* Bad commands in a row before the end: somebody speaks another protocol. */
#define BAD_COMMANDS_MAX	20

/* Messages whose sizes or unique-ids are held in memory at once. */
#define BATCH_MAX		256

/* Octets of a message held in memory at once. */
#define PIECE_MAX		((size_t)28672)

/* A client that waits this long before its next command may wait longer. */
#define SHRINK_AFTER_MS		3000

#endif
