#!/usr/bin/env python3
"""mailreeve passwd: the secrets file as mailreeve-secrets(5) has it, changed in one step."""
import base64
import hashlib
import hmac
import pty
import shutil

from lib import *

TOOL = "/usr/local/bin/mailreeve"
FILE = "/etc/mailreeve/secrets"
DIGESTS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


def passwd(*words, password=None, ok=(0,)):
    return run(TOOL, "passwd", *words, ok=ok, input=None if password is None else password + "\n")


def lines():
    with open(FILE) as f:
        return f.read().splitlines()


def listed(*words):
    return [line for line in passwd("-l", *words).splitlines() if " SCRAM-" in line
            and not line.startswith("mailreeve:")]


def empty(text=""):
    os.makedirs(os.path.dirname(FILE), exist_ok=True)
    with open(FILE, "w") as f:
        f.write(text)


def proves(line, password):
    """Are the keys of a line those of this password?"""
    name, salt, keys = line.split(" ")[1].split("$")[0], *line.split("$")[1:]
    count, salt = salt.split(":")
    stored, server = map(base64.b64decode, keys.split(":"))
    digest = DIGESTS[name]
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(salt), int(count))
    client = hmac.new(salted, b"Client Key", digest).digest()
    return (stored == hashlib.new(digest, client).digest()
            and server == hmac.new(salted, b"Server Key", digest).digest())


def test_a_password_becomes_keys():
    who = user("keys")
    shutil.rmtree(os.path.dirname(FILE), ignore_errors=True)
    passwd(who.name, password="pencil w\u00f6rk")
    found = os.stat(FILE)
    assert (found.st_uid, found.st_mode & 0o7777) == (0, 0o600), oct(found.st_mode)
    assert sorted(line.split("$")[0] for line in lines()) == \
        ["%s %s" % (who.name, m) for m in sorted(DIGESTS)]
    assert all(proves(line, "pencil w\u00f6rk") for line in lines())
    assert not any(proves(line, "pencil") for line in lines())
    assert len({line.split("$")[1] for line in lines()}) == 3, "a salt each"


def test_only_what_is_meant_changes():
    who, other = user("meant"), user("other")
    empty("# ours\nnonsense\n")
    os.chmod(FILE, 0o644)
    passwd(who.name, password="one")
    passwd(other.name, password="two")
    before = lines()
    passwd("-m", "scram-sha-256", who.name, password="three")
    assert os.stat(FILE).st_mode & 0o7777 == 0o600
    gone, = set(before) - set(lines())
    come, = set(lines()) - set(before)
    assert gone.startswith(who.name + " SCRAM-SHA-256$") and proves(come, "three")
    assert lines()[:2] == ["# ours", "nonsense"]
    assert "a line is no secret" in passwd("-l")
    assert listed(who.name) == [
        "%s SCRAM-SHA-%s" % (who.name, n) for n in ("1", "512", "256")]
    passwd("-d", "-m", "SCRAM-SHA-1", who.name)
    assert len(listed(who.name)) == 2
    passwd("-d", who.name)
    assert listed(who.name) == [] and listed()[0].startswith(other.name) and len(listed()) == 3
    assert "no such secret" in passwd("-d", who.name, ok=(1,))


def test_refusals_change_nothing():
    who = user("refused")
    empty("# nothing\n")
    rows = [
        ((who.name,), "", 65), ((who.name,), "a\tb", 65), ((who.name,), "x" * 1025, 65),
        (("nobody-here",), "secret", 67), (("a b",), "secret", 67), ((), "secret", 64),
        (("-m", "CRAM-MD5", who.name), "secret", 64), (("-m",), "secret", 64),
        (("-d", "-l", who.name), "secret", 64), ((who.name, who.name), "secret", 64),
        (("--", who.name), "secret", 64),
    ]
    for words, password, status in rows:
        passwd(*words, password=password, ok=(status,))
        assert lines() == ["# nothing"], words
    passwd(who.name, password="x" * 1024)
    assert all(proves(line, "x" * 1024) for line in lines()[1:])


def test_a_user_cannot_read_or_change_it():
    who = user("mere")
    empty()
    passwd(who.name, password="secret")
    before = lines()
    for words in ((who.name,), ("-d", who.name), ("-l",)):
        text = who.run(TOOL, "passwd", *words, input="mine\n", ok=(66, 73))
        assert "Permission denied" in text and "SCRAM" not in text, text
    assert lines() == before


def test_many_at_once_all_stay():
    people = [user("many%d" % n) for n in range(4)]
    empty()
    running = [subprocess.Popen([TOOL, "passwd", who.name], stdin=subprocess.PIPE)
               for who in people]
    for n, p in enumerate(running):
        p.communicate(b"secret%d\n" % n)
        assert p.returncode == 0
    for n, who in enumerate(people):
        mine = [line for line in lines() if line.startswith(who.name + " ")]
        assert len(mine) == 3 and all(proves(line, "secret%d" % n) for line in mine)
    assert not os.path.exists(FILE + ".new")


def on_terminal(name, *answers):
    """What a terminal shows, and the status, when a person answers the prompts."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(TOOL, [TOOL, "passwd", name])
    shown = b""
    for answer in answers:
        while not shown.endswith(b": "):
            shown += os.read(fd, 1024)
        os.write(fd, answer + b"\n")
        shown += os.read(fd, 1)
    try:
        while more := os.read(fd, 1024):
            shown += more
    except OSError:
        pass                        # the terminal's other end is closed
    os.close(fd)
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_terminal_is_asked_twice_and_shows_nothing():
    who = user("tty")
    empty()
    shown, status = on_terminal(who.name, b"pencil", b"pencil")
    assert status == 0 and b"pencil" not in shown, shown
    assert all(proves(line, "pencil") for line in lines()) and len(lines()) == 3
    shown, status = on_terminal(who.name, b"other", b"another")
    assert status == 65 and b"not the same" in shown, shown
    assert all(proves(line, "pencil") for line in lines())


main(__name__)
