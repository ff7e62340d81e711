/*
 * Whom a front end that takes the password itself speaks for: XCLIENT as
 * Postfix and Dovecot know it, XOIP, and the fields of IMAP's ID that proxies
 * and webmail send.
 *
 * Reading it is safe for anybody; believing it is not.
 */
#ifndef XCLIENT_H
#define XCLIENT_H

#include "proxyheader.h"

/*
 * One attribute of XCLIENT (ADDR, PORT, DESTADDR) or field of ID
 * (x-originating-ip, x-originating-port, x-connected-ip), into out, which
 * begins as zeros. Others are passed over. False: the value makes no sense.
 */
bool xclient_attribute(struct bytes name, struct bytes value,
    struct proxy_header *out);

/* The arguments of XCLIENT, NAME=VALUE with spaces between them. */
bool xclient_line(struct bytes args, struct proxy_header *out);

#endif
