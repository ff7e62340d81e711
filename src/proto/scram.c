/*
 * The client's two messages of SCRAM (RFC 5802 section 7).
 * Runs as: login.
 */
#include <errno.h>

#include "scram.h"

static int
bad(int why)
{
	errno = why;
	return -1;
}

/* Takes "x=value" off the front, up to the next comma: 0, or -1. */
static int
attribute(struct bytes *rest, char name, struct bytes *value)
{
	struct bytes part = bytes_split(rest, ',');

	if (part.n < 2 || part.p[0] != (unsigned char)name || part.p[1] != '=')
		return bad(EINVAL);
	*value = bytes_from(part, 2);
	return 0;
}

/* saslname: `=2C` and `=3D` are the only use of `=`; it is not empty. */
static int
unescape(struct bytes in, unsigned char **room, struct bytes *out)
{
	unsigned char *to = *room;

	while (in.n > 0) {
		int code = bytes_escaped(in, '=');

		if (in.p[0] == '\0' || (in.p[0] == '=' && code != ',' && code != '='))
			return bad(EINVAL);
		*(*room)++ = code < 0 ? in.p[0] : (unsigned char)code;
		in = bytes_from(in, code < 0 ? 1 : 3);
	}
	*out = bytes_make(to, (size_t)(*room - to));
	return out->n > 0 ? 0 : bad(EINVAL);
}

/* printable, without the comma that split() ended at */
static bool
is_nonce(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] >= 0x7f)
			return false;
	return b.n > 0;
}

/*
 * extensions: attr-val, separated by commas; those that are here mean nothing to
 * us. rest is the end of whole, in which a last comma would have nothing behind it.
 */
static int
skip_extensions(struct bytes rest, struct bytes whole)
{
	if (whole.p[whole.n - 1] == ',')
		return bad(EINVAL);
	while (rest.n > 0) {
		struct bytes part = bytes_split(&rest, ',');

		if (part.n < 3 || !ascii_alpha(part.p[0]) || part.p[1] != '='
		    || bytes_find(part, '\0') >= 0)
			return bad(EINVAL);
	}
	return 0;
}

/* gs2-header */
static int
read_header(struct bytes *rest, unsigned char **room, struct scram_first *out)
{
	const unsigned char *begin = rest->p;
	struct bytes flag = bytes_split(rest, ','), name;

	if (flag.n == 0 || (flag.n > 1 && (flag.p[0] != 'p' || flag.p[1] != '='))
	    || (flag.n == 1 && flag.p[0] != 'n' && flag.p[0] != 'y')
	    || (flag.p[0] == 'p' && flag.n < 3) || rest->n == 0)
		return bad(EINVAL);
	out->flag = flag.p[0];
	out->binding = bytes_from(flag, 2);
	if (rest->p[0] == ',')
		*rest = bytes_from(*rest, 1);
	else if (attribute(rest, 'a', &name) < 0
	    || unescape(name, room, &out->authzid) < 0)
		return -1;
	out->header = bytes_make(begin, (size_t)(rest->p - begin));
	return 0;
}

int
scram_first(struct bytes message, unsigned char *room,
    struct scram_first *out)
{
	struct bytes rest = message, name;

	*out = (struct scram_first){ 0 };
	if (read_header(&rest, &room, out) < 0)
		return -1;
	out->bare = rest;
	if (bytes_starts(rest, BYTES("m=")))
		return bad(ENOTSUP);
	if (attribute(&rest, 'n', &name) < 0
	    || unescape(name, &room, &out->user) < 0
	    || attribute(&rest, 'r', &out->nonce) < 0)
		return -1;
	return is_nonce(out->nonce) ? skip_extensions(rest, message) : bad(EINVAL);
}

/* The proof is the last attribute; what is before it is signed. */
int
scram_final(struct bytes message, struct scram_final *out)
{
	struct bytes rest, whole;
	size_t at = message.n;

	while (at > 0 && message.p[at - 1] != ',')
		at--;
	if (at == 0)
		return bad(EINVAL);
	rest = whole = bytes_first(message, at - 1);
	out->proof = bytes_from(message, at);
	if (attribute(&out->proof, 'p', &out->proof) < 0)
		return -1;
	if (attribute(&rest, 'c', &out->binding) < 0)
		return -1;
	out->behind = bytes_from(whole, 2 + out->binding.n);
	if (attribute(&rest, 'r', &out->nonce) < 0)
		return -1;
	return is_nonce(out->nonce) ? skip_extensions(rest, whole) : bad(EINVAL);
}
