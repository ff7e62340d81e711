#!/usr/bin/env python3
"""Work that takes long: how far it is is told (RFC 9585), and other sessions of the user go on."""
import threading

from lib import *
import wire

MANY = 60000


def files(who, folder, count, name):
    """Messages as another program left them, in cur/."""
    top = who.maildir + folder
    for part in ("", "/cur", "/new", "/tmp"):
        os.makedirs(top + part, exist_ok=True)
    for n in range(count):
        with open("%s/cur/%s" % (top, name % (n, n + 1)), "w") as f:
            f.write("Subject: %d\n\nbody\n" % n)
    who.own(who.maildir)


def by_hand(who, *before):
    """A session that the user starts, perhaps under another program."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(list(before) + [LIBEXEC + "/imap"], stdin=theirs, stdout=theirs,
                               stderr=subprocess.DEVNULL, cwd="/", user=who.uid, group=who.gid, extra_groups=[],
                               env={"HOME": who.home, "LOGNAME": who.name, "TZ": "UTC0",
                                    "MAILREEVE_CONFIG": "special-folders no\n"})
    theirs.close()
    session = wire.Imap(ours, timeout=120)
    assert session.greeting().startswith(b"* PREAUTH")
    return session, process


def test_a_slow_store_tells_how_far_it_is():
    """Each rename takes 12 ms: a thousand are longer than ten seconds."""
    need("strace")
    who = user("slow")
    files(who, "", 1100, "%d.x.host,U=1700000000.%d:2,")
    c, process = by_hand(who, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat,renameat2",
                         "-e", "inject=renameat,renameat2:delay_enter=12000")
    c.ok("SELECT INBOX")
    tagged, untagged = c.command(r"STORE 1:* +FLAGS.SILENT (\Flagged)", tag=b"long")
    assert tagged.startswith(b"long OK"), tagged
    told = [re.match(rb'\* OK \[INPROGRESS \("long" (\d+) (\d+)\)\]', r) for r in untagged if b"INPROGRESS" in r]
    assert told and all(told), untagged
    assert all(0 < int(m[1]) <= int(m[2]) == 1100 for m in told), untagged
    c.logout()
    process.wait(20)


def test_others_go_on_while_many_are_indexed():
    who = user("indexing")
    files(who, "/.big", MANY, "%d.x.host,U=1700000000.%d:2,S")
    files(who, "", 3, "%d.x.host,U=1700000000.%d:2,")
    other, second = by_hand(who)
    other.ok("SELECT INBOX")
    big, first = by_hand(who)
    begun, done = time.monotonic(), []
    thread = threading.Thread(target=lambda: done.append((big.ok("SELECT big"), time.monotonic())))
    thread.start()
    times = []
    while not done:
        other.ok(r"STORE 1 %sFLAGS (\Flagged)" % "+-"[len(times) % 2])
        times.append(time.monotonic())
    thread.join()
    meanwhile = sum(t < done[0][1] for t in times)
    assert any(b"%d EXISTS" % MANY in r for r in done[0][0])
    longest = max(b - a for a, b in zip([begun] + times, times))
    print("# indexing took %.3f s; %d changes meanwhile, the longest %.3f s" % (
        done[0][1] - begun, meanwhile, longest))
    assert meanwhile >= 2, "the other session had to wait"
    for c, process in ((other, second), (big, first)):
        c.logout()
        process.wait(20)


main(__name__)
