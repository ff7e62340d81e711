/*
 * GSSAPI (RFC 4752): tokens until the context is there, then a message each in
 * which both sides agree that there is no security layer.
 * Runs as: _mailreeve (gss_prepare: root, before the cage).
 *
 * There is no replay cache, which would be a file. A ticket that is played again
 * opens a context, but what follows is wrapped with a key; on a stream that others
 * may read this must be one that we made for this very context.
 */
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gss.h"
#include "log.h"
#include "rootfile.h"
#include "sandbox.h"
#include "utf8.h"

#define LAYER_NONE 1			/* RFC 4752 section 3.3 */
#define LAYER_SIZE ((size_t)4)		/* what is offered, and the largest message */

static int accept_token(struct bytes in, struct outside_answer *out);
static int offer_layers(struct bytes in, struct outside_answer *out);
static int choose_layer(struct bytes in, struct outside_answer *out);

static struct {
	krb5_context krb5;
	gss_cred_id_t key;
	gss_ctx_id_t context;
	bool clear;			/* others may read the stream */
	int (*next)(struct bytes in, struct outside_answer *out);
	char account[CHAN_TEXT_MAX + 1];
} state = { .next = accept_token };

/* --- before the cage --- */

static int
acquire(void)
{
	gss_key_value_element_desc element = { "keytab", KEYTAB_MEMORY };
	gss_key_value_set_desc store = { 1, &element };
	gss_OID_set_desc krb5 = { 1, (gss_OID)(uintptr_t)gss_mech_krb5 };
	OM_uint32 major, minor;

	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
	    &krb5, GSS_C_ACCEPT, &store, &state.key, NULL, NULL);
	return major == GSS_S_COMPLETE ? 0 : -1;
}

/* libkrb5 reads it by its name; here only its rights count. */
static int
look_at_file(const char *path)
{
	int fd = rootfile_open(path, ROOTFILE_KEY);

	if (fd < 0) {
		log_error("gssapi-keytab: cannot read %s", path);
		return -1;
	}
	close(fd);
	return 0;
}

static int
gss_prepare(const struct config *conf, const char *how)
{
	const char *path = conf->gssapi_keytab;

	if (path[0] == '\0') {
		log_error("gssapi-keytab: not set");
		return -1;
	}
	if (look_at_file(path) < 0 || setenv("KRB5RCACHENAME", "none:", 1) < 0)
		return -1;
	if (krb5_init_context(&state.krb5) != 0) {
		log_error("Kerberos does not work: look at krb5.conf");
		return -1;
	}
	state.clear = strchr(how, '-') != NULL;
	if (keytab_load(state.krb5, path, strncmp(how, "imap", 4) == 0 ? "imap"
	    : "pop") < 0)
		return -1;
	if (acquire() == 0)
		return 0;
	log_error("%s: GSSAPI cannot use these keys", path);
	return -1;
}

/* --- in the cage --- */

static struct bytes
bytes_in(const gss_buffer_desc *b)
{
	return bytes_make(b->value, b->length);
}

static int
refuse(struct outside_answer *out, const char *why)
{
	verifier_refuse(out, why);
	return chan_put(&out->user, bytes_of(state.account));
}

/* What GSSAPI did not like is for the log alone. */
static int
refuse_for(struct outside_answer *out, OM_uint32 minor, const char *why)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 ignored, more = 0;
	char both[OUTSIDE_WHY_MAX + 1];

	if (gss_display_status(&ignored, minor, GSS_C_MECH_CODE,
	    (gss_OID)(uintptr_t)gss_mech_krb5, &more, &text) != GSS_S_COMPLETE)
		return refuse(out, why);
	snprintf(both, sizeof both, "%s: %.*s", why, (int)text.length,
	    (const char *)text.value);
	gss_release_buffer(&ignored, &text);
	return refuse(out, both);
}

static int
challenge(struct outside_answer *out, gss_buffer_desc *text)
{
	int r = verifier_challenge(out, bytes_in(text));
	OM_uint32 minor;

	gss_release_buffer(&minor, text);
	return r;
}

