/*
 * Reads the TLS certificate and key; the only code that sees their files.
 * Runs as: root.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"

#define KEY_READ_SIZE ((size_t)16384)

/* A key that others may read is a stolen key; anybody may see a certificate. */
#define KEY_MODE_BAD (S_IRWXO | S_IWGRP)
#define CERTIFICATE_MODE_BAD (S_IWGRP | S_IWOTH)

static const char *
what_is_wrong(int fd, mode_t bad)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "no regular file";
	if (st.st_uid != 0)
		return "does not belong to root: chown root it";
	if ((st.st_mode & bad) != 0)
		return "others have rights to it: chmod go= it";
	return NULL;
}

static int
read_all(int fd, struct buf *out)
{
	for (;;) {
		unsigned char *to = buf_room(out, KEY_READ_SIZE);
		ssize_t n;

		if (to == NULL)
			return -1;
		n = read(fd, to, KEY_READ_SIZE);
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
	}
}

static int
add_file(const char *path, mode_t bad, struct buf *pem)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *wrong;

	if (fd < 0) {
		/* A server without TLS is a choice, not an accident a line. */
		log_line(errno == ENOENT ? LOG_DEBUG : LOG_ERR, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	wrong = what_is_wrong(fd, bad);
	if (wrong == NULL && (read_all(fd, pem) < 0 || buf_byte(pem, '\n') < 0))
		wrong = strerror(errno);
	close(fd);
	if (wrong == NULL)
		return 0;
	log_error("%s: %s", path, wrong);
	return -1;
}

int
keys_read(const struct config *conf, struct buf *pem)
{
	/* In one piece, so that growing leaves no copies of the key behind. */
	if (buf_room(pem, pem->max) == NULL)
		return -1;
	if (add_file(conf->tls_certificate, CERTIFICATE_MODE_BAD, pem) < 0)
		return -1;
	return add_file(conf->tls_key, KEY_MODE_BAD, pem);
}
