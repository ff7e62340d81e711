/*
 * Every limit of an IMAP session, by name; mailreeve-imap(8) lists them.
 * What the grammar's reader limits stands in lex.h.
 */
#ifndef IMAP_LIMITS_H
#define IMAP_LIMITS_H

#include <stddef.h>

/* Memory that one command may take beside its own text. */
#define COMMAND_ARENA_MAX	((size_t)32 << 20)

/*
 * A literal that is refused after the client began to send it (LITERAL+) is
 * read and dropped up to this size; a larger one ends the session.
 */
#define LITERAL_SKIP_MAX	((size_t)256 << 20)

/* Literals in one command. */
#define LITERALS_MAX		1000

/* BAD answers in a row before BYE: somebody speaks another protocol. */
#define BAD_COMMANDS_MAX	20

/* Patterns in one LIST, and the length of one (reference included). */
#define LIST_PATTERNS_MAX	100
#define LIST_PATTERN_MAX	2048

/* ID: field-value pairs, octets in a field name and in a value (RFC 2971 3.3). */
#define ID_PAIRS_MAX		30
#define ID_FIELD_MAX		30
#define ID_VALUE_MAX		1024

/* Messages in one APPEND. */
#define APPEND_MESSAGES_MAX	1000

/* While a session waits, memory above this is given back to the system. */
#define IDLE_COMMAND_KEEP	((size_t)4096)

#endif
