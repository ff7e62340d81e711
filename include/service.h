/*
 * The four services and what follows from their names.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "bytes.h"

enum service {
	SERVICE_IMAP, SERVICE_IMAPS, SERVICE_POP3, SERVICE_POP3S, SERVICES
};

struct service_facts {
	const char *name;		/* what conn is called with, LISTEN_FDNAMES has */
	const char *session;		/* the program that speaks it */
	uint16_t port;			/* IANA's */
	bool imap;			/* or POP3 */
	bool tls;			/* from the first byte (RFC 8314) */
};

extern const struct service_facts service_facts[SERVICES];

/* Service of that name or port: 0, or -1 when there is none. */
int service_by_name(const char *name, enum service *out);
int service_by_port(uint16_t port, enum service *out);

#endif
