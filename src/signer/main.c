/*
 * signer: has the private keys of TLS, and signs handshakes with them.
 * Runs as: root until its cage is closed, before it heard of a connection; then
 * _mailreeve. It has no socket but its door and what came in there.
 *
 *	signer UID GID		serves at its door
 *	signer -l		lists the certificates, for a person
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <errno.h>
#include <sysexits.h>

#include "chan.h"
#include "clock.h"
#include "control.h"
#include "ids.h"
#include "log.h"
#include "sandbox.h"
#include "signer.h"

static void
prepare(struct config *conf)
{
	struct buf why = BUF_INIT(4096);
	unsigned char seed[32];

	if (memory_prepare() < 0)
		log_fatal(EX_OSERR, "no memory for keys: %s", strerror(errno));
	if (config_inherit(conf, &why) < 0)
		log_fatal(EX_CONFIG, "%s", buf_string(&why));
	buf_free(&why);
	log_level(config_log_priority(conf));
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT
	    | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL) != 1
	    || RAND_bytes(seed, sizeof seed) != 1)
		log_fatal(EX_OSERR, "OpenSSL does not work");
}

static int
list(const struct config *conf, struct keys *k)
{
	log_to_stderr(true);
	if (keys_read(conf, k) < 0)
		return EX_NOINPUT;
	keys_print(k);
	return 0;
}

/* Whoever is at the other end of the door may hear it, or not care. */
static void
say_ready(const struct keys *k)
{
	struct sign_ready ready = { (uint32_t)k->n, keys_days(k) };

	(void)chan_send(DOOR_FD, &ready, sizeof ready, clock_ms());
}

int
main(int argc, char **argv)
{
	struct config conf;
	static struct keys k;
	size_t size;
	int chain;

	log_inherit("mailreeve-signer");
	prepare(&conf);
	if (argc == 2 && strcmp(argv[1], "-l") == 0)
		return list(&conf, &k);
	if (argc != 3)
		log_fatal(EX_USAGE, "usage: signer -l");
	if (keys_read(&conf, &k) < 0)
		return EX_NOINPUT;
	tickets_read(RUN_DIR);
	chain = keys_publish(&k, &size);
	if (chain < 0)
		log_fatal(EX_OSERR, "cannot publish certificates: %s",
		    strerror(errno));
	if (sandbox_signer(conf.login_root, ids_number(argv[1]), ids_number(argv[2])) < 0)
		log_fatal(EX_OSERR, "cannot enter the cage %s: %s",
		    conf.login_root, strerror(errno));
	say_ready(&k);
	serve(&k, chain, size);
	return 0;
}