/* Both sides' names of the context: why there is no account, or NULL. */
static const char *
look_at_names(void)
{
	gss_name_t client = GSS_C_NO_NAME, server = GSS_C_NO_NAME;
	gss_buffer_desc c = GSS_C_EMPTY_BUFFER, s = GSS_C_EMPTY_BUFFER;
	const char *why = "principal has no name";
	gss_OID mech = GSS_C_NO_OID;
	OM_uint32 minor;

	if (gss_inquire_context(&minor, state.context, &client, &server, NULL,
	    &mech, NULL, NULL, NULL) != GSS_S_COMPLETE)
		return why;
	if (!gss_oid_equal(mech, (gss_OID)(uintptr_t)gss_mech_krb5))
		why = "mechanism is not Kerberos V5";
	else if (gss_display_name(&minor, client, &c, NULL) == GSS_S_COMPLETE
	    && gss_display_name(&minor, server, &s, NULL) == GSS_S_COMPLETE)
		why = keytab_account(state.krb5, bytes_in(&c), bytes_in(&s),
		    state.account);
	gss_release_buffer(&minor, &c);
	gss_release_buffer(&minor, &s);
	gss_release_name(&minor, &client);
	gss_release_name(&minor, &server);
	return why;
}

/* The context is there: with a last token, its answer has to be waited for. */
static int
complete(gss_buffer_desc *token, struct outside_answer *out)
{
	const char *why = look_at_names();
	OM_uint32 minor;

	state.next = offer_layers;
	if (why == NULL && token->length > 0)
		return challenge(out, token);
	gss_release_buffer(&minor, token);
	return why != NULL ? refuse(out, why)
	    : offer_layers((struct bytes){ 0 }, out);
}

static int
accept_token(struct bytes in, struct outside_answer *out)
{
	gss_buffer_desc token = { in.n, (void *)(uintptr_t)in.p }, answer
	    = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor, ignored;

	major = gss_accept_sec_context(&minor, &state.context, state.key, &token,
	    GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &answer, NULL, NULL, NULL);
	if (major == GSS_S_COMPLETE)
		return complete(&answer, out);
	if (major == GSS_S_CONTINUE_NEEDED)
		return challenge(out, &answer);
	gss_release_buffer(&ignored, &answer);
	return refuse_for(out, minor, "no Kerberos ticket that is good here");
}

/*
 * True when token, wrapped by us, is of RFC 4121 (section 4.2.6.2) and says
 * AcceptorSubkey: mutual authentication brought the client a key of ours.
 */
static bool
has_fresh_key(struct bytes token)
{
	return token.n > 2 && token.p[0] == 5 && token.p[1] == 4
	    && (token.p[2] & 4) != 0;
}

static int
offer_layers(struct bytes in, struct outside_answer *out)
{
	unsigned char offer[LAYER_SIZE] = { LAYER_NONE };
	gss_buffer_desc plain = { sizeof offer, offer }, wrapped
	    = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	if (in.n > 0)
		return refuse(out, "a token behind the last one");
	major = gss_wrap(&minor, state.context, 0, GSS_C_QOP_DEFAULT, &plain, NULL,
	    &wrapped);
	if (major != GSS_S_COMPLETE)
		return refuse_for(out, minor, "cannot wrap");
	if (state.clear && !has_fresh_key(bytes_in(&wrapped))) {
		gss_release_buffer(&minor, &wrapped);
		return refuse(out, "no mutual authentication, and no TLS");
	}
	state.next = choose_layer;
	return challenge(out, &wrapped);
}

/*
 * Layer, size, authorization identity. The size should be 0 without a layer;
 * there are clients that send one, and nothing depends on it.
 */
static int
take_choice(struct bytes choice, struct outside_answer *out)
{
	struct bytes authzid = bytes_from(choice, LAYER_SIZE);

	if (choice.n < LAYER_SIZE || choice.p[0] != LAYER_NONE)
		return refuse(out, "a security layer was chosen that was not "
		    "offered");
	if (bytes_find(authzid, '\0') >= 0 || !utf8_valid(authzid))
		return refuse(out, "authorization identity is no name");
	if (bytes_equal(authzid, bytes_of(state.account)))
		authzid.n = 0;
	out->verdict = OUTSIDE_ACCEPTED;
	if (chan_put(&out->authzid, authzid) < 0)
		return refuse(out, "authorization identity is no name");
	return chan_put(&out->user, bytes_of(state.account));
}

static int
choose_layer(struct bytes in, struct outside_answer *out)
{
	gss_buffer_desc wrapped = { in.n, (void *)(uintptr_t)in.p }, plain
	    = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor, ignored;
	int r;

	major = gss_unwrap(&minor, state.context, &wrapped, &plain, NULL, NULL);
	r = major == GSS_S_COMPLETE ? take_choice(bytes_in(&plain), out)
	    : refuse_for(out, minor,
	    "last message is not wrapped with the context");
	gss_release_buffer(&ignored, &plain);
	return r;
}

static int
gss_step(struct bytes in, struct outside_answer *out)
{
	return state.next(in, out);
}

const struct verify_program gss_verifier = {
	"mailreeve-gss", gss_prepare, sandbox_gss, gss_step,
};
