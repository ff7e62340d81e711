/*
 * COLUMN_HEADER: the header fields that clients ask for in lists of messages.
 *
 * Format: version, then these fields of the header as stored, in their order,
 * and its empty line if it has one. Another set of names is another version.
 *
 * Runs as: the mailbox owner (imap).
 */
#include <errno.h>

#include "facts.h"

#define FIELDS_VERSION	1
#define FIELDS_MAX	((size_t)16384)	/* larger ones are not kept */

/* What mutt, Thunderbird, K-9, Roundcube, Apple Mail and alpine ask for. */
static const char *const kept[] = {
	"Date", "Subject", "From", "To", "Cc", "Bcc", "Sender", "Reply-To",
	"Message-ID", "In-Reply-To", "References", "Newsgroups",
	"Content-Type", "Content-Transfer-Encoding", "Content-Description",
	"Content-Class", "MIME-Version", "Priority", "X-Priority", "Importance",
	"X-MSMail-Priority", "Lines", "List-Id", "List-Post", "List-Subscribe",
	"List-Unsubscribe", "List-Unsubscribe-Post", "Mailing-List",
	"Mail-Followup-To", "Mail-Reply-To", "Followup-To", "X-Label",
	"X-Original-To", "Delivered-To", "Envelope-To", "Return-Path",
	"Return-Receipt-To", "Disposition-Notification-To", "X-Draft-Info",
	"X-Mailer", "User-Agent", "X-Spam-Status", "X-Spam-Flag", "X-Spam-Score",
	"Auto-Submitted", "Precedence", "Autocrypt", "Chat-Version",
	"X-Universally-Unique-Identifier", "X-Uniform-Type-Identifier",
};

#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))

static bool
is_kept(struct bytes name)
{
	size_t i;

	for (i = 0; i < KEPT_COUNT; i++)
		if (bytes_case_equal(name, bytes_of(kept[i])))
			return true;
	return false;
}

bool
facts_keeps(const struct bytes *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_kept(names[i]))
			return false;
	return true;
}

/* The fields worth keeping and the empty line, into f->text behind its version. */
static int
make_fields(struct facts *f, struct bytes header)
{
	struct header_cursor c = HEADER_CURSOR(header);
	struct header_field field;
	size_t end = 0;

	buf_clear(&f->text);
	buf_byte(&f->text, FIELDS_VERSION);
	while (header_next(&c, &field)) {
		end = field.offset + field.whole.n;
		if (is_kept(field.name))
			buf_bytes(&f->text, field.whole);
	}
	return buf_bytes(&f->text, bytes_from(header, end));
}

int
facts_fields(struct facts *f, struct bytes *out)
{
	struct bytes header;

	if (mailbox_column(f->box, f->uid, COLUMN_HEADER, out) == 1 && out->n > 0 &&
	    out->p[0] == FIELDS_VERSION) {
		*out = bytes_from(*out, 1);
		return 0;
	}
	if (facts_header(f, &header) == -1)
		return -1;
	if (make_fields(f, header) == -1 || f->text.error != 0) {
		errno = ENOMEM;
		return -1;
	}
	*out = buf_contents(&f->text);
	if (out->n <= FIELDS_MAX)
		mailbox_column_put(f->box, f->uid, COLUMN_HEADER, *out);
	*out = bytes_from(*out, 1);
	return 0;
}
