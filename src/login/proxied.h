/*
 * A client behind a proxy.
 */
#ifndef LOGIN_PROXIED_H
#define LOGIN_PROXIED_H

#include "login.h"
#include "proxyheader.h"

/*
 * Takes the PROXY header off the connection and tells conn, which judges it.
 * Answers END_QUIET when the conversation may begin, or a reason against it.
 * *heard is false when the client went without a word.
 */
enum ending proxied(struct login *l, bool *heard);

/* The same for what a front end said before it logs somebody in. */
enum ending proxied_by(struct login *l, const struct proxy_header *h);

#endif
