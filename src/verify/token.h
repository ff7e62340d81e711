/*
 * token: the verifier of OAUTHBEARER and XOAUTH2.
 */
#ifndef VERIFY_TOKEN_H
#define VERIFY_TOKEN_H

#include "verifier.h"

/* What oauth-keys may hold. */
#define TOKEN_KEYS_MAX ((size_t)262144)

extern const struct verify_program token_verifier;

#endif
