/*
 * A way to the signer for one connection.
 */
#ifndef SIGNER_LINK_H
#define SIGNER_LINK_H

#include "config.h"

#define SIGNER_DOOR_MS 10000		/* a door is full as long as its signer is busy */

/*
 * A new link (sign.h), to be used by login, through the door of a signer; with
 * door -1 a signer is started for this link alone. ms is for a
 * door that is full. -1 with errno, ETIMEDOUT: it still is. That there
 * are no keys shows at the link, which ends then.
 */
int signer_link(const struct config *conf, int door, uint64_t ms);

#endif
