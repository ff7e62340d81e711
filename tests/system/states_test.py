#!/usr/bin/env python3
"""Every row of the command table in every state where it is not legal, with and
without arguments, on a mailbox that was only examined, and under UIDONLY. What is
refused must be refused by the table (RFC 9051 section 3): before its arguments are
looked at, and without a word of anything else."""
import os
import re
import shutil
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TESTS, "..", ".build", "out")))
TABLE = os.path.join(TESTS, "..", "src", "imap", "table.c")
ROW = re.compile(r'\{ "([A-Z ]+)", (\w+|0), ([A-Z_| \n]+|0),', re.S)
MACROS = {"NUMBERS": "CMD_ARGS CMD_SEQUENCE CMD_NO_EXPUNGE", "UIDS": "CMD_ARGS CMD_UID"}


def rows():
    """(name, states, flags) of each."""
    with open(TABLE) as f:
        for name, states, flags in ROW.findall(f.read()):
            words = set(flags.replace("|", " ").split())
            for macro, meaning in MACROS.items():
                if macro in words:
                    words |= set(meaning.split())
            yield name, states, words


class Session:
    def __init__(self, *first):
        self.programs = place.private_programs(BUILD)
        self.place = place.Direct(self.programs)
        self.place.deliver(b"Subject: one\n\nx\n", "INBOX", 1, flags="")
        self.c = self.place.connect("imap", {})
        self.place.greet(self.c)
        for command in first:
            self.c.ok(command)

    def refused(self, text, want):
        tagged, untagged = self.c.command(text)
        assert re.match(rb"\S+ " + want, tagged), "%s: %r" % (text, tagged)
        assert b"Unknown command" not in tagged, text
        assert not untagged, "%s: %r" % (text, untagged)
        self.c.ok("NOOP")

    def end(self):
        self.c.close()
        self.place.finish()
        shutil.rmtree(self.programs)


def refuse(first, want, choose, arguments=" 1 2 3"):
    """How many rows were tried."""
    s = Session(*first)
    tried = 0
    for name, states, flags in rows():
        if choose(states, flags):
            s.refused(name + ("" if "CMD_NO_ARGS" in flags else arguments), want)
            tried += 1
    s.end()
    return tried


def test_the_table_is_read():
    names = [name for name, _, _ in rows()]
    assert len(names) > 50 and len(set(names)) == len(names), len(names)
    with open(TABLE) as f:
        assert len(names) == len(re.findall(r'^\t\{ "', f.read(), re.M))


def test_without_a_mailbox():
    assert refuse((), b"BAD No mailbox is selected", lambda states, _: states == "SELECTED") > 20


def test_with_a_mailbox():
    assert refuse(("SELECT INBOX",), b"BAD Command not allowed now", lambda states, _: states == "AUTH") == 1


def test_before_login_only():
    for first in ((), ("SELECT INBOX",)):
        assert refuse(first, b"BAD Command not allowed now", lambda states, _: states == "0") == 3


def test_after_a_mailbox_was_left():
    for last in ("UNSELECT", "CLOSE"):
        refuse(("SELECT INBOX", last), b"BAD No mailbox is selected", lambda states, _: states == "SELECTED")


def test_examined():
    assert refuse(("EXAMINE INBOX",), rb"NO \[READ-ONLY\] ", lambda _, flags: "CMD_CHANGES" in flags) >= 8


def test_uidonly():
    """RFC 9586 section 3.2"""
    assert refuse(("ENABLE UIDONLY", "SELECT INBOX"), rb"BAD \[UIDREQUIRED\] ",
                  lambda _, flags: "CMD_SEQUENCE" in flags) >= 7


def test_arguments():
    s = Session("SELECT INBOX")
    for name, states, flags in rows():
        if states in ("0", "AUTH") or name in ("LOGOUT", "UNSELECT", "CLOSE"):
            continue
        if "CMD_NO_ARGS" in flags:
            s.refused(name + " x", b"BAD ")
        if "CMD_ARGS" in flags:
            s.refused(name, b"BAD ")
            s.refused(name + " ", b"BAD ")
    s.end()


if __name__ == "__main__":
    sys.exit(tap.main())
