/*
 * Comparisons, splitting and numbers on counted bytes.
 * Runs as: any user.
 */
#include <errno.h>

#include "bytes.h"

bool
bytes_case_equal(struct bytes a, struct bytes b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

bool
bytes_starts(struct bytes b, struct bytes prefix)
{
	return b.n >= prefix.n && bytes_equal(bytes_first(b, prefix.n), prefix);
}

bool
bytes_case_starts(struct bytes b, struct bytes prefix)
{
	return b.n >= prefix.n && bytes_case_equal(bytes_first(b, prefix.n), prefix);
}

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes
bytes_trim(struct bytes b)
{
	while (b.n > 0 && is_space(b.p[0])) {
		b.p++;
		b.n--;
	}
	while (b.n > 0 && is_space(b.p[b.n - 1]))
		b.n--;
	return b;
}

struct bytes
bytes_split(struct bytes *rest, unsigned char sep)
{
	struct bytes all = *rest;
	ssize_t at = bytes_find(all, sep);

	if (at < 0) {
		*rest = bytes_from(all, all.n);
		return all;
	}
	*rest = bytes_from(all, (size_t)at + 1);
	return bytes_first(all, (size_t)at);
}

int
bytes_escaped(struct bytes b, unsigned char sign)
{
	int high, low;

	if (b.n < 3 || b.p[0] != sign)
		return -1;
	high = ascii_hex(b.p[1]);
	low = ascii_hex(b.p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* So many digits are no more than 64 bits hold. */
#define SAFE_DIGITS 19

int
bytes_number(struct bytes b, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (b.n == 0) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < b.n; i++) {
		unsigned digit = (unsigned)(b.p[i] - '0');

		if (digit > 9) {
			errno = EINVAL;
			return -1;
		}
		if (i >= SAFE_DIGITS && v > (UINT64_MAX - digit) / 10) {
			errno = ERANGE;
			return -1;
		}
		v = v * 10 + digit;
	}
	if (v > max) {
		errno = ERANGE;
		return -1;
	}
	*out = v;
	return 0;
}
