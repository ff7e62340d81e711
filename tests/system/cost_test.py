#!/usr/bin/env python3
"""What fixed operations may cost, in system calls and in instructions: times are
noisy, these are not.

CALLS are of a session with 1,000 messages, INSTRUCTIONS those of one such
command, once everything is known to the index. A count may exceed its figure by
ROOM; one that is much lower is worth a new figure. Instructions are counted by
callgrind, with the C library of Debian 12, in sessions without a cage.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TESTS, "..", ".build", "out")))
PROGRAMS = UNCAGED = None
ROOM = 1.10
MESSAGE = b"From: ann@example.org\nSubject: one\n\nline\n"
# The first command that needs the index opens it: a half of SELECT here.
CALLS = {"start": 111, "SELECT INBOX": 61,
         "FETCH 1:* FLAGS": 15, "FETCH 1:* ENVELOPE": 17}
INSTRUCTIONS = {"SELECT INBOX": 46800, "FETCH 1:* FLAGS": 1208000, "FETCH 1:* ENVELOPE": 2333000,
                "UID SEARCH UNSEEN": 33400, "UID SEARCH FLAGGED": 419500,
                "UID SORT (SUBJECT) UTF-8 ALL": 1617000,
                "STATUS Archive (MESSAGES UNSEEN)": 13800, "NOOP": 7950}
# Of a message each, when nobody has seen the mailbox before.
FIRST = {"SELECT INBOX": 3490, "FETCH 1:* BODYSTRUCTURE": 14500}
# POP3: answers of several lines, and what each RETR of a small message costs.
MULTI = {"RETR": (True,)}
RETR_CALLS, RETR_INSTRUCTIONS = 7, 3850
# Of a mailbox each, beside what the command costs with none.
LISTINGS = {'LIST "" *': 0, 'LIST "" * RETURN (STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))': 3}
FOLDERS = 200
C_LIBRARY = "2.36"
IDLE_KB = 180


class Watched(place.Direct):
    """Sessions run below a tool that counts."""

    def __init__(self, count):
        super().__init__(PROGRAMS)
        os.chmod(self.top, 0o777)
        self.report = os.path.join(self.top, "report")
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
            self.tool(protocol), stdin=theirs, stdout=theirs, stderr=errors, cwd="/",
            env=self.environment(env), **self.as_user())
        theirs.close()
        connection = place.PROTOCOLS[protocol](ours)
        connection.timeout = 60
        self.running.append((connection, process, errors))
        return connection

    def count(self, *commands, protocol="imap"):
        """What a whole session with these commands costs."""
        connection = self.connect(protocol, {})
        self.greet(connection)
        for command in commands:
            connection.ok(command, *MULTI.get(command.split()[0], ()))
        connection.close()
        self.ended(connection)
        with open(self.report) as f:
            return self.read(f)


class Traced(Watched):
    """System calls."""

    def tool(self, protocol):
        return ["strace", "-f", "-qq", "-o", self.report, os.path.join(self.programs, protocol)]

    def read(self, report):
        return sum(1 for _ in report)


class Counted(Watched):
    """Instructions."""

    def tool(self, protocol):
        return ["valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=" + self.report,
                os.path.join(UNCAGED, protocol)]

    def read(self, report):
        return int(re.search(r"^(?:summary|totals): (\d+)", report.read(), re.M).group(1))

    def each(self, *commands):
        """Of the last command, when it is given once more."""
        return (self.count(*commands, *commands[-1:] * 3) - self.count(*commands)) // 3


class Waiting(Watched):
    """Sessions as they are."""

    def tool(self, protocol):
        return [os.path.join(self.programs, protocol)]

    def private(self):
        """Kilobytes of the last session that are in no file: the pages of one in memory
        (tmpfs) would count as its own, as long as nobody else looks at them."""
        with open("/proc/%d/smaps_rollup" % self.running[-1][1].pid) as f:
            return int(re.search(r"^Anonymous: +(\d+)", f.read(), re.M).group(1))


def need(program):
    if program and not shutil.which(program):
        raise tap.Skip("%s is not installed" % program)
    if os.path.exists(os.path.join(BUILD, ".san")):
        raise tap.Skip("sanitizers make calls of their own")


def need_callgrind():
    need("valgrind")
    if os.confstr("CS_GNU_LIBC_VERSION") != "glibc " + C_LIBRARY:
        raise tap.Skip("the figures are for glibc " + C_LIBRARY)


def calls(messages):
    """Calls of each operation."""
    need("strace")
    where = Traced(messages)
    where.count("SELECT INBOX", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)")
    where.count("SELECT INBOX")
    start = where.count()
    selected = where.count("SELECT INBOX")
    found = {"start": start, "SELECT INBOX": selected - start}
    for command in list(CALLS)[2:]:
        found[command] = where.count("SELECT INBOX", command) - selected
    where.finish()
    print("# %d messages: %s" % (messages, found))
    return found


def add_folders(where):
    """Each with a message that is not in new/."""
    for i in range(FOLDERS):
        folder = "%s/.folder%d" % (where.maildir, i)
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(folder, sub))
        with open("%s/cur/%d.M1P1.test:2," % (folder, 1700000000 + i), "wb") as f:
            f.write(MESSAGE)
    where.own(where.home)


def instructions(messages, commands):
    """Instructions of each command."""
    need_callgrind()
    where = Counted(messages)
    where.count("SELECT INBOX", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)",
                "UID SORT (SUBJECT) UTF-8 ALL", "STATUS Archive (MESSAGES)", "SELECT INBOX")
    where.count("STATUS Archive (MESSAGES)", "SELECT INBOX")
    found = {}
    for command in commands:
        before = () if command.startswith("S") else ("SELECT INBOX",)
        found[command] = where.each(*before, command)
    where.finish()
    print("# %d messages: %s" % (messages, found))
    return found


def first_time(*commands):
    """Instructions for each message, nobody having seen the mailbox."""
    found = []
    for messages in (2000, 6000):
        where = Counted(messages)
        found.append(where.count(*commands))
        where.finish()
    return (found[1] - found[0]) / 4000


def takes_in_a_mailbox_at_little_cost():
    need_callgrind()
    each = {"SELECT INBOX": first_time("SELECT INBOX")}
    for command in list(FIRST)[1:]:
        each[command] = first_time("SELECT INBOX", command) - each["SELECT INBOX"]
    print("# instructions for each message that nobody has seen: %s" % each)
    hold(each, FIRST, "instructions for each message")


def until_small(where, limit):
    """Memory is given back some time after the last command."""
    end = time.monotonic() + 15
    while (used := where.private()) > limit and time.monotonic() < end:
        time.sleep(0.05)
    assert used <= limit, "%d KB are private to a session that waits, not %d" % (used, limit)


def hold(found, figures, what):
    for name, figure in figures.items():
        assert found[name] <= figure * ROOM, "%s: %g %s, not %g" \
            % (name, found[name], what, figure)


def makes_the_calls_it_did():
    hold(calls(1000), CALLS, "system calls")


def listing_calls(where):
    """Calls of each command, once what they find is remembered."""
    for _ in range(2):
        where.count(*LISTINGS)
        time.sleep(0.05)
    return {c: where.count(c, c) - where.count(c) for c in LISTINGS}


def lists_without_opening_folders():
    need("strace")
    where = Traced(1)
    few = listing_calls(where)
    add_folders(where)
    many = listing_calls(where)
    where.finish()
    each = {c: (many[c] - few[c]) / FOLDERS for c in LISTINGS}
    print("# calls for each of %d folders: %s" % (FOLDERS, each))
    hold(each, LISTINGS, "system calls")


def select_does_nothing_per_message():
    small, large = calls(1000), calls(10000)
    assert large["SELECT INBOX"] <= small["SELECT INBOX"] * ROOM, \
        "SELECT: %d calls for 1,000, %d for 10,000" % (small["SELECT INBOX"], large["SELECT INBOX"])
    more = large["FETCH 1:* ENVELOPE"] - small["FETCH 1:* ENVELOPE"]
    assert more < 9000 / 20, "ENVELOPE from the index opens files: %d calls more" % more


def retr(where):
    """What RETR of a message costs, the next one each time."""
    where.count("STAT", protocol="pop3")
    few, many = (where.count(*("RETR %d" % (i + 1) for i in range(n)), protocol="pop3")
                 for n in (10, 110))
    where.finish()
    return (many - few) / 100


def retr_opens_and_reads_once():
    need("strace")
    each = retr(Traced(200))
    print("# RETR: %.1f system calls" % each)
    assert each <= RETR_CALLS, "%.1f system calls, not %d" % (each, RETR_CALLS)


def retr_takes_the_instructions_it_did():
    need_callgrind()
    each = retr(Counted(200))
    print("# RETR: %d instructions" % each)
    assert each <= RETR_INSTRUCTIONS * ROOM, \
        "%d instructions, not %d" % (each, RETR_INSTRUCTIONS)


def takes_the_instructions_it_did():
    hold(instructions(1000, INSTRUCTIONS), INSTRUCTIONS, "instructions")


def select_computes_nothing_per_message():
    flat = ("SELECT INBOX", "NOOP", "STATUS Archive (MESSAGES UNSEEN)")
    small, large = instructions(1000, flat), instructions(10000, flat)
    for command in flat:
        assert large[command] <= small[command] * ROOM, "%s: %d instructions for 1,000, %d for " \
            "10,000" % (command, small[command], large[command])


def waiting_takes_little_memory():
    need(None)
    if os.getuid() != 0:
        raise tap.Skip("only root may look at a session's memory")
    where = Waiting(1000)
    for line in ("NOOP", "IDLE"):
        connection = where.connect("imap", {})
        where.greet(connection)
        connection.ok("SELECT INBOX")
        connection.ok("FETCH 1:* (ENVELOPE BODY.PEEK[])")
        connection.ok("SEARCH BODY nowhere")
        busy = where.private()
        connection.send(b"w " + line.encode() + b"\r\n")
        until_small(where, IDLE_KB)
        print("# %s: %d KB, %d before" % (line, where.private(), busy))
    connection = where.connect("pop3", {})
    where.greet(connection)
    until_small(where, IDLE_KB)
    for connection, process, _ in where.running:
        connection.close()
        process.wait(15)
    where.running.clear()
    where.finish()


if __name__ == "__main__":
    PROGRAMS = place.private_programs(BUILD)
    UNCAGED = place.private_programs(os.path.join(BUILD, "uncaged"))
    sys.exit(tap.run([(f.__name__.replace("_", " "), f) for f in (
        makes_the_calls_it_did, retr_opens_and_reads_once,
        retr_takes_the_instructions_it_did, lists_without_opening_folders,
        select_does_nothing_per_message, takes_the_instructions_it_did, takes_in_a_mailbox_at_little_cost,
        select_computes_nothing_per_message, waiting_takes_little_memory)]))
