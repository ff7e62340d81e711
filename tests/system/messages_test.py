#!/usr/bin/env python3
"""The difficult messages of tests/corpus through a whole session: what IMAP says of
them, every section of every part, and Python's email package as the other opinion."""
import email
import email.policy
import email.utils
import glob
import os
import re
import shutil
import sys
import urllib.parse

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TESTS, "..", ".build", "out")))
CORPUS = os.path.join(TESTS, "corpus")
NAMES = sorted(os.path.basename(p)[:-4] for p in glob.glob(CORPUS + "/*.eml"))
LINE_END = re.compile(rb"(?<!\r)\n")

# Where the email package does not say what the RFCs say, and why.
OTHER_OPINION = {
    "broken-encodings": "does not take a comment out of an encoding",
    "bad-types": "a multipart without a usable boundary stays one, though it has no parts",
    "deep": "reads deeper than we do",
    "deep-rfc822": "reads deeper than we do",
    "empty-parts": "a multipart without parts stays one",
    "no-parts": "a multipart without parts stays one",
    "only-close": "a multipart without parts stays one",
    "param-no-semicolon": "takes the parameters for the type",
    "param-syntax": "comments behind an encoding become part of it",
    "same-boundary": "the outer of two equal boundaries wins",
    "too-long-boundary": "takes a boundary of any length",
}


class Reader:
    """Values of an IMAP response: lists, bytes, None, numbers."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def value(self):
        c = self.raw[self.at:self.at + 1]
        if c == b"(":
            return self.list()
        if c == b'"':
            end = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(self.raw, self.at)
            self.at = end.end()
            return re.sub(rb"\\(.)", rb"\1", end.group(1), flags=re.S)
        literal = re.compile(rb"\{(\d+)\}\r\n").match(self.raw, self.at)
        if literal:
            self.at = literal.end() + int(literal.group(1))
            return self.raw[literal.end():self.at]
        word = re.compile(rb"[^ ()]+").match(self.raw, self.at)
        self.at = word.end()
        text = word.group()
        return None if text == b"NIL" else int(text) if text.isdigit() else text

    def list(self):
        got = []
        self.at += 1
        while self.raw[self.at:self.at + 1] != b")":
            if self.raw[self.at:self.at + 1] == b" ":
                self.at += 1
            else:
                got.append(self.value())
        self.at += 1
        return got


class Session:
    """All messages in one mailbox, read by one session."""

    def __init__(self):
        self.programs = place.private_programs(BUILD)
        self.place = place.Direct(self.programs)
        self.raw = {}
        for number, name in enumerate(NAMES, 1):
            with open(os.path.join(CORPUS, name + ".eml"), "rb") as f:
                self.raw[name] = f.read()
            self.place.deliver(self.raw[name], "INBOX", number, flags="")
        self.open()

    def open(self, *first):
        """Another connection, with other commands before the mailbox."""
        self.imap = self.place.connect("imap", {})
        self.imap.greeting()
        for command in first + ("EXAMINE INBOX",):
            self.imap.ok(command)

    def fetch(self, name, item):
        """The bytes of one item's value."""
        number = NAMES.index(name) + 1
        for r in self.imap.ok("FETCH %d (%s)" % (number, item)):
            head = b"* %d FETCH (" % number
            if r.startswith(head):
                return r[len(head):-1].split(b" ", 1)[1]
        raise AssertionError("%s of %s did not come" % (item, name))

    def end(self):
        self.imap.logout()
        self.place.finish()
        shutil.rmtree(self.programs)


SESSION = None


def session():
    global SESSION
    if SESSION is None:
        SESSION = Session()
    return SESSION


def sent(name):
    return LINE_END.sub(b"\r\n", session().raw[name])


def test_envelope_and_bodystructure():
    for name in NAMES:
        with open(os.path.join(CORPUS, name + ".expect"), "rb") as f:
            want = f.read()
        got = session().fetch(name, "ENVELOPE") + b"\n" + \
            session().fetch(name, "BODYSTRUCTURE") + b"\n"
        if got != want:
            raise AssertionError("%s: %r is not %r" % (name, got, want))


def test_whole_message():
    for name in NAMES:
        if b"\0" in sent(name):        # no literal can have one
            continue
        assert Reader(session().fetch(name, "BODY.PEEK[]")).value() == sent(name), name
        assert int(session().fetch(name, "RFC822.SIZE")) == len(sent(name)), name


def walk(body, number=""):
    """(section number, body) of every part, as section 6.4.5 of RFC 9051 counts."""
    if isinstance(body[0], list):
        for i, part in enumerate([b for b in body if isinstance(b, list)][:parts_of(body)], 1):
            yield from walk(part, "%s%d." % (number, i))
        return
    if not number:
        number = "1."
    yield number[:-1], body
    if body[0].lower() == b"message" and body[1].lower() == b"rfc822":
        yield from inside(body[8], number)


def parts_of(body):
    return next(i for i, b in enumerate(body) if not isinstance(b, list))


