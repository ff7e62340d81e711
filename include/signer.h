/*
 * A way to the signer for one connection.
 */
#ifndef SIGNER_LINK_H
#define SIGNER_LINK_H

#include "config.h"

/*
 * A new link (sign.h), to be used by login, through the door of a signer; with
 * door -1 a signer is started for this link alone. -1 with errno. That there
 * are no keys shows at the link, which ends then.
 */
int signer_link(const struct config *conf, int door);

#endif
