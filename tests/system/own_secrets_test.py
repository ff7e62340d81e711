#!/usr/bin/env python3
"""Secrets that users give themselves: set, used, revoked; who may; what is trusted, and what not."""
from lib import *
from sasl import (FILE, SCRAMS, TOOL, Talk, bound, capabilities, differences, forget_secrets,
                  good, gsasl)
from scram import Scram


def allow(*words):
    run(TOOL, "passwd", "-o", *words)


def only(*words):
    """The administrator's file says this and nothing else."""
    forget_secrets()
    allow(*words)


def own(who, password="pencil", *words, ok=(0,)):
    return who.run(TOOL, "passwd", *words, input=password + "\n", ok=ok)


def path(who):
    return who.home + "/.mailreeve/secrets"


def content(who):
    with open(path(who)) as f:
        return f.read()


def scram(server, name, password="pencil", mechanism="SCRAM-SHA-256", protocol="imap", **how):
    t = Talk(server, protocol)
    answer = t.scram(mechanism, name, password, **how)
    t.close()
    return answer


def server(**how):
    return Server(max_failures="20", failure_delay="0s", **how)


def test_set_used_and_revoked():
    who = user("own")
    only("yes")
    with server() as s:
        assert [m for m in capabilities(s) if m.startswith("SCRAM")], "announced"
        assert own(who) == ""
        found, folder = os.stat(path(who)), os.stat(os.path.dirname(path(who)))
        assert (found.st_uid, found.st_mode & 0o7777, folder.st_mode & 0o7777) == \
            (who.uid, 0o600, 0o700)
        listed = who.run(TOOL, "passwd", "-l").splitlines()
        assert sorted(listed) == sorted("%s %s" % (who.name, m) for m in SCRAMS), listed
        for mechanism, plus in (("SCRAM-SHA-256", ["--no-cb"]), ("SCRAM-SHA-256-PLUS", [])):
            mark = log.mark()
            gsasl(who, mechanism, "--starttls", *plus)
            line = log.wait("login: .*user=%s " % who.name, mark)
            assert "result=ok" in line and "via=%s/TLS" % mechanism in line, line
            assert "why=\"secret of the user's own\"" in line, line
        for mechanism in SCRAMS:
            for protocol in ("imap", "pop3"):
                assert good(scram(s, who.name, mechanism=mechanism, protocol=protocol)), mechanism
        assert good(bound(s, who))
        mark = log.mark()
        assert scram(s, who.name, "pencils")[0] == "NO"
        log.wait('user=%s .*why="wrong proof"' % who.name, mark)
        assert good(Talk(s).begin("PLAIN", "\0%s\0secret" % who.name)), "PAM's stays"
        own(who, "another", who.name)
        assert good(scram(s, who.name, "another")) and not good(scram(s, who.name))
        own(who, "", "-d")
        assert not good(scram(s, who.name, "another")) and who.run(TOOL, "passwd", "-l") == ""
        assert "no such secret" in own(who, "", "-d", ok=(1,))
        gsasl(who, "SCRAM-SHA-256", "--starttls", "--no-cb", password="another", ok=None)
        assert not log.find("user=%s .*result=ok .*via=SCRAM.*" % who.name, log.mark())


def test_the_administrator_decides():
    who, other = user("ruled"), user("other")
    for each in (who, other):
        own(each)
    forget_secrets()
    with server() as s:
        def good_for():
            return [each.name for each in (who, other) if good(scram(s, each.name))]
        assert capabilities(s) == ["PLAIN", "LOGIN"]
        run(TOOL, "passwd", who.name, input="given\n")
        assert good_for() == [] and good(scram(s, who.name, "given"))
        allow("yes")
        assert good_for() == [other.name], "a secret from the administrator is the only one"
        assert good(scram(s, who.name, "given"))
        run(TOOL, "passwd", "-d", "-m", "SCRAM-SHA-256", who.name)
        assert good_for() == [other.name], "also for other mechanisms"
        run(TOOL, "passwd", "-d", who.name)
        assert good_for() == [who.name, other.name]
        allow("no", who.name)
        assert good_for() == [other.name]
        allow("no")
        allow("yes", who.name)
        assert good_for() == [who.name]
        assert run(TOOL, "passwd", "-l") == "* OWN no\n%s OWN yes\n" % who.name
        assert [m for m in capabilities(s) if m.startswith("SCRAM")]
        run(TOOL, "passwd", "-d", "-m", "OWN")
        run(TOOL, "passwd", "-d", "-m", "OWN", who.name)
        assert good_for() == [] and capabilities(s) == ["PLAIN", "LOGIN"]
        allow("yes")
        with open(FILE, "a") as f:                  # with a mistake, but it is said
            f.write("%s SCRAM-SHA-256$!\n" % who.name)
        assert good_for() == [other.name]


