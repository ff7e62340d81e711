#!/usr/bin/env python3
"""Guessing passwords takes longer and longer; who is known to be good never waits."""
import threading

from lib import *

TABLE = "/run/mailreeve/guesses"
SERIAL = [0]


def somewhere():
    """An address of this host that nobody came from yet."""
    SERIAL[0] += 1
    return "127.3.%d.%d" % (SERIAL[0] // 250, SERIAL[0] % 250 + 1)


def attempt(port, name, password, source):
    """(answer in words, seconds)"""
    c = wire.imap(port, source=(source, 0), limit=60)
    c.timeout = 60
    begun = time.monotonic()
    word = c.command("LOGIN %s %s" % (name, password))[0].split(b" ")[1].decode()
    taken = time.monotonic() - begun
    c.close()
    return word, taken


def together(*attempts):
    """All at once: (answer, seconds) of each."""
    results = [None] * len(attempts)

    def one(i):
        results[i] = attempt(*attempts[i])
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(attempts))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert None not in results, results
    return results


def seconds(results, answer="NO"):
    assert all(word == answer for word, _ in results), results
    return [int(taken + 0.02) for _, taken in results]


def server(**settings):
    return Server(failure_delay="1s", cleartext_login="yes", **settings)


def wait_for_guesses(mark, n):
    wait_for(lambda: len(log.find(r"login: .* result=refused", mark)) >= n, "%d refusals" % n)


def test_each_further_guess_takes_longer():
    who, source = user("slow"), somewhere()
    with server():
        mark = log.mark()
        taken = seconds([attempt(143, who.name, "wrong%d" % i, source) for i in range(5)])
        assert taken == [1, 1, 1, 2, 4], taken
        wait_for_guesses(mark, 5)
        assert len(log.find("result=refused guess=new ", mark)) == 5
        taken = seconds([attempt(143, who.name, "wrong9", somewhere())])
        assert taken == [1], taken


def test_parallel_guesses_are_counted_together():
    who, source = user("crowd"), somewhere()
    with server():
        results = together(*[(143, who.name, "wrong%d" % i, source) for i in range(8)])
        assert sorted(seconds(results)) == [1, 1, 1, 2, 4, 8, 8, 8], results


def test_the_same_wrong_password_is_one_guess():
    who, source = user("phone"), somewhere()
    with server():
        mark = log.mark()
        assert seconds(together(*[(143, who.name, "oldpassword", source)] * 8)) == [1] * 8
        wait_for_guesses(mark, 8)
        assert len(log.find("result=refused guess=new ", mark)) == 1
        assert len(log.find("result=refused guess=again ", mark)) == 7
        with open(TABLE, "rb") as f:
            assert b"oldpassword" not in f.read()


def test_the_owner_does_not_wait_for_strangers():
    who, home = user("owner"), somewhere()
    with server():
        assert attempt(143, who.name, who.password, home)[0] == "OK"
        mark = log.mark()
        crowd = threading.Thread(target=together, args=[
            (143, who.name, "wrong%d" % i, somewhere()) for i in range(20)])
        crowd.start()
        wait_for_guesses(mark, 6)
        word, taken = attempt(143, who.name, who.password, home)
        assert word == "OK" and taken < 1, taken
        # From elsewhere the right password comes in too, after a while.
        word, taken = attempt(143, who.name, who.password, elsewhere := somewhere())
        assert word == "OK" and taken < 9, taken
        word, taken = attempt(143, who.name, who.password, elsewhere)
        assert word == "OK" and taken < 1, taken
        crowd.join()


def test_neighbours_behind_one_address():
    good, bad, new = user("good"), user("bad"), user("new")
    nat = somewhere()
    with server():
        assert attempt(143, good.name, good.password, nat)[0] == "OK"
        crowd = threading.Thread(target=together, args=[
            (143, bad.name if i % 2 else "nobody%d" % i, "wrong%d" % i, nat)
            for i in range(12)])
        mark = log.mark()
        crowd.start()
        wait_for_guesses(mark, 10)
        word, taken = attempt(143, good.name, good.password, nat)
        assert word == "OK" and taken < 1, taken
        word, taken = attempt(143, new.name, new.password, nat)
        assert word == "OK" and taken < 9, taken
        crowd.join()
        mark = log.mark()
        assert seconds([attempt(143, good.name, "mistyped", nat)]) == [1]
        log.wait("result=refused guess=owner ", mark)


def test_unknown_names_are_no_different():
    who = user("known")
    with server():
        rows = together(*[(143, name, "wrong%d" % i, source) for name, source in
                          ((who.name, somewhere()), ("nosuchname", somewhere()))
                          for i in range(5)])
        known, unknown = sorted(seconds(rows[:5])), sorted(seconds(rows[5:]))
        assert known == unknown == [1, 1, 1, 2, 4], (known, unknown)


def test_the_table_may_vanish_or_be_damaged():
    who, source = user("table"), somewhere()
    noise = os.urandom(1 << 20)

    def overwrite(at, data):
        with open(TABLE, "r+b") as f:
            f.seek(at)
            f.write(data)
    damages = (lambda: os.unlink(TABLE), lambda: os.truncate(TABLE, 77),
               lambda: os.truncate(TABLE, 0), lambda: overwrite(0, noise),
               lambda: run("rm", "-r", os.path.dirname(TABLE)))
    with server():
        for damage in damages:
            together(*[(143, who.name, "wrong%d" % i, source) for i in range(4)])
            damage()
            assert seconds([attempt(143, who.name, "wrong9", source)]) == [1]
            assert os.stat(TABLE).st_mode & 0o7777 == 0o600
            assert os.stat(os.path.dirname(TABLE)).st_mode & 0o022 == 0
        overwrite(64, noise)
        word, taken = attempt(143, who.name, who.password, source)
        assert word == "OK" and taken < 9
        os.chmod(TABLE, 0o666)
        mark = log.mark()
        assert attempt(143, who.name, who.password, source)[0] == "OK"
        log.wait("guesses are not counted: /run/mailreeve/guesses: ", mark)
        os.unlink(TABLE)


def inetd(port, service):
    """What inetd nowait does, as long as this process lives."""
    listener = socket.create_server(("127.0.0.1", port))

    def accept():
        while True:
            client = listener.accept()[0]
            subprocess.Popen([LIBEXEC + "/conn", service], stdin=client, stdout=client,
                             stderr=client)
            client.close()
    threading.Thread(target=accept, daemon=True).start()


def test_inetd_and_master_share_the_table():
    who, source = user("both"), somewhere()
    with server():
        inetd(2143, "imap")
        taken = seconds(together(*[(2143, who.name, "wrong%d" % i, source) for i in range(3)]))
        assert taken == [1, 1, 1], taken
        assert seconds([attempt(143, who.name, "wrong3", source)]) == [2]
        assert seconds([attempt(2143, who.name, "wrong4", source)]) == [4]
        assert attempt(2143, who.name, who.password, home := somewhere())[0] == "OK"
        word, taken = attempt(143, who.name, who.password, home)
        assert word == "OK" and taken < 1


main(__name__)
