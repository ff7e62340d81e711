/*
 * Certificates and private keys, from files.
 * Runs as: root, before the cage; only public parts leave this process.
 *
 * Each file may hold several keys or certificates. A certificate that belongs to
 * a key is a leaf, with those behind it in its file as its issuers; the first
 * of each file must be one. So neither a file that is half written nor a key
 * whose certificate is yet to come is taken for good.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "rootfile.h"
#include "signer.h"
#include "tlsfiles.h"

#define KEY_FILE_MAX ((size_t)131072)
#define PUBLIC_MAX ((size_t)1 << 20)
#define DAY_SECONDS 86400

/* A key under a pass phrase cannot be used; nobody is there to ask. */
static int
no_phrase(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return -1;
}

static int
complain(const char *path, const char *why)
{
	ERR_clear_error();
	log_error("%s: %s", path, why);
	return -1;
}

/* The file as a BIO of text, which is to be wiped. NULL after a line in the log. */
static BIO *
open_pem(const struct keys *k, const char *path, mode_t bad, struct buf *text)
{
	/* A key in one piece, so that growing leaves no copies of it behind. */
	if (bad == ROOTFILE_KEY && buf_room(text, text->max) == NULL)
		return NULL;
	if (rootfile_read(path, bad, text) < 0) {
		if (errno == ENOENT && k->wanted)
			log_error("%s: %s", path, strerror(errno));
		return NULL;
	}
	return BIO_new_mem_buf(text->data, (int)text->len);
}

/* How many things begin in the text whose label ends like this. */
static size_t
count(struct bytes text, const char *label)
{
	static const char begin[] = "-----BEGIN ";
	struct bytes line;
	size_t n = 0;

	while (text.n > 0) {
		line = bytes_trim(bytes_split(&text, '\n'));
		if (line.n >= sizeof begin - 1 + strlen(label)
		    && memcmp(line.p, begin, sizeof begin - 1) == 0
		    && memcmp(line.p + line.n - strlen(label), label,
		    strlen(label)) == 0)
			n++;
	}
	return n;
}

static int
read_key_file(const char *path, void *arg)
{
	struct keys *k = arg;
	struct buf text = BUF_INIT(KEY_FILE_MAX);
	BIO *in = open_pem(k, path, ROOTFILE_KEY, &text);
	size_t had = k->n, all;
	EVP_PKEY *key;

	while (in != NULL && k->n < PAIRS_MAX
	    && (key = PEM_read_bio_PrivateKey(in, NULL, no_phrase, NULL)) != NULL)
		k->v[k->n++].key = key;
	all = count(buf_contents(&text), "PRIVATE KEY-----");
	buf_wipe(&text);
	if (in == NULL)
		return -1;
	BIO_free(in);
	if (k->n == PAIRS_MAX)
		return complain(path, "too many keys");
	if (k->n == had || k->n - had != all)
		return complain(path, "no private key, or one under a pass phrase");
	return 0;
}

/* The pair whose key belongs to the certificate, or NULL. */
static struct pair *
pair_of(struct keys *k, X509 *x)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].certificate == NULL
		    && X509_check_private_key(x, k->v[i].key) == 1)
			return &k->v[i];
	return NULL;
}

/* Takes x over. A certificate of none of the keys is an issuer. */
static int
place(struct keys *k, struct pair **now, X509 *x)
{
	struct pair *leaf = pair_of(k, x);

	ERR_clear_error();
	if (leaf != NULL) {
		leaf->certificate = x;
		*now = leaf;
		return 0;
	}
	if (*now != NULL && (*now)->chain == NULL)
		(*now)->chain = sk_X509_new_null();
	if (*now == NULL || (*now)->chain == NULL
	    || sk_X509_push((*now)->chain, x) == 0) {
		X509_free(x);
		return -1;
	}
	return 0;
}