def inside(body, number):
    if isinstance(body[0], list):
        yield from walk(body, number)
    else:
        yield from walk(body, number + "1.")


def structure(name):
    return Reader(session().fetch(name, "BODYSTRUCTURE")).value()


def test_sizes_of_all_parts():
    for name in NAMES:
        for number, body in list(walk(structure(name)))[:40]:
            raw = Reader(session().fetch(name, "BODY.PEEK[%s]" % number)).value()
            assert len(raw) == body[6], (name, number)
            if body[0].lower() == b"text":
                assert raw.count(b"\n") == body[7], (name, number)
            elif body[:2] == [b"MESSAGE", b"RFC822"]:
                assert raw.count(b"\n") == body[9], (name, number)


def test_partial_fetches_add_up():
    for name in ("mixed-nested", "mixed-line-ends", "bare-cr", "plain-crlf"):
        whole = b""
        while (piece := Reader(session().fetch(
                name, "BODY.PEEK[]<%d.7>" % len(whole))).value()):
            whole += piece
        assert whole == sent(name), name


def parsed(name):
    return email.message_from_bytes(sent(name))


def tree_of(message):
    """Types, encodings and contents in the order of the parts."""
    kind = message.get_content_type().upper()
    if message.is_multipart() and not kind.startswith("MESSAGE/"):
        return [kind] + [tree_of(m) for m in message.get_payload()]
    if kind == "MESSAGE/RFC822":
        return [kind, tree_of(message.get_payload(0))]
    encoding = message.get("Content-Transfer-Encoding", "7bit")
    return [kind, encoding.split(";")[0].strip().upper()]


def tree_said(body):
    if isinstance(body[0], list):
        n = parts_of(body)
        return ["MULTIPART/" + body[n].decode()] + [tree_said(b) for b in body[:n]]
    kind = (body[0] + b"/" + body[1]).decode("latin-1")
    if kind == "MESSAGE/RFC822":
        return [kind, tree_said(body[8])]
    return [kind, body[5].decode("latin-1")]


def test_structure_against_another_parser():
    for name in NAMES:
        if name in OTHER_OPINION:
            continue
        want, got = tree_of(parsed(name)), tree_said(structure(name))
        if name in ("report", "rfc2231-url", "global", "external-and-partial"):
            want, got = simple(want), simple(got)
        assert got == want, "%s: %r is not %r" % (name, got, want)


# Parts whose bytes the email package does not give as they are, and why.
OTHER_BYTES = {
    "garbage-lines": "begins the body with the first line that is no field",
    "obsolete-addresses": "takes no space in front of the colon of a field",
    "missing-final-boundary": "takes the last line end for a boundary's",
    "body-without-header": "begins the body with the first line that is no field",
    "boundary-details": "takes a longer line for the boundary",
}


def leaves(message, number=""):
    """(section number, part) of every part without parts, as the email package sees it."""
    kind = message.get_content_type()
    if message.is_multipart() and not kind.startswith("message/"):
        for i, part in enumerate(message.get_payload(), 1):
            yield from leaves(part, "%s%d." % (number, i))
    elif kind == "message/rfc822" and number:
        inner = message.get_payload(0)
        yield from leaves(inner, number if inner.is_multipart() else number + "1.")
    elif not kind.startswith("message/"):
        yield (number or "1.")[:-1], message


def raw_payload(part):
    return part._payload.encode("ascii", "surrogateescape")         # get_payload() converts


def test_sections_against_another_parser():
    compared = 0
    for name in NAMES:
        if name in OTHER_OPINION or name in OTHER_BYTES or b"\0" in sent(name):
            continue
        for number, part in leaves(parsed(name)):
            got = Reader(session().fetch(name, "BODY.PEEK[%s]" % number)).value()
            assert got == raw_payload(part), "%s %s: %r is not %r" % (name, number, got, raw_payload(part))
            compared += 1
    assert compared > 70, compared


# Encoded so badly that readers differ in what they make of it.
OTHER_DECODING = {("broken-encodings", "1"), ("broken-encodings", "2"), ("broken-encodings", "3"),
                  ("quoted-printable", "1")}


def decoded(part):
    """CRLF as it is decoded; the email package takes 8bit and 7bit as they are."""
    encoding = part.get("Content-Transfer-Encoding", "7bit").split(";")[0].strip().lower()
    return part.get_payload(decode=True) if encoding in ("base64", "quoted-printable") \
        else raw_payload(part)


def test_decoded_parts_against_another_parser():
    compared = 0
    for name in NAMES:
        if name in OTHER_OPINION or name in OTHER_BYTES or b"\0" in sent(name):
            continue
        for number, part in leaves(parsed(name)):
            if (name, number) in OTHER_DECODING or "uuencode" in part.get("Content-Transfer-Encoding", ""):
                continue
            got = Reader(session().fetch(name, "BINARY.PEEK[%s]" % number).lstrip(b"~")).value()
            size = int(session().fetch(name, "BINARY.SIZE[%s]" % number))
            assert got == decoded(part), "%s %s: %r is not %r" % (name, number, got, decoded(part))
            assert size == len(got), (name, number, size)
            compared += 1
    assert compared > 65, compared


