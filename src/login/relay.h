/*
 * The TLS of a session: the client's socket on one side, the session's plain
 * stream on the other.
 */
#ifndef LOGIN_RELAY_H
#define LOGIN_RELAY_H

#include <stdint.h>

#include "tls.h"

/*
 * Carries bytes both ways until the session ends, the client is gone, or a
 * buffer cannot be given to the client within write_timeout ms.
 */
void relay(struct tls *t, int client, int session, uint64_t write_timeout);

#endif
