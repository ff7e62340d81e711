/*
 * JSON objects of tokens and key sets, by libjansson.
 */
#ifndef VERIFY_JSON_H
#define VERIFY_JSON_H

#include <jansson.h>

#include "bytes.h"

/*
 * The object that is all of text, to be given to json_decref(); NULL when it
 * is no object, has a member twice, or anything else is wrong with it.
 */
json_t *json_object_in(struct bytes text);

/* Same as above for the base64url of one. */
json_t *json_object_encoded(struct bytes encoded);

/* A member's string; empty with p NULL when there is none or it is no string. */
struct bytes json_text(const json_t *object, const char *name);

/* True when the member is the string want, or an array that has it. */
bool json_has(const json_t *object, const char *name, const char *want);

#endif
