/*
 * A preview of a message's text (RFC 8970), HTML stripped.
 * Runs as: the mailbox owner.
 */
#include <stdlib.h>

#include "text.h"

enum html_state { HTML_TEXT, HTML_NAME, HTML_TAG, HTML_COMMENT, HTML_ENTITY };

static const char *const hidden_elements[] = { "script", "style", "title" };

/* Elements that do not part words. */
static const char *const inline_elements[] = {
	"a", "b", "big", "code", "em", "font", "i", "s", "small", "span",
	"strong", "sub", "sup", "tt", "u",
};

static const struct { const char *name; uint32_t code; } entities[] = {
	{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
	{ "apos", '\'' }, { "nbsp", 0xa0 }, { "shy", 0xad },
	{ "copy", 0xa9 }, { "reg", 0xae }, { "euro", 0x20ac },
	{ "ndash", 0x2013 }, { "mdash", 0x2014 }, { "hellip", 0x2026 },
	{ "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "sbquo", 0x201a },
	{ "ldquo", 0x201c }, { "rdquo", 0x201d }, { "bdquo", 0x201e },
	{ "laquo", 0xab }, { "raquo", 0xbb }, { "bull", 0x2022 },
	{ "middot", 0xb7 }, { "zwnj", 0x200c }, { "zwj", 0x200d },
	{ "auml", 0xe4 }, { "ouml", 0xf6 }, { "uuml", 0xfc },
	{ "Auml", 0xc4 }, { "Ouml", 0xd6 }, { "Uuml", 0xdc },
	{ "szlig", 0xdf }, { "eacute", 0xe9 }, { "egrave", 0xe8 },
	{ "agrave", 0xe0 }, { "aacute", 0xe1 }, { "ccedil", 0xe7 },
	{ "ntilde", 0xf1 }, { "oslash", 0xf8 }, { "aring", 0xe5 },
};

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

const struct mime_part *
preview_part(const struct mime_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].kind == MIME_TEXT &&
		    (t->v[i].flags & (MIME_PLAIN | MIME_HTML)) &&
		    !(t->v[i].flags & MIME_ATTACHMENT))
			return &t->v[i];
	return NULL;
}

/* ---- characters of the preview ---- */

static bool
is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x3000;
}

/* Controls, and what newsletters pad their previews with. */
static bool
is_invisible(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xfffd;
}

static int
put_char(struct preview *v, uint32_t c)
{
	if (v->done || v->hidden != NULL)
		return 0;
	if (is_space(c) || is_invisible(c)) {
		v->space |= is_space(c) && v->chars > 0;
		return 0;
	}
	if (v->space && v->chars < PREVIEW_CHARS_MAX) {
		if (buf_byte(&v->out, ' ') < 0)
			return -1;
		v->chars++;
	}
	v->space = false;
	v->done = v->chars >= PREVIEW_CHARS_MAX;
	if (v->done)
		return 0;
	v->done = ++v->chars == PREVIEW_CHARS_MAX;
	return utf8_put(&v->out, c);
}

static int
put_word(struct preview *v)
{
	for (size_t i = 0; i < v->word_n; i++)
		if (put_char(v, (unsigned char)v->word[i]) < 0)
			return -1;
	return 0;
}

/* ---- HTML ---- */

static void
begin_word(struct preview *v, enum html_state state)
{
	v->state = state;
	v->word_n = 0;
	v->quote = v->last = v->dashes = 0;
}

/* Adds to the word as far as it has room. */
static void
add_word(struct preview *v, uint32_t c)
{
	if (v->word_n < PREVIEW_WORD_MAX)
		v->word[v->word_n++] = (char)c;
	v->word[v->word_n] = '\0';
}

static const char *
find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return names[i];
	return NULL;
}

static void
end_tag(struct preview *v)
{
	const char *name = v->word[0] == '/' ? v->word + 1 : v->word;

	v->state = HTML_TEXT;
	if (v->hidden != NULL) {
		if (v->word[0] == '/' && strcmp(name, v->hidden) == 0)
			v->hidden = NULL;
		return;
	}
	if (v->word[0] != '/')
		v->hidden = find_name(hidden_elements, COUNT(hidden_elements),
		    name);
	if (find_name(inline_elements, COUNT(inline_elements), name) == NULL)
		v->space |= v->chars > 0;
}

static int
html_text(struct preview *v, uint32_t c)
{
	if (c == '<')
		begin_word(v, HTML_NAME);
	else if (c == '&' && v->hidden == NULL)
		begin_word(v, HTML_ENTITY);
	else
		return put_char(v, c);
	return 0;
}

