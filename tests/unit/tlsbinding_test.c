/*
 * Channel bindings, as both ends of a connection compute them.
 * Runs as: the person who builds.
 */
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "../../src/login/tls_private.h"
#include "../../src/login/tls_remote.h"
#include "test.h"

#define LABEL "EXPORTER-Channel-Binding"
#define TURNS_MAX 20

/* --- certificates --- */

/* type: as EVP_PKEY_Q_keygen() has it. */
static EVP_PKEY *
key_of(const char *type)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_RSA_gen(2048);
	return strncmp(type, "P-", 2) == 0 ? EVP_EC_gen(type)
	    : EVP_PKEY_Q_keygen(NULL, NULL, type);
}

static void
sign_it(X509 *x, EVP_PKEY *key, const char *digest, bool pss)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c;

	CHECK_EQ_INT(EVP_DigestSignInit_ex(md, &c, digest, NULL, NULL, key, NULL), 1);
	if (pss)
		CHECK_EQ_INT(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING), 1);
	CHECK(X509_sign_ctx(x, md) > 0);
	EVP_MD_CTX_free(md);
}

static X509 *
certificate(EVP_PKEY *key, const char *digest, bool pss)
{
	X509 *x = X509_new();

	CHECK_EQ_INT(X509_set_version(x, X509_VERSION_3), 1);
	CHECK(X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL);
	CHECK(X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL);
	CHECK_EQ_INT(X509_set_pubkey(x, key), 1);
	sign_it(x, key, digest, pss);
	return x;
}

static SSL_CTX *
server_for(const char *type, const char *digest, bool pss)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = key_of(type);
	X509 *x = certificate(key, digest, pss);

	/* MD5 and SHA-1 are below any level; they only say how x was signed. */
	SSL_CTX_set_security_level(c, 0);
	CHECK_EQ_INT(SSL_CTX_use_certificate(c, x), 1);
	CHECK_EQ_INT(SSL_CTX_use_PrivateKey(c, key), 1);
	CHECK_EQ_INT(tickets_offer(c), 0);
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

/* --- connections --- */

/* In the place of tls_remote.c: the keys of every ticket. */
int
remote_ask(struct sign_req *q, struct sign_rep *rep)
{
	if (q->type != SIGN_TICKET)
		return -1;
	memset(rep, 'k', sizeof *rep);
	rep->good = 1;
	rep->n = TICKET_KEYS_SIZE + TICKET_NAME_SIZE;
	return 0;
}

void
remote_ask_ahead(const struct sign_req *q, struct sign_rep *rep)
{
	struct sign_req copy = *q;

	CHECK_EQ_INT(remote_ask(&copy, rep), 0);
}

void
remote_hear_ahead(void)
{
}

struct pair {
	struct tls t;
	SSL *client;
};

static struct pair
connection(SSL_CTX *server, int version, uint64_t options, SSL_SESSION *session)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	struct pair p = { .t.ssl = SSL_new(server), .client = SSL_new(c) };
	BIO *ours, *theirs;

	SSL_CTX_free(c);
	CHECK_EQ_INT(BIO_new_bio_pair(&ours, 0, &theirs, 0), 1);
	SSL_set_bio(p.t.ssl, ours, ours);
	SSL_set_bio(p.client, theirs, theirs);
	SSL_set_security_level(p.client, 0);
	SSL_set_options(p.client, options);
	CHECK_EQ_INT(SSL_set_max_proto_version(p.client, version), 1);
	if (session != NULL)
		CHECK_EQ_INT(SSL_set_session(p.client, session), 1);
	return p;
}

/* The client takes its tickets, too. */
static void
shake(struct pair *p)
{
	int done = 0;
	char byte;

	CHECK_EQ_INT(SSL_set_app_data(p->t.ssl, &p->t), 1);
	tickets_ask();
	for (int i = 0; done != 3 && i < TURNS_MAX; i++)
		done = (SSL_connect(p->client) == 1) | (SSL_accept(p->t.ssl) == 1) << 1;
	CHECK_EQ_INT(done, 3);
	CHECK(SSL_read(p->client, &byte, 1) < 0);
	tickets_forget();
	tls_bind(&p->t);
}

static void
hang_up(struct pair *p)
{
	/* A session is good for another time only when it ended well. */
	(void)SSL_shutdown(p->client);
	SSL_free(p->client);
	SSL_free(p->t.ssl);
}

