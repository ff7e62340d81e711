#!/usr/bin/env python3
"""SASL through the real server, in both protocols: mechanisms that rest on the secrets file."""
import contextlib
import hashlib
import hmac
import imaplib
import poplib
import ssl

import cages
from lib import *
from sasl import (FILE, SCRAMS, TOOL, Talk, bound, capabilities, differences, end_point,
                  forget_secrets, good, gsasl, member, passwd)
from scram import Scram
SCRAM_NAMES = [name + plus for plus in ("-PLUS", "") for name in reversed(SCRAMS)]


# ---- SCRAM -------------------------------------------------------------------------

def test_scram_by_each_digest_in_both_protocols():
    who = member("scram")
    with Server() as server:
        for protocol in ("imap", "pop3"):
            for mechanism in SCRAMS:
                for initial in (True, False):
                    t = Talk(server, protocol)
                    assert good(t.scram(mechanism, who.name, "pencil", initial)), mechanism
                    t.close()
        mark = log.mark()
        t = Talk(server)
        assert good(t.scram("SCRAM-SHA-256", who.name, "pencil"))
        assert "result=ok" in log.wait("login: .* user=%s .*via=SCRAM-SHA-256/TLS" % who.name, mark)
        assert b"INBOX" in b"".join(t.c.ok('LIST "" INBOX'))



def test_the_wrong_password_is_refused_in_time():
    who = member("wrong")
    with Server(failure_delay="1s", max_failures="20") as server:
        for protocol in ("imap", "pop3"):
            mark = log.mark()
            for name, why in ((who.name, "wrong proof"), ("nobody-here", "no such secret")):
                t = Talk(server, protocol)
                begun = time.monotonic()
                kind, said = t.scram("SCRAM-SHA-256", name, "pencils")
                assert time.monotonic() - begun > 0.98
                assert kind in ("NO", "-ERR") and ("AUTHENTICATIONFAILED" in said or
                                                   "[AUTH]" in said), (kind, said)
                line = log.wait(r"login: .* user=%s .*result=refused" % name, mark)
                assert 'why="%s"' % why in line, line
                t.close()


def test_strangers_are_told_what_users_are_told():
    """The same challenges each time, as long as others', and no secret of the host among them."""
    who = member("known")
    with Server() as server:
        seen = {}
        for name in (who.name, "stranger-one", "stranger-two", who.name, "stranger-one"):
            for mechanism in SCRAMS:
                t = Talk(server)
                s = Scram(mechanism, name, "x")
                kind, said = t.begin(mechanism, s.first())
                assert kind == "+"
                s.final(said)
                seen.setdefault((name, mechanism), set()).add((s.salt, s.count))
                t.close()
        assert all(len(values) == 1 for values in seen.values()), seen
        salts = [salt for values in seen.values() for salt, _ in values]
        assert len(set(salts)) == 9 and len({len(salt) for salt in salts}) == 1, salts
        assert {count for values in seen.values() for _, count in values} == {10000}


def test_strangers_take_as_long_as_users():
    """Challenge and refusal of known and unknown names cannot be told by time."""
    who = member("timed")
    for n in range(40):
        passwd(user("crowd%d" % n), "-m", "SCRAM-SHA-256")
    with Server(max_failures="20", failure_delay="0s") as server:
        for number in range(1, 6):          # a machine with other work may need several looks
            found = differences(server, who.name, "u" * len(who.name), number)
            print("# known names take longer by %.0f %% and %.0f %%" % tuple(100 * f for f in found))
            if all(abs(f) < 0.15 for f in found):
                return
        raise AssertionError("known and unknown names differ: %s" % found)


