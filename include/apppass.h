/*
 * App passwords: lines of a user's own file, mailreeve-app-passwords(5).
 */
#ifndef APPPASS_H
#define APPPASS_H

#include <time.h>

#include "buf.h"
#include "netaddr.h"

#define APPPASS_PATH ".mailreeve/app-passwords"	/* in the home directory */
#define APPPASS_FILE_MAX ((size_t)65536)
#define APPPASS_NAME_MAX 32
#define APPPASS_SECRET 24		/* letters; 120 bits */
#define APPPASS_SHOWN (APPPASS_SECRET / 4 * 5)	/* groups of four, and a NUL */
#define APPPASS_DATE 10			/* 2026-11-28 */
#define APPPASS_KEY 97			/* salt, $, digest; hexadecimal */
/* When, from where, by what it was used last: a field of fixed width. */
#define APPPASS_USED_TIME 20
#define APPPASS_USED_ADDRESS 45
#define APPPASS_USED_CLIENT 64
#define APPPASS_USED (APPPASS_USED_TIME + 1 + APPPASS_USED_ADDRESS + 1 \
	+ APPPASS_USED_CLIENT)

enum { APPPASS_IMAP = 1, APPPASS_POP3 = 2 };

/* One line; everything points into it. */
struct apppass {
	struct bytes name;
	unsigned services;
	struct bytes networks;		/* "-": from everywhere */
	struct bytes until;		/* the last day; "-": for ever */
	struct bytes key;
	struct bytes used;		/* what is behind the last space */
};

/* A name that an app password may have. */
bool apppass_name(struct bytes name);
/* "imap", "pop3" or both with a comma between them; 0: neither. */
unsigned apppass_services(struct bytes text);
/* A day that there is, as 2026-11-28. */
bool apppass_day(struct bytes day);

/* The next line of *text that is one, or a mistake: 1, -1; 0: no more. */
int apppass_next(struct bytes *text, struct apppass *out);
/* The line `main-password no` is there. */
bool apppass_main_barred(struct bytes text);

/* Makes a new secret, and the key of it, NUL-terminated. */
void apppass_make(char shown[APPPASS_SHOWN], char key[APPPASS_KEY + 1]);

/* What is asked of a file. */
struct apppass_try {
	struct bytes secret;		/* groups may be parted by anything or nothing */
	unsigned service;
	const struct netaddr *from;
	char today[APPPASS_DATE + 1];
};

/* The line that lets it in, or false. Takes about as long for all lines. */
bool apppass_match(struct bytes text, const struct apppass_try *t,
    struct apppass *out);

/* The field that says so; client is quoted already. */
void apppass_used(char out[APPPASS_USED + 1], time_t when,
    const struct netaddr *from, const char *client);

#endif
