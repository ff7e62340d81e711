/*
 * Linux-PAM sleeps after a failure, for a time that modules choose.
 * Runs as: root.
 */
#include <security/pam_appl.h>

#include "conn.h"

static void
no_delay(int status, unsigned microseconds, void *data)
{
	(void)status, (void)microseconds, (void)data;
}

int
pam_no_delay(struct pam_handle *h)
{
	/* PAM wants a function where an object pointer goes. */
	return pam_set_item(h, PAM_FAIL_DELAY, (const void *)(uintptr_t)no_delay);
}
