/*
 * gss: the verifier of GSSAPI, with Kerberos V5.
 */
#ifndef VERIFY_GSS_H
#define VERIFY_GSS_H

#include <krb5.h>

#include "verifier.h"

extern const struct verify_program gss_verifier;

/*
 * keytab.c: what follows from principals. Copies the keys of SERVICE/HOST
 * principals from the file at path to memory, where gss_acquire_cred_from()
 * finds them as KEYTAB_MEMORY. 0, or -1 after a line in the log.
 */
#define KEYTAB_MEMORY "MEMORY:mailreeve"
int keytab_load(krb5_context k, const char *path, const char *service);

/*
 * The account of a client: the name of a principal that has no instance, in
 * the realm of the server's own. NULL, or why it has none.
 */
const char *keytab_account(krb5_context k, struct bytes client,
    struct bytes server, char name[CHAN_TEXT_MAX + 1]);

#endif
