"""A client's side of IMAP and POP3: raw bytes out, strictly checked bytes in.

Everything that a server sends goes through the strict parsers of
imap_grammar and pop3_grammar before a test sees it. Waiting is always for
bytes and always has a limit.
"""
import base64
import os
import re
import socket
import ssl
import time
import zlib

import imap_grammar
import pop3_grammar

TIMEOUT = float(os.environ.get("TEST_TIMEOUT", "15"))
LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


class WireError(AssertionError):
    """The server said something that it may not say, or nothing."""


class Closed(WireError):
    """The server closed the connection."""


def show(raw):
    """Bytes on one line of a diagnostic."""
    text = raw.decode("latin-1").replace("\\", "\\\\")
    text = "".join(c if " " <= c <= "~" else "\\r" if c == "\r" else
                   "\\n" if c == "\n" else "\\x%02x" % ord(c) for c in text)
    return text if len(text) < 800 else text[:600] + " [...] " + text[-100:]


class Connection:
    """Bytes both ways over a socket, with a record of the last of them."""

    def __init__(self, sock, timeout=TIMEOUT):
        self.sock = sock
        self.timeout = timeout
        self.pending = b""
        self.record = []
        self.deflate = self.inflate = None

    def note(self, mark, raw):
        self.record.append(mark + " " + show(raw))
        del self.record[:-60]

    def fail(self, kind, text):
        error = kind(text)
        error.transcript = list(self.record)
        raise error

    def send(self, raw):
        self.note("C:", raw)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.sendall(self.squeeze(raw))
        except (BrokenPipeError, ConnectionResetError):
            pass        # what the server said before is still to be read

    def fill(self):
        """Wait for more bytes: True, or False at the end of the stream."""
        self.sock.settimeout(self.timeout)
        try:
            more = self.sock.recv(1 << 20)
        except (ConnectionResetError, ssl.SSLEOFError):
            more = b""
        except (TimeoutError, socket.timeout):
            self.note("S:", b"(incomplete) " + self.pending)
            self.fail(WireError, "nothing came for %g s" % self.timeout)
        if self.inflate and more:
            self.pending += self.inflate.decompress(more)
            if self.inflate.eof or self.inflate.unused_data:
                self.fail(WireError, "the compressed stream ends")
        else:
            self.pending += more
        return bool(more)

    def squeeze(self, raw):
        if not self.deflate:
            return raw
        return self.deflate.compress(raw) + self.deflate.flush(zlib.Z_SYNC_FLUSH)

    def start_compress(self):
        """DEFLATE in both directions from here on (RFC 4978)."""
        self.deflate = zlib.compressobj(wbits=-15)
        self.inflate = zlib.decompressobj(wbits=-15)
        if self.pending:
            self.pending = self.inflate.decompress(self.pending)

    def take(self, n):
        got, self.pending = self.pending[:n], self.pending[n:]
        return got

    def line(self):
        """One line with its CRLF; Closed when the stream ends before any byte."""
        at = self.pending.find(b"\n")
        while at < 0:
            have = len(self.pending)
            if not self.fill():
                if self.pending:
                    self.fail(WireError, "ends inside a line: " + show(self.pending))
                self.fail(Closed, "the server closed the connection")
            at = self.pending.find(b"\n", have)
        line = self.take(at + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self.note("S:", line)
            self.fail(WireError, "bare CR or LF: " + show(line))
        return line

    def exactly(self, n):
        pieces, have = [], 0
        while have < n:
            if not self.pending and not self.fill():
                self.fail(WireError, "ends inside a literal")
            pieces.append(self.take(n - have))
            have += len(pieces[-1])
        return b"".join(pieces)

    def expect_eof(self):
        """The server closes without another byte."""
        while self.fill():
            pass
        if self.pending:
            self.fail(WireError, "bytes before the end: " + show(self.pending))

    def start_tls(self, context=None, alpn=None):
        if self.pending:
            self.fail(WireError, "bytes before the handshake: " + show(self.pending))
        self.sock.settimeout(self.timeout)
        self.sock = (context or client_context(alpn)).wrap_socket(
            self.sock, server_hostname="localhost")

    def close(self):
        self.sock.close()


def client_context(alpn=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


class Imap(Connection):
    """A conversation in IMAP. Responses are bytes without the last CRLF."""

    def __init__(self, sock, timeout=TIMEOUT):
        super().__init__(sock, timeout)
        self.checker = imap_grammar.Checker()
        self.tags = 0

    def send(self, raw):
        self.checker.sent(raw)
        super().send(raw)

    def response(self):
        """The next response, literals and all, checked."""
        raw = self.line()
        while (mark := LITERAL.search(raw)):
            raw += self.exactly(int(mark.group(1)))
            raw += self.line()
        self.note("S:", raw)
        try:
            self.checker.received(raw)
        except imap_grammar.Broken as why:
            self.fail(WireError, "against the grammar: %s\n  in %s" % (why, show(raw)))
        return raw[:-2]

    def until(self, test):
        """Responses up to and including the first for which test(r) holds."""
        got = []
        while True:
            got.append(self.response())
            if test(got[-1]):
                return got

    def greeting(self):
        return self.response()

    def command(self, text, *literals, tag=None):
        """Send a command, return (tagged response, untagged responses).

        text is str or bytes; each %L in it stands for the next of literals,
        which is sent as a synchronizing literal.
        """
        if tag is None:
            self.tags += 1
            tag = b"t%d" % self.tags
        raw = text.encode() if isinstance(text, str) else text
        pieces = (tag + b" " + raw + b"\r\n").split(b"%L")
        untagged = []
        for piece, literal in zip(pieces, list(literals) + [None]):
            if literal is None:
                self.send(piece)
                break
            self.send(piece + b"{%d}\r\n" % len(literal))
            while not (r := self.response()).startswith(b"+"):
                if r.startswith(tag + b" "):
                    return r, untagged
                untagged.append(r)
            self.send(literal)
        got = self.until(lambda r: r.startswith(tag + b" ") or r.startswith(b"+"))
        return got[-1], untagged + got[:-1]

    def ok(self, text, *literals):
        """The same; the tagged response must be OK. Returns the untagged ones."""
        tagged, untagged = self.command(text, *literals)
        if tagged.split(b" ", 2)[1:2] != [b"OK"]:
            self.fail(WireError, "%r was answered %s" % (text, show(tagged)))
        return untagged

    def login(self, user, password):
        return self.ok("LOGIN %s %s" % (user, quoted(password)))

    def authenticate_plain(self, user, password, initial=True):
        token = base64.b64encode(("\0%s\0%s" % (user, password)).encode()).decode()
        if initial:
            return self.command("AUTHENTICATE PLAIN " + token)
        tagged, _ = self.command("AUTHENTICATE PLAIN")
        if not tagged.startswith(b"+"):
            return tagged, []
        self.send(token.encode() + b"\r\n")
        got = self.until(lambda r: r.startswith(b"t%d " % self.tags))
        return got[-1], got[:-1]

    def starttls(self, **how):
        self.ok("STARTTLS")
        self.start_tls(**how)

    def logout(self):
        untagged = self.ok("LOGOUT")
        if not any(r.startswith(b"* BYE") for r in untagged):
            self.fail(WireError, "LOGOUT without BYE")
        self.expect_eof()
        self.close()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Pop3(Connection):
    """A conversation in POP3. Lines are bytes without CRLF."""

    def __init__(self, sock, timeout=TIMEOUT):
        super().__init__(sock, timeout)
        self.checker = pop3_grammar.Checker()

    def send(self, raw):
        self.checker.sent(raw)
        super().send(raw)

    def response(self):
        raw = self.line()
        self.note("S:", raw)
        try:
            self.checker.received(raw)
        except pop3_grammar.Broken as why:
            self.fail(WireError, "against the grammar: %s\n  in %s" % (why, show(raw)))
        return raw[:-2]

    def greeting(self):
        return self.response()

    def command(self, text):
        """Send a line, return the status line."""
        self.send((text.encode() if isinstance(text, str) else text) + b"\r\n")
        return self.response()

    def body(self):
        """The lines of a multi-line response, byte-stuffing undone."""
        lines = []
        while (line := self.response()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return lines

    def ok(self, text, multi=False):
        """The status line must be +OK. Returns it, or the lines when multi."""
        status = self.command(text)
        if not status.startswith(b"+OK"):
            self.fail(WireError, "%r was answered %s" % (text, show(status)))
        return self.body() if multi else status

    def login(self, user, password):
        self.ok("USER " + user)
        return self.ok("PASS " + password)

    def stls(self, **how):
        self.ok("STLS")
        self.start_tls(**how)

    def quit(self):
        self.ok("QUIT")
        self.expect_eof()
        self.close()


def connect(port, host="127.0.0.1", source=None, limit=TIMEOUT):
    """A TCP connection, tried again until somebody listens there."""
    end = time.monotonic() + limit
    while True:
        try:
            return socket.create_connection((host, port), limit, source)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def imap(port=143, tls=False, alpn=None, **how):
    """Connect and read the greeting: the connection, with .welcome."""
    c = Imap(connect(port, **how))
    if tls:
        c.start_tls(alpn=alpn)
    c.welcome = c.greeting()
    return c


def pop3(port=110, tls=False, alpn=None, **how):
    c = Pop3(connect(port, **how))
    if tls:
        c.start_tls(alpn=alpn)
    c.welcome = c.greeting()
    return c