def test_what_users_cannot_do():
    who, other = user("mere"), user("yours")
    only("yes")
    run(TOOL, "passwd", other.name, input="given\n")
    with open(FILE) as f:
        before = f.read()
    for words, status in (((other.name,), 77), (("root",), 77), (("-o", "yes"), 77),
                          (("-m", "CRAM-MD5"), 77), (("-e", "email:a@b"), 77),
                          (("-m", "HOST"), 64), (("-d", other.name), 77), (("-l", other.name), 77),
                          ((who.name, who.name), 64), (("-o", "maybe"), 64)):
        text = own(who, "mine", *words, ok=(status,))
        assert "SCRAM-SHA-1$" not in text and not os.path.exists(path(who)), (words, text)
    assert own(who, "a\tb", ok=(65,)) and not os.path.exists(path(who))
    with open(FILE) as f:
        assert f.read() == before
    # nor by a link in the place of the file, or of what it is made as
    for name in ("secrets", "secrets.new"):
        os.makedirs(os.path.dirname(path(who)), exist_ok=True)
        os.symlink("/etc/mailreeve/secrets", os.path.dirname(path(who)) + "/" + name)
    who.own(who.home)
    own(who, "mine", ok=(66, 73))
    with open(FILE) as f:
        assert f.read() == before


def test_root_gives_the_word():
    who = user("word")
    forget_secrets()
    for words, status in ((("-o", "perhaps"), 64), (("-o", "yes", "nobody-here"), 67),
                          (("-o", "yes", "-d"), 64), (("-o", "yes", "-e", "email:a@b"), 64),
                          (("-o", "yes", "-m", "SCRAM-SHA-1", who.name), 64),
                          (("-m", "OWN", who.name), 64), (("-d", "-m", "OWN"), 1)):
        run(TOOL, "passwd", *words, input="x\n", ok=(status,))
    assert not os.path.exists(FILE)
    allow("yes")
    allow("no")
    allow("no", who.name)
    run(TOOL, "passwd", "-d", who.name, ok=(1,))
    assert run(TOOL, "passwd", "-l", who.name) == who.name + " OWN no\n", "a bar is no secret"


def test_files_that_are_not_trusted():
    who, thief = user("safe"), user("thief")
    only("yes")
    own(who)
    mine, real = path(who), path(who) + ".real"
    with server() as s:
        def unsafe(why):
            mark = log.mark()
            assert scram(s, who.name)[1].startswith("[AUTHENTICATIONFAILED]")
            log.wait("%s: %s" % (re.escape(mine), why), mark)
        for mode in (0o640, 0o620, 0o602, 0o604):
            os.chmod(mine, mode)
            unsafe("others have rights to it")
        os.chmod(mine, 0o600)
        assert good(scram(s, who.name))
        link_and_fifo(who, mine, unsafe)
        os.mkdir(mine)
        who.own(mine)
        unsafe("(Is a directory|no regular file)")
        os.rmdir(mine)
        run("cp", "-p", real, mine)
        with open(mine, "ab") as f:
            f.truncate(100 << 20)
        unsafe("too large")
        run("cp", "-p", real, mine)
        with open(mine, "ab") as f:                 # the last that is read, and one more
            f.write(b"#" * (65536 - f.tell()))
        assert good(scram(s, who.name))
        with open(mine, "ab") as f:
            f.write(b"#")
        unsafe("too large")
        run("cp", "-p", real, mine)
        os.chown(mine, thief.uid, thief.gid)
        assert not good(scram(s, who.name))
        os.chmod(mine, 0o644)
        unsafe("does not belong to the user")
        run("cp", "-p", real, mine)
        os.chmod(os.path.dirname(mine), 0)          # root could; the user cannot
        assert not good(scram(s, who.name))
        os.chmod(os.path.dirname(mine), 0o700)
        assert good(scram(s, who.name))
        assert not log.find("ended by signal")


