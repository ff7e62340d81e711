/*
 * Every limit of an IMAP session, by name; mailreeve-imap(8) lists them.
 * What the grammar's reader limits stands in lex.h.
 */
#ifndef IMAP_LIMITS_H
#define IMAP_LIMITS_H

#include <stddef.h>

/* Memory that one command may take beside its own text. */
#define COMMAND_ARENA_MAX	((size_t)8 << 20)

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

/* GETMETADATA, SETMETADATA: entries in one command. */
#define METADATA_ENTRIES_MAX	100

/* ID: field-value pairs, octets in a field name and in a value (RFC 2971 3.3). */
#define ID_PAIRS_MAX		30
#define ID_FIELD_MAX		30
#define ID_VALUE_MAX		1024

/* Messages in one APPEND: what SAVELIMIT says (RFC 9738: not under 1000). */
#define APPEND_MESSAGES_MAX	1000

/* CATENATE: parts of one message. */
#define CATENATE_PARTS_MAX	1000

/* FETCH: items in one command, field names in one HEADER.FIELDS, numbers in a section. */
#define FETCH_ITEMS_MAX		100
#define HEADER_FIELDS_MAX	500
#define SECTION_DEPTH_MAX	100

/* SEARCH: keys in one program (their nesting: LEX_DEPTH_MAX), octets of one string. */
#define SEARCH_KEYS_MAX		1000
#define SEARCH_STRING_MAX	8192

/* ESEARCH: mailboxes and kinds of mailboxes that are named. */
#define MULTISEARCH_SOURCES_MAX	200

/* RFC 5267: searches of one mailbox that go on, memory that one may take. */
#define CONTEXTS_MAX		20
#define CONTEXT_ARENA_MAX	((size_t)1 << 20)

/* One with OLDER or YOUNGER looks at so many messages a second, as time goes. */
#define CONTEXT_TURN_MESSAGES	50000

/* Seconds between two INPROGRESS (RFC 9585), and after which a search ends. */
#define PROGRESS_SECONDS	10
#define SEARCH_SECONDS_MAX	3600

/* SORT: criteria of one command; memory for the texts that are compared. */
#define SORT_CRITERIA_MAX	20
#define SORT_TEXTS_MAX		((size_t)1 << 30)

/* NOTIFY: groups, mailboxes named in one, memory for both; mailboxes looked at. */
#define NOTIFY_GROUPS_MAX	50
#define NOTIFY_NAMES_MAX	1000
#define NOTIFY_ARENA_MAX	((size_t)1 << 20)
#define NOTIFY_MAILBOXES_MAX	10000

/*
 * UIDBATCHES: the smallest batch (RFC 10022 section 3.1.3.2), and how often it
 * may be asked for before half a batch of messages came or went.
 */
#define UIDBATCHES_SIZE_MIN	500
#define UIDBATCHES_MAX		100

/* Behind each command, memory for its text above this is given back. */
#define IDLE_COMMAND_KEEP	((size_t)4096)

/* A client that waits this long before its next command may wait longer. */
#define SHRINK_AFTER_MS		3000

#endif
