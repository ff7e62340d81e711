#!/usr/bin/env python3
"""App passwords: made, listed and revoked by their users; what conn trusts, and what not."""
import base64
import datetime

from lib import *

TOOL = "/usr/local/bin/mailreeve"
REFUSED = "[AUTHENTICATIONFAILED]"


def tool(who, *words, ok=(0,)):
    return who.run(TOOL, "app-password", *words, ok=ok)


def add(who, *words):
    secret = tool(who, "add", *words).strip()
    assert re.fullmatch(r"([a-km-z2-9]{4}-){5}[a-km-z2-9]{4}", secret), secret
    return secret


def path(who):
    return who.home + "/.mailreeve/app-passwords"


def content(who):
    with open(path(who)) as f:
        return f.read()


def imap(server, who, secret, source="127.0.0.1", how="LOGIN"):
    """OK or the code of the answer."""
    c = server.imap(source=(source, 0))
    token = base64.b64encode(("\0%s\0%s" % (who.name, secret)).encode()).decode()
    if how == "LOGIN":
        answer = c.command("LOGIN %s %s" % (who.name, wire.quoted(secret)))[0]
    elif how == "AUTHENTICATE LOGIN":
        c.send(b"x AUTHENTICATE LOGIN\r\n")
        for text in (who.name, secret):
            assert c.line().startswith(b"+ ")
            c.send(base64.b64encode(text.encode()) + b"\r\n")
        answer = c.line()
    else:
        answer = c.command("AUTHENTICATE PLAIN " + token)[0]
    word, rest = answer.decode().split(" ", 2)[1:]
    if word == "OK":
        c.logout()
        return word
    c.close()
    return rest.split(" ")[0]


def pop3(server, who, secret, how="USER"):
    c = server.pop3()
    if how == "USER":
        c.ok("USER " + who.name)
        answer = c.command("PASS " + secret)
    else:
        token = base64.b64encode(("\0%s\0%s" % (who.name, secret)).encode()).decode()
        answer = c.command("AUTH PLAIN " + token)
    if answer.startswith(b"+OK"):
        c.quit()
        return "OK"
    c.close()
    return answer.decode().split(" ")[1]


def test_every_way_to_log_in():
    who = user("app")
    with Server() as server:
        secret = add(who, "phone")
        mark = log.mark()
        for how in ("LOGIN", "AUTHENTICATE LOGIN", "AUTHENTICATE PLAIN"):
            assert imap(server, who, secret, how=how) == "OK", how
        for how in ("USER", "AUTH"):
            assert pop3(server, who, secret, how) == "OK", how
        wait_for(lambda: len(log.find(r'result=ok .* why="app password phone"', mark)) == 5,
                 "five lines in the log")
        for text in (secret.replace("-", ""), secret.upper(), secret.replace("-", " ")):
            assert imap(server, who, text) == "OK", text
        assert imap(server, who, who.password) == "OK"
        for text in (secret[:-1], secret + "a", secret[:-4] + "aaaa", "-----", ""):
            assert imap(server, who, text) == REFUSED, text
        assert secret.replace("-", "") not in content(who).replace("-", "")
        assert not log.find(re.escape(secret), mark)


def test_limits_of_one_password():
    who = user("limit")
    today = datetime.date.today()
    with Server() as server:
        only_imap, only_pop3 = add(who, "-s", "imap", "one"), add(who, "-s", "pop3", "two")
        near = add(who, "-n", "127.0.5.0/24, 2001:db8::/32", "three")
        last = add(who, "-e", str(today), "four")
        assert imap(server, who, only_imap) == "OK" and pop3(server, who, only_imap) == "[AUTH]"
        assert imap(server, who, only_pop3) == REFUSED and pop3(server, who, only_pop3) == "OK"
        assert imap(server, who, near) == REFUSED
        assert imap(server, who, near, source="127.0.5.9") == "OK"
        assert imap(server, who, last) == "OK"
        text = content(who).replace(" %s " % today, " %s " % (today - datetime.timedelta(days=1)))
        with open(path(who), "w") as f:
            f.write(text)
        assert imap(server, who, last) == REFUSED and imap(server, who, only_imap) == "OK"
    for words in (("-e", str(today - datetime.timedelta(days=1)), "x"), ("-e", "2027-02-30", "x"),
                  ("-s", "smtp", "x"), ("-n", "everywhere", "x"), ("a b",), ("main-password",),
                  ("-x", "1", "x"), (), ("x" * 33,), ("../x",)):
        tool(who, "add", *words, ok=(64,))


