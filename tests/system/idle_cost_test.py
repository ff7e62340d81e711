#!/usr/bin/env python3
"""What a TLS connection that waits has of memory for itself alone: its session, its relay,
and conn where it waits to close a PAM session; kilobytes on an average. Pages that they
share with their templates or with other processes, and those of files, are not counted.

A sum may exceed its figure by ROOM; one that is much lower is worth a new one.
"""
from lib import *

ROOM = 1.10
CONNECTIONS = 8
KILOBYTES = {"imap": 126, "login": 90, "conn": 92}
TOGETHER = 300                          # of session and relay
MESSAGES = 100


def private(pid):
    """Kilobytes of pages in no file that nobody else has."""
    total = 0
    with open("/proc/%d/smaps" % pid) as f:
        for dirty, anonymous in re.findall(
                r"^Private_Dirty: +(\d+)(?:.*\n)+?Anonymous: +(\d+)", f.read(), re.M):
            total += min(int(dirty), int(anonymous))
    return total


def idle(server, who):
    c = server.imap(tls=True)
    c.login(who.name, who.password)
    c.ok("SELECT INBOX")
    c.ok("FETCH 1:* (ENVELOPE BODY.PEEK[])")
    c.send(b"w IDLE\r\n")
    c.response()
    return c


def average(pids):
    return sum(map(private, pids)) / len(pids)


def until_small(pids, limit):
    """Memory is given back some time after the last command."""
    end = time.monotonic() + 30
    while (used := average(pids)) > limit and time.monotonic() < end:
        time.sleep(0.2)
    return used


def held(names, **settings):
    """Idle connections to their figures, and awake again."""
    if SANITIZED:
        raise Skip("sanitizers have memory of their own")
    who = user()
    for _ in range(MESSAGES):
        who.deliver("From: ann@example.org\nSubject: one\n\nline\n")
    with Server(failure_delay="0s", spare_connections="0", **settings) as server:
        connections = [idle(server, who) for _ in range(CONNECTIONS)]
        found = {name: until_small(processes(name), KILOBYTES[name] * ROOM) for name in names}
        print("# %s" % found)
        for c in connections:
            c.send(b"DONE\r\n")
            c.until(lambda r: r.startswith(b"w OK"))
            c.ok("FETCH 1:* (ENVELOPE BODY.PEEK[])")
            c.ok("LOGOUT")
            c.close()
    for name in names:
        assert found[name] <= KILOBYTES[name] * ROOM, "%s: %d KB, not %d" \
            % (name, found[name], KILOBYTES[name])
    assert found["imap"] + found["login"] <= TOGETHER


def test_an_idle_connection_has_the_memory_it_had():
    held(("imap", "login"))


def test_one_with_a_pam_session_has_it_too():
    held(("imap", "login", "conn"), pam_session="yes")


main(__name__)
