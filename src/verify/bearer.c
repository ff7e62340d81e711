/*
 * The message around a bearer token.
 * Runs as: _mailreeve.
 */
#include "bearer.h"
#include "utf8.h"

#define KVSEP 1				/* RFC 7628 section 3.1 */

/* The values that matter; p NULL: not there. */
struct pairs {
	struct bytes auth;
	struct bytes user;
};

/* VCHAR / SP / HTAB / CR / LF; names beyond ASCII stand in user of XOAUTH2. */
static bool
is_value(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < ' ' && v.p[i] != '\t' && v.p[i] != '\r'
		    && v.p[i] != '\n') || v.p[i] == 0x7f)
			return false;
	return true;
}

static bool
is_key(struct bytes k)
{
	for (size_t i = 0; i < k.n; i++)
		if (!ascii_alpha(k.p[i]))
			return false;
	return k.n > 0;
}

static int
take(struct bytes value, struct bytes *to)
{
	if (to->p != NULL)
		return -1;		/* twice */
	*to = value;
	return 0;
}

/* *(key "=" value kvsep) kvsep; keys that are not known are passed over. */
static int
read_pairs(struct bytes text, struct pairs *out)
{
	*out = (struct pairs){ 0 };
	if (text.n == 0 || text.p[text.n - 1] != KVSEP)
		return -1;
	text.n--;
	while (text.n > 0) {
		ssize_t end = bytes_find(text, KVSEP);
		struct bytes value, key;

		if (end < 0)
			return -1;
		value = bytes_first(text, (size_t)end);
		text = bytes_from(text, (size_t)end + 1);
		if (bytes_find(value, '=') < 0)
			return -1;
		key = bytes_split(&value, '=');
		if (!is_key(key) || !is_value(value)
		    || (bytes_equal(key, BYTES("auth")) && take(value, &out->auth) < 0)
		    || (bytes_equal(key, BYTES("user")) && take(value, &out->user) < 0))
			return -1;
	}
	return out->auth.p == NULL ? -1 : 0;
}

/* One character of a saslname (RFC 5801 section 4); "=2C" is a comma. */
static int
name_char(struct bytes *rest)
{
	int c = rest->p[0];
	size_t n = 1;

	if (c == '=') {
		n = 3;
		c = bytes_starts(*rest, BYTES("=2C")) ? ','
		    : bytes_starts(*rest, BYTES("=3D")) ? '=' : 0;
	}
	*rest = bytes_from(*rest, n);
	return c;
}

static int
read_name(struct bytes text, char out[BEARER_NAME_MAX + 1])
{
	size_t n = 0;

	while (text.n > 0) {
		int c = name_char(&text);

		if (c == 0 || n == BEARER_NAME_MAX)
			return -1;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return n > 0 && utf8_valid(bytes_of(out)) ? 0 : -1;
}

/* gs2-header kvsep, without channel binding: "n,a=NAME," or "n,," */
static int
read_header(struct bytes *rest, char name[BEARER_NAME_MAX + 1])
{
	struct bytes flag, authzid;

	if (bytes_find(*rest, KVSEP) < 0)
		return -1;
	authzid = bytes_split(rest, KVSEP);
	flag = bytes_split(&authzid, ',');
	if (!bytes_equal(flag, BYTES("n")) && !bytes_equal(flag, BYTES("y")))
		return -1;
	if (authzid.n == 0 || authzid.p[authzid.n - 1] != ',')
		return -1;
	authzid.n--;
	if (authzid.n == 0)
		return 0;
	if (!bytes_starts(authzid, BYTES("a="))
	    || bytes_find(authzid, ',') >= 0)
		return -1;
	return read_name(bytes_from(authzid, 2), name);
}

/* "Bearer" 1*SP token (RFC 6750 section 2.1), or nothing at all. */
static int
read_auth(struct bytes auth, struct bytes *token)
{
	*token = auth;
	if (auth.n == 0)
		return 0;
	if (!bytes_case_starts(auth, BYTES("Bearer ")))
		return -1;
	*token = bytes_trim(bytes_from(auth, strlen("Bearer ")));
	return token->n > 0 ? 0 : -1;
}

/* XOAUTH2 writes the name as it is. */
static int
take_user(struct bytes user, char name[BEARER_NAME_MAX + 1])
{
	if (user.n == 0 || user.n > BEARER_NAME_MAX || !utf8_valid(user))
		return -1;
	memcpy(name, user.p, user.n);
	name[user.n] = '\0';
	return 0;
}

int
bearer_parse(struct bytes message, bool xoauth2, struct bearer *out)
{
	struct pairs pairs;

	*out = (struct bearer){ 0 };
	if (!xoauth2 && read_header(&message, out->name) < 0)
		return -1;
	if (read_pairs(message, &pairs) < 0
	    || (xoauth2 && take_user(pairs.user, out->name) < 0))
		return -1;
	return read_auth(pairs.auth, &out->token);
}
