/*
 * An open mailbox: a bound folder and one session's view of it.
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "ahead.h"
#include "bound.h"
#include "uidl.h"

/* A fact found out about a message, not yet in the index. */
struct fact {
	uint32_t uid;
	uint64_t size;
	int64_t date;
};

struct pending_column {
	uint32_t uid;
	unsigned column;
	size_t at, n;			/* in the bytes */
};

struct pending {
	struct fact *facts;
	size_t n_facts;
	struct pending_column *columns;
	size_t n_columns, cap_columns;
	struct buf bytes;
};

struct mailbox {
	struct bound b;
	bool read_only;
	struct runs view;
	uint32_t view_next;		/* all that comes into the view later is from here on */
	struct runs recent;
	uint64_t told;			/* flag changes were told up to here */
	bool in_step;			/* view and index were equal ... */
	uint64_t step_modseq;		/* ... when the index stood at this, ... */
	uint64_t step_sum;		/* ... with this sum over all flags */
	int exclusive;			/* locked file, or -1 */
	struct buf column;		/* the one last asked for */
	struct mail_cursor *spent;	/* its rows: those last read */
	uint32_t asked;			/* whose message was opened last */
	struct aheads ahead;
	struct pending pending;
	struct uidls uidls;		/* once one was asked for */
	uint32_t upkeep_at;		/* UIDs up to here had their turn ... */
	bool unnamed;			/* ... and some name had no UID */
	bool upkeep_failed;		/* it is not tried again */
};

/* Remembers a fact; written with the columns. */
void pending_fact(struct mailbox *b, uint32_t uid, uint64_t size, int64_t date);
/* Writes facts and columns; what cannot be written is found out again. */
void pending_flush(struct mailbox *b);
void pending_free(struct pending *p);

/*
 * Size and date of a row where they are unknown, without reading it; and the
 * size in any case.
 */
int row_facts(struct mailbox *b, struct index_row *row);
int row_size(struct mailbox *b, struct index_row *row);

/* The row, also when its file was renamed a moment ago. */
int row_find(struct mailbox *b, uint32_t uid, struct index_row *row);

/* A locator among the rows last read, perhaps old by now; or NULL. */
const char *row_where(const struct mailbox *b, uint32_t uid);

/* Reads the row and those behind it, for row_where(). */
void rows_ahead(struct mailbox *b, uint32_t uid);

/* Octets with CRLF line ends. */
int message_wire_size(const struct message *msg, uint64_t *size);

/* Changes the record under the folder's lock. */
int mailbox_update(struct mailbox *b, void (*fn)(struct mailbox *b));

#endif
