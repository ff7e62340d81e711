/*
 * Other protocols, recognised when somebody speaks them at a mail port.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "bytes.h"

/*
 * Name of the protocol whose clients begin like this, or NULL. Only to be
 * asked about input that is no command of ours.
 */
const char *foreign_protocol(struct bytes first);

#endif
