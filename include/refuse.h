/*
 * What a client hears that cannot be served. Neither waits nor closes.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include "service.h"

enum refusal { ADMITTED, TOO_MANY, TOO_MANY_HERE, NO_MEANS };

/* To a new client: says why, if that can be said before TLS. */
void refuse_client(int client, enum service service, enum refusal why);

/* The same in a stream that is past that. */
void refuse_stream(int stream, enum service service, enum refusal why);

#endif