def field(message, name):
    """A field's body on one line, as ENVELOPE has it; None when there is none."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            raw = value.encode("ascii", "surrogateescape")
            return re.sub(rb"\r\n(?=[ \t])", b"", raw).strip(b" \t")
    return None


def test_fields_of_envelopes_against_another_parser():
    at = {0: "Date", 1: "Subject", 8: "In-Reply-To", 9: "Message-ID"}
    for name in ("plain", "folded", "groups", "repeated-fields", "duplicate-mime", "forwarded", "smime",
                 "calendar", "digest", "encoded-words", "8bit-headers", "huge-header", "odd-charsets"):
        envelope = Reader(session().fetch(name, "ENVELOPE")).value()
        message = email.message_from_bytes(sent(name), policy=email.policy.compat32)
        for i, key in at.items():
            want = field(message, key)
            got = envelope[i]
            got = got if got is None or isinstance(got, bytes) else str(got).encode()
            assert (got or None) == (want or None), "%s %s: %r is not %r" % (name, key, got, want)


def test_headers_and_mime_headers():
    """BODY[HEADER], BODY[TEXT] and BODY[n.MIME] cut the bytes where they must be cut."""
    for name in NAMES:
        raw = sent(name)
        if b"\0" in raw:
            continue
        header = Reader(session().fetch(name, "BODY.PEEK[HEADER]")).value()
        text = Reader(session().fetch(name, "BODY.PEEK[TEXT]")).value()
        assert header + text == raw or header + text == raw + b"\r\n", name
        assert header.endswith(b"\r\n\r\n") or header in (b"\r\n", raw), (name, header[-20:])
        assert b"\r\n\r\n" not in header[:-4], name
        for number, _ in list(walk(structure(name)))[:10]:
            if number == "1" and not isinstance(structure(name)[0], list):
                continue
            mime = Reader(session().fetch(name, "BODY.PEEK[%s.MIME]" % number)).value()
            assert mime in raw or mime[:-2] in raw, (name, number, mime)


def simple(tree):
    """Without what the email package reads in message/* of other kinds."""
    if tree[0].startswith("MESSAGE/") and tree[0] != "MESSAGE/RFC822":
        return tree[:1]
    return [simple(t) if isinstance(t, list) else t for t in tree]


def params_said(body):
    pairs = body[parts_of(body) + 1 if isinstance(body[0], list) else 2] or []
    return {pairs[i].decode().lower(): pairs[i + 1] for i in range(0, len(pairs), 2)}


def test_parameters_against_another_parser():
    for name in ("plain", "alternative", "rfc2231", "rfc2231-url", "quoted-printable", "smime",
                 "calendar", "uuencoded"):
        said = params_said(structure(name))
        for key, value in parsed(name).get_params([])[1:]:
            if isinstance(value, tuple):
                charset, language, text = said[key.lower() + "*"].decode().split("'", 2)
                assert (charset, language, urllib.parse.unquote(text, charset)) == value
            elif key.lower() + "*" not in said:
                assert said[key.lower()].decode() == value, (name, key)


def addresses_said(field):
    """(display name, address) of each mailbox, groups left out."""
    return [((a[0] or b"").decode("latin-1"),
             (a[2] + (b"@" + a[3] if a[3] else b"")).decode("latin-1"))
            for a in field or [] if a[3] is not None]


def test_addresses_against_another_parser():
    fields = {2: "From", 5: "To", 6: "Cc", 7: "Bcc"}
    for name in ("plain", "folded", "groups", "encoded-words", "repeated-fields", "digest",
                 "forwarded", "huge-header", "duplicate-mime", "smime", "calendar"):
        envelope = Reader(session().fetch(name, "ENVELOPE")).value()
        for at, field in fields.items():
            values = [re.sub(r"\r\n", "", v) for v in parsed(name).get_all(field, [])]
            want = [a for a in email.utils.getaddresses(values) if a[1]]
            # It takes a comment for a part of the name; RFC 5322 does not.
            got = [(re.sub(r" \(.*", "", n), a) for n, a in addresses_said(envelope[at])]
            want = [(re.sub(r" \(.*", "", n), a) for n, a in want]
            assert got == want, "%s %s: %r is not %r" % (name, field, got, want)


def test_message_global_in_imap4rev2():
    before = structure("global")
    session().imap.logout()
    session().open("ENABLE IMAP4rev2")
    after = structure("global")
    assert before[0][:2] == after[0][:2] == [b"MESSAGE", b"GLOBAL"]
    assert before[0][7:] == [None] * 4          # nothing of RFC822's (RFC 3501)
    assert after[0][7][1] == "na\u00efve".encode() and after[0][9] == 3


def test_the_end():
    session().end()


if __name__ == "__main__":
    sys.exit(tap.main())
