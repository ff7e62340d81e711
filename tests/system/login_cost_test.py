#!/usr/bin/env python3
"""What a whole visit may cost in system calls of all processes: the daemon's, those
of the connection, of login, of the session, and of the spares that take their place.

A count may exceed its figure by ROOM; one that is much lower is worth a new one.
"""
from lib import *

ROOM = 1.10
VISITS = 5
CALLS = {"IMAP in the clear": 690, "IMAP over TLS": 760, "POP3 in the clear": 750}
TRACE = SCRATCH + "/trace"


class Traced(Server):
    command = ["strace", "-f", "-qq", "-o", TRACE, MAILREEVED, "-f"]

    def __exit__(self, kind, error, trace):
        """strace keeps a SIGTERM to itself."""
        os.kill(min(processes("mailreeved")), signal.SIGTERM)
        self.process.wait(30)
        super().__exit__(kind, error, trace)

    def quiet(self):
        """Until nothing was called for a moment: spares are made behind a visit, and
        nothing tells when they are."""
        last = -1
        while (size := os.path.getsize(TRACE)) != last:
            last = size
            time.sleep(0.5)
        with open(TRACE) as f:
            return sum(1 for line in f if "resumed>" not in line and "+++" not in line)

    def cost(self, visit):
        """Calls of one visit; the first ones make what is then there."""
        for _ in range(2):
            visit()
        before = self.quiet()
        for _ in range(VISITS):
            visit()
        return (self.quiet() - before) // VISITS


def visit(server, who, protocol, tls):
    def once():
        c = (server.imap if protocol == "imap" else server.pop3)(tls=tls)
        c.login(who.name, who.password)
        if protocol == "imap":
            c.ok("LOGOUT")
        else:
            c.ok("QUIT")
        c.close()
    return once


def test_a_visit_makes_the_calls_it_did():
    need("strace")
    if SANITIZED:
        raise Skip("sanitizers make calls of their own")
    who = user()
    with Traced(cleartext_login="yes", failure_delay="0s") as server:
        found = {
            "IMAP in the clear": server.cost(visit(server, who, "imap", False)),
            "IMAP over TLS": server.cost(visit(server, who, "imap", True)),
            "POP3 in the clear": server.cost(visit(server, who, "pop3", False)),
        }
    print("# %s" % found)
    for name, figure in CALLS.items():
        assert found[name] <= figure * ROOM, "%s: %d system calls, not %d" \
            % (name, found[name], figure)


main(__name__)
