/*
 * An OpenSSL provider whose keys are numbers: signing asks the signer, and
 * everything else is asked of the public key.
 * Runs as: _mailreeve (root: template, which has no client).
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <sys/mman.h>

#include <stdio.h>
#include <unistd.h>

#include "chan.h"
#include "clock.h"
#include "schemes.h"
#include "tls_remote.h"

#define SIGNER_MS 15000

/* By this parameter a certificate's public key comes in, with its number. */
#define PARAM_PUBLIC "mailreeve-public"
#define PARAM_NUMBER "mailreeve-number"

static int link_fd = -1;
static bool silent;			/* the signer was, when it was asked last */
static struct sign_rep *awaited;	/* of what was asked ahead, or NULL */

/* --- the link --- */

void
remote_link(int fd)
{
	link_fd = fd;
	silent = false;
	awaited = NULL;
}

bool
remote_silent(void)
{
	return silent;
}

static bool
say(const struct sign_req *q)
{
	silent = link_fd < 0
	    || chan_send(link_fd, q, sizeof *q, clock_ms() + SIGNER_MS) < 0;
	return !silent;
}

static int
hear(struct sign_rep *rep, uint32_t type)
{
	silent = chan_recv(link_fd, rep, sizeof *rep, clock_ms() + SIGNER_MS) < 0;
	return !silent && rep->type == type && rep->good == 1
	    && rep->n <= sizeof rep->p ? 0 : -1;
}

void
remote_ask_ahead(const struct sign_req *q, struct sign_rep *rep)
{
	rep->type = q->type;
	if (awaited == NULL && say(q))
		awaited = rep;
	silent = false;			/* whoever needs the answer finds out */
}

/* Answers come in the order of questions. */
void
remote_hear_ahead(void)
{
	struct sign_rep *rep = awaited;

	awaited = NULL;
	if (rep != NULL && hear(rep, rep->type) < 0)
		rep->n = 0;
}

int
remote_ask(struct sign_req *q, struct sign_rep *rep)
{
	if (!say(q))
		return -1;
	remote_hear_ahead();
	if (silent)
		return -1;
	return hear(rep, q->type);
}

struct bytes
remote_chain(int link)
{
	struct sign_req q = { .type = SIGN_CHAIN };
	uint64_t deadline = clock_ms() + SIGNER_MS;
	struct sign_rep rep;
	void *p = MAP_FAILED;
	int fd;

	if (chan_send(link, &q, sizeof q, deadline) < 0
	    || chan_recv_fd(link, &rep, sizeof rep, &fd, deadline) < 0)
		return BYTES("");
	if (rep.n > 0)
		p = mmap(NULL, rep.n, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? BYTES("") : bytes_make(p, rep.n);
}

/* --- keys --- */

struct key {
	EVP_PKEY *public;
	uint32_t number;
};

static void *
key_new(void *provider)
{
	(void)provider;
	return OPENSSL_zalloc(sizeof(struct key));
}

static void
key_free(void *data)
{
	struct key *k = data;

	if (k != NULL)
		EVP_PKEY_free(k->public);
	OPENSSL_free(k);
}

static int
key_has(const void *data, int selection)
{
	(void)selection;
	return data != NULL && ((const struct key *)data)->public != NULL;
}

static int
key_match(const void *a, const void *b, int selection)
{
	const struct key *ka = a, *kb = b;

	(void)selection;
	return EVP_PKEY_eq(ka->public, kb->public) == 1;
}

static int
key_get_params(void *data, OSSL_PARAM params[])
{
	return EVP_PKEY_get_params(((struct key *)data)->public, params);
}

static const OSSL_PARAM *
key_gettable(void *provider)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_END
	};

	(void)provider;
	return list;
}

/* What OpenSSL exports of a public key of its own, to compare it with ours. */
static EVP_PKEY *
public_from(const char *type, const OSSL_PARAM params[])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type,
	    "provider=default");
	EVP_PKEY *key = NULL;

	if (c != NULL && EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY,
		    (OSSL_PARAM *)(uintptr_t)params);
	EVP_PKEY_CTX_free(c);
	return key;
}