static int
read_certificate_file(const char *path, void *arg)
{
	struct keys *k = arg;
	struct buf text = BUF_INIT(PUBLIC_MAX);
	BIO *in = open_pem(k, path, ROOTFILE_PUBLIC, &text);
	struct pair *now = NULL;
	size_t n = 0, all;
	X509 *x;
	int r = 0;

	if (in == NULL) {
		buf_free(&text);
		return -1;
	}
	for (; r == 0
	    && (x = PEM_read_bio_X509(in, NULL, no_phrase, NULL)) != NULL; n++)
		r = place(k, &now, x);
	all = count(buf_contents(&text), "CERTIFICATE-----");
	BIO_free(in);
	buf_wipe(&text);		/* the key may stand in the same file */
	if (r < 0)
		return complain(path, "the first certificate is not the key's");
	if (n == 0 || n != all)
		return complain(path, "no certificate, or not a whole one");
	return 0;
}

/* A key without a certificate is of no use; it is left out. */
static void
drop_lonely(struct keys *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].certificate != NULL)
			k->v[n++] = k->v[i];
		else
			EVP_PKEY_free(k->v[i].key);
	k->n = n;
}

int
keys_read(const struct config *conf, struct keys *k)
{
	*k = (struct keys){ .wanted = tlsfiles_wanted(conf) };
	if (tlsfiles_each(conf->tls_key, read_key_file, k) < 0
	    || tlsfiles_each(conf->tls_certificate, read_certificate_file, k) < 0)
		return -1;
	drop_lonely(k);
	if (k->n == 0 && k->wanted)
		log_error("tls-certificate, tls-key: no certificate has a key");
	return k->n > 0 ? 0 : -1;
}

static uint32_t
days_of(X509 *x)
{
	int days = 0, seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)) != 1
	    || days < 0)
		return 0;
	return (uint32_t)days;
}

uint32_t
keys_days(const struct keys *k)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < k->n; i++)
		if (days_of(k->v[i].certificate) < least)
			least = days_of(k->v[i].certificate);
	return least;
}

static int
publish_one(struct buf *out, uint32_t pair, X509 *x)
{
	struct sign_certificate head = { .pair = pair };
	int n = i2d_X509(x, NULL);
	unsigned char *to;

	if (n <= 0)
		return -1;
	head.n = (uint32_t)n;
	if (buf_add(out, &head, sizeof head) < 0
	    || (to = buf_room(out, (size_t)n)) == NULL
	    || i2d_X509(x, &to) != n)
		return -1;
	out->len += (size_t)n;
	return 0;
}

static int
publish_all(const struct keys *k, struct buf *out)
{
	for (size_t i = 0; i < k->n; i++) {
		if (publish_one(out, (uint32_t)i, k->v[i].certificate) < 0)
			return -1;
		for (int c = 0; c < sk_X509_num(k->v[i].chain); c++)
			if (publish_one(out, (uint32_t)i,
			    sk_X509_value(k->v[i].chain, c)) < 0)
				return -1;
	}
	return 0;
}

int
keys_publish(const struct keys *k, size_t *size)
{
	struct buf out = BUF_INIT(PUBLIC_MAX);
	int fd = publish_all(k, &out) < 0 ? -1
	    : memfd_create("mailreeve-certificates",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (write(fd, out.data, out.len) != (ssize_t)out.len
	    || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
	    | F_SEAL_SEAL) < 0)) {
		close(fd);
		fd = -1;
	}
	*size = out.len;
	buf_free(&out);
	return fd;
}

/* DNS names, or the subject's common name. */
static void
print_names(X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	char common[256] = "-";

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *s = GENERAL_NAME_get0_value(
		    sk_GENERAL_NAME_value(names, i), &type);

		if (type == GEN_DNS)
			printf(" %s", log_quote(bytes_make(
			    ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))));
	}
	if (names == NULL) {
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
		    common, sizeof common);
		printf(" %s", log_quote(bytes_of(common)));
	}
	GENERAL_NAMES_free(names);
}

void
keys_print(const struct keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		printf("certificate: %u days left,", days_of(k->v[i].certificate));
		printf(" %s:", EVP_PKEY_get0_type_name(k->v[i].key));
		print_names(k->v[i].certificate);
		printf("\n");
	}
}
