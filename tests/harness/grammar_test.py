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
    b'* ESEARCH (TAG "t0") UID MIN 1 ALL 1:3,7', b"* NAMESPACE ((\"\" \"/\")) NIL NIL",
    b'* ID ("name" "x" "version" NIL)', b"* OK [PERMANENTFLAGS (\\Seen \\*)] ok",
    b"* OK [COPYUID 1 1:3 4:6] done", b"* BYE bye", b"+ ", b"+ go on",
    b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL "all" NIL)("A" NIL "a" "x")(NIL NIL NIL NIL)) NIL NIL '
    b'((NIL NIL "none" NIL)(NIL NIL NIL NIL)("B" NIL "b" "y")) NIL NIL NIL NIL))',
    b'* 1 FETCH (BODYSTRUCTURE ("APPLICATION" "PDF" ("NAME" "x") NIL NIL "BASE64" 9 NIL '
    b'("ATTACHMENT" ("FILENAME" {3}\r\na"b)) ("en" "fr") "there" (NIL 1 ("x"))))',
    b'* 1 FETCH (BODYSTRUCTURE ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 (NIL NIL NIL NIL NIL NIL NIL NIL NIL '
    b'NIL) ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1) 2))',
    b"* 1 FETCH (BINARY[1.2] ~{3}\r\na\0b BINARY.SIZE[1] 4 BODY[1.MIME] {0}\r\n)",
    b"* 1 FETCH (MODSEQ (1) EMAILID (a-_9) THREADID NIL SAVEDATE NIL PREVIEW \"x\")",
    b'* LIST (\\NonExistent \\Subscribed) "/" a ("OLDNAME" (b) "CHILDINFO" ("SUBSCRIBED"))',
    b"* LIST () NIL a", b"* STATUS {1}\r\na ()", b"* STATUS a (MAILBOXID (x) SIZE 9999999999 APPENDLIMIT NIL)",
    b"* SEARCH 3 2 1 (MODSEQ 5)", b"* SORT 2 1", b"* THREAD (1)(2 (3)(4 5 (6)(7)))",
    b"* ESEARCH", b"* ESEARCH UID COUNT 0", b"* ESEARCH PARTIAL (-1:-5 NIL) RELEVANCY (1 100) MODSEQ 3",
    b'* METADATA "" (/shared/comment NIL /private/a/b ~{1}\r\n\0)', b"* METADATA a /private/x /shared/y",
    b"* QUOTA \"\" (STORAGE 1 2 MESSAGE 3 4)", b"* QUOTAROOT a \"\" x",
    b"* OK [MESSAGELIMIT 1000] x", b"* NO [MESSAGELIMIT 1000 5] x", b'* NO [NOUPDATE "a\\"b"] x',
    b"* OK [APPENDUID 1 2:3,9] x", b"* OK [METADATA LONGENTRIES 9] x", b"* OK [METADATA NOPRIVATE] x",
    b"* NO [BADURL /INBOX;x] x", b"* NO [BADCHARSET (UTF-8 x)] x", b"* NO [BADEVENT (A B)] x",
    b'* OK [INPROGRESS ("a" 1 NIL)] x', b"* OK [INPROGRESS] x", b"* OK [HIGHESTMODSEQ 1] x",
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
    b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL "all" NIL)("A" NIL "a" "x")) NIL NIL NIL NIL NIL NIL NIL))',
    b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL))',
    b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL NIL "x")) NIL NIL NIL NIL NIL NIL NIL))',
    b'* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL "a" NIL)(NIL NIL "b" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL '
    b'NIL NIL NIL))',
    b'* 1 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL))',
    b'* 1 FETCH (BODYSTRUCTURE ("MULTIPART" "MIXED" NIL NIL NIL "7BIT" 9))',
    b'* 1 FETCH (BODYSTRUCTURE ("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9))',
    b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 9 NIL "ATTACHMENT"))',
    b'* 1 FETCH (BODYSTRUCTURE ("A" "B" NIL NIL NIL "7BIT" 9 NIL NIL ()))',
    b'* 1 FETCH (BODYSTRUCTURE ("A" "B" ("x") NIL NIL "7BIT" 9))',
    b'* 1 FETCH (BODY (("A" "B" NIL NIL NIL "7BIT" 9)))', b"* 1 FETCH (BINARY[1.MIME] NIL)",
    b"* 1 FETCH (BINARY.SIZE[1] NIL)", b"* 1 FETCH (BODY[] ~{1}\r\nx)", b"* 1 FETCH (MODSEQ (0))",
    b"* 1 FETCH (MODSEQ 1)", b"* 1 FETCH (EMAILID NIL)", b"* 1 FETCH (EMAILID (a.b))", b"* 1 FETCH (BODY[]<0.1> NIL)",
    b'* LIST () "/" a ("OLDNAME" (b c))', b'* LIST () "/" a ("CHILDINFO" ("x"))', b'* LIST () "/" a ("X" (b))',
    b'* LIST () "/" a ()', b'* LIST (\\Foo) "/" a', b'* LIST (\\Marked \\Unmarked) "/" a',
    b"* STATUS a (UIDNEXT 0)", b"* STATUS a (MESSAGES 4294967296)", b"* STATUS a (MESSAGES 1 MESSAGES 1)",
    b"* STATUS a (FOO 1)", b"* SEARCH 1 1", b"* SEARCH (MODSEQ 0)", b"* SEARCH (MODSEQ 1) 2",
    b"* THREAD (1 1)", b"* THREAD (1)(1)", b"* THREAD (1) (2)", b"* ESEARCH ALL 1 PARTIAL (1:2 1)",
    b"* ESEARCH PARTIAL (1:-2 NIL)", b"* ESEARCH PARTIAL (1:* NIL)", b"* ESEARCH MODSEQ 0", b"* ESEARCH COUNT",
    b"* ESEARCH ADDTO ()", b"* ESEARCH ADDTO (0)", b"* ESEARCH REMOVEFROM (0 NIL)", b"* ESEARCH RELEVANCY (0)",
    b'* ESEARCH (TAG "nobody") ALL 1', b'* ESEARCH (TAG "a" TAG "a")', b"* ESEARCH ALL *",
    b"* VANISHED 1:3", b"* METADATA a (/x/y NIL)", b"* METADATA a ()", b"* METADATA a (/private/a NIL /private/a NIL)",
    b"* METADATA a (/private/a)", b"* QUOTA x ()", b"* QUOTA x (STORAGE 1)", b"* QUOTA x (FOO 1 2)",
    b"* OK [MESSAGELIMIT] x", b"* OK [MESSAGELIMIT 0] x", b"* NO [NOUPDATE a] x", b"* OK [APPENDUID 0 1] x",
    b"* OK [APPENDUID 1 *] x", b"* OK [METADATA FOO] x", b"* NO [BADEVENT ()] x", b"* OK [HIGHESTMODSEQ 0] x",
    b"* OK [TOOMANY 3] x", b"* OK [MODIFIED] x", b"* OK [UNSEEN] x", b'* NAMESPACE NIL NIL', b'* ID ("a")',
    b'* UIDBATCHES (TAG "a") 1:1', b"* UIDBATCHES", b"* ENABLED  X", b"* 1 FETCH (PREVIEW x)",
    b"* CAPABILITY IMAP4rev1 (x)", b"* CAPABILITY", b"* FLAGS \\Seen", b"* FLAGS (\\Recent)", b"* FLAGS (a a)",
]


