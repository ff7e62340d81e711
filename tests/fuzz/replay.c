/*
 * Gives a fuzz target its corpus, whole and cut short, without a fuzzer.
 * Runs as: the person who builds.
 *
 * Arguments are files and directories of inputs. Each input is tried as it is
 * and cut at up to CUTS places, each time in memory of exactly its size, so
 * that a sanitizer sees the first byte read past the end.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUTS ((size_t)128)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned long inputs;

static void
try(const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);

	if (exact == NULL)
		err(1, "malloc");
	memcpy(exact, p, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	inputs++;
}

static void
try_cuts(const uint8_t *p, size_t n)
{
	size_t step = n / CUTS + 1;

	for (size_t cut = 0; cut < n; cut += step)
		try(p, cut);
	try(p, n);
}

static void
try_file(const char *path, size_t size)
{
	uint8_t *p = malloc(size + 1);
	FILE *f = fopen(path, "rb");

	if (p == NULL || f == NULL)
		err(1, "%s", path);
	try_cuts(p, fread(p, 1, size, f));
	fclose(f);
	free(p);
}

static void
try_path(const char *path)
{
	struct dirent **names;
	struct stat st;
	char *below;
	int n;

	if (stat(path, &st) < 0)
		err(1, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		try_file(path, (size_t)st.st_size);
		return;
	}
	if ((n = scandir(path, &names, NULL, alphasort)) < 0)
		err(1, "%s", path);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			if (asprintf(&below, "%s/%s", path, names[i]->d_name) < 0)
				err(1, "asprintf");
			try_path(below);
			free(below);
		}
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	printf("1..1\n");
	try((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		try_path(argv[i]);
	printf("ok 1 - %lu inputs\n", inputs);
	return 0;
}
