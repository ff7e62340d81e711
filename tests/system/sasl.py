"""A client's side of SASL in both protocols, message by message, and what goes with it."""
import base64
import hashlib
import os
import re
import shutil
import statistics
import time

from lib import User, need, run, user
from scram import Scram, b64

TOOL = "/usr/local/bin/mailreeve"
FILE = "/etc/mailreeve/secrets"
SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")


def passwd(who, *options, password="pencil"):
    run(TOOL, "passwd", *options, who.name, input=password + "\n")


def member(prefix, *options, **how):
    """An account with a secret; PAM knows another password."""
    who = user(prefix, password="of-pam")
    passwd(who, *options, **how)
    return who


def forget_secrets():
    shutil.rmtree(os.path.dirname(FILE), ignore_errors=True)


def text(raw):
    return base64.b64decode(raw, validate=True).decode()


class Talk:
    """AUTHENTICATE or AUTH, message by message."""

    def __init__(self, server, protocol="imap", **how):
        self.protocol = protocol
        self.c = getattr(server, protocol)(**how)

    def begin(self, mechanism, initial=None):
        word = "t1 AUTHENTICATE " if self.protocol == "imap" else "AUTH "
        self.c.send((word + mechanism + (" " + (b64(initial.encode()) or "=") if initial
                     is not None else "") + "\r\n").encode())
        return self.answer()

    def say(self, message):
        self.c.send((message if message == "*" else b64(message.encode())).encode() + b"\r\n")
        return self.answer()

    def answer(self):
        """("+", challenge) or (OK, NO, BAD, +OK or -ERR; the rest)."""
        while (line := self.c.line()).startswith(b"* "):
            pass
        if line.startswith(b"+ "):
            return "+", text(line[2:-2])
        words = line[:-2].decode().split(" ", 2 if line.startswith(b"t1") else 1)
        return words[-2], words[-1]

    def scram(self, mechanism, user, password, initial=True, **how):
        s = Scram(mechanism, user, password, **how)
        kind, said = self.begin(mechanism, s.first() if initial else None)
        if not initial:
            assert (kind, said) == ("+", "")
            kind, said = self.say(s.first())
        if kind != "+":
            return kind, said
        kind, said = self.say(s.final(said))
        self.last = said
        if kind == "+" and s.verify(said):
            return self.say("")
        return self.say("x") if kind == "+" else (kind, said)

    def close(self):
        self.c.close()


def good(answer):
    return answer[0] in ("OK", "+OK")


def capabilities(server, protocol="imap", **how):
    """The mechanisms that are announced."""
    c = getattr(server, protocol)(**how)
    if protocol == "imap":
        line = [r for r in c.ok("CAPABILITY") if r.startswith(b"* CAPABILITY")][0].decode()
        found = re.findall(r"AUTH=(\S+)", line)
    else:
        c.send(b"CAPA\r\n")
        found = []
        while (line := c.line().decode()) != ".\r\n":
            if line.startswith("SASL"):
                found = line.split()[1:]
    c.close()
    return found


def one_exchange(server, name, source):
    """Seconds to the challenge and to the refusal."""
    t = Talk(server, source=(source, 0))
    s = Scram("SCRAM-SHA-256", name, "x")
    begun = time.perf_counter()
    _, said = t.begin("SCRAM-SHA-256", s.first())
    challenge = time.perf_counter() - begun
    final = s.final(said)
    begun = time.perf_counter()
    assert t.say(final)[0] == "NO"
    refusal = time.perf_counter() - begun
    t.close()
    return challenge, refusal


def differences(server, known, unknown, number):
    """How much longer known names take, as a part of the whole: (challenge, refusal)."""
    times = {known: [], unknown: []}
    for n in range(60):
        for name in (known, unknown) if n % 2 else (unknown, known):
            source = "127.5.%d.%d" % (number, 2 * n + 1 + (name == known))
            times[name].append(one_exchange(server, name, source))
    found = []
    for step in (0, 1):
        # what others do on this machine only adds: the lower fifth is ours
        a, b = (statistics.quantiles([t[step] for t in times[name]], n=5)[0]
                for name in (known, unknown))
        found.append((a - b) / max(a, b))
    return found


def end_point():
    """tls-server-end-point of the certificate (RFC 5929 section 4)."""
    run("openssl", "x509", "-in", "/etc/mailreeve/tls.crt", "-outform", "DER", "-out",
        "/run/tmp/cert.der")
    with open("/run/tmp/cert.der", "rb") as f:
        return hashlib.sha256(f.read()).digest()


def bound(server, who, mechanism="SCRAM-SHA-256-PLUS", kind="tls-server-end-point", data=None,
          flag=None, password="pencil", **how):
    t = Talk(server, **how)
    if data is None and kind == "tls-unique":
        data = t.c.sock.get_channel_binding("tls-unique")
    answer = t.scram(mechanism, who.name, password, flag=flag or "p=" + kind,
                     binding=end_point() if data is None else data)
    t.close()
    return answer


def gsasl(who, mechanism, *options, password="pencil", ok=(0,), port=143):
    program, = need("gsasl")
    return run(program, "--imap", "--connect", "localhost:%d" % port, "--no-client-first"
               if "--late" in options else "--verbose", "-d", "--mechanism", mechanism,
               "--authentication-id", who.name if isinstance(who, User) else who,
               "--password", password, "--x509-ca-file", "/etc/mailreeve/tls.crt",
               *[o for o in options if o != "--late"], input="x LOGOUT\n", ok=ok,
               env=dict(os.environ, LC_ALL="C.UTF-8"))
