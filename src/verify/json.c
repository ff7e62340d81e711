/*
 * JSON objects of tokens and key sets.
 * Runs as: _mailreeve.
 *
 * libjansson is strict (RFC 8259): UTF-8, no NUL, at most 2048 levels. A member
 * that stands twice is refused: two readers might not take the same one (RFC
 * 8725 section 2.4).
 */
#include <stdlib.h>

#include "base64url.h"
#include "json.h"

json_t *
json_object_in(struct bytes text)
{
	json_t *j = text.n == 0 ? NULL
	    : json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

json_t *
json_object_encoded(struct bytes encoded)
{
	unsigned char *text = malloc(BASE64URL_DECODED_MAX(encoded.n));
	json_t *j = NULL;
	ssize_t n;

	if (text == NULL)
		return NULL;
	n = base64url_decode(encoded, text);
	if (n > 0)
		j = json_object_in(bytes_make(text, (size_t)n));
	free(text);
	return j;
}

static struct bytes
text_of(const json_t *j)
{
	return json_is_string(j)
	    ? bytes_make(json_string_value(j), json_string_length(j))
	    : (struct bytes){ 0 };
}

struct bytes
json_text(const json_t *object, const char *name)
{
	return text_of(json_object_get(object, name));
}

static bool
is(const json_t *j, const char *want)
{
	return json_is_string(j) && bytes_equal(text_of(j), bytes_of(want));
}

bool
json_has(const json_t *object, const char *name, const char *want)
{
	const json_t *j = json_object_get(object, name);

	if (!json_is_array(j))
		return is(j, want);
	for (size_t i = 0; i < json_array_size(j); i++)
		if (is(json_array_get(j, i), want))
			return true;
	return false;
}
