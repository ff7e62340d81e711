/*
 * Base64url without padding, as JOSE has it (RFC 7515 section 2).
 */
#ifndef VERIFY_BASE64URL_H
#define VERIFY_BASE64URL_H

#include "bytes.h"

/* Room that base64url_decode() needs for n characters. */
#define BASE64URL_DECODED_MAX(n) ((n) / 4 * 3 + 2)

/*
 * Decodes all of in, whose last character may have no bits to spare: one
 * text for each value. How many bytes it wrote, or -1 with errno EINVAL.
 */
ssize_t base64url_decode(struct bytes in, unsigned char *out);

#endif
