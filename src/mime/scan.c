/*
 * Comments and quoted strings.
 * Runs as: the mailbox owner.
 */
#include "scan.h"

size_t
scan_comment(struct bytes b)
{
	size_t depth = 0;

	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '(')
			depth++;
		else if (b.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

size_t
scan_quoted(struct bytes b)
{
	for (size_t i = 1; i < b.n; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '"')
			return i + 1;
	}
	return 0;
}