/* --- what the client thinks --- */

static struct bytes
digest_of_peer(const SSL *client, const char *digest,
    unsigned char out[EVP_MAX_MD_SIZE])
{
	X509 *x = SSL_get0_peer_certificate(client);
	unsigned char *der = NULL;
	int size = i2d_X509(x, &der);
	size_t n = 0;

	CHECK(size > 0 && EVP_Q_digest(NULL, digest, NULL, der, (size_t)size, out,
	    &n) == 1);
	OPENSSL_free(der);
	return bytes_make(out, n);
}

static struct bytes
binding(const struct pair *p, enum tls_binding kind,
    unsigned char out[TLS_BINDING_MAX])
{
	int n = tls_binding(&p->t, kind, out);

	return bytes_make(out, n < 0 ? 0 : (size_t)n);
}

/* --- tests --- */

/* RFC 5929 section 4.1 */
static const struct {
	const char *type, *signed_by;
	bool pss;
	const char *bound_by;		/* NULL: by none */
} rows[] = {
	{ "RSA", "SHA256", false, "SHA256" }, { "RSA", "SHA384", false, "SHA384" },
	{ "RSA", "SHA512", false, "SHA512" }, { "RSA", "SHA224", false, "SHA224" },
	{ "RSA", "SHA1", false, "SHA256" }, { "RSA", "MD5", false, "SHA256" },
	{ "RSA", "SHA256", true, "SHA256" }, { "RSA", "SHA384", true, "SHA384" },
	{ "RSA", "SHA512", true, "SHA512" }, { "RSA", "SHA1", true, "SHA256" },
	{ "P-256", "SHA256", false, "SHA256" }, { "P-384", "SHA384", false, "SHA384" },
	{ "P-384", "SHA1", false, "SHA256" },
	{ "ED25519", NULL, false, NULL }, { "ED448", NULL, false, NULL },
};

static void
the_end_point_is_the_certificate_by_its_digest(void)
{
	unsigned char ours[TLS_BINDING_MAX], theirs[EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		SSL_CTX *server = server_for(rows[i].type, rows[i].signed_by,
		    rows[i].pss);
		struct pair p = connection(server, TLS1_3_VERSION, 0, NULL);
		bool good;

		shake(&p);
		good = rows[i].bound_by == NULL
		    ? CHECK_EQ_INT(tls_binding(&p.t, TLS_SERVER_END_POINT, ours), -1)
		    : CHECK_EQ_BYTES(binding(&p, TLS_SERVER_END_POINT, ours),
		    digest_of_peer(p.client, rows[i].bound_by, theirs));
		if (!good)
			printf("# %s with %s%s\n", rows[i].type, rows[i].signed_by,
			    rows[i].pss ? ", PSS" : "");
		hang_up(&p);
		SSL_CTX_free(server);
	}
}

/* RFC 9266, which wants TLS 1.3, or the extended master secret. */
static void
the_exporter_is_each_connections_own(void)
{
	static const struct {
		int version;
		uint64_t options;
		bool bound;
	} ways[] = {
		{ TLS1_3_VERSION, 0, true }, { TLS1_3_VERSION, 0, true },
		{ TLS1_2_VERSION, 0, true },
		{ TLS1_2_VERSION, SSL_OP_NO_EXTENDED_MASTER_SECRET, false },
	};
	SSL_CTX *server = server_for("P-256", "SHA256", false);
	unsigned char last[TLS_BINDING_MAX] = { 0 };

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct pair p = connection(server, ways[i].version, ways[i].options,
		    NULL);
		unsigned char ours[TLS_BINDING_MAX] = { 0 }, theirs[32];

		shake(&p);
		CHECK_EQ_INT(tls_binding(&p.t, TLS_EXPORTER, ours),
		    ways[i].bound ? 32 : -1);
		CHECK_EQ_INT(SSL_export_keying_material(p.client, theirs, 32, LABEL,
		    strlen(LABEL), NULL, 0, 0), 1);
		if (ways[i].bound)
			CHECK_EQ_BYTES(bytes_make(ours, 32), bytes_make(theirs, 32));
		CHECK(memcmp(ours, last, 32) != 0 || !ways[i].bound);
		memcpy(last, ours, sizeof last);
		hang_up(&p);
	}
	SSL_CTX_free(server);
}