static int
key_import(struct key *k, const char *type, const OSSL_PARAM params[])
{
	const OSSL_PARAM *public = OSSL_PARAM_locate_const(params, PARAM_PUBLIC);
	const OSSL_PARAM *number = OSSL_PARAM_locate_const(params, PARAM_NUMBER);
	const void *p = NULL;

	if (public == NULL)
		return (k->public = public_from(type, params)) != NULL;
	if (number == NULL || OSSL_PARAM_get_octet_ptr(public, &p, NULL) != 1)
		return 0;
	k->public = (EVP_PKEY *)(uintptr_t)p;
	if (EVP_PKEY_up_ref(k->public) != 1)
		return 0;
	return OSSL_PARAM_get_uint32(number, &k->number);
}

/* There is no private part that could go anywhere. */
static int
key_export(void *data, int selection, OSSL_CALLBACK *give, void *arg)
{
	OSSL_PARAM *params = NULL;
	int r;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
	    || EVP_PKEY_todata(((struct key *)data)->public, EVP_PKEY_PUBLIC_KEY,
	    &params) != 1)
		return 0;
	r = give(params, arg);
	OSSL_PARAM_free(params);
	return r;
}

static const OSSL_PARAM *
key_types(int selection)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_octet_ptr(PARAM_PUBLIC, NULL, 0),
		OSSL_PARAM_uint32(PARAM_NUMBER, NULL),
		OSSL_PARAM_END
	};

	(void)selection;
	return list;
}

/* --- signing --- */

struct signing {
	struct key *key;
	const char *type;
	char digest[16];
	bool pss;
};

static void *
sign_new(const char *type)
{
	struct signing *s = OPENSSL_zalloc(sizeof *s);

	if (s != NULL)
		s->type = type;
	return s;
}

static void
sign_free(void *data)
{
	OPENSSL_free(data);
}

/* Padding is set after the beginning; nothing else about a signature is free. */
static int
sign_set(void *data, const OSSL_PARAM params[])
{
	struct signing *s = data;
	const OSSL_PARAM *p = params == NULL ? NULL
	    : OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	const char *name = "";
	int mode = 0;

	if (p == NULL)
		return 1;
	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		name = p->data;
	else if (OSSL_PARAM_get_int(p, &mode) != 1)
		return 0;
	s->pss = mode == RSA_PKCS1_PSS_PADDING
	    || strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
	return 1;
}

static const OSSL_PARAM *
sign_settable(void *data, void *provider)
{
	static const OSSL_PARAM list[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END
	};

	(void)data, (void)provider;
	return list;
}

static int
sign_init(void *data, const char *digest, void *key, const OSSL_PARAM params[])
{
	static const char alias[] = "SHA2-";
	struct signing *s = data;

	if (digest == NULL)
		digest = "";
	s->key = key;
	s->pss = strcmp(s->type, "RSA-PSS") == 0;
	if (strncmp(digest, alias, sizeof alias - 1) == 0)
		snprintf(s->digest, sizeof s->digest, "SHA%s",
		    digest + sizeof alias - 1);
	else
		snprintf(s->digest, sizeof s->digest, "%s", digest);
	return sign_set(s, params);
}

static uint32_t
scheme_of(const struct signing *s)
{
	for (size_t i = 0; i < SCHEMES_MAX; i++)
		if (strcmp(schemes[i].type, s->type) == 0
		    && strcmp(schemes[i].digest, s->digest) == 0
		    && schemes[i].pss == s->pss)
			return schemes[i].number;
	return 0;
}

static int
sign_all(void *data, unsigned char *sig, size_t *n, size_t room,
    const unsigned char *p, size_t p_n)
{
	struct signing *s = data;
	struct sign_req q = { .type = SIGN_SIGN, .key = s->key->number,
	    .scheme = scheme_of(s), .n = (uint32_t)p_n };
	struct sign_rep rep;

	if (sig == NULL) {
		*n = (size_t)EVP_PKEY_get_size(s->key->public);
		return 1;
	}
	if (p_n > sizeof q.p)
		return 0;
	memcpy(q.p, p, p_n);
	if (remote_ask(&q, &rep) < 0 || rep.n > room)
		return 0;
	memcpy(sig, rep.p, rep.n);
	*n = rep.n;
	return 1;
}

