#!/usr/bin/env python3
"""Limits on the memory of a command: what just fits is done, one more is refused with LIMIT, and the session goes on."""
from lib import *

# U+FDFA is two octets in UTF-16 and eighteen characters, 33 octets, when it is compared.
LIGATURE = b"\xfd\xfa"
LIGATURES = 3900        # in one string: SEARCH_STRING_MAX and what it may become


def edge(fits, low, high):
    """The largest n that fits, when low does and high does not."""
    assert fits(low) and not fits(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def literal(text):
    return b"{%d+}\r\n" % len(text) + text


def answered(c, text):
    """Done or refused with LIMIT; either way the next command is answered."""
    tagged, _ = c.command(text)
    words = tagged.split()
    assert words[1] == b"OK" or words[1:3] == [b"NO", b"[LIMIT]"], tagged
    c.ok("NOOP")
    return words[1] == b"OK"


def test_memory_of_a_command():
    """COMMAND_ARENA_MAX"""
    who = user("memory")
    with Server() as server:
        c = server.imap_login(who, tls=False)
        c.ok("SELECT INBOX")

        def fits(n):
            texts = [LIGATURE * min(LIGATURES, n - at) for at in range(0, n, LIGATURES)]
            return answered(c, b"SEARCH CHARSET UTF-16BE SUBJECT " + b" SUBJECT ".join(map(literal, texts)))
        n = edge(fits, 1, 300000)
        print("# %d characters fit" % n)
        assert 7 << 20 < 33 * n <= 8 << 20, n
        assert not fits(n + 1) and fits(n)
        # Keys are read anew in each mailbox, and take no more in many than in one.
        for i in range(3):
            c.ok("CREATE m%d" % i)
        c.ok(b"ESEARCH IN (personal) CHARSET UTF-16BE" + (b" SUBJECT " + literal(LIGATURE * LIGATURES)) * 40)
        c.logout()


def test_memory_of_notify():
    """NOTIFY_ARENA_MAX"""
    who = user("notified")
    with Server() as server:
        c = server.imap_login(who, tls=False)

        def fits(n):
            groups = [min(1000, n - at) for at in range(0, n, 1000)]
            # A literal begins a new line: none is longer than LEX_LINE_MAX.
            return answered(c, b"NOTIFY SET " + b" ".join(
                b"(MAILBOXES (" + literal(b"x") + b" x" * (g - 1) + b") (MailboxName))" for g in groups))
        n = edge(fits, 1, 50000)
        print("# %d names fit" % n)
        assert not fits(n + 1) and fits(n)
        # The last one that was accepted still holds.
        other = server.imap_login(who, tls=False)
        other.ok("CREATE x")
        c.timeout = 30
        c.until(lambda r: r.startswith(b"* LIST ") and r.rstrip().endswith(b" x"))
        assert not fits(n + 1)
        other.ok("DELETE x")
        c.until(lambda r: r.startswith(b"* LIST (\\NonExistent") and r.rstrip().endswith(b" x"))
        c.logout()
        other.logout()


def test_a_message_of_a_thousand_headers():
    """CATENATE_PARTS_MAX parts whose sections each take memory do not add up."""
    who = user("parts")
    who.deliver("Subject: x\n\nx\n")
    with Server() as server:
        c = server.imap_login(who, tls=False)
        url = ' URL "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT)"'
        for count, answer in ((1000, b"OK"), (1001, b"NO")):
            text = "APPEND Drafts CATENATE (TEXT %L" + url * (count - 1) + ")"
            tagged, _ = c.command(text, b"X: y\r\n")
            assert tagged.split()[1] == answer, tagged
        c.logout()


main(__name__)