def test_nobody_logs_in_as_somebody_else():
    who, other = user("mallory"), user("victim")
    only("yes")
    own(who)
    lines = content(who)
    with server() as s:
        os.unlink(path(who))
        who.file(".mailreeve/secrets", lines.replace(who.name + " ", other.name + " "))
        for name in (who.name, other.name, "root"):
            assert not good(scram(s, name)), name
        # of an administrator's file: no word of another has a meaning here
        run(TOOL, "passwd", other.name, input="given\n")
        who.file(".mailreeve/secrets", "* OWN$yes\n%s OWN$yes\n* HOST$%s\n" % (other.name, "A" * 43)
                 + lines.replace(who.name, "root") + lines.replace(who.name, other.name)
                 + "%s EXTERNAL$email:x@y\n" % who.name + lines)
        assert good(scram(s, who.name)) and not good(scram(s, other.name))
        assert not good(scram(s, "root")) and good(scram(s, other.name, "given"))
        for authzid in (other.name, "root"):
            kind, said = scram(s, who.name, authzid=authzid)
            assert (kind, said.split()[0]) == ("NO", "[AUTHORIZATIONFAILED]"), said
        for bad in (lines.replace("$10000:", "$4096:"), lines.replace("SCRAM", "SCRAP"),
                    lines.replace("$", "$$"), lines.replace("$", "$\0"), "x" * 65000, " \n$:$:\n" * 8000):
            who.file(".mailreeve/secrets", bad)
            assert not good(scram(s, who.name)), bad[:60]
        assert not log.find("ended by signal")
    with server(administrators=who.name) as s:      # what others may do with it is not in the home
        who.file(".mailreeve/secrets", lines)
        kind, said = scram(s, who.name, authzid=other.name)
        assert (kind, said.split()[0]) == ("NO", "[AUTHORIZATIONFAILED]"), said
        assert good(scram(s, who.name, authzid=who.name))


def test_pam_and_the_bar_of_the_main_password():
    who = user("word")
    only("yes")
    own(who)
    with server() as s:
        run("chage", "-E", "2020-01-01", who.name)
        assert scram(s, who.name)[1].startswith("[EXPIRED]")
        run("chage", "-E", "-1", who.name)
        who.run(TOOL, "app-password", "main", "no")
        assert Talk(s).begin("PLAIN", "\0%s\0secret" % who.name)[0] == "NO"
        assert good(scram(s, who.name))


def test_strangers_are_told_what_users_are_told():
    who = user("known")
    only("yes")
    own(who)
    with server() as s:
        def told(name, mechanism="SCRAM-SHA-256"):
            t, c = Talk(s), Scram(mechanism, name, "x")
            kind, said = t.begin(mechanism, c.first())
            assert kind == "+", said
            c.final(said)
            t.close()
            return c.salt, c.count
        names = [who.name] + ["stranger%d" % n for n in range(8)] + ["root", "daemon"]
        first = {name: told(name) for name in names}
        assert first == {name: told(name) for name in names}
        assert len({(len(salt), count) for salt, count in first.values()}) == 1, first
        assert len({salt for salt, _ in first.values()}) == len(names)
        for number in range(6, 11):
            found = differences(s, who.name, "u" * len(who.name), number)
            print("# known names take longer by %.0f %% and %.0f %%" % tuple(100 * f for f in found))
            if all(abs(f) < 0.15 for f in found):
                return
        raise AssertionError("known and unknown names differ: %s" % found)


main(__name__)
