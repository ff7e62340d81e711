/*
 * Kerberos' principals: which keys are ours, which account a client has.
 * Runs as: root (keytab_load, before the cage), _mailreeve.
 */
#include <stdio.h>

#include "gss.h"
#include "log.h"

#define PRINCIPAL_MAX 1024

static bool
data_is(const krb5_data *d, const char *text)
{
	return bytes_equal(bytes_make(d->data, d->length), bytes_of(text));
}

/* Copies what is for service; how many keys, or -1 with *error. */
static int
copy_keys(krb5_context k, krb5_keytab from, krb5_keytab to, const char *service,
    krb5_error_code *error)
{
	krb5_keytab_entry entry;
	krb5_kt_cursor cursor;
	int n = 0;

	*error = krb5_kt_start_seq_get(k, from, &cursor);
	if (*error != 0)
		return -1;
	while (*error == 0
	    && (*error = krb5_kt_next_entry(k, from, &entry, &cursor)) == 0) {
		if (entry.principal->length == 2
		    && data_is(&entry.principal->data[0], service)) {
			*error = krb5_kt_add_entry(k, to, &entry);
			n++;
		}
		krb5_free_keytab_entry_contents(k, &entry);
	}
	krb5_kt_end_seq_get(k, from, &cursor);
	return *error == KRB5_KT_END ? n : -1;
}

static void
complain(krb5_context k, const char *path, krb5_error_code error)
{
	const char *text = krb5_get_error_message(k, error);

	log_error("%s: %s", path, text);
	krb5_free_error_message(k, text);
}

int
keytab_load(krb5_context k, const char *path, const char *service)
{
	char name[CONFIG_VALUE_MAX + sizeof "FILE:"];
	krb5_keytab from = NULL, to = NULL;
	krb5_error_code error;
	int n = -1;

	snprintf(name, sizeof name, "FILE:%s", path);
	error = krb5_kt_resolve(k, name, &from);
	if (error == 0)
		error = krb5_kt_resolve(k, KEYTAB_MEMORY, &to);
	if (error == 0)
		n = copy_keys(k, from, to, service, &error);
	if (n < 0)
		complain(k, path, error);
	else if (n == 0)
		log_error("%s: no key of %s/HOST: add one with kadmin's ktadd",
		    path, service);
	/* What is in memory lives as long as somebody holds it: to stays. */
	if (from != NULL)
		krb5_kt_close(k, from);
	return n > 0 ? 0 : -1;
}

static krb5_principal
parse(krb5_context k, struct bytes name)
{
	char text[PRINCIPAL_MAX + 1];
	krb5_principal p = NULL;

	if (name.n > PRINCIPAL_MAX || bytes_find(name, '\0') >= 0)
		return NULL;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (krb5_parse_name_flags(k, text, KRB5_PRINCIPAL_PARSE_REQUIRE_REALM,
	    &p) != 0)
		return NULL;
	return p;
}

/*
 * Signs that part names elsewhere: `ann@OTHER` of this realm must not become
 * the account of that name that a directory knows from another.
 */
static bool
has_separator(const krb5_data *d)
{
	for (unsigned i = 0; i < d->length; i++)
		if (d->data[i] == '@' || d->data[i] == '/' || d->data[i] == '\\')
			return true;
	return false;
}

static const char *
account_of(krb5_context k, krb5_const_principal client,
    krb5_const_principal server, char name[CHAN_TEXT_MAX + 1])
{
	const krb5_data *d = client->data;

	if (!krb5_realm_compare(k, client, server))
		return "principal is of another realm";
	if (client->length != 1 || has_separator(d)
	    || !verifier_name(bytes_make(d->data, d->length)))
		return "principal is no account";
	memcpy(name, d->data, d->length);
	name[d->length] = '\0';
	return NULL;
}

const char *
keytab_account(krb5_context k, struct bytes client, struct bytes server,
    char name[CHAN_TEXT_MAX + 1])
{
	krb5_principal c = parse(k, client), s = parse(k, server);
	const char *why = c == NULL || s == NULL ? "principal has no form"
	    : account_of(k, c, s, name);

	krb5_free_principal(k, c);
	krb5_free_principal(k, s);
	return why;
}
