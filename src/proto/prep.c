/*
 * Names and passwords: characters that SASLprep prohibits.
 * Runs as: login; the administrator.
 *
 * A password is neither mapped nor normalised for PAM, which compares what the
 * client sent with what passwd(1) was given.
 */
#include "prep.h"
#include "utf8.h"

/* RFC 4013 section 2.3: tables C.2.1 to C.9 of RFC 3454, without what B.1 drops. */
static const struct {
	uint32_t first, last;
} prohibited[] = {
	{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x340, 0x341 }, { 0x6dd, 0x6dd },
	{ 0x70f, 0x70f }, { 0x180e, 0x180e }, { 0x200e, 0x200f },
	{ 0x2028, 0x202e }, { 0x2061, 0x2063 }, { 0x206a, 0x206f },
	{ 0x2ff0, 0x2ffb }, { 0xd800, 0xf8ff }, { 0xfdd0, 0xfdef },
	{ 0xfff9, 0xffff }, { 0x1d173, 0x1d17a }, { 0x1fffe, 0x1ffff },
	{ 0xe0001, 0xe0001 }, { 0xe0020, 0xe007f }, { 0xefffe, 0x10ffff },
};

static bool
is_prohibited(uint32_t code)
{
	for (size_t i = 0; i < sizeof prohibited / sizeof prohibited[0]; i++)
		if (code >= prohibited[i].first && code <= prohibited[i].last)
			return true;
	return false;
}

bool
prep_allowed(struct bytes text)
{
	uint32_t code;
	size_t n;

	while ((n = utf8_char(text, &code)) > 0 && !is_prohibited(code))
		text = bytes_from(text, n);
	return text.n == 0;
}
