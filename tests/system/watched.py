"""A server behind a relay that reads along: what real clients are sent is held
against the same strict grammars as everything else (imap_grammar, pop3_grammar).
"""
import select
import ssl
import threading
import zlib

from lib import *
import imap_grammar
import pop3_grammar

# Where the server itself listens, and the ports that clients know.
BEHIND = {"imap": 1143, "imaps": 1993, "pop3": 1110, "pop3s": 1995}


class Reading:
    """One conversation, read along."""

    def __init__(self, imap):
        self.imap = imap
        self.checker = (imap_grammar if imap else pop3_grammar).Checker()
        self.broken = None
        self.record = []
        self.buffer = b""           # from the server, not yet a whole response
        self.upgrade = None         # tag of STARTTLS, or b"+OK" for STLS
        self.compress = None        # tag of COMPRESS
        self.inflate = {}

    def note(self, mark, raw):
        self.record.append(mark + " " + wire.show(raw))
        del self.record[:-30]

    def to_server(self, raw):
        if self.inflate:
            raw = self.inflate["C"].decompress(raw)
        self.note("C:", raw)
        self.checker.sent(raw)
        if (m := re.search(rb"^(?:(\S+) STARTTLS|(STLS))\r\n", raw, re.I | re.M)):
            self.upgrade = m[1] + b" OK" if m[1] else b"+OK"
        if (m := re.search(rb"^(\S+) COMPRESS DEFLATE\r\n", raw, re.I | re.M)):
            self.compress = m[1] + b" OK"

    def take(self):
        """The next whole response, or None."""
        at = 0
        while True:
            end = self.buffer.find(b"\n", at)
            if end < 0:
                return None
            mark = wire.LITERAL.search(self.buffer[at:end + 1]) if self.imap else None
            at = end + 1
            if not mark:
                raw, self.buffer = self.buffer[:at], self.buffer[at:]
                return raw
            at += int(mark.group(1))
            if len(self.buffer) < at:
                return None

    def to_client(self, raw):
        """True when both sides begin TLS behind this."""
        self.buffer += self.inflate["S"].decompress(raw) if self.inflate else raw
        while (response := self.take()) is not None:
            self.note("S:", response)
            self.checker.received(response)
            if self.compress and response.startswith(self.compress):
                self.compress = None
                self.inflate = {side: zlib.decompressobj(wbits=-15) for side in "CS"}
                self.buffer = self.inflate["S"].decompress(self.buffer)
            if self.upgrade and response.startswith(self.upgrade):
                return True
        return False

    def safely(self, what, raw):
        """A mistake is kept for later; the clients go on."""
        if self.broken:
            return False
        try:
            return what(raw)
        except (imap_grammar.Broken, pop3_grammar.Broken) as why:
            self.broken = "%s\n%s" % (why, "\n".join(self.record))
        return False


class Relay(threading.Thread):
    def __init__(self, client, name):
        super().__init__(daemon=True)
        self.client, self.name_of_port = client, name
        self.reading = Reading(name.startswith("imap"))

    def start_tls(self):
        for sock in (self.client, self.server):
            sock.setblocking(True)
        self.server = wire.client_context().wrap_socket(self.server, server_hostname="localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("/etc/mailreeve/tls.crt", "/etc/mailreeve/tls.key")
        self.client = context.wrap_socket(self.client, server_side=True)
        self.reading.upgrade = None

    def run(self):
        self.server = wire.connect(BEHIND[self.name_of_port])
        try:
            if self.name_of_port.endswith("s"):
                self.start_tls()
            while self.move():
                pass
        except (OSError, EOFError):
            pass                        # one side is gone: so is the other
        finally:
            for sock in (self.client, self.server):
                sock.close()

    def read(self, sock):
        """What is there: None when nothing is, b"" at the end."""
        sock.setblocking(False)
        try:
            return sock.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        finally:
            sock.setblocking(True)

    def move(self):
        waiting = [s for s in (self.client, self.server)
                   if isinstance(s, ssl.SSLSocket) and s.pending()]
        if not waiting:
            waiting, _, _ = select.select([self.client, self.server], [], [])
        for sock in waiting:
            raw = self.read(sock)
            if raw == b"":
                return False
            if raw is not None and not self.forward(sock, raw):
                break
        return True

    def forward(self, sock, raw):
        if sock is self.client:
            self.reading.safely(self.reading.to_server, raw)
            self.server.sendall(raw)
            return True
        tls = self.reading.safely(self.reading.to_client, raw)
        self.client.sendall(raw)
        if tls:
            self.start_tls()
        return not tls


class Watched(Server):
    """A Server whose conversations are all read along; a mistake fails the test."""

    def __init__(self, **settings):
        super().__init__(**dict({"%s_listen" % name: "127.0.0.1:%d" % port
                                 for name, port in BEHIND.items()}, **settings))
        self.relays = []

    def listening(self, port):
        return super().listening(BEHIND[next(n for n, p in PORTS.items() if p == port)])

    def accept(self, listener, name):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.relays.append(Relay(client, name))
            self.relays[-1].start()

    def __enter__(self):
        super().__enter__()
        self.listeners = []
        for name in BEHIND:
            listener = socket.create_server(("127.0.0.1", PORTS[name]), reuse_port=True)
            self.listeners.append(listener)
            threading.Thread(target=self.accept, args=(listener, name), daemon=True).start()
        return self

    def __exit__(self, kind, error, trace):
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        super().__exit__(kind, error, trace)
        for relay in self.relays:
            relay.join(wire.TIMEOUT)
        broken = [r.reading.broken for r in self.relays if r.reading.broken]
        if kind is None and broken:
            raise AssertionError("against the grammar: " + broken[0])
        if kind is None and not any(r.reading.record for r in self.relays):
            raise AssertionError("nobody was read along")
