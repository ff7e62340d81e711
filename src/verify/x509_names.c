/*
 * What a certificate says of its owner, as mailreeve-secrets(5) may name it.
 * Runs as: _mailreeve.
 */
#include <openssl/x509v3.h>

#include "x509.h"

#define NAME_MAX_BYTES 256		/* as SECRETS_PASSWORD_MAX: no secret has more */

/* What could be taken for several lines, or for less than it is, is no name. */
static bool
is_line(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return text.n > 0;
}

/* All of the line or none of it. */
static void
add_line(const char *label, struct bytes text, struct buf *out)
{
	size_t n = strlen(label) + text.n;

	if (!is_line(text) || n > NAME_MAX_BYTES || out->len + n + 1 > out->max)
		return;
	buf_text(out, label);
	buf_bytes(out, text);
	buf_byte(out, '\n');
}

static void
add_fingerprint(const X509 *x, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf text = BUF_INIT(2 * EVP_MAX_MD_SIZE);
	unsigned n = 0;

	if (X509_digest(x, EVP_sha256(), digest, &n) == 1)
		for (unsigned i = 0; i < n; i++)
			buf_printf(&text, "%02x", digest[i]);
	add_line("sha256:", buf_contents(&text), out);
	buf_free(&text);
}

/* As `openssl x509 -subject -nameopt RFC2253` prints it. */
static void
add_subject(const X509 *x, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (b == NULL)
		return;
	if (X509_NAME_print_ex(b, X509_get_subject_name(x), 0, XN_FLAG_RFC2253) > 0
	    && (n = BIO_get_mem_data(b, &text)) > 0)
		add_line("subject:", bytes_make(text, (size_t)n), out);
	BIO_free(b);
}

static void
add_addresses(const X509 *x, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		const ASN1_STRING *s = g->type == GEN_EMAIL ? g->d.rfc822Name : NULL;

		if (s != NULL)
			add_line("email:", bytes_make(ASN1_STRING_get0_data(s),
			    (size_t)ASN1_STRING_length(s)), out);
	}
	GENERAL_NAMES_free(names);
}

void
x509_names(const X509 *x, struct buf *out)
{
	add_fingerprint(x, out);
	add_subject(x, out);
	add_addresses(x, out);
}
