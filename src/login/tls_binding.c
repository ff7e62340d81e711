/*
 * What a connection can be told by from every other: channel bindings.
 * Runs as: _mailreeve.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tls_private.h"

#define EXPORTER_LABEL "EXPORTER-Channel-Binding"	/* RFC 9266 section 2 */
#define EXPORTER_SIZE 32

/* RSASSA-PSS names its digest among its parameters (RFC 4055 section 3.1). */
static int
pss_digest(X509 *x)
{
	const X509_ALGOR *how;
	RSA_PSS_PARAMS *pss;
	int nid = NID_undef;

	X509_get0_signature(NULL, &how, x);
	pss = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS),
	    how->parameter);
	if (pss != NULL)
		nid = pss->hashAlgorithm == NULL ? NID_sha1
		    : OBJ_obj2nid(pss->hashAlgorithm->algorithm);
	RSA_PSS_PARAMS_free(pss);
	return nid;
}

/*
 * RFC 5929 section 4.1: the signature's digest, but SHA-256 for MD5 and SHA-1;
 * a signature without one (Ed25519) binds to nothing. Names of digests are not
 * loaded (tls_prepare()), which X509_get_signature_info() would need.
 */
static const EVP_MD *
digest_of(X509 *x)
{
	static const struct {
		int nid;
		const EVP_MD *(*md)(void);
	} digests[] = {
		{ NID_md5, EVP_sha256 }, { NID_sha1, EVP_sha256 },
		{ NID_md5_sha1, EVP_sha256 }, { NID_sha224, EVP_sha224 },
		{ NID_sha256, EVP_sha256 }, { NID_sha384, EVP_sha384 },
		{ NID_sha512, EVP_sha512 },
	};
	int nid = NID_undef, how = X509_get_signature_nid(x);

	if (how == NID_rsassaPss)
		nid = pss_digest(x);
	else if (OBJ_find_sigid_algs(how, &nid, NULL) != 1)
		return NULL;
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
		if (digests[i].nid == nid)
			return digests[i].md();
	return NULL;
}

/*
 * Who resumes was shown no certificate now: the ticket tells, and only then,
 * since a ticket that was opened may yet be found no good.
 */
void
tls_bind(struct tls *t)
{
	X509 *x = SSL_get_certificate(t->ssl);
	const EVP_MD *md;
	unsigned n = 0;

	if (SSL_session_reused(t->ssl) == 1 || t->bound)
		return;
	t->bound = true;
	md = x == NULL ? NULL : digest_of(x);
	t->end_point_size = -1;
	if (md != NULL && X509_digest(x, md, t->end_point, &n) == 1)
		t->end_point_size = (int)n;
	ERR_clear_error();
}

/* RFC 9266 section 4.2: before TLS 1.3 only with the extended master secret. */
static bool
is_unique(const SSL *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION
	    || SSL_get_extms_support((SSL *)(uintptr_t)ssl) == 1;
}

/* RFC 5929 section 3.1: the first Finished, the client's unless it resumed. */
static int
first_finished(const SSL *ssl, unsigned char out[TLS_BINDING_MAX])
{
	size_t n;

	if (SSL_version(ssl) >= TLS1_3_VERSION || !is_unique(ssl))
		return -1;
	n = SSL_session_reused(ssl) ? SSL_get_finished(ssl, out, TLS_BINDING_MAX)
	    : SSL_get_peer_finished(ssl, out, TLS_BINDING_MAX);
	return n > 0 && n <= TLS_BINDING_MAX ? (int)n : -1;
}

/*
 * The context is RFC 9266's zero-length string. Before TLS 1.3 that differs
 * from none (RFC 5705 section 4), and clients (GnuTLS) send none.
 */
int
tls_binding(const struct tls *t, enum tls_binding kind,
    unsigned char out[TLS_BINDING_MAX])
{
	if (kind == TLS_SERVER_END_POINT) {
		if (t->end_point_size <= 0)
			return -1;
		memcpy(out, t->end_point, (size_t)t->end_point_size);
		return t->end_point_size;
	}
	if (kind == TLS_UNIQUE)
		return first_finished(t->ssl, out);
	if (!is_unique(t->ssl) || SSL_export_keying_material(t->ssl, out,
	    EXPORTER_SIZE, EXPORTER_LABEL, sizeof EXPORTER_LABEL - 1, NULL, 0,
	    0) != 1)
		return -1;
	return EXPORTER_SIZE;
}
