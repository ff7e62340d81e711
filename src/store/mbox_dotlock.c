/*
 * mbox: the dotlock, made by liblockfile, which only those load whose mail is in
 * mboxes: finding and mapping a library costs every login of the others, and
 * pages for as long as they stay.
 * Runs as: the mailbox owner.
 */
#include <dlfcn.h>
#include <errno.h>
#include <lockfile.h>

#include "log.h"
#include "mbox.h"

#define LIBRARY "liblockfile.so.1"

static __typeof__(lockfile_create) *create;
static __typeof__(lockfile_remove) *destroy;

int
dotlock_load(void)
{
	void *library;

	if (create != NULL)
		return 0;
	library = dlopen(LIBRARY, RTLD_NOW);
	if (library != NULL)
		destroy = (__typeof__(destroy))dlsym(library, "lockfile_remove");
	if (destroy != NULL)
		create = (__typeof__(create))dlsym(library, "lockfile_create");
	if (create != NULL)
		return 0;
	log_error("no locks on mboxes without " LIBRARY ": %s", dlerror());
	errno = ENOLCK;
	return -1;
}

/* With our pid in it, others see at once when we died over it. */
int
dotlock_take(const char *path)
{
	int rc;

	if (dotlock_load() < 0)
		return -1;
	rc = create(path, 0, L_PID);
	errno = EBUSY;
	return rc == L_MAXTRYS || rc == L_RMSTALE ? -1 : rc == L_SUCCESS;
}

void
dotlock_drop(const char *path)
{
	destroy(path);
}
