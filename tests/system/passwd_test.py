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
        return [line for line in f.read().splitlines() if not line.startswith("* HOST$")]


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
        (("-m", "HOST", who.name), "secret", 64), (("-m",), "secret", 64),
        (("-m", "EXTERNAL", who.name), "secret", 64), (("-e", "Ann", who.name), "", 64),
        (("-e", "sha256:", who.name), "", 64), (("-e", "email:" + "x" * 251, who.name), "", 64),
        (("-m", "CRAM-MD5", "-e", "email:x@y", who.name), "secret", 64),
        (("-m", "CRAM-MD5", who.name), "x" * 257, 65), ((who.name,), "\u0627x", 65),
        (("-d", "-l", who.name), "secret", 64), ((who.name, who.name), "secret", 64),
        (("--", who.name), "secret", 64), (("-o", "yes", "-d", who.name), "", 64),
        (("-o", "maybe"), "", 64), (("-o", "yes", "nobody-here"), "", 67),
    ]
    for words, password, status in rows:
        passwd(*words, password=password, ok=(status,))
        assert lines() == ["# nothing"], words
    passwd(who.name, password="x" * 1024)
    assert all(proves(line, "x" * 1024) for line in lines()[1:])


def test_the_host_has_one_secret_of_its_own():
    who = user("host")
    empty()
    passwd(who.name, password="one")
    with open(FILE) as f:
        found = [line for line in f if line.startswith("*")]
    assert len(found) == 1 and len(base64.b64decode(found[0].split("$")[1])) == 32, found
    passwd(who.name, password="two")
    passwd("-d", who.name)
    with open(FILE) as f:
        assert f.read() == found[0]
    assert passwd("-l") == ""


def test_a_password_itself_is_kept_only_for_who_asks_and_with_a_warning():
    who = user("shared")
    empty()
    said = passwd("-m", "cram-md5", who.name, password="pen cil")
    assert "has the password itself" in said, said
    assert lines() == [who.name + " CRAM-MD5$" + base64.b64encode(b"pen cil").decode()]
    assert passwd("-l") == who.name + " CRAM-MD5\n"
    said = passwd(who.name, password="another")
    assert said == "" and len(lines()) == 4
    passwd("-m", "CRAM-MD5", who.name, password="x" * 256)
    passwd("-d", "-m", "CRAM-MD5", who.name)
    assert not [line for line in lines() if "CRAM-MD5" in line] and len(lines()) == 3


def test_identities_of_certificates():
    who = user("external")
    empty()
    names = ["sha256:" + 64 * "a", "email:a@example.org", "subject:CN=A B,O=$x:y"]
    for name in names + names[:1]:
        passwd("-e", name, who.name)
    assert sorted(lines()) == sorted("%s EXTERNAL$%s" % (who.name, name) for name in names)
    assert sorted(passwd("-l", who.name).splitlines()) == \
        sorted("%s EXTERNAL %s" % (who.name, name) for name in names)
    passwd("-d", "-e", names[1], who.name)
    assert len(lines()) == 2
    passwd("-d", "-m", "EXTERNAL", who.name)
    assert lines() == []


def test_passwords_are_prepared_as_clients_prepare_them():
    who = user("prepared")
    empty()
    for given, want in (("I\u00adX", "IX"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b"),
                        ("e\u0301", "\u00e9"), ("\u0627\u0031\u0628", "\u0627\u0031\u0628")):
        passwd("-m", "SCRAM-SHA-256", who.name, password=given)
        assert proves(lines()[0], want), given
    for bad in ("\x07", "\u0627\u0031", "\u200e", "a\u0378", "\u00ad"):
        passwd("-m", "SCRAM-SHA-256", who.name, password=bad, ok=(65,))


def test_a_user_cannot_read_or_change_it():
    who, other = user("mere"), user("other")
    empty()
    passwd(other.name, password="secret")
    before = lines()
    for words in ((other.name,), ("-d", other.name), ("-l", other.name)):
        text = who.run(TOOL, "passwd", *words, input="mine\n", ok=(77,))
        assert "only root" in text and "SCRAM" not in text, text
    assert who.run(TOOL, "passwd", "-l") == ""
    who.run(TOOL, "passwd", input="mine\n")
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
