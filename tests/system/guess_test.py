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


def seconds(results):
    assert all(word == "NO" for word, _ in results), results
    return [int(taken + 0.02) for _, taken in results]


def takes(want, measure):
    """measure() finds just these seconds, with accounts and addresses of its own each time."""
    def good(found):
        assert all(a >= b for a, b in zip(found, want)), "too soon: %r" % found
        return found == want
    return at_best(measure, good)


def enters(within, name, password, *sources):
    """The right password is taken in less than so many seconds."""
    def measure():
        word, taken = attempt(143, name, password, sources[0] if sources else somewhere())
        assert word == "OK", word
        return taken
    return at_best(measure, lambda taken: taken < within)


def server(**settings):
    return Server(failure_delay="1s", cleartext_login="yes", **settings)


def wait_for_guesses(mark, n):
    wait_for(lambda: len(log.find(r"login: .* result=refused", mark)) >= n, "%d refusals" % n)


def test_each_further_guess_takes_longer():
    with server():
        mark, names = log.mark(), []

        def guesses():
            source = somewhere()
            names.append(user("slow").name)
            return seconds([attempt(143, names[-1], "wrong%d" % i, source) for i in range(5)])
        takes([1, 1, 1, 2, 4], guesses)
        wait_for_guesses(mark, 5 * len(names))
        assert len(log.find("result=refused guess=new ", mark)) == 5 * len(names)
        takes([1], lambda: seconds([attempt(143, names.pop(), "wrong9", somewhere())]))


def test_parallel_guesses_are_counted_together():
    def crowd():
        name, source = user("crowd").name, somewhere()
        return sorted(seconds(together(*[(143, name, "wrong%d" % i, source) for i in range(8)])))
    with server():
        takes([1, 1, 1, 2, 4, 8, 8, 8], crowd)


def test_the_same_wrong_password_is_one_guess():
    with server():
        mark, names = log.mark(), []

        def phones():
            names.append(user("phone").name)
            return seconds(together(*[(143, names[-1], "oldpassword", somewhere())] * 8))
        takes([1] * 8, phones)
        wait_for_guesses(mark, 8 * len(names))
        assert len(log.find("result=refused guess=new ", mark)) == len(names)
        assert len(log.find("result=refused guess=again ", mark)) == 7 * len(names)
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
        enters(1, who.name, who.password, home)
        # From elsewhere the right password comes in too, after a while.
        enters(9, who.name, who.password)
        elsewhere = somewhere()
        assert attempt(143, who.name, who.password, elsewhere)[0] == "OK"
        enters(1, who.name, who.password, elsewhere)
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
        enters(1, good.name, good.password, nat)
        enters(9, new.name, new.password, nat)
        crowd.join()
        mark = log.mark()
        takes([1], lambda: seconds([attempt(143, good.name, "mistyped", nat)]))
        log.wait("result=refused guess=owner ", mark)


def test_unknown_names_are_no_different():
    def both():
        known, unknown = user("known").name, "nosuchname%d" % SERIAL[0]
        rows = together(*[(143, name, "wrong%d" % i, source) for name, source in
                          ((known, somewhere()), (unknown, somewhere())) for i in range(5)])
        return sorted(seconds(rows[:5])) + sorted(seconds(rows[5:]))
    with server():
        takes(2 * [1, 1, 1, 2, 4], both)


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
            def forgotten():
                together(*[(143, who.name, "wrong%d" % i, source) for i in range(4)])
                damage()
                return seconds([attempt(143, who.name, "wrong9", source)])
            takes([1], forgotten)
            assert os.stat(TABLE).st_mode & 0o7777 == 0o600
            assert os.stat(os.path.dirname(TABLE)).st_mode & 0o022 == 0
        overwrite(64, noise)
        enters(9, who.name, who.password, source)
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
    who = user("both")

    def by_turns():
        name, source = user("turns").name, somewhere()
        return seconds(together(*[(2143, name, "wrong%d" % i, source) for i in range(3)])
                       + [attempt(port, name, "wrong%d" % port, source) for port in (143, 2143)])
    with server():
        inetd(2143, "imap")
        takes([1, 1, 1, 2, 4], by_turns)
        assert attempt(2143, who.name, who.password, home := somewhere())[0] == "OK"
        enters(1, who.name, who.password, home)


main(__name__)
