#!/usr/bin/env python3
"""What a transcript cannot say of an IMAP session: time, signals, clients that do
not read or never end a line."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "harness"))

import place                                        # noqa: E402
import tap                                          # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TESTS, "..", ".build", "out")))
PROGRAMS = None
SLOW = 5 if any(k.endswith("SAN_OPTIONS") for k in os.environ) else 1
MESSAGE = b"Subject: one\n\n" + b"line of text\n" * 100


def session(**settings):
    """A place with one greeted session in it, and its process."""
    where = place.Direct(PROGRAMS, {k.replace("_", "-"): v for k, v in settings.items()})
    connection = where.connect("imap", {})
    where.greet(connection)
    return where, connection, where.running[-1][1]


def told_within_100_ms():
    where, c, _ = session()
    c.ok("SELECT INBOX")
    c.send(b"i IDLE\r\n")
    c.until(lambda r: r.startswith(b"+"))
    times = []
    for number in range(1, 11):
        where.deliver(MESSAGE, "INBOX", number)
        begin = time.monotonic()
        c.until(lambda r: r == b"* %d RECENT" % number)
        times.append(time.monotonic() - begin)
    c.send(b"DONE\r\n")
    c.until(lambda r: r.startswith(b"i OK"))
    c.close()
    where.finish()
    assert sorted(times)[5] < 0.1 * SLOW, "milliseconds: %s" % [int(t * 1000) for t in times]


def bye_on_sigterm():
    for begin in (b"", b"a IDLE\r\n", b"a NO", b"a APPEND INBOX {100}\r\n"):
        where, c, process = session()
        c.send(begin)
        if begin.endswith(b"\n"):
            c.until(lambda r: r.startswith(b"+"))
        process.send_signal(signal.SIGTERM)
        c.until(lambda r: r.startswith(b"* BYE "))
        c.expect_eof()
        c.close()
        where.finish()
        left = os.path.join(where.maildir, "tmp")
        assert not os.path.isdir(left) or not os.listdir(left), "a file stays in tmp"


def client_that_does_not_read():
    where, c, process = session(write_timeout="1s")
    for number in range(100):
        where.deliver(MESSAGE * 10, "INBOX", number)
    c.ok("SELECT INBOX")
    c.send(b"a UID FETCH 1:* (BODY.PEEK[])\r\n")
    assert process.wait(10 * SLOW) == 0
    c.close()
    where.finish()


def line_without_end():
    where, c, process = session()
    for _ in range(200):
        c.sock.sendall(b"x" * (1 << 20))
    with open("/proc/%d/status" % process.pid) as f:
        peak = int(next(line for line in f if line.startswith("VmHWM")).split()[1])
    c.sock.sendall(b"\r\n")
    c.until(lambda r: r.startswith(b"* BAD "))
    c.ok("NOOP")
    c.close()
    where.finish()
    assert SLOW > 1 or peak < 16384, "%d KB for a line of 200 MB" % peak


def ticks(process):
    """The processor's time that it has used."""
    with open("/proc/%d/stat" % process.pid) as f:
        words = f.read().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])


def progress_of_a_long_search():
    """INPROGRESS every 10 seconds, with how many messages were searched (RFC 9585 section 4)."""
    where, c, process = session()
    where.shell("for i in $(seq 1000 1999); do "
                "{ printf 'Subject: x\\n\\n'; head -c 200000 /dev/zero | tr '\\0' x; echo; } "
                "> $MAIL/new/1.M$i.h; done")
    c.ok("SELECT INBOX")
    before = ticks(process)
    c.send(b"a SEARCH BODY nothing-like-it\r\n")
    while ticks(process) < before + 2:
        pass
    # It has begun, and stands still for as long as it would have to search.
    process.send_signal(signal.SIGSTOP)
    time.sleep(10.5)
    process.send_signal(signal.SIGCONT)
    r = c.until(lambda r: r.startswith((b"* OK [INPROGRESS", b"a ")))[-1]
    found = re.match(rb'\* OK \[INPROGRESS \("a" (\d+) 1000\)\] ', r)
    assert found and int(found[1]) <= 1000, r
    c.until(lambda r: r == b"* SEARCH")
    c.until(lambda r: r.startswith(b"a OK"))
    c.close()
    where.finish()


def batches_without_end():
    """RFC 10022 section 3.1.1: again only when more than half a batch came or went."""
    where, c, _ = session()
    where.deliver(MESSAGE, "INBOX", 0)
    c.ok("SELECT INBOX")
    for _ in range(100):
        c.ok("UIDBATCHES 500")
    assert b" NO [LIMIT] " in c.command("UIDBATCHES 500")[0]
    for number in range(1, 252):
        where.deliver(b"x\n\n", "INBOX", number)
    c.ok("NOOP")
    c.ok("UIDBATCHES 500")
    c.ok("SELECT INBOX")
    c.ok("UIDBATCHES 500")
    c.close()
    where.finish()


FOLDERS = 1000
MANY = """for i in $(seq 1000 %d); do
mkdir -p $MAIL/.F$i/cur $MAIL/.F$i/new $MAIL/.F$i/tmp; : > $MAIL/.F$i/maildirfolder; done"""


def told(c, pattern):
    c.until(lambda r: re.fullmatch(pattern, r))


def delivery_is_told(where, c, folder):
    """Into one of many mailboxes that are all watched: seconds until STATUS."""
    c.timeout = 120                 # a thousand new mailboxes are made durable
    c.ok("NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName "
         "SubscriptionChange MailboxMetadataChange))")
    where.shell(r"printf 'Subject: x\n\nx\n' > $MAIL/.%s/new/1.M1.h" % folder)
    begin = time.monotonic()
    told(c, rb"\* STATUS " + folder.encode() + rb" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ "
         rb"UNSEEN 1 HIGHESTMODSEQ \d+\)")
    return time.monotonic() - begin