/* --- a table for each type of key --- */

#define F(id, f) { id, (void (*)(void))(f) }

#define TYPE(c, name, algorithm) \
static const char * \
c##_query(int operation) \
{ \
	return operation == OSSL_OP_SIGNATURE ? algorithm : NULL; \
} \
static int \
c##_import(void *k, int selection, const OSSL_PARAM params[]) \
{ \
	(void)selection; \
	return key_import(k, name, params); \
} \
static void * \
c##_sign_new(void *provider, const char *query) \
{ \
	(void)provider, (void)query; \
	return sign_new(name); \
} \
static const OSSL_DISPATCH c##_keys[] = { \
	F(OSSL_FUNC_KEYMGMT_NEW, key_new), \
	F(OSSL_FUNC_KEYMGMT_FREE, key_free), \
	F(OSSL_FUNC_KEYMGMT_HAS, key_has), \
	F(OSSL_FUNC_KEYMGMT_MATCH, key_match), \
	F(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params), \
	F(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable), \
	F(OSSL_FUNC_KEYMGMT_IMPORT, c##_import), \
	F(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types), \
	F(OSSL_FUNC_KEYMGMT_EXPORT, key_export), \
	F(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types), \
	F(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, c##_query), \
	{ 0, NULL } \
}; \
static const OSSL_DISPATCH c##_signatures[] = { \
	F(OSSL_FUNC_SIGNATURE_NEWCTX, c##_sign_new), \
	F(OSSL_FUNC_SIGNATURE_FREECTX, sign_free), \
	F(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, sign_init), \
	F(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_all), \
	F(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, sign_set), \
	F(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, sign_settable), \
	{ 0, NULL } \
};

TYPE(ec, "EC", "ECDSA")
TYPE(rsa, "RSA", "RSA")
TYPE(pss, "RSA-PSS", "RSA-PSS")
TYPE(ed25519, "ED25519", "ED25519")
TYPE(ed448, "ED448", "ED448")

#define PROPERTIES "provider=mailreeve"

static const OSSL_ALGORITHM key_list[] = {
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTIES, ec_keys, NULL },
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES, rsa_keys, NULL },
	{ "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", PROPERTIES, pss_keys, NULL },
	{ "ED25519:1.3.101.112", PROPERTIES, ed25519_keys, NULL },
	{ "ED448:1.3.101.113", PROPERTIES, ed448_keys, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM signature_list[] = {
	{ "ECDSA", PROPERTIES, ec_signatures, NULL },
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES, rsa_signatures, NULL },
	{ "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", PROPERTIES, pss_signatures, NULL },
	{ "ED25519:1.3.101.112", PROPERTIES, ed25519_signatures, NULL },
	{ "ED448:1.3.101.113", PROPERTIES, ed448_signatures, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT ? key_list
	    : operation == OSSL_OP_SIGNATURE ? signature_list : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
	F(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
	{ 0, NULL }
};

static int
begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	(void)handle, (void)in;
	*out = provider_functions;
	*provider = NULL;
	return 1;
}

int
remote_prepare(void)
{
	if (OSSL_PROVIDER_add_builtin(NULL, "mailreeve", begin) != 1
	    || OSSL_PROVIDER_load(NULL, "default") == NULL
	    || OSSL_PROVIDER_load(NULL, "mailreeve") == NULL)
		return -1;
	return 0;
}

EVP_PKEY *
remote_key(X509 *certificate, uint32_t number)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate), *key = NULL;
	void *p = public;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_ptr(PARAM_PUBLIC, &p, sizeof p),
		OSSL_PARAM_construct_uint32(PARAM_NUMBER, &number),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *c = public == NULL ? NULL : EVP_PKEY_CTX_new_from_name(NULL,
	    EVP_PKEY_get0_type_name(public), PROPERTIES);

	if (c != NULL && EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &key, EVP_PKEY_KEYPAIR, params);
	EVP_PKEY_CTX_free(c);
	return key;
}