def test_what_is_announced_follows_secrets_and_tls():
    forget_secrets()
    who = user("told")
    with Server() as server:
        def told(**how):
            found = capabilities(server, **how)
            assert capabilities(server, "pop3", **how) == found
            return found
        assert told() == ["PLAIN", "LOGIN"]
        passwd(who, "-m", "SCRAM-SHA-256")
        assert told() == ["PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
        assert told(tls=False) == ["PLAIN", "LOGIN", "SCRAM-SHA-256"]
        passwd(who)
        assert told() == ["PLAIN", "LOGIN"] + SCRAM_NAMES
        os.chmod(FILE, 0o644)
        mark = log.mark()
        assert told() == ["PLAIN", "LOGIN"]
        log.wait("secrets: others have rights to it", mark)
        os.chmod(FILE, 0o600)
        passwd(who, "-m", "CRAM-MD5")
        run(TOOL, "passwd", "-e", "email:x@example.org", who.name)
        assert told() == ["PLAIN", "LOGIN"] + SCRAM_NAMES
    with Server(cleartext_login="no", mechanisms="plain cram-md5 scram-sha-1") as server:
        assert capabilities(server, tls=False) == [] == capabilities(server, "pop3", tls=False)
        assert capabilities(server) == ["PLAIN", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5"]
    with Server(mechanisms="SCRAM-SHA-512") as server:
        c = server.imap()
        assert b"LOGINDISABLED" in c.welcome and b"AUTH=PLAIN" not in c.welcome
        assert c.command("LOGIN %s of-pam" % who.name)[0].split()[1] == b"NO"
        c.close()
        c = server.pop3()
        c.send(b"USER x\r\n")
        assert c.line().startswith(b"-ERR") and not Talk(server).begin("PLAIN")[0] == "+"
        c.close()
    configure(mechanisms="PLAIN DIGEST-MD5")
    said = run(MAILREEVED, "-t", ok=None)
    configure()
    assert "give some of PLAIN LOGIN" in said, said


def test_a_name_may_have_what_scram_escapes_and_no_more():
    member("escaped")
    with Server(max_failures="20", failure_delay="0s") as server:
        for header, bare, answer in (
                ("n,,", "n=a=2Cb=3Dc,r=abc", "+"), ("n,,", "n=a=2cb,r=abc", "+"),
                ("n,,", "n=a=b,r=abc", "BAD"), ("n,,", "n=,r=abc", "BAD"),
                ("n,,", "n=a,r=", "BAD"), ("n,,", "n=a,r=a b", "BAD"), ("n,,", "r=abc,n=a", "BAD"),
                ("n,a=,", "n=a,r=abc", "BAD"), ("n,a=x", "n=a,r=abc", "BAD"),
                ("n,b=x,", "n=a,r=abc", "BAD"), ("", "n=a,r=abc", "BAD"), ("x,,", "n=a,r=b", "BAD"),
                ("n,,", "m=x,n=a,r=abc", "NO"), ("n,,", "n=a,r=abc,x=y", "+"),
                ("n,,", "n=a,r=abc,xy", "BAD"), ("p=,,", "n=a,r=abc", "BAD"),
                ("p=tls-exporter,,", "n=a,r=abc", "NO"), ("y,,", "n=a,r=abc", "NO"),
                ("n,,", "n=" + "x" * 300 + ",r=abc", "+"),
                ("n,,", "n=" + "x" * 1100 + ",r=abc", "+"),
                ("n,,", "n=a\x01,r=abc", "+"), ("n,,", "n=a,r=" + "x" * 2000, "+")):
            t = Talk(server)
            assert t.begin("SCRAM-SHA-256", header + bare)[0] == answer, (header, bare[:40])
            t.close()


def test_final_messages_that_are_wrong():
    who = member("final")
    with Server(max_failures="20", failure_delay="0s") as server:
        def final(make, mechanism="SCRAM-SHA-256"):
            t = Talk(server)
            s = Scram(mechanism, who.name, "pencil")
            said = t.begin(mechanism, s.first())[1]
            answer = t.say(make(s, said))
            if answer[0] == "+" and answer[1].startswith("v="):
                answer = t.say("")
            t.close()
            return answer
        assert final(lambda s, said: s.final(said))[0] == "OK"
        assert final(lambda s, said: s.final(said, extension=",x=y"))[0] == "OK"
        no = "NO", "[AUTHENTICATIONFAILED] SCRAM: other-error"
        assert final(lambda s, said: s.final(said, nonce=s.nonce)) == no
        assert final(lambda s, said: s.final(said, nonce="x")) == no
        no = "NO", "[AUTHENTICATIONFAILED] SCRAM: channel-bindings-dont-match"
        assert final(lambda s, said: s.final(said).replace("c=biws", "c=eSws")) == no
        mark = log.mark()
        assert final(lambda s, said: s.final(said).replace("c=biws", "c=biw")) == no
        log.wait("bad-input: .*why=channel-bindings-dont-match", mark)
        assert final(lambda s, said: s.final(said)[:-4] + "AAA=") == \
            ("NO", "[AUTHENTICATIONFAILED] Wrong user name or password")
        for bad in (lambda s, said: "", lambda s, said: s.final(said).split(",p=")[0],
                    lambda s, said: s.final(said).replace(",p=", ",p=!"),
                    lambda s, said: "x=y," + s.final(said),
                    lambda s, said: s.final(said) + ",x=y",
                    lambda s, said: s.final(said).replace("c=", "d=", 1)):
            assert final(bad)[0] == "BAD"


def test_a_proof_cannot_be_used_again_and_nothing_else_unlocks_its_step():
    who = member("again")
    with Server(max_failures="20", failure_delay="0s") as server:
        s = Scram("SCRAM-SHA-256", who.name, "pencil", nonce="A" * 24)
        t = Talk(server)
        proof = s.final(t.begin("SCRAM-SHA-256", s.first())[1])
        assert t.say("*")[0] == "BAD"
        kind, said = t.begin("SCRAM-SHA-256", s.first())
        assert kind == "+" and t.say(proof) == \
            ("NO", "[AUTHENTICATIONFAILED] SCRAM: other-error")
        t.close()


def test_who_proves_himself_and_leaves_is_in_the_log():
    who = member("spy")
    with Server(max_failures="20", failure_delay="0s") as server:
        for leave in (lambda t: t.close(), lambda t: (t.say("*"), t.scram(
                "SCRAM-SHA-256", who.name, "wrong"), t.close())):
            mark = log.mark()
            s = Scram("SCRAM-SHA-256", who.name, "pencil")
            t = Talk(server)
            kind, said = t.say(s.final(t.begin("SCRAM-SHA-256", s.first())[1]))
            assert kind == "+" and s.verify(said), said
            leave(t)
            log.wait("login: .* user=%s .*result=unfinished guess=- tls=yes " % who.name, mark)
        log.wait("login: .* user=%s .*result=refused guess=new" % who.name, mark)


def test_guesses_by_scram_take_longer_too():
    rounds, want = iter(range(1, 250)), [1, 1, 1, 2, 0]

    def guesses():
        who, number, taken = member("slow"), next(rounds), []
        for password in ("wrong0", "wrong1", "wrong2", "wrong3", "pencil"):
            right = password == "pencil"
            t = Talk(server, source=("127.%d.6.1" % (number if right else 250 - number), 0))
            t.c.timeout = 60
            begun = time.monotonic()
            assert good(t.scram("SCRAM-SHA-256", who.name, password)) == right
            taken.append(int(time.monotonic() - begun + 0.02))
            t.close()
        assert all(a >= b for a, b in zip(taken, want)), taken
        return taken
    with Server(failure_delay="1s") as server:
        at_best(guesses, lambda taken: taken == want)


def test_asking_for_salts_is_guessing():
    """Who begins and never proves is counted, waits, and stands in the log; so does the next proof."""
    who = member("salt")
    with Server(failure_delay="1s", max_failures="20") as server:
        t = Talk(server, source=("127.0.6.3", 0))
        t.c.timeout = 60
        mark, taken = log.mark(), []
        for i in range(4):
            begun = time.monotonic()
            kind, said = t.begin("SCRAM-SHA-256", Scram("SCRAM-SHA-256", "name%d" % i, "x").first())
            assert kind == "+", said
            taken.append(time.monotonic() - begun)
            assert t.say("*")[0] == "BAD"
        assert taken[3] > 0.98, taken
        begun = time.monotonic()
        assert t.c.command("LOGIN %s wrong" % who.name)[0].split()[1] == b"NO"
        assert time.monotonic() - begun > 3.98, "the fifth guess from there"
        for i in range(4):
            log.wait("login: .* user=name%d .*result=unfinished guess=- " % i, mark)
        t.close()
        t = Talk(server, source=("127.0.6.4", 0))   # of the name itself: two, and then it is in
        for _ in range(2):
            t.begin("SCRAM-SHA-256", Scram("SCRAM-SHA-256", who.name, "x").first())
            t.say("*")
        assert good(t.scram("SCRAM-SHA-256", who.name, "pencil"))
        t.close()


def test_cancelling_and_lines_that_are_too_long():
    who = member("cancel")
    for protocol, bad in (("imap", "BAD"), ("pop3", "-ERR")):
        with Server(max_failures="20") as server:
            t = Talk(server, protocol)
            for mechanism in ("PLAIN", "SCRAM-SHA-256"):
                assert t.begin(mechanism)[0] == "+"
                assert t.say("*")[0] == bad
            t.begin("PLAIN")
            t.c.send(b"A" * 87380 + b"\r\n")            # the last that is read
            assert t.answer()[0] == bad
            t.begin("PLAIN")
            t.c.send(b"A" * 100000 + b"\r\n")           # and the connection goes on
            assert t.answer()[0] == bad
            assert good(t.scram("SCRAM-SHA-1", who.name, "pencil"))
            t.close()


def test_cancelling_again_and_again():
    """No client brings login to ask more of conn than an honest one would."""
    who = user("again", password="of-pam")
    run(TOOL, "passwd", "-m", "CRAM-MD5", who.name, input="pencil\n")
    with Server(mechanisms="PLAIN CRAM-MD5", failure_delay="0s") as server:
        for protocol in ("imap", "pop3"):
            mark = log.mark()
            t = Talk(server, protocol)
            # The line of the log may come later than the end of the connection.
            with contextlib.suppress(wire.Closed, OSError):
                for _ in range(100):
                    if t.begin("CRAM-MD5")[0] != "+":
                        break
                    answer = t.say("*")
                    assert answer[0] in ("BAD", "-ERR"), answer
            log.wait("bad-input: .*why=bad-commands", mark)
            assert not log.find("hanging up", mark)
            t.close()


# ---- channel binding ---------------------------------------------------------------

def test_plus_is_bound_to_the_channel():
    who = member("bound")
    with Server(max_failures="20", failure_delay="0s") as server:
        for mechanism in SCRAMS:
            for how in ({}, {"tls": "starttls"}, {"protocol": "pop3"}):
                assert good(bound(server, who, mechanism + "-PLUS", **how)), (mechanism, how)
        for kind in ("tls-server-end-point", "tls-exporter"):
            kind, said = bound(server, who, kind=kind, data=b"x" * 32)
            assert kind == "NO" and "channel-bindings-dont-match" in said, said
        mark = log.mark()
        assert bound(server, who, kind="tls-unique", data=b"x" * 12)[0] == "NO"
        log.wait("why=unsupported-channel-binding-type", mark)
        assert bound(server, who, kind="nonsense", data=b"")[0] == "NO"
        assert "Wrong user name" in bound(server, who, password="pencils")[1]


def test_downgrade_is_seen():
    who = member("down")
    with Server(max_failures="20", failure_delay="0s") as server:
        mark = log.mark()
        assert bound(server, who, "SCRAM-SHA-256", flag="y", data=b"")[0] == "NO"
        log.wait("why=server-does-support-channel-binding", mark)
        assert bound(server, who, "SCRAM-SHA-256-PLUS", flag="y", data=b"")[0] == "NO"
        assert bound(server, who, "SCRAM-SHA-256-PLUS", flag="n", data=b"")[0] == "NO"
        assert bound(server, who, "SCRAM-SHA-256", data=b"x" * 32)[0] == "NO"
        assert good(bound(server, who, "SCRAM-SHA-256", flag="n", data=b""))
        assert good(bound(server, who, "SCRAM-SHA-256", flag="y", data=b"", tls=False))
        assert bound(server, who, tls=False)[0] == "NO"


def test_tls_12_has_a_binding_of_its_own():
    who = member("old")
    with Server(max_failures="20", failure_delay="0s") as server:
        def connect():
            context = wire.client_context()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            t = Talk(server, tls=False)
            t.c.ok("STARTTLS")
            t.c.start_tls(context)
            return t
        for name, right in (("tls-unique", None), ("tls-server-end-point", end_point())):
            for spoil in (False, True):
                t = connect()
                data = right or t.c.sock.get_channel_binding("tls-unique")
                answer = t.scram("SCRAM-SHA-256-PLUS", who.name, "pencil", flag="p=" + name,
                                 binding=bytes([data[0] ^ spoil]) + data[1:])
                assert good(answer) != spoil, (name, answer)
                t.close()


def test_the_end_point_outlives_resumption():
    """Who resumes is shown no certificate, and is bound to the one of the first time."""
    who = member("resumed")
    with Server(spare_connections=0) as server:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = wire.client_context(), None
            context.minimum_version = context.maximum_version = version
            for turn in range(3):
                t = Talk(server, tls=False)
                t.c.ok("STARTTLS")
                t.c.sock = context.wrap_socket(t.c.sock, server_hostname="localhost",
                                               session=session)
                assert good(t.scram("SCRAM-SHA-256-PLUS", who.name, "pencil",
                                    flag="p=tls-server-end-point", binding=end_point()))
                assert t.c.sock.session_reused == (turn > 0), (version, turn)
                session = t.c.sock.session
                t.close()


# ---- GNU SASL ----------------------------------------------------------------------

def test_gnu_sasl():
    who = member("gnu")
    passwd(who, "-m", "CRAM-MD5")
    with Server(max_failures="20", failure_delay="0s",
                mechanisms="PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256 CRAM-MD5 ANONYMOUS",
                anonymous_user=who.name) as server:
        for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS",
                          "SCRAM-SHA-256-PLUS", "CRAM-MD5"):
            mark = log.mark()
            plus = [] if mechanism.endswith("PLUS") else ["--no-cb"]
            gsasl(who, mechanism, "--starttls", *plus)
            line = log.wait("login: .*user=%s " % who.name, mark)
            assert "result=ok" in line and "via=%s/TLS" % mechanism in line, line
            if mechanism != "CRAM-MD5":
                mark = log.mark()
                gsasl(who, mechanism, "--starttls", *plus, password="wrong", ok=None)
                line = log.wait("login: .*user=%s " % who.name, mark)
                assert "result=refused" in line, line
        mark = log.mark()
        gsasl(who, "SCRAM-SHA-256", "--no-starttls")
        assert "result=ok" in log.wait("login: .*via=SCRAM-SHA-256/cleartext", mark)
        mark = log.mark()
        gsasl(who, "SCRAM-SHA-256-PLUS", "--starttls", "--priority",
              "NORMAL:-VERS-ALL:+VERS-TLS1.2")
        assert "result=ok" in log.wait("login: .*via=SCRAM-SHA-256-PLUS/TLSv1.2", mark)


def test_passwords_that_clients_prepare():
    """gsasl prepares what it is given (RFC 5802 section 2.2), and so does `mailreeve passwd`."""
    who = user("prepared")
    with Server(max_failures="20", failure_delay="0s") as server:
        for given, same in (("\u00aa\u2168", "aIX"), ("a\u00a0b\u3000c", "a b c"),
                            ("o\u0308\u00adx", "\u00f6x")):
            passwd(who, password=given)
            for typed, answer in ((given, "ok"), (same, "ok"), (same + "x", "refused")):
                mark = log.mark()
                gsasl(who, "SCRAM-SHA-256", "--no-starttls", password=typed,
                      ok=(0,) if answer == "ok" else None)
                line = log.wait("login: .*user=%s .*via=SCRAM-SHA-256/" % who.name, mark)
                assert "result=" + answer in line, (given, typed, line)


def ended(connection):
    """One maildrop has one session at a time."""
    connection.close()
    wait_for(lambda: not processes("pop3"), "the end of the session")


def test_names_are_prepared_for_every_mechanism():
    """One account, however its name is spelled."""
    who = User("j\u00f6rg%d" % user("spelled").uid, password="pen\u00aa cil")
    passwd(who)
    other = who.name.replace("\u00f6", "o\u0308").replace("g", "\uff47\u00ad")
    quoted = re.escape(who.name.replace("\u00f6", "\\c3\\b6"))
    assert other != who.name
    with Server() as server:
        for protocol, command in (("imap", 'a1 LOGIN {%(n)d+}\r\n%(name)s "%(password)s"\r\n'),
                                  ("pop3", "USER %(name)s\r\nPASS %(password)s\r\n")):
            for name in (other, who.name):
                t = Talk(server, protocol)
                assert good(t.scram("SCRAM-SHA-256", name, "pencil")), (protocol, name)
                ended(t)
                t = Talk(server, protocol)
                assert good(t.begin("PLAIN", "%s\0%s\0%s" % (name, name, who.password)))
                ended(t)
                mark = log.mark()
                c = getattr(server, protocol)()
                c.send((command % dict(n=len(name.encode()), name=name,
                                       password=who.password)).encode())
                line = log.wait("login: .* user=%s " % quoted, mark)
                assert "result=ok" in line, line
                ended(c)
        # What PAM compares is what passwd(1) was given, and so is not prepared.
        t = Talk(server)
        assert t.begin("PLAIN", "\0%s\0%s" % (who.name, "pena cil"))[0] == "NO"
        t.close()


# ---- CRAM-MD5 and APOP -------------------------------------------------------------

OLD = "PLAIN LOGIN SCRAM-SHA-256 CRAM-MD5 APOP"


def cram(challenge, password):
    return hmac.new(password.encode(), challenge.encode(), "md5").hexdigest()


def test_cram_md5():
    who = member("cram", "-m", "CRAM-MD5", password="pen cil")
    with Server(mechanisms=OLD, max_failures="20", failure_delay="0s") as server:
        seen = set()
        for protocol, bad in (("imap", ("BAD", "NO")), ("pop3", ("-ERR", "-ERR"))):
            t = Talk(server, protocol)
            for name, password, answer in ((who.name, "pencil", bad[1]), ("nobody", "x", bad[1]),
                                           (who.name, "", bad[1])):
                kind, challenge = t.begin("CRAM-MD5")
                seen.add(challenge)
                assert re.fullmatch(r"<[0-9a-f]{40}@mailreeve>", challenge), challenge
                assert t.say(name + " " + cram(challenge, password))[0] == answer
            for wrong in ("", who.name, who.name + " " + "0" * 31, "0" * 32, " " + "0" * 32,
                          who.name + " " + "g" * 32):
                t.close()
                t = Talk(server, protocol)
                t.begin("CRAM-MD5")
                assert t.say(wrong)[0] == bad[0], wrong
            assert t.begin("CRAM-MD5", "x")[0] == bad[0]
            challenge = t.begin("CRAM-MD5")[1]
            assert good(t.say(who.name + " " + cram(challenge, "pen cil").upper()))
            t.close()
        assert len(seen) == 6, "a challenge came twice"
        c = imaplib.IMAP4("localhost", 143)
        assert c.login_cram_md5(who.name, "pen cil")[0] == "OK"
        c.logout()
    with Server() as server:
        assert Talk(server).begin("CRAM-MD5")[0] == "NO"


def test_apop():
    who = member("apop", "-m", "CRAM-MD5", password="pencil")
    with Server(mechanisms=OLD, failure_delay="0s", max_failures="4") as server:
        for connect in (lambda: poplib.POP3("localhost", 110),
                        lambda: poplib.POP3_SSL("localhost", 995,
                                                context=wire.client_context())):
            mark = log.mark()
            c = connect()
            assert c.apop(who.name, "pencil").startswith(b"+OK")
            c.quit()
            assert "result=ok" in log.wait("login: .*user=%s .*via=APOP/" % who.name, mark)
        stamps = set()
        for name, password in ((who.name, "pencils"), ("nobody", "pencil"), (who.name, "of-pam")):
            c = server.pop3()
            stamps.add(c.welcome)
            stamp = c.welcome.split()[-1]
            digest = hashlib.md5(stamp + password.encode()).hexdigest()
            c.send(b"APOP %s %s\r\n" % (name.encode(), digest.encode()))
            assert c.line().startswith(b"-ERR [AUTH]")
            c.send(b"APOP %s\r\n" % name.encode())
            assert c.line().startswith(b"-ERR")
            c.close()
        assert len(stamps) == 3, stamps
        c = server.pop3()               # another try with the same stamp, also after others
        c.send(b"APOP %s %s\r\n" % (who.name.encode(), b"0" * 32))
        assert c.line().startswith(b"-ERR [AUTH]")
        c.send(b"USER x\r\nPASS y\r\n")
        assert c.line().startswith(b"+OK") and c.line().startswith(b"-ERR [AUTH]")
        digest = hashlib.md5(c.welcome.split()[-1] + b"pencil").hexdigest()
        c.send(b"APOP %s %s\r\n" % (who.name.encode(), digest.encode()))
        assert c.line().startswith(b"+OK")
        c.close()
    with Server(cleartext_login="no", mechanisms=OLD) as server:
        c = server.pop3(tls=False)
        c.send(b"APOP a %s\r\n" % (b"0" * 32))
        assert b"STLS" in c.line()
        c.close()
    with Server() as server:
        c = server.pop3()
        assert b"<" not in c.welcome
        c.send(b"APOP %s %s\r\n" % (who.name.encode(), b"0" * 32))
        assert c.line().startswith(b"-ERR APOP is not available")
        c.close()


def test_pam_has_the_last_word_for_every_mechanism():
    who = member("expired", "-m", "CRAM-MD5")
    passwd(who)
    run("usermod", "--expiredate", "1990-01-01", who.name)
    with Server(mechanisms=OLD, max_failures="20", failure_delay="0s") as server:
        t = Talk(server)
        kind, said = t.scram("SCRAM-SHA-256", who.name, "pencil")
        assert (kind, said[:9]) == ("NO", "[EXPIRED]") and t.last.startswith("v="), (kind, said)
        challenge = t.begin("CRAM-MD5")[1]
        assert t.say(who.name + " " + cram(challenge, "pencil"))[1].startswith("[EXPIRED]")
        t.close()
        t = Talk(server, "pop3")
        digest = hashlib.md5(t.c.welcome.split()[-1] + b"pencil").hexdigest()
        t.c.send(b"APOP %s %s\r\n" % (who.name.encode(), digest.encode()))
        assert t.c.line().startswith(b"-ERR [AUTH]")
        t.close()
    run("usermod", "--expiredate", "", who.name)
    run("usermod", "-L", who.name)
    with Server(mechanisms=OLD, failure_delay="0s") as server:
        t = Talk(server)
        kind, said = t.scram("SCRAM-SHA-256", who.name, "pencil")
        assert (kind, said[:14]) == ("NO", "[CONTACTADMIN]"), (kind, said)
        challenge = t.begin("CRAM-MD5")[1]
        assert t.say(who.name + " " + cram(challenge, "pencil"))[1].startswith("[CONTACTADMIN]")
        t.close()
    run("usermod", "-U", who.name)
    # uid 0 and accounts under minimum-uid, whatever the file says
    with open(FILE) as f:
        lines = [line for line in f if line.startswith(who.name + " SCRAM-SHA-256")]
    with open(FILE, "a") as f:
        f.write(lines[0].replace(who.name, "root", 1) + lines[0].replace(who.name, "daemon", 1))
    with Server(max_failures="20", failure_delay="0s") as server:
        for name, why in (("root", "uid 0 never gets in"), ("daemon", "below minimum-uid")):
            mark = log.mark()
            t = Talk(server)
            kind, said = t.scram("SCRAM-SHA-256", name, "pencil")
            assert kind == "NO" and "AUTHENTICATIONFAILED" in said, said
            assert why in log.wait("login: .*user=%s " % name, mark)
            t.close()


# ---- EXTERNAL ----------------------------------------------------------------------

def authority(path):
    run("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:prime256v1", "-days", "30", "-subj", "/CN=Issuer", "-keyout",
        path + ".key", "-out", path + ".crt")


def issue(ca, path, subject, *emails, key=("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
    with open("/run/tmp/ext", "w") as f:
        f.write("subjectAltName=%s\n" % ",".join("email:" + e for e in emails) if emails else "")
    run("openssl", "req", "-nodes", "-newkey", *key, "-subj", subject, "-keyout", path + ".key", "-out", path + ".csr")
    run("openssl", "x509", "-req", "-in", path + ".csr", "-CA", ca + ".crt", "-CAkey", ca + ".key",
        "-days", "30", "-out", path + ".crt", "-extfile", "/run/tmp/ext")
    run("openssl", "x509", "-in", path + ".crt", "-outform", "DER", "-out", path + ".der")
    with open(path + ".der", "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def external(server, certificate, initial="", protocol="imap", version=None):
    context = wire.client_context()
    if version:
        context.maximum_version = version
    if certificate:
        context.load_cert_chain(certificate + ".crt", certificate + ".key")
    t = Talk(server, protocol, tls=False)
    if protocol == "imap":
        t.c.ok("STARTTLS")
    else:
        t.c.send(b"STLS\r\n")
        assert t.c.line().startswith(b"+OK")
    t.c.start_tls(context)
    if protocol == "imap":
        t.told = b"AUTH=EXTERNAL" in b"".join(t.c.ok("CAPABILITY"))
    answer = t.begin("EXTERNAL", initial)
    t.close()
    return answer if protocol == "pop3" else (*answer, t.told)


def test_external():
    ann, bob = user("ann"), user("bob")
    base = "/run/tmp/pki"
    os.makedirs(base, exist_ok=True)
    authority(base + "/ca")
    authority(base + "/other")
    digest = issue(base + "/ca", base + "/ann", "/O=Example, Inc/CN=Ann", "ann@example.org")
    issue(base + "/ca", base + "/bob", "/CN=Bob", "second@example.org", "bob@example.org")
    issue(base + "/ca", base + "/eve", "/CN=Eve", "eve@example.org")
    issue(base + "/other", base + "/fake", "/O=Example, Inc/CN=Ann", "ann@example.org")
    run(TOOL, "passwd", "-e", "sha256:" + digest, ann.name)
    run(TOOL, "passwd", "-e", "email:bob@example.org", bob.name)
    settings = {"tls_client_ca": base + "/ca.crt", "max_failures": "20", "failure_delay": "0s"}
    with Server(**settings) as server:
        for name, who in (("ann", ann), ("bob", bob)):
            mark = log.mark()
            answer = external(server, base + "/" + name)
            assert answer[::2] == ("OK", True), answer
            line = log.wait("login: .*user=%s .*result=ok" % who.name, mark)
            assert "via=EXTERNAL/TLSv1.3" in line, line
            # what is signed in older versions proves no time
            answer = external(server, base + "/" + name, version=ssl.TLSVersion.TLSv1_2)
            assert answer[::2] == ("NO", False), answer
            log.wait('certificate-refused: .*why="it counts with TLS 1.3 only"', mark)
        assert good(external(server, base + "/bob", protocol="pop3"))
        assert external(server, base + "/ann", ann.name)[0] == "OK"
        assert external(server, base + "/ann", bob.name)[0] == "NO"
        mark = log.mark()
        assert external(server, base + "/eve")[::2] == ("NO", True)
        log.wait('why="the certificate is nobody\'s"', mark)
        # of another issuer, or without: everything but EXTERNAL is as usual
        assert external(server, base + "/fake")[::2] == ("NO", False)
        log.wait("certificate-refused: rip=127.0.0.1 proto=imap session=[^ ]+ why=\"unable to get"
                 " local issuer certificate\"", mark)
        mark = log.mark()
        assert external(server, None)[::2] == ("NO", False)
        assert external(server, base + "/bob")[0] == "OK"
        assert not log.find("certificate-refused", mark), "there was none, or a good one"
        assert external(server, base + "/ann", "a\x01b")[0] in ("BAD", "NO")
        # one certificate of two users: the first, or the one that is asked for
        run(TOOL, "passwd", "-e", "subject:CN=Ann,O=Example\\, Inc", bob.name)
        assert external(server, base + "/ann", bob.name)[0] == "OK"
        mark = log.mark()
        assert external(server, base + "/ann")[0] == "OK"
        log.wait("login: .*user=%s " % ann.name, mark)
        curl, = need("curl")
        said = run(curl, "-s", "-S", "-k", "--cert", base + "/bob.crt", "--key", base + "/bob.key",
                   "--login-options", "AUTH=EXTERNAL", "-u", bob.name + ":",
                   "imaps://localhost/", "-X", "NOOP", "-v")
        assert "A002 OK" in said or "OK Logged in" in said, said
    with Server() as server:
        assert external(server, base + "/ann")[::2] == ("NO", False)
    with Server(tls_client_ca="/nonexistent") as server:
        mark = log.mark()
        assert external(server, base + "/ann")[::2] == ("NO", False)
        log.wait("/nonexistent: no certificates there", mark)
    # more than there is room for: nobody is asked for a certificate, and others get in
    with open(base + "/many.crt", "w") as f:
        f.write(open(base + "/ca.crt").read() * 300)
    with Server(tls_client_ca=base + "/many.crt") as server:
        mark = log.mark()
        assert external(server, base + "/ann")[::2] == ("NO", False)
        log.wait("many.crt: no certificates there", mark)
        server.pop3_login(ann).quit()


def test_external_by_any_handshake():
    """Cipher suites of both digests, a second ClientHello, keys of other kinds."""
    who, base = user("kinds"), "/run/tmp/kinds"
    os.makedirs(base, exist_ok=True)
    authority(base + "/ca")
    for name, key in (("ec", ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")),
                      ("rsa", ("rsa:2048",)), ("eddsa", ("ed25519",))):
        issue(base + "/ca", base + "/" + name, "/CN=" + name, "kinds@example.org", key=key)
    run(TOOL, "passwd", "-e", "email:kinds@example.org", who.name)

    def s_client(name, *options):
        mark = log.mark()
        run("openssl", "s_client", "-connect", "localhost:993", "-quiet", "-cert",
            base + "/%s.crt" % name, "-key", base + "/%s.key" % name, *options, ok=None,
            input="a AUTHENTICATE EXTERNAL =\r\nb LOGOUT\r\n")
        return log.wait("login: ", mark)
    with Server(tls_client_ca=base + "/ca.crt", max_failures="20", failure_delay="0s"):
        for options in ((), ("-ciphersuites", "TLS_AES_128_GCM_SHA256"),
                        ("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
                        ("-groups", "P-521:P-256"),
                        ("-groups", "P-521:P-384", "-ciphersuites", "TLS_AES_128_GCM_SHA256")):
            for name in ("ec", "rsa", "eddsa"):
                line = s_client(name, *options)
                assert "user=%s " % who.name in line and "result=ok" in line, (options, line)
    # a server whose signatures would be the same again
    certificate(kind="ed25519")
    try:
        with Server(tls_client_ca=base + "/ca.crt", max_failures="20", failure_delay="0s"):
            line = s_client("ec")
            assert "result=refused" in line and "prove no time" in line, line
    finally:
        certificate()


def test_the_cage_of_the_verifier():
    """It waits for the signer: /proc shows what it may have, beside the link to that."""
    who, base = user("watched"), "/run/tmp/watched"
    os.makedirs(base, exist_ok=True)
    authority(base + "/ca")
    issue(base + "/ca", base + "/it", "/CN=It", "watched@example.org")
    run(TOOL, "passwd", "-e", "email:watched@example.org", who.name)
    context = wire.client_context()
    context.load_cert_chain(base + "/it.crt", base + "/it.key")
    with Server(tls_client_ca=base + "/ca.crt", spare_connections=0):
        c = wire.Imap(wire.connect(PORTS["imaps"]))
        c.start_tls(context)
        c.greeting()
        signer = cages.one("signer")
        os.kill(signer, signal.SIGSTOP)
        try:
            c.sock.sendall(b"x AUTHENTICATE EXTERNAL =\r\n")
            pid = cages.one("x509")
            wait_for(lambda: cages.status(pid)["Seccomp"] == cages.FILTERED, "its cage")
            cages.is_verifier(pid, links=1)
            assert cages.limits(pid)["Max cpu time"] == ["10", "10"]
        finally:
            os.kill(signer, signal.SIGCONT)
        assert c.line().startswith((b"* CAPABILITY", b"x OK"))
        c.close()


def test_external_without_a_daemon():
    """Each connection has a signer of its own, which the verifier asks."""
    who, base = user("alone"), "/run/tmp/alone"
    os.makedirs(base, exist_ok=True)
    authority(base + "/ca")
    issue(base + "/ca", base + "/it", "/CN=It", "alone@example.org")
    run(TOOL, "passwd", "-e", "email:alone@example.org", who.name)
    configure(tls_client_ca=base + "/ca.crt")
    listener = socket.create_server(("127.0.0.1", 2143))
    listener.settimeout(wire.TIMEOUT)
    context = wire.client_context()
    context.load_cert_chain(base + "/it.crt", base + "/it.key")
    ours = socket.create_connection(("127.0.0.1", 2143))
    theirs = listener.accept()[0]
    conn = subprocess.Popen([LIBEXEC + "/conn", "imaps"], stdin=theirs, stdout=theirs, stderr=theirs)
    theirs.close()
    listener.close()
    c = wire.Imap(ours)
    c.start_tls(context)
    assert b"AUTH=EXTERNAL" in c.greeting()
    assert c.command("AUTHENTICATE EXTERNAL =")[0].split()[1] == b"OK"
    wait_for(lambda: not processes("signer"), "the signer to end, though the session goes on")
    c.logout()
    assert conn.wait(wire.TIMEOUT) == 0
    configure()


def test_nothing_of_a_certificate_reaches_root():
    base = "/run/tmp/caged"
    os.makedirs(base, exist_ok=True)
    authority(base + "/ca")
    configure(tls_client_ca=base + "/ca.crt")
    cages.reads_only_in_its_cage("x509", "EXTERNAL")
    configure()


# ---- ANONYMOUS ---------------------------------------------------------------------

def test_anonymous_reads_and_changes_nothing():
    who = user("public")
    who.deliver("Subject: one\n\nhello\n")
    with Server(anonymous_user=who.name, max_failures="20", failure_delay="0s") as server:
        owner = server.imap_login(who)
        owner.ok("CREATE box")
        mark = log.mark()
        t = Talk(server)
        assert b"AUTH=ANONYMOUS" in t.c.welcome
        assert t.begin("ANONYMOUS", "somebody@ex ample.org")[0] == "OK"
        line = log.wait("login: .*user=%s .*result=ok" % who.name, mark)
        assert "via=ANONYMOUS/TLS" in line and "/somebody@ex_ample.org" in line, line
        c = t.c
        answers = c.ok("SELECT INBOX")
        assert b"[READ-ONLY]" in c.command("SELECT INBOX")[0]
        assert any(b"PERMANENTFLAGS ()" in line for line in answers), answers
        assert b"hello" in b"".join(c.ok("FETCH 1 BODY[]"))
        for command in ("STORE 1 FLAGS (\\Seen)", "COPY 1 box", "UID COPY 1 box", "MOVE 1 box",
                        "EXPUNGE", "UID EXPUNGE 1", "CREATE x", "DELETE box", "RENAME box y",
                        "SUBSCRIBE box", "UNSUBSCRIBE box",
                        "SETMETADATA INBOX (/private/comment \"x\")"):
            assert c.command(command)[0].split()[1:3] == [b"NO", b"[NOPERM]"], command
        assert c.command("APPEND INBOX %L", b"x")[0].split()[1:3] == [b"NO", b"[NOPERM]"]
        c.ok("CLOSE")
        c.logout()
        owner.ok("EXAMINE INBOX")
        assert b"FLAGS (\\Recent)" in b"".join(owner.ok("FETCH 1 FLAGS")), "still new to the owner"
        first, second = Talk(server, "pop3"), Talk(server, "pop3")
        for t in (first, second):           # nobody keeps the maildrop from another
            assert good(t.begin("ANONYMOUS", "x"))
            t.c.send(b"DELE 1\r\n")
            assert t.c.line().startswith(b"-ERR")
            t.c.send(b"RETR 1\r\n")
            assert t.c.line().startswith(b"+OK")
            t.close()
        owner.logout()
        t = Talk(server)
        assert t.begin("ANONYMOUS", "\xff" * 1100)[0] == "BAD"
        assert t.begin("ANONYMOUS", "")[0] == "OK"
        t.close()
    with Server() as server:
        t = Talk(server)
        assert b"ANONYMOUS" not in t.c.welcome and t.begin("ANONYMOUS", "")[0] == "NO"
        t.close()


# ---- for another user --------------------------------------------------------------

def test_administrators_act_for_users():
    boss, who, other = member("boss"), user("worker"), user("peer")
    passwd(who)
    expired = user("gone")
    run("usermod", "--expiredate", "1990-01-01", expired.name)
    who.deliver("Subject: of the worker\n\nx\n")

    def plain(authzid, name, password):
        return "%s\0%s\0%s" % (authzid, name, password)
    with Server(administrators="nobody-else %s" % boss.name, max_failures="20",
                failure_delay="0s") as server:
        for protocol in ("imap", "pop3"):
            mark = log.mark()
            t = Talk(server, protocol)
            assert good(t.begin("PLAIN", plain(who.name, boss.name, "of-pam")))
            line = log.wait("login: .*user=%s .*result=ok" % boss.name, mark)
            assert line.endswith(" as=" + who.name), line
            if protocol == "imap":
                t.c.ok("SELECT INBOX")
                assert b"of the worker" in b"".join(t.c.ok("FETCH 1 BODY[HEADER]"))
                assert processes("imap") and all(
                    os.stat("/proc/%d" % pid).st_uid == who.uid for pid in processes("imap"))
            t.close()
        mark = log.mark()
        t = Talk(server)
        assert good(t.scram("SCRAM-SHA-256", boss.name, "pencil", authzid=who.name))
        log.wait("login: .*user=%s .* as=%s" % (boss.name, who.name), mark)
        t.close()
        for name, password, authzid, code, why in (
                (who.name, "secret", other.name, "AUTHORIZATIONFAILED", "somebody else"),
                (who.name, "secret", boss.name, "AUTHORIZATIONFAILED", "somebody else"),
                (boss.name, "wrong", who.name, "AUTHENTICATIONFAILED", ""),
                (boss.name, "of-pam", "root", "AUTHENTICATIONFAILED", "uid 0"),
                (boss.name, "of-pam", "daemon", "AUTHENTICATIONFAILED", "below minimum-uid"),
                (boss.name, "of-pam", "nobody-here", "", ""),
                (boss.name, "of-pam", expired.name, "EXPIRED", ""),
                (boss.name, "of-pam", "a/b", "AUTHENTICATIONFAILED", "such a name")):
            mark = log.mark()
            t = Talk(server)
            kind, said = t.begin("PLAIN", plain(authzid, name, password))
            assert kind == "NO" and said.startswith("[" + code), (name, authzid, said)
            assert why in log.wait("login: .*user=%s " % name, mark)
            t.close()
        for name, password in ((boss.name, "of-pam"), (who.name, "secret")):
            t = Talk(server)
            assert good(t.begin("PLAIN", plain(name, name, password)))
            t.close()
    with Server(failure_delay="0s") as server:
        t = Talk(server)
        assert t.begin("PLAIN", plain(who.name, boss.name, "of-pam"))[1].startswith(
            "[AUTHORIZATIONFAILED]")
        t.close()


# ---- other clients -----------------------------------------------------------------

def test_curl_by_cram_md5():
    curl, = need("curl")
    who = member("curl", "-m", "CRAM-MD5")
    who.deliver("Subject: for curl\n\nx\n")
    with Server(mechanisms=OLD) as server:
        for url in ("imap://localhost/INBOX/;UID=1", "pop3://localhost/1"):
            mark = log.mark()
            said = run(curl, "-s", "-S", "-k", "--ssl-reqd", "--login-options", "AUTH=CRAM-MD5",
                       "-u", who.name + ":pencil", url)
            assert "for curl" in said, said
            assert "via=CRAM-MD5/TLS" in log.wait("login: .*user=%s " % who.name, mark)
        mark = log.mark()
        said = run(curl, "-s", "-S", "-k", "--ssl-reqd", "--login-options", "AUTH=+APOP",
                   "-u", who.name + ":pencil", "pop3://localhost/1")
        assert "for curl" in said and "via=APOP/" in log.wait("login: .*user=%s " % who.name, mark)


MUTT = """set imap_user="%s"
set imap_pass="pencil"
set folder="imaps://localhost/"
set certificate_file="%s/certs"
set ssl_force_tls=yes
set header_cache=""
set quit=yes
set imap_authenticators="scram-sha-256"
"""


def test_mutt_by_scram():
    """By itself this mutt takes -PLUS, for which it has no binding, and then LOGIN."""
    need("mutt", "script")
    who = member("mutt")
    who.deliver("Subject: for mutt\n\nx\n")
    with Server():
        who.file("certs", open("/etc/mailreeve/tls.crt").read())
        rc = who.file("muttrc", MUTT % (who.name, who.home))
        mark = log.mark()
        who.run("script", "-qec", "mutt -n -F %s -f imaps://localhost/INBOX -e 'push "
                "\"<first-entry><flag-message><sync-mailbox><quit>\"'" % rc, "/dev/null",
                stdin=subprocess.DEVNULL)
        line = log.wait("login: .*user=%s " % who.name, mark)
        assert "result=ok" in line and "via=SCRAM-SHA-256/TLS" in line, line
        assert [name for name in os.listdir(who.maildir + "/cur") if "F" in name.split(":")[-1]]


MBSYNC = """IMAPAccount a
Host localhost
User %s
Pass %s
SSLType IMAPS
CertificateFile %s/certs
AuthMechs *

IMAPStore far
Account a

MaildirStore near
Path %s/
Inbox %s/copy

Channel c
Far :far:
Near :near:
Create Near
"""


def test_cyrus_sasl_in_mbsync_takes_the_best():
    need("mbsync")
    who = member("mbsync")
    who.deliver("Subject: for mbsync\n\nx\n")
    with Server(failure_delay="0s"):
        who.file("certs", open("/etc/mailreeve/tls.crt").read())
        for password, result in (("pencils", "refused"), ("pencil", "ok")):
            rc = who.file("mbsyncrc", MBSYNC % ((who.name, password) + 3 * (who.home,)))
            mark = log.mark()
            who.run("mbsync", "-c", rc, "c", ok=(0,) if result == "ok" else (1,))
            line = log.wait("login: .*user=%s " % who.name, mark)
            assert "result=" + result in line and "via=SCRAM-SHA-512/TLS" in line, line
        assert len(os.listdir(who.home + "/copy/cur") + os.listdir(who.home + "/copy/new")) == 1


main(__name__)