/* RFC 5929 section 3: the first Finished message, before TLS 1.3. */
static void
unique_is_the_first_finished(void)
{
	SSL_CTX *server = server_for("P-256", "SHA256", false);
	unsigned char ours[TLS_BINDING_MAX], theirs[TLS_BINDING_MAX];
	struct pair p = connection(server, TLS1_2_VERSION, 0, NULL);
	SSL_SESSION *session;
	size_t n;

	shake(&p);
	n = SSL_get_finished(p.client, theirs, sizeof theirs);
	CHECK_EQ_BYTES(binding(&p, TLS_UNIQUE, ours), bytes_make(theirs, n));
	session = SSL_get1_session(p.client);
	hang_up(&p);
	p = connection(server, TLS1_2_VERSION, 0, session);
	shake(&p);
	CHECK_EQ_INT(SSL_session_reused(p.client), 1);
	n = SSL_get_peer_finished(p.client, theirs, sizeof theirs);
	CHECK_EQ_BYTES(binding(&p, TLS_UNIQUE, ours), bytes_make(theirs, n));
	hang_up(&p);
	p = connection(server, TLS1_3_VERSION, 0, NULL);
	shake(&p);
	CHECK_EQ_INT(tls_binding(&p.t, TLS_UNIQUE, ours), -1);
	hang_up(&p);
	SSL_SESSION_free(session);
	SSL_CTX_free(server);
}

/* Twice, as the second ticket was made without a certificate in sight. */
static void
a_ticket_keeps_the_end_point(void)
{
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL_CTX *server = server_for("P-384", "SHA384", false);
		unsigned char first[TLS_BINDING_MAX], now[TLS_BINDING_MAX];
		unsigned char exported[TLS_BINDING_MAX], before[TLS_BINDING_MAX];
		struct pair p = connection(server, version, 0, NULL);
		SSL_SESSION *session = NULL;

		shake(&p);
		CHECK_EQ_INT(binding(&p, TLS_SERVER_END_POINT, first).n, 48);
		CHECK_EQ_INT(binding(&p, TLS_EXPORTER, before).n, 32);
		for (int i = 0; i < 2; i++) {
			SSL_SESSION_free(session);
			session = SSL_get1_session(p.client);
			hang_up(&p);
			p = connection(server, version, 0, session);
			shake(&p);
			CHECK_EQ_INT(SSL_session_reused(p.client), 1);
			CHECK_EQ_BYTES(binding(&p, TLS_SERVER_END_POINT, now),
			    bytes_make(first, 48));
			CHECK_EQ_INT(binding(&p, TLS_EXPORTER, exported).n, 32);
			CHECK(memcmp(exported, before, 32) != 0);
			memcpy(before, exported, 32);
		}
		hang_up(&p);
		SSL_SESSION_free(session);
		SSL_CTX_free(server);
	}
}

/* It could be opened, but its session is not taken up: a new certificate is shown. */
static void
a_ticket_that_is_no_good_says_nothing(void)
{
	static const unsigned char other[] = "other";

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL_CTX *old = server_for("P-384", "SHA384", false);
		SSL_CTX *new = server_for("P-256", "SHA256", false);
		unsigned char ours[TLS_BINDING_MAX], theirs[EVP_MAX_MD_SIZE];
		struct pair p = connection(old, version, 0, NULL);
		SSL_SESSION *session;

		CHECK_EQ_INT(SSL_CTX_set_session_id_context(new, other,
		    sizeof other), 1);
		shake(&p);
		session = SSL_get1_session(p.client);
		hang_up(&p);
		p = connection(new, version, 0, session);
		shake(&p);
		CHECK_EQ_INT(SSL_session_reused(p.client), 0);
		CHECK_EQ_BYTES(binding(&p, TLS_SERVER_END_POINT, ours),
		    digest_of_peer(p.client, "SHA256", theirs));
		hang_up(&p);
		SSL_SESSION_free(session);
		SSL_CTX_free(old);
		SSL_CTX_free(new);
	}
}

TEST_MAIN(
	TEST(the_end_point_is_the_certificate_by_its_digest),
	TEST(the_exporter_is_each_connections_own),
	TEST(unique_is_the_first_finished),
	TEST(a_ticket_keeps_the_end_point),
	TEST(a_ticket_that_is_no_good_says_nothing)
)
