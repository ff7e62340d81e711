#!/usr/bin/env python3
"""POP3's QUIT, cut short at each system call that changes the disk: by a kill, a full disk, a broken one.

What was to be deleted is there or not, the rest is there, unchanged and under
its unique-id; after +OK to QUIT what was deleted is gone.
"""
from lib import *

MESSAGES, DELETED = 5, (2, 4)
# Those by which storage changes the disk (src/store/sys.c).
CALLS = ("unlinkat", "renameat2", "fsync", "pwrite64", "ftruncate", "fallocate", "openat", "write", "utimensat")
QUIT = "".join("DELE %d\r\n" % n for n in DELETED) + "QUIT\r\n"
FAULTS = ("signal=KILL", "error=ENOSPC", "error=EDQUOT", "error=EIO")


class Maildir:
    def __init__(self):
        self.who = user("quitmd")
        for n in range(1, MESSAGES + 1):
            self.who.deliver("Subject: %d\n\nbody of %d\n" % (n, n))

    def top(self):
        return self.who.maildir


class Mbox:
    def __init__(self):
        self.who = user("quitmbox")
        os.mkdir(self.who.home + "/mail", 0o700)
        self.who.file(".mailreeverc", "")
        with open(self.who.home + "/mail/inbox", "w") as f:
            for n in range(1, MESSAGES + 1):
                f.write("From a@example.org Sat Nov 21 01:02:03 2026\nSubject: %d\n\nbody of %d\n\n" % (n, n))
        self.who.own(self.who.home + "/mail")

    def top(self):
        return self.who.home + "/mail"


CONFIG_TEXT = {Maildir: "mail-format maildir\n", Mbox: "mail-format mbox\nmbox-inbox mail/inbox\n"}


def pop3(place, commands, *before):
    """What the program says, started by hand by the mail's owner."""
    return place.who.run(*before, LIBEXEC + "/pop3", input=commands, ok=None,
                         env={"MAILREEVE_CONFIG": CONFIG_TEXT[type(place)]})


def contents(place):
    """{unique-id: text} of what is there."""
    text = pop3(place, "UIDL\r\n%sQUIT\r\n" % "".join(
        "RETR %d\r\n" % n for n in range(1, MESSAGES + 1)))
    uidls = re.findall(r"^\d+ (\S+)\r$", text, re.M)
    texts = re.findall(r"^(Subject: \d\r\n.*?\r\n)\.\r\n", text, re.M | re.S)
    assert len(uidls) == len(texts) and text.count("-ERR") == MESSAGES - len(texts), text
    return dict(zip(uidls, texts))


def count(place, call):
    """How many calls of that name a whole run makes."""
    trace = place.who.home + "/trace"
    said = pop3(place, QUIT, "strace", "-qq", "-f", "-o", trace, "-e", "trace=" + call)
    assert said.count("+OK") == 2 + len(DELETED), said
    with open(trace) as f:
        return sum(call + "(" in line for line in f)


def cut(place, call, fault, n):
    return pop3(place, QUIT, "strace", "-qq", "-f", "-o", "/dev/null", "-e", "trace=" + call,
                "-e", "inject=%s:%s:when=%d" % (call, fault, n))


def sweep(place):
    need("strace")
    before = contents(place)
    assert len(before) == MESSAGES
    kept = {u: t for u, t in before.items() if not any("body of %d" % n in t for n in DELETED)}
    assert len(kept) == MESSAGES - len(DELETED)
    saved = place.who.home + "/saved"
    run("cp", "-a", place.top(), saved)

    def reset():
        run("rm", "-rf", place.top())
        run("cp", "-a", saved, place.top())

    tries = 0
    for call in CALLS:
        most = count(place, call)
        reset()
        for fault in FAULTS:
            for n in range(1, most + 1):
                said = cut(place, call, fault, n)
                after = contents(place)
                where = "%s at the %d. %s: %r" % (fault, n, call, said)
                assert set(kept) <= set(after), where
                assert all(before.get(u) == after[u] for u in after), where
                if said.count("+OK") == 2 + len(DELETED):
                    assert after == kept, "acknowledged, and not gone: " + where
                tries += 1
                reset()
    print("# %d runs cut short" % tries)
    assert tries > 20


def test_quit_on_a_maildir():
    sweep(Maildir())


def test_quit_on_an_mbox():
    sweep(Mbox())


main(__name__)
