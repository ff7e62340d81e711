/*
 * A strict reader of the IMAP texts that fuzz targets make: envelope and body
 * of RFC 3501 and RFC 9051 section 9, written from there and sharing nothing
 * with the writer.
 */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include "bytes.h"

/* True when all of text is one envelope; one body, extended or not. */
bool grammar_envelope(struct bytes text, bool utf8);
bool grammar_body(struct bytes text, bool utf8, bool extended);

#endif
