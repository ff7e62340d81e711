#!/usr/bin/env python3
"""SASL through the real server, in both protocols: mechanisms that rest on the secrets file."""
import base64
import hashlib
import hmac
import imaplib
import poplib
import shutil
import ssl
import statistics

from lib import *
from scram import Scram, b64

TOOL = "/usr/local/bin/mailreeve"
FILE = "/etc/mailreeve/secrets"
SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")
SCRAM_NAMES = [name + plus for plus in ("-PLUS", "") for name in reversed(SCRAMS)]


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


# ---- SCRAM -------------------------------------------------------------------------

def test_scram_by_each_digest_in_both_protocols():
    who = member("scram")
    with Server() as server:
        for protocol in ("imap", "pop3"):
            for mechanism in SCRAMS:
                for initial in (True, False):
                    t = Talk(server, protocol)
                    assert good(t.scram(mechanism, who.name, "pencil", initial)), mechanism
                    t.close()
        mark = log.mark()
        t = Talk(server)
        assert good(t.scram("SCRAM-SHA-256", who.name, "pencil"))
        assert "result=ok" in log.wait("login: .* user=%s .*via=SCRAM-SHA-256/TLS" % who.name, mark)
        assert b"INBOX" in b"".join(t.c.ok('LIST "" INBOX'))


main(__name__)
