#!/usr/bin/env python3
"""mailreeve(1): what check finds, what it sets right, and whose mail it touches."""
from lib import *

TOOL = "/usr/local/bin/mailreeve"
RAW = b"Subject: %d\n\nbody\n"


def filled(prefix, count=3):
    """An account whose mail a session has seen."""
    who = user(prefix)
    for n in range(count):
        who.deliver(RAW % n)
    who.run(LIBEXEC + "/pop3", input="QUIT\r\n")
    return who


def check(who, *words, ok=(0,)):
    return run(TOOL, "check", *words, who if isinstance(who, str) else who.name, ok=ok)


def cur(who, name):
    return os.path.join(who.maildir, "cur", name)


def test_help_and_usage():
    text = run(TOOL, "help")
    assert "mailreeve check [--fix] [USER | DIR]" in text
    assert run(TOOL, "--help") == text == run(TOOL, "-h")
    assert re.fullmatch(r"mailreeve \d+\.\d+\.\d+\n", run(TOOL, "--version"))
    assert run(TOOL, "version") == run(TOOL, "--version")
    assert "usage:" in run(TOOL, ok=(64,))
    assert "unknown subcommand" in run(TOOL, "frobnicate", ok=(64,))
    run(TOOL, "check", "--wrong", ok=(64,))
    run(TOOL, "check", "a", "b", ok=(64,))


def test_good_mail_has_no_findings():
    who = filled("good")
    assert "3 messages" in check(who) and " 0 findings" in check(who)
    assert "3 messages" in check(who.maildir + "/")
    assert "3 messages" in who.run(TOOL, "check")


def test_lying_sizes_are_found_and_set_right():
    who = filled("lies", 2)
    names = sorted(os.listdir(who.maildir + "/cur"))
    base, _, info = names[0].partition(":")
    lie = re.sub(r",[SW]=\d+", "", base) + ",S=5,W=6:" + info
    os.rename(cur(who, names[0]), cur(who, lie))
    text = check(who, ok=(1,))
    assert "lies about its size: 17 octets, 20 as sent" in text, text
    assert os.path.exists(cur(who, lie)), "check alone changes nothing"
    text = check(who, "--fix")
    assert "(fixed)" in text and "1 findings, 1 fixed" in text, text
    assert " 0 findings" in check(who)
    assert any(",S=17,W=20" in name for name in os.listdir(who.maildir + "/cur"))
    assert b"+OK 2 messages (40 octets)" in who.run(LIBEXEC + "/pop3", input="QUIT\r\n").encode()


def test_what_is_no_message_is_named():
    who = filled("odd", 1)
    os.symlink("/etc/passwd", cur(who, "1.link:2,"))
    os.mkfifo(cur(who, "2.fifo:2,"))
    with open(cur(who, "3.root\x1b[31m:2,"), "w") as f:
        f.write("x")
    os.chmod(f.name, 0o600)
    text = check(who, "--fix", ok=(1,))
    assert text.count("no regular file") == 2 and "cannot be read" in text, text
    assert "\x1b" not in text


def test_leftovers_and_rights():
    who = filled("left", 1)
    path = who.maildir + "/tmp/old"
    as_old = os.path.join(who.maildir, "tmp", "new")
    for p in (path, as_old):
        open(p, "w").close()
        os.chown(p, who.uid, who.gid)
    os.utime(path, (1, 1))
    os.chmod(who.maildir + "/cur", 0o777)
    text = check(who, ok=(1,))
    assert "left over" in text and "others may write" in text, text
    check(who, "--fix")
    assert not os.path.exists(path) and os.path.exists(as_old)
    assert os.stat(who.maildir + "/cur").st_mode & 0o777 == 0o755


def test_uids_that_cannot_be():
    who = filled("uids", 3)
    names = sorted(os.listdir(who.maildir + "/cur"))
    validity, uid = re.search(r"U=(\d+)\.(\d+)", names[0]).groups()
    for name, new in ((names[1], uid), (names[2], "4000000000")):
        os.rename(cur(who, name), cur(who, re.sub(r"U=\d+\.\d+", "U=%s.%s" % (validity, new), name)))
    text = check(who, ok=(1,))
    assert "like another file" in text and "never given" in text, text
    who.run(LIBEXEC + "/pop3", input="QUIT\r\n")
    assert " 0 findings" in check(who), "a session gives them new ones"