def test_list_and_revoke():
    who = user("list")
    with Server() as server:
        assert tool(who, "list") == ""
        first, second = add(who, "phone"), add(who, "-s", "imap", "-n", "127.0.0.0/8", "tablet.2")
        tool(who, "add", "phone", ok=(1,))
        assert tool(who, "list").split("\n")[0].split() == \
            ["phone", "imap,pop3", "-", "-", "-", "-", "-"]
        c = server.imap()
        c.command('ID ("name" "Some Phone" "version" "7")')
        assert c.command("LOGIN %s %s" % (who.name, first))[0].split(b" ")[1] == b"OK"
        c.logout()
        used = tool(who, "list").split("\n")[0].split()
        assert used[0] == "phone" and used[5] == "127.0.0.1", used
        when = datetime.datetime.strptime(used[4], "%Y-%m-%dT%H:%M:%SZ")
        assert abs((datetime.datetime.utcnow() - when).total_seconds()) < 60, used
        assert used[6].startswith("LOGIN/TLSv1.3/") and used[6].endswith("/Some_Phone/7"), used
        assert tool(who, "list").split("\n")[1].split()[:4] == ["tablet.2", "imap", "127.0.0.0/8", "-"]
        tool(who, "revoke", "phone")
        assert imap(server, who, first) == REFUSED and imap(server, who, second) == "OK"
        assert "no app password" in tool(who, "revoke", "phone", ok=(1,))
        assert len(tool(who, "list").splitlines()) == 1
        assert oct(os.stat(path(who)).st_mode & 0o7777) == "0o600"
        assert oct(os.stat(who.home + "/.mailreeve").st_mode & 0o7777) == "0o700"


def test_root_does_it_for_a_user():
    who = user("root")
    secret = run(TOOL, "app-password", "add", "-u", who.name, "phone").strip()
    assert os.stat(path(who)).st_uid == who.uid
    with Server() as server:
        assert imap(server, who, secret) == "OK"
    other = user("other")
    tool(other, "list", "-u", who.name, ok=(66, 73))
    run(TOOL, "app-password", "list", "-u", "nobodyhere", ok=(67,))
    run(TOOL, "app-password", "list", ok=(77,))


def test_the_main_password_can_be_barred():
    who = user("bar")
    with Server() as server:
        assert "nobody can log in" in tool(who, "main", "no")
        secret = add(who, "phone")
        mark = log.mark()
        assert imap(server, who, who.password) == REFUSED
        assert pop3(server, who, who.password) == "[AUTH]"
        wait_for(lambda: len(log.find("result=refused .*this user allows app passwords only",
                                      mark)) == 2, "two lines in the log")
        assert imap(server, who, secret) == "OK"
        assert tool(who, "list").startswith("main-password no\n")
        tool(who, "main", "yes")
        assert imap(server, who, who.password) == "OK"
        assert "main-password" not in tool(who, "list")
        tool(who, "main", "maybe", ok=(64,))


def test_pam_still_has_its_say_about_the_account():
    who = user("expired")
    with Server() as server:
        secret = add(who, "phone")
        run("chage", "-E", "2020-01-01", who.name)
        assert imap(server, who, secret) == "[EXPIRED]"
        run("chage", "-E", "-1", who.name)
        assert imap(server, who, secret) == "OK"
        run("usermod", "-L", who.name)
        mark = log.mark()
        assert imap(server, who, secret) == "[CONTACTADMIN]"
        log.wait("user=%s .*result=locked .*password is locked" % who.name, mark)
        run("usermod", "-U", who.name)
        assert imap(server, who, secret) == "OK"
        # never had one: not the same as locked
        for nothing in ("!", "!!", "!*", "*"):
            run("usermod", "-p", nothing, who.name)
            assert imap(server, who, secret) == "OK", nothing