def read(raw):
    checker = imap_grammar.Checker()
    checker.received(b"* OK hello\r\n")
    checker.sent(b"t0 NOOP\r\n")
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


SAID = [b"* FLAGS ()", b"* OK [PERMANENTFLAGS ()] x", b"* OK [UIDNEXT 9] x", b"* OK [UIDVALIDITY 1] x",
        b"* 3 EXISTS", b"* 0 RECENT"]
SELECTED = (b"a SELECT INBOX", SAID + [b"a OK [READ-WRITE] done"])
REV2 = (b"r ENABLE IMAP4rev2", [b"* ENABLED IMAP4rev2", b"r OK x"])
SELECTED2 = (b"a SELECT INBOX", SAID[:-1] + [b'* LIST () "/" INBOX', b"a OK [READ-WRITE] done"])


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


def test_select_says_all():
    for missing in range(len(SAID)):
        said = SAID[:missing] + SAID[missing + 1:]
        assert not follow((b"a SELECT INBOX", said + [b"a OK [READ-WRITE] done"])), SAID[missing]
    assert not follow((b"a SELECT INBOX", SAID + [b"a OK done"]))
    assert follow(REV2, SELECTED2)
    assert not follow(REV2, SELECTED)


def test_what_is_enabled_is_followed():
    qresync = (b"q ENABLE QRESYNC", [b"* ENABLED QRESYNC", b"q OK x"])
    uidonly = (b"q ENABLE UIDONLY", [b"* ENABLED UIDONLY", b"q OK x"])
    assert follow(qresync, SELECTED, (b"b EXPUNGE", [b"* VANISHED 3", b"b OK x"]))
    assert not follow(qresync, SELECTED, (b"b EXPUNGE", [b"* 1 EXPUNGE"]))
    assert not follow(SELECTED, (b"b EXPUNGE", [b"* VANISHED 3"]))
    assert follow(uidonly, SELECTED, (b"b UID FETCH 7 FLAGS", [b"* 7 UIDFETCH (FLAGS ())", b"b OK x"]))
    assert not follow(uidonly, SELECTED, (b"b UID FETCH 7 FLAGS", [b"* 1 FETCH (UID 7)"]))
    assert not follow(uidonly, SELECTED, (b"b UID FETCH 7 UID", [b"* 7 UIDFETCH (UID 8)"]))
    assert not follow(REV2, SELECTED2, (b"b NOOP", [b"* 0 RECENT"]))
    assert not follow(REV2, SELECTED2, (b"b FETCH 1 FLAGS", [b"* 1 FETCH (FLAGS (\\Recent))"]))
    assert not follow(REV2, SELECTED2, (b"b SEARCH ALL", [b"* SEARCH 1"]))
    assert not follow(REV2, (b"a SELECT INBOX", [b"* OK [UNSEEN 1] x"]))
    name = b'* LIST () "/" "\xc3\xa9"'
    assert follow(REV2, (b"b LIST", [name])) and not follow((b"b LIST", [name]))


def test_tags_in_answers_are_followed():
    search = (b"b SEARCH RETURN (ALL) ALL", [b'* ESEARCH (TAG "b") ALL 1', b"b OK x"])
    update = (b"c SEARCH RETURN (UPDATE) ALL", [b'* ESEARCH (TAG "c")', b"c OK x"])
    assert follow(SELECTED, search)
    assert not follow(SELECTED, search, (b"d NOOP", [b'* ESEARCH (TAG "b") ADDTO (0 1)']))
    assert follow(SELECTED, update, (b"d NOOP", [b'* ESEARCH (TAG "c") ADDTO (0 1 2 3:4) REMOVEFROM (0 1)', b"d OK x"]))
    assert follow(SELECTED, (b"b UIDBATCHES 500", [b'* UIDBATCHES (TAG "b") 9:5,4:4,3:1', b"b OK x"]))
    for wrong in (b"5:9", b"9:5,5:1", b"9:5,4", b"9:0", b"9:5 4:1", b"1:1,9:5"):
        assert not follow(SELECTED, (b"b UIDBATCHES 500", [b'* UIDBATCHES (TAG "b") ' + wrong])), wrong


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
