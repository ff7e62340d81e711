/*
 * The names of the mechanisms.
 * Runs as: root (mailreeved, conn), login.
 */
#include <errno.h>

#include "mechanisms.h"

static const char *const names[MECHANISMS] = {
	[MECHANISM_PLAIN] = "PLAIN",
	[MECHANISM_LOGIN] = "LOGIN",
	[MECHANISM_SCRAM_SHA_1] = "SCRAM-SHA-1",
	[MECHANISM_SCRAM_SHA_256] = "SCRAM-SHA-256",
	[MECHANISM_SCRAM_SHA_512] = "SCRAM-SHA-512",
	[MECHANISM_EXTERNAL] = "EXTERNAL",
	[MECHANISM_ANONYMOUS] = "ANONYMOUS",
	[MECHANISM_CRAM_MD5] = "CRAM-MD5",
	[MECHANISM_APOP] = "APOP",
	[MECHANISM_OAUTHBEARER] = "OAUTHBEARER",
	[MECHANISM_XOAUTH2] = "XOAUTH2",
	[MECHANISM_GSSAPI] = "GSSAPI",
};

static bool
has_client_ca(const struct config *conf)
{
	return conf->tls_client_ca[0] != '\0';
}

static bool
has_anonymous(const struct config *conf)
{
	return conf->anonymous_user[0] != '\0';
}

static bool
has_oauth(const struct config *conf)
{
	return conf->oauth_keys[0] != '\0' && conf->oauth_issuer[0] != '\0'
	    && conf->oauth_audience[0] != '\0';
}

static bool
has_keytab(const struct config *conf)
{
	return conf->gssapi_keytab[0] != '\0';
}

/* What a mechanism needs beside; NULL: nothing. */
static bool (*const needs[MECHANISMS])(const struct config *) = {
	[MECHANISM_EXTERNAL] = has_client_ca,
	[MECHANISM_ANONYMOUS] = has_anonymous,
	[MECHANISM_OAUTHBEARER] = has_oauth,
	[MECHANISM_XOAUTH2] = has_oauth,
	[MECHANISM_GSSAPI] = has_keytab,
};

const char *
mechanism_name(enum mechanism m)
{
	return names[m];
}

bool
mechanism_on(const struct config *conf, uint32_t m)
{
	struct bytes rest = bytes_of(conf->mechanisms);

	if (m >= MECHANISMS || (needs[m] != NULL && !needs[m](conf)))
		return false;
	while (rest.n > 0)
		if (bytes_case_equal(bytes_split(&rest, ' '), bytes_of(names[m])))
			return true;
	return false;
}

static bool
is_name(struct bytes word)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (bytes_case_equal(word, bytes_of(names[i])))
			return true;
	return false;
}

int
mechanisms_check(struct bytes list, struct buf *why)
{
	while (list.n > 0) {
		struct bytes word = bytes_split(&list, ' ');

		if (word.n == 0 || is_name(word))
			continue;
		buf_text(why, "give some of");
		for (size_t i = 0; i < MECHANISMS; i++)
			buf_printf(why, " %s", names[i]);
		errno = EINVAL;
		return -1;
	}
	return 0;
}
