/*
 * The files of certificates and keys.
 * Runs as: root.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tlsfiles.h"

#define FNV_BASIS 14695981039346656037U
#define FNV_PRIME 1099511628211U

static int
is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int
each_of_directory(const char *path, int (*call)(const char *, void *), void *arg)
{
	char full[2 * CONFIG_VALUE_MAX];
	struct dirent **names;
	int r = 0, n = scandir(path, &names, is_visible, alphasort);

	for (int i = 0; i < n; i++) {
		if (r == 0 && i < TLSFILES_MAX) {
			snprintf(full, sizeof full, "%s/%s", path, names[i]->d_name);
			r = call(full, arg);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return n < 0 ? call(path, arg) : r;
}

int
tlsfiles_each(const char *list, int (*call)(const char *path, void *arg),
    void *arg)
{
	struct bytes rest = bytes_trim(bytes_of(list));
	char path[CONFIG_VALUE_MAX + 1];
	struct stat st;
	int r = 0;

	while (r == 0 && rest.n > 0) {
		struct bytes one = bytes_split(&rest, ' ');

		rest = bytes_trim(rest);
		snprintf(path, sizeof path, "%.*s", (int)one.n,
		    (const char *)one.p);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			r = each_of_directory(path, call, arg);
		else
			r = call(path, arg);
	}
	return r;
}

static int
is_there(const char *path, void *arg)
{
	(void)arg;
	return access(path, F_OK) == 0;
}

static bool
is_wanted(const struct config *conf, const char *keyword, const char *list)
{
	return list[0] != '\0' && (config_line(conf, keyword) > 0
	    || tlsfiles_each(list, is_there, NULL) != 0);
}

bool
tlsfiles_wanted(const struct config *conf)
{
	return is_wanted(conf, "tls-certificate", conf->tls_certificate)
	    || is_wanted(conf, "tls-key", conf->tls_key);
}

static void
mix(uint64_t *hash, const void *p, size_t n)
{
	const unsigned char *c = p;

	while (n-- > 0)
		*hash = (*hash ^ *c++) * FNV_PRIME;
}

static int
add_file(const char *path, void *arg)
{
	uint64_t *hash = arg;
	struct stat st;

	mix(hash, path, strlen(path));
	if (stat(path, &st) < 0)
		st = (struct stat){ 0 };
	mix(hash, &st.st_dev, sizeof st.st_dev);
	mix(hash, &st.st_ino, sizeof st.st_ino);
	mix(hash, &st.st_size, sizeof st.st_size);
	mix(hash, &st.st_mode, sizeof st.st_mode);
	mix(hash, &st.st_uid, sizeof st.st_uid);
	mix(hash, &st.st_mtim, sizeof st.st_mtim);
	return 0;
}

uint64_t
tlsfiles_stamp(const struct config *conf)
{
	uint64_t hash = FNV_BASIS;

	(void)tlsfiles_each(conf->tls_certificate, add_file, &hash);
	(void)tlsfiles_each(conf->tls_key, add_file, &hash);
	return hash;
}
