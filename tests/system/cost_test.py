#!/usr/bin/env python3
"""What fixed operations may cost, in system calls: times are noisy, these are not.

FIGURES were measured with 1,000 messages; a count may exceed its figure by ROOM.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TESTS, "..", ".build", "out")))
PROGRAMS = None
ROOM = 1.10
MESSAGE = b"From: ann@example.org\nSubject: one\n\nline\n"
FIGURES = {"start": 193, "SELECT INBOX": 27,
           "FETCH 1:* FLAGS": 16, "FETCH 1:* ENVELOPE": 18}


class Traced(place.Direct):
    """Sessions run below strace, which writes their calls into self.trace."""

    def __init__(self, count):
        super().__init__(PROGRAMS)
        os.chmod(self.top, 0o777)
        self.trace = os.path.join(self.top, "trace")
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.maildir, sub))
        for i in range(count):
            with open("%s/cur/%d.M%06dP1.test:2,S" % (self.maildir, 1700000000 + i, i), "wb") as f:
                f.write(MESSAGE)
        self.own(self.home)

    def connect(self, protocol, env):
        ours, theirs = socket.socketpair()
        errors = tempfile.TemporaryFile()
        process = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", self.trace, os.path.join(self.programs, protocol)],
            stdin=theirs, stdout=theirs, stderr=errors, cwd="/",
            env=self.environment(env), **self.as_user())
        theirs.close()
        connection = place.PROTOCOLS[protocol](ours)
        self.running.append((connection, process, errors))
        return connection

    def calls(self, *commands):
        """System calls of a whole session with these commands."""
        connection = self.connect("imap", {})
        self.greet(connection)
        for command in commands:
            connection.ok(command)
        connection.close()
        self.ended(connection)
        with open(self.trace) as f:
            return sum(1 for _ in f)


def counts(messages):
    """Calls of each operation once everything is known to the index."""
    if not shutil.which("strace"):
        raise tap.Skip("strace is not installed")
    if any(k.endswith("SAN_OPTIONS") for k in os.environ) \
            or os.path.exists(os.path.join(BUILD, ".san")):
        raise tap.Skip("sanitizers make calls of their own")
    where = Traced(messages)
    where.calls("SELECT INBOX", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)")
    where.calls("SELECT INBOX")
    start = where.calls()
    selected = where.calls("SELECT INBOX")
    found = {"start": start, "SELECT INBOX": selected - start}
    for command in list(FIGURES)[2:]:
        found[command] = where.calls("SELECT INBOX", command) - selected
    where.finish()
    print("# %d messages: %s" % (messages, found))
    return found


def costs_what_it_did():
    found = counts(1000)
    for name, figure in FIGURES.items():
        assert found[name] <= figure * ROOM, "%s: %d system calls, not %d" \
            % (name, found[name], figure)


def select_does_nothing_per_message():
    small, large = counts(1000), counts(10000)
    assert large["SELECT INBOX"] <= small["SELECT INBOX"] * ROOM, \
        "SELECT: %d calls for 1,000, %d for 10,000" % (small["SELECT INBOX"], large["SELECT INBOX"])
    more = large["FETCH 1:* ENVELOPE"] - small["FETCH 1:* ENVELOPE"]
    assert more < 9000 / 20, "ENVELOPE from the index opens files: %d calls more" % more


if __name__ == "__main__":
    PROGRAMS = place.private_programs(BUILD)
    sys.exit(tap.run([(f.__name__.replace("_", " "), f) for f in (
        costs_what_it_did, select_does_nothing_per_message)]))
