/*
 * Messages of a hostile login against the signer, which has the keys of TLS.
 * Runs as: the person who builds.
 *
 * The input is a list of requests in short form, STEP_SIZE bytes each: what it is
 * (enum shape), type, key, scheme, count, and a byte to fill it with. What is asserted:
 * answers come in turn and within their limits, nothing is signed but what TLS
 * signs, and what is signed is signed right.
 */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/signer/signer.h"
#include "bytes.h"
#include "chan.h"
#include "clock.h"
#include "control.h"
#include "log.h"
#include "schemes.h"
#include "witness.h"

#define STEP_SIZE 8
#define STEPS_MAX 8			/* a socket holds ten messages */
#define ANSWER_MS 5000
#define CHAIN_SIZE 3

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum shape { FILLED, CERTIFICATE_VERIFY, KEY_EXCHANGE, OTHER_SIZE };

/* RFC 8446 section 4.4.3: what stands before the hash. */
static const char before_hash[] =
    "                                                                "
    "TLS 1.3, server CertificateVerify";

static struct keys keys;
static int chain = -1;

static void
prepare(void)
{
	char dir[] = "/tmp/signer_fuzz.XXXXXX", file[sizeof dir + 8];

	log_level(LOG_EMERG);
	keys.v[0].key = EVP_EC_gen("P-256");
	keys.v[1].key = EVP_RSA_gen(2048);
	keys.v[2].key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys.n = 3;
	/* The door's number is taken from now on: nothing else may get it. */
	chain = fcntl(memfd_create("chain", MFD_CLOEXEC), F_DUPFD_CLOEXEC,
	    DOOR_FD + 1);
	if (keys.v[0].key == NULL || keys.v[1].key == NULL || keys.v[2].key == NULL
	    || chain < 0 || dup2(chain, DOOR_FD) < 0 || mkdtemp(dir) == NULL)
		abort();
	tickets_read(dir);
	snprintf(file, sizeof file, "%s/tickets", dir);
	(void)unlink(file);
	(void)rmdir(dir);
}

/* The bytes of a message; how many of them are sent. */
static size_t
expand(const uint8_t *p, struct sign_req *q)
{
	memset(q, p[7], sizeof *q);
	q->type = p[1];
	q->key = p[2];
	q->scheme = (uint32_t)(p[3] << 8 | p[4]);
	q->n = (uint32_t)(p[5] << 8 | p[6]);
	switch (p[0] % 4) {
	case CERTIFICATE_VERIFY:
		memcpy(q->p, before_hash, sizeof before_hash);
		break;
	case KEY_EXCHANGE:
		q->p[64] = 3;
		break;
	case OTHER_SIZE:
		return sizeof *q + 1 - p[7];
	}
	return sizeof *q;
}

/* --- what is right, told another way --- */

static bool
tls_signs(const struct sign_req *q)
{
	if (q->n > sizeof q->p)
		return false;
	if (q->n >= sizeof before_hash + 32 && q->n <= sizeof before_hash + 64
	    && memcmp(q->p, before_hash, sizeof before_hash) == 0)
		return true;
	return q->n > 68 && q->p[64] == 3 && q->p[67] == q->n - 68;
}

static bool
verifies(const struct sign_req *q, const struct sign_rep *rep)
{
	const struct scheme *s = schemes;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c;
	bool good;

	while (s->number != q->scheme)
		s++;
	good = EVP_DigestVerifyInit_ex(md, &c, s->digest[0] == '\0' ? NULL
	    : s->digest, NULL, NULL, keys.v[q->key].key, NULL) == 1
	    && (!s->pss || EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1)
	    && EVP_DigestVerify(md, rep->p, rep->n, q->p, q->n) == 1;
	EVP_MD_CTX_free(md);
	return good;
}

/* A key and a scheme that go together; the largest fit no small key. */
static bool
fits(const struct sign_req *q)
{
	static const char *const types[] = { "EC", "RSA", "ED25519" };

	for (size_t i = 0; q->key < keys.n && i < SCHEMES_MAX; i++)
		if (schemes[i].number == q->scheme
		    && strcmp(schemes[i].type, types[q->key]) == 0)
			return true;
	return false;
}

