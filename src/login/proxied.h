/*
 * A client behind a proxy.
 */
#ifndef LOGIN_PROXIED_H
#define LOGIN_PROXIED_H

#include "login.h"

/*
 * Takes the PROXY header off the connection and tells conn, which judges it.
 * Answers END_QUIET when the conversation may begin, or a reason against it.
 * *heard is false when the client went without a word.
 */
enum ending proxied(struct login *l, bool *heard);

#endif
