#!/usr/bin/env python3
"""Is the strict reader strict? Responses that are right, and each one's mistakes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import imap_grammar                                 # noqa: E402
import pop3_grammar                                 # noqa: E402
import tap                                          # noqa: E402

GOOD = [
    b"* OK [CAPABILITY IMAP4rev1 IDLE] ready",
    b"* 3 FETCH (UID 7 FLAGS (\\Seen \\Recent a-b) INTERNALDATE \" 1-Jan-2026 00:00:00 +0100\")",
    b"* 1 FETCH (BODY[HEADER.FIELDS (From {2}\r\nTo)]<0> {3}\r\nabc RFC822.SIZE 12)",
    b'* 1 FETCH (ENVELOPE (NIL "s" ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL NIL "<x>"))',
    b'* 1 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 12 1))',
    b'* 1 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1 NIL NIL NIL NIL)'
    b'("IMAGE" "PNG" NIL "<i>" NIL "BASE64" 9) "MIXED" ("BOUNDARY" "x") NIL NIL))',
    b'* LIST (\\HasNoChildren \\Sent) "/" Sent',
    b'* LIST () "/" "&AOk- b" ("CHILDINFO" ("SUBSCRIBED"))',
    b"* STATUS a (MESSAGES 3 UIDNEXT 4 HIGHESTMODSEQ 9)",
    b"* SEARCH 1 2 3", b"* SEARCH", b"* THREAD (1 2)((3)(4 5))", b"* THREAD",
    b'* ESEARCH (TAG "a1") UID MIN 1 ALL 1:3,7', b"* NAMESPACE ((\"\" \"/\")) NIL NIL",
    b'* ID ("name" "x" "version" NIL)', b"* OK [PERMANENTFLAGS (\\Seen \\*)] ok",
    b"* OK [COPYUID 1 1:3 4:6] done", b"* BYE bye", b"+ ", b"+ go on",
]
BAD = [
    b"* OK", b"* OK ", b"* OK [UIDNEXT 0] x", b"* OK [FOO] x", b"* OK [ALERT]x",
    b"* 1 FETCH ()", b"* 1 FETCH (UID 0)", b"* 1 FETCH (FLAGS (\\Seen \\Seen))",
    b"* 1 FETCH (FLAGS (\\Foo))", b"* 1 FETCH (FLAGS \\Seen)", b"* 1  FETCH (UID 1)",
    b"* 1 FETCH (UID 1 )", b"* 01 EXISTS", b'* 1 FETCH (INTERNALDATE "1-Jan-2026 00:00:00 +0100")',
    b'* 1 FETCH (ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL))',
    b'* 1 FETCH (BODY ("TEXT" "PLAIN" () NIL NIL "7BIT" 12 1))',
    b'* 1 FETCH (BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 12))',
    b'* 1 FETCH (BODY ("IMAGE" "PNG" NIL NIL NIL NIL 12))',
    b'* 1 FETCH (BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 12 1 NIL))',
    b'* 1 FETCH (BODY ("A" "B" NIL "caf\xe9" NIL "7BIT" 12))',
    b'* 1 FETCH (BODY[] "a\\b")', b"* 1 FETCH (BODY[] {3}\r\na\0b)", b"* 1 FETCH (BODY[0.X] NIL)",
    b'* LIST (\\HasChildren \\HasNoChildren) "/" a', b'* LIST () "/" inbox', b'* LIST () "//" a',
    b'* LIST () "/" "\xc3\xa9"', b'* LIST () "/" "&AGE-"', b'* LIST () "/" a b',
    b"* STATUS a (MESSAGES)", b"* SEARCH 0", b"* SEARCH 1 ", b"* THREAD (1 (2))", b"* THREAD ()",
    b"* ESEARCH ALL 3:1", b"* ESEARCH MIN 1 MIN 2", b"* OK [COPYUID 1 1:3 4:5] x",
    b"* CAPABILITY IDLE", b"* CAPABILITY IMAP4rev1 IDLE IDLE", b"* HELLO", b"a1 OK done", b"+",
    b"* 5 EXPUNGE",
]


def read(raw):
    checker = imap_grammar.Checker()
    checker.received(b"* OK hello\r\n")
    checker.received(raw + b"\r\n")


def test_right_responses_pass():
    for raw in GOOD:
        read(raw)


def test_wrong_responses_are_refused():
    for raw in BAD:
        try:
            read(raw)
        except imap_grammar.Broken:
            continue
        raise AssertionError("accepted: %r" % raw)


def follow(*turns):
    """Play (client line or None, server lines) pairs; False when refused."""
    checker = imap_grammar.Checker()
    checker.received(b"* PREAUTH hello\r\n")
    try:
        for said, answers in turns:
            if said:
                checker.sent(said + b"\r\n")
            for raw in answers:
                checker.received(raw + b"\r\n")
    except imap_grammar.Broken:
        return False
    return True


SELECTED = (b"a SELECT INBOX", [b"* 3 EXISTS", b"a OK [READ-WRITE] done"])


def test_the_conversation_is_followed():
    assert follow(SELECTED, (b"b NOOP", [b"* 1 EXPUNGE", b"* 2 EXISTS", b"b OK x"]))
    assert follow(SELECTED, (b"b UID FETCH 1:* FLAGS", [b"* 1 EXPUNGE", b"b OK x"]))
    assert not follow(SELECTED, (b"b FETCH 1 FLAGS", [b"* 1 EXPUNGE"]))
    assert not follow(SELECTED, (None, [b"* 1 EXPUNGE"]))
    assert not follow(SELECTED, (b"b NOOP", [b"* 2 EXISTS"]))
    assert not follow(SELECTED, (b"b NOOP", [b"* 4 FETCH (UID 4)"]))
    assert not follow(SELECTED, (b"b NOOP", [b"* 1 FETCH (UID 4)", b"* 2 FETCH (UID 3)"]))
    assert not follow(SELECTED, (b"b NOOP", [b"c OK x"]))
    assert not follow(SELECTED, (b"b NOOP", [b"b OK x", b"b OK x"]))
    assert not follow((b"a SELECT INBOX", [b"a OK [READ-WRITE] without EXISTS"]))
    assert follow((b"a APPEND x {5}", [b"+ go"]), (b"a b c", [b"a OK x"]))


def pop3(*turns):
    checker = pop3_grammar.Checker()
    checker.received(b"+OK hello\r\n")
    try:
        for said, answers in turns:
            checker.sent(said + b"\r\n")
            for raw in answers:
                checker.received(raw + b"\r\n")
    except pop3_grammar.Broken:
        return False
    return True


def test_pop3_is_followed():
    assert pop3((b"LIST", [b"+OK", b"1 20", b"."]), (b"LIST 1", [b"+OK 1 20"]))
    assert pop3((b"RETR 1", [b"+OK", b"..", b"x", b"."]), (b"NOOP", [b"+OK"]))
    assert not pop3((b"LIST", [b"+OK", b"1"]))
    assert not pop3((b"LIST 1", [b"+OK"]))
    assert not pop3((b"STAT", [b"+OK 1"]))
    assert not pop3((b"RETR 1", [b"+OK", b".x"]))
    assert not pop3((b"UIDL", [b"+OK", b"1 a b"]))
    assert not pop3((b"NOOP", [b"OK"]))
    assert not pop3((b"NOOP", [b"+OK", b"+OK"]))
    assert not pop3((b"PASS x", [b"-ERR [FOO] no"]))


if __name__ == "__main__":
    sys.exit(tap.run(tap.functions(sys.modules["__main__"])))