def test_files_that_are_not_trusted():
    who, thief = user("safe"), user("thief")
    with Server() as server:
        secret = add(who, "phone")
        mine = path(who)

        def unsafe(why):
            mark = log.mark()
            assert imap(server, who, secret) == REFUSED
            assert imap(server, who, who.password) == "[UNAVAILABLE]"
            assert imap(server, who, "wrong") == REFUSED
            log.wait("%s: %s" % (re.escape(mine), why), mark)
        os.chmod(mine, 0o640)
        unsafe("others have rights to it")
        os.chmod(mine, 0o602)
        unsafe("others have rights to it")
        os.chmod(mine, 0o600)
        assert imap(server, who, secret) == "OK"
        link_and_fifo(who, mine, unsafe)
        with open(mine, "wb") as f:
            f.write(b"#" * 65537)
        os.chown(mine, who.uid, who.gid)
        os.chmod(mine, 0o600)
        unsafe("too large")
        # Another's file in one's own home, and a home that nobody may enter.
        run("cp", "-p", mine + ".real", mine)
        os.chown(mine, thief.uid, thief.gid)
        os.chmod(mine, 0o600)
        assert imap(server, who, secret) == REFUSED
        assert imap(server, who, who.password) == "OK"
        os.chmod(mine, 0o644)
        unsafe("does not belong to the user")
        os.unlink(mine)
        os.rename(mine + ".real", mine)
        os.chmod(who.home + "/.mailreeve", 0)
        assert imap(server, who, secret) == REFUSED
        assert imap(server, who, who.password) == "OK"
        os.chmod(who.home + "/.mailreeve", 0o700)
        assert imap(server, who, secret) == "OK"


def test_a_stranger_learns_nothing():
    """Whether there is such a user, app passwords, or a bar: a refusal is a refusal."""
    rounds = iter(range(250))

    def refusals():
        """The answer and the seconds of each, for accounts and addresses that are new."""
        barred, plain, unsafe, n = user("bar"), user("plain"), user("unsafe"), next(rounds)
        add(barred, "phone")
        tool(barred, "main", "no")
        add(unsafe, "phone")
        os.chmod(path(unsafe), 0o644)
        rows = []
        for i, (name, secret) in enumerate(((barred.name, "wrong"), (barred.name, barred.password),
                                            (barred.name, "abcd-efgh-ijkm-npqr-stuv-wxyz"),
                                            (plain.name, "wrong"), (unsafe.name, "wrong"),
                                            ("nobodyhere%d" % n, "abcd-efgh-ijkm-npqr-stuv-wxyz"))):
            c = server.imap(source=("127.0.8.%d" % (6 * n + i + 1), 0))
            begun = time.monotonic()
            answer = c.command("LOGIN %s %s" % (name, secret))[0].split(b" ", 1)[1]
            rows.append((answer, time.monotonic() - begun))
            c.close()
        assert len({answer for answer, _ in rows}) == 1, rows
        assert min(taken for _, taken in rows) > 0.99, rows
        return [taken for _, taken in rows]
    with Server(failure_delay="1s") as server:
        at_best(refusals, lambda times: max(times) - min(times) < 0.5)


def test_it_opens_nobody_elses_mail():
    who, other = user("mine"), user("yours")
    with Server() as server:
        secret = add(who, "phone")
        c = server.imap()
        assert c.command("LOGIN %s %s" % (other.name, secret))[0].split(b" ")[1] == b"NO"
        assert c.command("LOGIN root %s" % secret)[0].split(b" ")[1] == b"NO"
        c.close()
        c = server.imap()
        token = base64.b64encode(("%s\0%s\0%s" % (other.name, who.name, secret)).encode()).decode()
        assert b"AUTHORIZATIONFAILED" in c.command("AUTHENTICATE PLAIN " + token)[0]
        c.close()


def test_the_last_use_never_breaks_a_line():
    who = user("edit")
    with Server() as server:
        secret = add(who, "phone")
        text = content(who)
        with open(path(who), "w") as f:             # edited by hand: no fixed width
            f.write("# mine\n" + re.sub(r" -\s*\Z", " -\n", text) + "# end\n")
        before = content(who)
        assert imap(server, who, secret) == "OK" and content(who) == before
        second = add(who, "tablet")
        size = len(content(who))
        assert imap(server, who, second) == "OK"
        assert len(content(who)) == size and content(who).startswith(before)


main(__name__)
