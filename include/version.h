/*
 * What this is called in -v and in the ID response.
 */
#ifndef VERSION_H
#define VERSION_H

#define MAILREEVE_VERSION "0.1.0"

#endif