/* Behind "<": a name, the beginning of a comment, or after all only a "<". */
static int
html_name(struct preview *v, uint32_t c)
{
	bool letter = c < 0x80 && ascii_alpha((unsigned char)c);

	if (v->word_n == 0 && c != '/' && (v->hidden != NULL ||
	    (!letter && c != '!' && c != '?'))) {
		v->state = HTML_TEXT;
		return put_char(v, '<') < 0 ? -1 : html_text(v, c);
	}
	if (c == '>') {
		end_tag(v);
	} else if (letter || (c < 0x80 && ascii_digit((unsigned char)c)) ||
	    v->word_n == 0 || c == '-') {
		add_word(v, ascii_lower((unsigned char)c));
		if (strcmp(v->word, "!--") == 0)
			begin_word(v, HTML_COMMENT);
	} else {
		v->state = HTML_TAG;
	}
	return 0;
}

static int
html_tag(struct preview *v, uint32_t c)
{
	if (v->quote != 0) {
		if (c == v->quote)
			v->quote = 0;
	} else if ((c == '"' || c == '\'') && v->last == '=') {
		v->quote = (unsigned char)c;
	} else if (c == '>') {
		end_tag(v);
	}
	v->last = c < 0x80 ? (unsigned char)c : 0;
	return 0;
}

static int
html_comment(struct preview *v, uint32_t c)
{
	if (c == '>' && v->dashes >= 2)
		v->state = HTML_TEXT;
	v->dashes = c != '-' ? 0 : v->dashes < 2 ? v->dashes + 1u : 2;
	return 0;
}

/* The character an entity means, 0 when it is none. */
static uint32_t
entity_code(const char *word)
{
	unsigned long code;
	char *end;

	if (word[0] == '#') {
		bool hex = word[1] == 'x' || word[1] == 'X';

		code = strtoul(word + (hex ? 2 : 1), &end, hex ? 16 : 10);
		return *end != '\0' || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff) ? 0 : (uint32_t)code;
	}
	for (size_t i = 0; i < COUNT(entities); i++)
		if (strcmp(entities[i].name, word) == 0)
			return entities[i].code;
	return 0;
}

static int
html_entity(struct preview *v, uint32_t c)
{
	uint32_t code;

	if (v->word_n < PREVIEW_WORD_MAX && c < 0x80 && (c == '#' ||
	    ascii_alpha((unsigned char)c) || ascii_digit((unsigned char)c))) {
		add_word(v, c);
		return 0;
	}
	v->state = HTML_TEXT;
	code = v->word_n > 0 ? entity_code(v->word) : 0;
	if (code == 0)
		return put_char(v, '&') < 0 || put_word(v) < 0 ? -1 :
		    html_text(v, c);
	if (put_char(v, code) < 0)
		return -1;
	return c == ';' ? 0 : html_text(v, c);
}

static int
push_char(struct preview *v, uint32_t c)
{
	static int (*const states[])(struct preview *, uint32_t) = {
		[HTML_TEXT] = html_text, [HTML_NAME] = html_name,
		[HTML_TAG] = html_tag, [HTML_COMMENT] = html_comment,
		[HTML_ENTITY] = html_entity,
	};

	return v->html ? states[v->state](v, c) : put_char(v, c);
}

/* ---- the interface ---- */

void
preview_begin(struct preview *v, const struct mime_part *part)
{
	*v = (struct preview){
		.html = part->flags & MIME_HTML,
		.out = BUF_INIT(PREVIEW_BYTES_MAX),
	};
	text_begin(&v->text, part);
}

static int
push_text(struct preview *v, struct bytes utf8)
{
	while (utf8.n > 0 && !v->done) {
		uint32_t code = 0;
		size_t n = utf8_char(utf8, &code);

		if (push_char(v, code) < 0)
			return -1;
		utf8 = bytes_from(utf8, n == 0 ? 1 : n);
	}
	return 0;
}

int
preview_push(struct preview *v, struct bytes piece)
{
	struct bytes utf8;

	if (v->done)
		return 0;
	return text_push(&v->text, piece, &utf8) < 0 ? -1 : push_text(v, utf8);
}

int
preview_end(struct preview *v, struct bytes *out)
{
	struct bytes utf8;
	int rc = text_end(&v->text, &utf8);

	if (rc == 0)
		rc = push_text(v, utf8);
	*out = buf_contents(&v->out);
	return rc;
}

void
preview_free(struct preview *v)
{
	text_free(&v->text);
	buf_free(&v->out);
}