/* The witness of the last signature, kept in *w; before there is one, nothing. */
static bool
tells(const struct sign_rep *rep, const struct sign_rep *w)
{
	return rep->good == w->good && rep->n == w->n
	    && memcmp(rep->p, w->p, w->n) == 0;
}

static void
check(const struct sign_req *q, const struct sign_rep *rep, struct sign_rep *w)
{
	bool right = true;

	if (rep->type != q->type || rep->good > 1 || rep->n > sizeof rep->p || (rep->good == 0 && rep->n != 0))
		abort();
	switch (q->type) {
	case SIGN_CHAIN:
		right = rep->good == 1 && rep->n == CHAIN_SIZE;
		break;
	case SIGN_SIGN:
		right = rep->good == (tls_signs(q) && fits(q))
		    && (rep->good == 0 || verifies(q, rep));
		w->good = rep->good;
		w->n = rep->good == 1 ? WITNESS_SIZE : 0;
		if (rep->good == 1 && witness_make(q->scheme, bytes_make(q->p, q->n),
		    bytes_make(rep->p, rep->n), w->p) < 0)
			abort();
		break;
	case SIGN_SIGNED:
		right = tells(rep, w);
		break;
	case SIGN_TICKET:
		right = rep->good == 0 ? q->n != 0
		    : rep->n == TICKET_KEYS_SIZE + TICKET_NAME_SIZE && (q->n == 0
		    || (q->n == TICKET_NAME_SIZE && memcmp(rep->p + TICKET_KEYS_SIZE,
		    q->p, q->n) == 0));
		break;
	}
	if (!right)
		abort();
}

/* --- the conversation --- */

/* The signer's end came with what was not read: told once, before the answers. */
static bool
receive(int link, struct sign_rep *rep)
{
	uint64_t deadline = clock_ms() + ANSWER_MS;
	int fd, r;

	do
		r = chan_recv_any(link, rep, sizeof *rep, &fd, deadline);
	while (r < 0 && errno == ECONNRESET);
	if (r == 0 && fd >= 0)
		close(fd);
	return r == 0;
}

static bool
its_turn(const struct sign_req *q, size_t size, unsigned asked[SIGN_REQUEST_END])
{
	static const unsigned limits[SIGN_REQUEST_END] = { 0, 1, 1, 4, 64 };

	return size == sizeof *q && q->type < SIGN_REQUEST_END
	    && asked[q->type]++ < limits[q->type];
}

static void
hear_answers(int link, const struct sign_req *q, const size_t *sizes, size_t n)
{
	unsigned asked[SIGN_REQUEST_END] = { 0 };
	struct sign_rep rep, witness = { 0 };

	for (size_t i = 0; i < n && its_turn(&q[i], sizes[i], asked); i++) {
		if (!receive(link, &rep))
			abort();
		check(&q[i], &rep, &witness);
	}
	if (receive(link, &rep))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	static struct sign_req q[STEPS_MAX + 1];	/* one may be longer by a byte */
	size_t sizes[STEPS_MAX], n = 0;
	int link[2], door[2];
	char word = 0;

	if (chain < 0)
		prepare();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, link) < 0
	    || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, door) < 0
	    || dup2(door[1], DOOR_FD) < 0
	    || chan_send_fd(door[0], &word, sizeof word, link[1], 0) < 0)
		abort();
	close(link[1]);
	close(door[0]);
	close(door[1]);
	for (; n < STEPS_MAX && size >= STEP_SIZE; n++, size -= STEP_SIZE) {
		sizes[n] = expand(p + n * STEP_SIZE, &q[n]);
		if (send(link[0], &q[n], sizes[n], MSG_DONTWAIT) < 0)
			abort();
	}
	shutdown(link[0], SHUT_WR);
	serve(&keys, chain, CHAIN_SIZE);
	hear_answers(link[0], q, sizes, n);
	close(link[0]);
	ERR_clear_error();
	return 0;
}
