/*
 * Names for new mailboxes: Net-Unicode (RFC 5198) without controls.
 *
 * What is there already keeps its name, whoever gave it. Clients that write names
 * as modified UTF-7 know nothing of normal forms, and none is asked of them.
 *
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>

#include <utf8proc.h>

#include "newname.h"
#include "utf8.h"

static bool
is_ascii(struct bytes name)
{
	size_t i = 0;

	while (i < name.n && name.p[i] < 0x80)
		i++;
	return i == name.n;
}

/* Those of ASCII are in no name at all. */
static bool
is_control(uint32_t code)
{
	return (code >= 0x80 && code <= 0x9f) || code == 0x2028 || code == 0x2029;
}

static bool
has_control(struct bytes name)
{
	uint32_t code;
	size_t n;

	while ((n = utf8_char(name, &code)) > 0) {
		if (is_control(code))
			return true;
		name = bytes_from(name, n);
	}
	return false;
}

/* In Normalization Form C. */
static bool
is_composed(struct bytes name)
{
	utf8proc_uint8_t *composed = NULL;
	utf8proc_ssize_t n = utf8proc_map(name.p, (utf8proc_ssize_t)name.n, &composed,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	bool same = n >= 0 && bytes_equal(bytes_make(composed, (size_t)n), name);

	free(composed);
	return same;
}

const char *
newname_wrong(const struct session *s, struct bytes name)
{
	if (is_ascii(name))
		return NULL;
	if (has_control(name) || bytes_starts(name, BYTES("\xef\xbb\xbf")))
		return "No mailbox name has control characters";
	if (s->out.utf8 && !is_composed(name))
		return "Mailbox names are in Unicode's Normalization Form C";
	return NULL;
}
