/*
 * Session tickets: one secret that all signers share, in a file of root's, and
 * from it, for the name of a ticket, the keys of that ticket alone.
 * Runs as: root (tickets_read); _mailreeve.
 *
 * A new secret is made when the newest is TICKET_ROTATE_SECONDS old; the last
 * TICKETS_KEPT are good for what was made with them, and older ones are gone.
 * The first octet of a name tells which secret it belongs to.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"
#include "log.h"
#include "signer.h"
#include "tickets.h"

#define LOCK_MS 1000			/* another signer has it for a moment */

struct ticket_secret {
	int64_t made;			/* time(), 0: none */
	uint32_t number;
	unsigned char p[TICKET_KEYS_SIZE];
};

/* The newest comes first. In OpenSSL's memory, with the keys. */
struct ticket_file {
	struct ticket_secret v[TICKETS_KEPT];
};

static struct ticket_file *tickets;

static bool
is_old(const struct ticket_secret *s, int64_t now, int64_t age)
{
	return s->made == 0 || s->made > now || now - s->made >= age;
}

/* True when there is a new one. */
static bool
rotate(struct ticket_file *f)
{
	int64_t now = time(NULL);
	struct ticket_secret *first = &f->v[0];
	uint32_t number = first->number + 1;

	for (size_t i = 0; i < TICKETS_KEPT; i++)
		if (is_old(&f->v[i], now, TICKETS_KEPT * TICKET_ROTATE_SECONDS))
			OPENSSL_cleanse(&f->v[i], sizeof f->v[i]);
	if (!is_old(first, now, TICKET_ROTATE_SECONDS))
		return false;
	memmove(first + 1, first, (TICKETS_KEPT - 1) * sizeof *first);
	first->made = now;
	first->number = number;
	if (RAND_priv_bytes(first->p, sizeof first->p) != 1)
		first->made = 0;
	return true;
}

/* Only root's own, only as it must be; anything else counts as empty. */
static int
open_file(const char *run_dir)
{
	char path[CONFIG_VALUE_MAX];
	struct stat st;
	int fd, saved;

	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return -1;
	snprintf(path, sizeof path, "%s/tickets", run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0
	    || (st.st_mode & 077) != 0)
		errno = EPERM;
	else if (lock_take(fd, LOCK_MS) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

void
tickets_read(const char *run_dir)
{
	int fd = open_file(run_dir);

	tickets = OPENSSL_zalloc(sizeof *tickets);
	if (tickets == NULL)
		return;
	if (fd < 0)
		log_warn("%s/tickets: %s: session tickets are good for this "
		    "process alone", run_dir, strerror(errno));
	else if (pread(fd, tickets, sizeof *tickets, 0) != sizeof *tickets)
		OPENSSL_cleanse(tickets, sizeof *tickets);
	if (rotate(tickets) && fd >= 0
	    && pwrite(fd, tickets, sizeof *tickets, 0) != sizeof *tickets)
		log_warn("%s/tickets: %s", run_dir, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* The secret of a name, or NULL. */
static const struct ticket_secret *
secret_of(const unsigned char *name)
{
	for (size_t i = 0; i < TICKETS_KEPT; i++)
		if (tickets->v[i].made != 0
		    && (unsigned char)tickets->v[i].number == name[0])
			return &tickets->v[i];
	return NULL;
}

static int
derive(const unsigned char name[TICKET_NAME_SIZE], struct sign_rep *rep)
{
	const struct ticket_secret *s = secret_of(name);
	unsigned n = 0;

	if (s == NULL || is_old(s, time(NULL), TICKETS_KEPT * TICKET_ROTATE_SECONDS)
	    || HMAC(EVP_sha512(), s->p, sizeof s->p, name, TICKET_NAME_SIZE,
	    rep->p, &n) == NULL || n != TICKET_KEYS_SIZE)
		return -1;
	memcpy(rep->p + n, name, TICKET_NAME_SIZE);
	rep->n = n + TICKET_NAME_SIZE;
	return 0;
}

int
tickets_derive(const struct sign_req *q, struct sign_rep *rep)
{
	unsigned char name[TICKET_NAME_SIZE];

	if (tickets == NULL || (q->n != 0 && q->n != TICKET_NAME_SIZE))
		return -1;
	if (q->n == 0) {
		if (tickets->v[0].made == 0 || RAND_bytes(name, sizeof name) != 1)
			return -1;
		name[0] = (unsigned char)tickets->v[0].number;
	} else {
		memcpy(name, q->p, sizeof name);
	}
	return derive(name, rep);
}