def test_damaged_state():
    who = filled("state", 1)
    with open(who.maildir + "/mailreeve-state", "w") as f:
        f.write("uidvalidity none\n")
    assert "damaged" in check(who, ok=(1,))
    who.run(LIBEXEC + "/pop3", input="QUIT\r\n")
    assert " 0 findings" in check(who)


def mbox_user(prefix, text):
    who = user(prefix)
    path = "/var/mail/" + who.name
    with open(path, "w") as f:
        f.write(text)
    os.chown(path, who.uid, who.gid)
    os.chmod(path, 0o600)
    return who, path


FROM = "From a@example.org Sat Nov 21 01:02:03 2026\n"


def test_mbox_that_is_good():
    who, path = mbox_user("mboxgood", "".join(FROM + "Subject: %d\n\nbody\n\n" % n for n in range(3)))
    assert "3 messages in 1 mailboxes, 0 findings" in check(who)
    who.run(LIBEXEC + "/pop3", input="QUIT\r\n")
    assert "X-UID: 3" in open(path).read()
    assert "3 messages" in who.run(TOOL, "check") and " 0 findings" in check(who)
    assert "not in a Maildir" in run(TOOL, "adopt", who.name, ok=(66,))


def test_mbox_findings():
    who, path = mbox_user("mboxbad", FROM + "X-IMAPbase: 1700000000 3\nX-UID: 2\nStatus: O\n\na\n\n"
                          + FROM + "X-UID: 2\n\nb\n\n" + FROM + "X-UID: 1\n\nc\n\n"
                          + FROM + "X-UID: 9\nContent-Length: 5000\n\nd\n\n")
    os.mkdir(who.home + "/mail", 0o700)
    with open(who.home + "/mail/notes", "w") as f:
        f.write("no mail\n")
    with open(who.home + "/mail/notes.lock", "w") as f:
        f.write("999999999\n")
    os.chmod(f.name, 0o600)
    os.utime(f.name, (1, 1))
    who.own(who.home + "/mail")
    os.chmod(path, 0o606)
    text = check(who, ok=(1,))
    for what in ("UID of another", "never given", "says more than there is",
                 "no mbox file", "left over from a program", "others may write"):
        assert text.count(what) == 1, (what, text)
    assert "6 findings, 0 fixed" in text, text
    assert not os.path.exists(f.name), "nobody can lock it but over this one"
    assert os.stat(path).st_mode & 0o777 == 0o606
    text = check(who, "--fix", ok=(1,))
    assert "5 findings, 1 fixed" in text, text
    assert os.stat(path).st_mode & 0o777 == 0o604
    os.unlink(who.home + "/mail/notes")
    who.run(LIBEXEC + "/pop3", input="QUIT\r\n")
    assert " 0 findings" in check(who)


def test_mbox_change_that_was_interrupted():
    who, path = mbox_user("mboxcut", FROM + "Subject: x\n\nbody\n\n")
    who.run(LIBEXEC + "/pop3", input="QUIT\r\n")
    note = who.home + "/mail/.mailreeve/.INBOX/mailreeve-moving"
    with open(note, "w") as f:
        f.write("Gone\n1\n1 1\n")
    os.chown(note, who.uid, who.gid)
    assert "interrupted (the next session" in check(who, ok=(1,))
    assert os.path.exists(note)
    assert "interrupted (fixed)" in check(who, "--fix")
    assert not os.path.exists(note) and " 0 findings" in check(who)


def test_root_becomes_the_owner():
    who, other = filled("owner", 1), filled("other", 1)
    # a link in somebody's mail leads to nothing that is not theirs
    os.symlink(other.maildir + "/cur", who.maildir + "/.Theirs")
    text = check(who)
    assert "1 messages in" in text, text
    assert "belongs to root" in run(TOOL, "check", "/etc/", ok=(77,))
    assert "no such account" in run(TOOL, "check", "nobodyknowsthis", ok=(67,))
    assert "ermission" in other.run(TOOL, "check", who.maildir + "/", ok=None)


main(__name__)