def names_are_told(where, c):
    other = where.connect("imap", {})
    where.greet(other)
    other.ok("SUBSCRIBE F1999")
    told(c, rb'\* LIST \(\\Subscribed \\HasNoChildren\) "/" F1999')
    other.ok('SETMETADATA F1001 (/private/comment "x")')
    told(c, rb"\* METADATA F1001 /private/comment")
    other.ok("RENAME F1700 F1700b")
    told(c, rb'\* LIST \(\\HasNoChildren\) "/" F1700b \("OLDNAME" \(F1700\)\)')
    other.close()
    where.ended(other)


def append_until(over, c):
    for _ in range(2000):
        if over.is_set():
            break
        c.ok("APPEND INBOX %L", b"Subject: more\r\n\r\n")


def one_moment(c, validity):
    """What a SELECT tells of all messages: their UIDs, and UIDNEXT."""
    _, told = c.command("SELECT INBOX (QRESYNC (%d 1))" % validity)
    text = b"\n".join(told)
    count = int(re.search(rb"\* (\d+) EXISTS", text).group(1))
    rows = [tuple(map(int, row)) for row in re.findall(rb"\* (\d+) FETCH \(UID (\d+) ", text)]
    assert [number for number, _ in rows] == list(range(1, count + 1)), (count, rows[-5:])
    return [uid for _, uid in rows], int(re.search(rb"\[UIDNEXT (\d+)\]", text).group(1))


def selected_while_mail_comes():
    """Numbers, UIDs and UIDNEXT fit together, however much comes at that moment."""
    where, c, _ = session()
    others = [where.connect("imap", {}) for _ in range(2)]
    where.deliver(MESSAGE, "INBOX", 0)
    c.ok("ENABLE QRESYNC")
    told = b"\n".join(c.ok("SELECT INBOX"))
    validity = int(re.search(rb"\[UIDVALIDITY (\d+)\]", told).group(1))
    over = threading.Event()
    threads = [threading.Thread(target=append_until, args=(over, other)) for other in others]
    for other, thread in zip(others, threads):
        where.greet(other)
        thread.start()
    try:
        known, coming = one_moment(c, validity)
        for _ in range(60):
            uids, following = one_moment(c, validity)
            assert uids[:len(known)] == known and uids == sorted(set(uids)), uids
            assert all(uid >= coming for uid in uids[len(known):]), (coming, uids[len(known):])
            assert following > uids[-1], (following, uids[-1])
            known, coming = uids, following
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for each in [c] + others:
        each.close()
    where.finish()


def few_watches():
    """A directory whose imap has 500 watches: the limit of a user namespace of its own."""
    few = tempfile.mkdtemp()
    os.chmod(few, 0o755)
    with open(os.path.join(few, "imap"), "w") as f:
        f.write("#!/bin/sh\nexec unshare --user --map-current-user --keep-caps sh -c "
                "'echo 500 > /proc/sys/user/max_inotify_watches && exec %s/imap'\n" % PROGRAMS)
    os.chmod(f.name, 0o755)
    return few


def notify_of_a_thousand_folders():
    """RFC 5465 for all mailboxes of a user: told at once by one inotify instance, and
    where the system lacks watches, by looking at them all every few seconds."""
    where, c, process = session()
    where.shell(MANY % (999 + FOLDERS))
    took = delivery_is_told(where, c, "F1500")
    names_are_told(where, c)
    watches = instances = 0
    for name in os.listdir("/proc/%d/fdinfo" % process.pid):
        try:
            with open("/proc/%d/fdinfo/%s" % (process.pid, name)) as f:
                marks = f.read().count("inotify wd:")
        except FileNotFoundError:       # closed since
            continue
        watches += marks
        instances += marks > 0
    c.close()
    assert instances == 1 and watches > 3 * FOLDERS, (instances, watches)
    print("# %d ms until STATUS" % (took * 1000))
    assert took < 0.5 * SLOW, "%d ms until STATUS" % (took * 1000)
    if subprocess.run(["unshare", "--user", "true"], stderr=subprocess.DEVNULL).returncode:
        where.finish()
        raise tap.Skip("no user namespace can be made here, as in a chroot")
    where.programs = few_watches()
    other = where.connect("imap", {})
    where.greet(other)
    delivery_is_told(where, other, "F1600")
    shutil.rmtree(where.programs)
    other.close()
    where.finish()


def notify_of_too_many_folders():
    """NOTIFY_MAILBOXES_MAX (RFC 5465 section 3.1)."""
    where, c, _ = session()
    where.shell('seq -f "$MAIL/.F%.0f/cur" 10001 | xargs mkdir -p')
    tagged, _ = c.command("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))")
    assert b" NO [NOTIFICATIONOVERFLOW] " in tagged, tagged
    c.ok("NOTIFY SET (SELECTED (MessageNew MessageExpunge))")
    c.close()
    where.finish()


if __name__ == "__main__":
    PROGRAMS = place.private_programs(BUILD)
    sys.exit(tap.run([(f.__name__.replace("_", " "), f) for f in (
        told_within_100_ms, bye_on_sigterm, client_that_does_not_read, line_without_end,
        progress_of_a_long_search, batches_without_end, selected_while_mail_comes,
        notify_of_a_thousand_folders, notify_of_too_many_folders)]))
