#!/usr/bin/env python3
"""GSSAPI with Kerberos: Debian's KDC, real clients, and some that cheat."""
import base64
import ctypes
import imaplib
import ssl

from lib import *
import cages
import kerberos

try:
    import gssapi
except ImportError:
    print("1..0 # SKIP python3-gssapi is not installed")
    sys.exit(0)

KEYTAB = "/etc/mailreeve/keytab"
SILENT = 'why="verifier did not answer"'


class World:
    """A realm, a keytab, a server; and tickets for a user of the host."""

    def __init__(self, *principals, **settings):
        self.settings = dict({"gssapi_keytab": KEYTAB, "drain_timeout": "0s"}, **settings)
        self.principals = principals or ("imap/localhost", "pop/localhost")

    def __enter__(self):
        self.realm = kerberos.Realm().__enter__()
        try:
            self.realm.keytab(KEYTAB, *self.principals)
            self.server = Server(**self.settings).__enter__()
        except BaseException:
            self.realm.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)
        self.realm.__exit__(*what)

    def user(self, name, principal=None):
        """An account with tickets for its principal; the environment of its programs."""
        who = user(name)
        who.env = self.tickets(who, principal or who.name)
        return who

    def tickets(self, who, principal, options=()):
        self.realm.user(principal)
        env = self.realm.tickets(principal, who.home + "/tickets", options=options)
        who.own(who.home + "/tickets")
        return env


class Client:
    """A client's side of RFC 4752, step by step, for cheating at any of them."""

    def __init__(self, c, env, service="imap@localhost", mutual=True):
        flags = [gssapi.RequirementFlag.integrity]
        if mutual:
            flags += [gssapi.RequirementFlag.mutual_authentication,
                      gssapi.RequirementFlag.out_of_sequence_detection]
        os.environ["KRB5CCNAME"] = env["KRB5CCNAME"]
        self.c = c
        self.context = gssapi.SecurityContext(
            name=gssapi.Name(service, gssapi.NameType.hostbased_service), usage="initiate",
            flags=flags, mech=gssapi.MechType.kerberos)

    def begin(self):
        self.c.sock.sendall(b"x AUTHENTICATE GSSAPI\r\n")
        assert self.c.line() == b"+ \r\n"
        return self.say(self.context.step())

    def say(self, token):
        """The next challenge, or the tagged answer."""
        self.c.sock.sendall(base64.b64encode(token) + b"\r\n")
        line = self.c.line()
        while line.startswith(b"* "):
            line = self.c.line()
        return base64.b64decode(line[2:]) if line.startswith(b"+ ") else line[2:].decode()

    def offer(self):
        """Until the server's offer of security layers, in the clear."""
        challenge = self.begin()
        if not self.context.complete:
            token = self.context.step(challenge)
            challenge = self.say(token or b"")
        return self.context.unwrap(challenge).message

    def finish(self, choice=b"\1\0\0\0", name=b""):
        return self.say(self.context.wrap(choice + name, False).message)


def enter(server, env, name=b"", **how):
    client = Client(server.imap(), env, **how)
    assert client.offer() == b"\1\0\0\0", "no layer, no size"
    return client.finish(name=name)


# ---- large tickets -------------------------------------------------------------

TOKEN_MAX = 65535


def fatten(env, service, size):
    """Put a ticket of about that size into the cache: its size."""
    os.environ["KRB5CCNAME"] = env["KRB5CCNAME"]
    got = ctypes.CDLL(library("fat_ticket", "-lkrb5")).fat_ticket(
        service.encode(), ctypes.c_size_t(size))
    assert got > size, got
    return got


def test_tickets_of_users_with_many_groups():
    """As large as Active Directory's MaxTokenSize of 48,000 lets them be."""
    with World() as w:
        who = w.user("groups")
        who.deliver("Subject: by ticket\n\ntext\n")
        for service in ("imap/localhost", "pop/localhost"):
            print("# %s: %d octets" % (service, fatten(who.env, service, 47000)))
        who.own(who.home + "/tickets")
        assert enter(w.server, who.env).startswith("OK")
        for initial in ([], ["--sasl-ir"]):
            for url in ("imaps://localhost/INBOX;MAILINDEX=1", "pop3s://localhost/1"):
                if initial and url.startswith("pop3"):
                    continue                    # curl loses its way where the line is long
                mark = log.mark()
                said = who.run("curl", "-sS", "--cacert", "/etc/mailreeve/tls.crt", "--negotiate",
                               "--login-options", "AUTH=GSSAPI", "-u", ":", *initial, url,
                               env=who.env)
                assert "Subject: by ticket" in said, said
                line = log.wait("result=ok", mark)
                assert " user=%s " % who.name in line and " via=GSSAPI/TLS" in line


def test_the_last_token_that_is_read():
    """One octet less than the limit, the limit, and one more; also as an initial response."""
    refused, bad = ("NO", "-ERR"), ("BAD", "-ERR")
    with World(max_failures="20") as w:
        for n, answers, judged in ((TOKEN_MAX - 1, refused, True), (TOKEN_MAX, refused, True),
                                   (TOKEN_MAX + 1, bad, False)):
            text = base64.b64encode(b"\x60" * n)
            for protocol, begin, answer in (
                    ("imap", b"x AUTHENTICATE GSSAPI\r\n", b"x " + answers[0].encode()),
                    ("imap", b"x AUTHENTICATE GSSAPI " + text + b"\r\n",
                     b"x " + answers[0].encode()),
                    ("pop3", b"AUTH GSSAPI\r\n", answers[1].encode()),
                    ("pop3", b"AUTH GSSAPI " + text + b"\r\n", answers[1].encode())):
                mark = log.mark()
                c = getattr(w.server, protocol)()
                c.send(begin)
                if len(begin) < 100:
                    assert c.line() == b"+ \r\n"
                    c.send(text + b"\r\n")
                line = c.line()
                assert line.startswith(answer), (n, begin[:40], line)
                if judged:
                    log.wait("result=refused .*no Kerberos ticket that is good here", mark)
                c.close()


# ---- clients -------------------------------------------------------------------

def test_curl():
    need("curl")
    with World() as w:
        who = w.user("curl")
        who.deliver("Subject: by ticket\n\ntext\n")
        for url in ("imaps://localhost/INBOX;MAILINDEX=1", "pop3s://localhost/1"):
            mark = log.mark()
            said = who.run("curl", "-sS", "--cacert", "/etc/mailreeve/tls.crt", "--negotiate",
                           "--login-options", "AUTH=GSSAPI", "-u", ":", url, env=who.env)
            assert "Subject: by ticket" in said, said
            line = log.wait("result=ok", mark)
            assert " user=%s " % who.name in line and " via=GSSAPI/TLS" in line


def test_gsasl():
    need("gsasl")
    with World() as w:
        who = w.user("gsasl")
        for name, want in ((who.name, "ok"), ("root", "not-authorized")):
            mark = log.mark()
            said = who.run("gsasl", "--client", "--imap", "--mechanism", "GSSAPI", "--connect",
                       "localhost:143", "--service", "imap", "--hostname", "localhost",
                       "--authorization-id", name, "--no-starttls", input="x NOOP\r\n",
                       env=who.env, ok=None)
            line = log.wait("login: .* user=%s .*result=" % who.name, mark)
            assert "result=" + want in line and " via=GSSAPI/" in line, line
            assert ("finished (server trusted)" in said) == (want == "ok"), said


def test_mutt():
    need("mutt")
    with World() as w:
        who = w.user("mutt")
        who.deliver("Subject: in mutt\n\ntext\n")
        rc = who.file("muttrc", "set folder=imap://localhost/ imap_authenticators=gssapi\n"
                      "set ssl_starttls=no imap_user=%s\n"
                      "set ssl_force_tls=no quit=yes confirmappend=no confirmcreate=no move=no\n"
                      "set header_cache='' mark_old=no delete=yes\n" % who.name)
        mark = log.mark()
        who.run("script", "-qec", "mutt -n -F %s -f imap://localhost/INBOX -e 'push \"<first-entry>"
                "<flag-message><sync-mailbox><quit>\"'" % rc, "/dev/null",
                stdin=subprocess.DEVNULL, env=who.env)
        assert " via=GSSAPI/cleartext" in log.wait("result=ok", mark)
        assert [n for n in os.listdir(who.maildir + "/cur") if re.search(":2,.*F", n)]


def test_fetchmail():
    need("fetchmail")
    with World() as w:
        who = w.user("fetch")
        who.deliver("Subject: fetched\n\ntext\n")
        out = who.home + "/out"
        rc = who.file("fetchmailrc", "poll localhost proto imap auth gssapi user '%s' is '%s' here "
                      "sslproto '' mda 'cat >> %s'\n" % (who.name, who.name, out), 0o600)
        said = who.run("fetchmail", "-V", "-f", rc, env=who.env, ok=None)
        if "+GSS" not in said:
            raise Skip("fetchmail is built without GSSAPI")
        mark = log.mark()
        who.run("fetchmail", "-f", rc, "--keep", "-N", env=who.env)
        assert " via=GSSAPI/" in log.wait("result=ok", mark)
        with open(out) as f:
            assert "Subject: fetched" in f.read()


def test_python():
    with World() as w:
        who = w.user("python")
        m = imaplib.IMAP4_SSL("localhost", ssl_context=ssl.create_default_context(
            cafile="/etc/mailreeve/tls.crt"))
        os.environ.update(who.env)
        context = gssapi.SecurityContext(
            name=gssapi.Name("imap@localhost", gssapi.NameType.hostbased_service),
            usage="initiate", mech=gssapi.MechType.kerberos)

        def respond(challenge):
            if context.complete:
                context.unwrap(challenge)
                return context.wrap(b"\1\0\0\0", False).message
            return context.step(challenge or None) or b""
        m.authenticate("GSSAPI", respond)
        assert m.select()[0] == "OK"
        m.logout()


# ---- who comes in ----------------------------------------------------------------

def test_names_and_accounts():
    """One component, in the server's realm; who may come in is PAM's and the uid's matter."""
    with World() as w:
        who = w.user("ann")
        for mutual in (True, False):
            for name in (b"", who.name.encode()):
                assert enter(w.server, who.env, name, mutual=mutual).startswith("OK")
        mark = log.mark()
        answer = enter(w.server, who.env, b"bob")
        assert answer.startswith("NO [AUTHORIZATIONFAILED]"), answer
        assert " user=%s " % who.name in log.wait("result=not-authorized", mark)
        for principal, why in (("root", "uid 0 never gets in"), ("daemon", "below minimum-uid"),
                               ("nobodyhere", "")):
            mark = log.mark()
            answer = enter(w.server, w.tickets(who, principal))
            assert answer.startswith("NO [AUTHENTICATIONFAILED]"), (principal, answer)
            assert why in log.wait("user=%s .*result=refused" % principal, mark)
        run("chage", "-E", "1", who.name)
        assert enter(w.server, w.tickets(who, who.name)).startswith("NO [EXPIRED]")


def test_administrators():
    boss = user("boss")
    with World(administrators=boss.name) as w:
        who = w.user("served")
        env = w.tickets(boss, boss.name)
        mark = log.mark()
        assert enter(w.server, env, who.name.encode()).startswith("OK")
        assert " as=%s" % who.name in log.wait("user=%s .*result=ok" % boss.name, mark)
        answer = enter(w.server, who.env, boss.name.encode())
        assert answer.startswith("NO [AUTHORIZATIONFAILED]"), answer


def refused(w, env, why, **how):
    """The first token is not taken."""
    mark = log.mark()
    answer = Client(w.server.imap(), env, **how).begin()
    assert isinstance(answer, str) and answer.startswith("NO [AUTHENTICATIONFAILED]"), answer
    assert 'why="%s' % why in log.wait("login: .*result=refused", mark)


def test_principals_that_are_no_account():
    with World() as w:
        who = w.user("inst")
        refused(w, w.tickets(who, who.name + "/admin"), "principal is no account")


def test_services():
    """A ticket for POP3 is none for IMAP; keys of other services are not used at all."""
    with World("imap/localhost", "pop/localhost", "host/localhost") as w:
        who = w.user("serv")
        bad = "no Kerberos ticket that is good here"
        refused(w, who.env, bad, service="pop@localhost")
        refused(w, who.env, bad, service="host@localhost")
        assert enter(w.server, who.env).startswith("OK")


def test_keys():
    """The keytab is read for each exchange: new keys count, old ones do not."""
    with World() as w:
        who = w.user("keys")
        assert enter(w.server, who.env).startswith("OK")
        old = w.tickets(who, who.name)
        Client(w.server.imap(), old).begin()            # a service ticket of the old key
        w.realm.keytab(KEYTAB, "imap/localhost", "pop/localhost")
        refused(w, old, "no Kerberos ticket that is good here")
        assert enter(w.server, w.tickets(who, who.name)).startswith("OK")


def test_broken_keytabs():
    with World() as w:
        who = w.user("broken")
        with open(KEYTAB, "rb") as f:
            good = f.read()

        def write(raw, mode=0o600):
            with open(KEYTAB, "wb") as f:
                f.write(raw)
            os.chmod(KEYTAB, mode)
        for spoil in (lambda: os.unlink(KEYTAB), lambda: write(b""), lambda: write(good[:10]),
                      lambda: write(b"text\n"), lambda: write(good, 0o644),
                      lambda: w.realm.keytab(KEYTAB, "host/localhost")):
            spoil()
            c, mark = w.server.imap(), log.mark()
            answer = Client(c, who.env).begin()
            assert answer.startswith("NO [UNAVAILABLE]"), answer
            assert SILENT in log.wait("result=unavailable", mark)
            log.wait("mailreeve-gss.*" + KEYTAB, mark)
            c.login(who.name, who.password)
            c.logout()
        write(good)
        assert enter(w.server, who.env).startswith("OK")


# ---- clients that cheat ------------------------------------------------------------

def test_choices_of_a_layer():
    layer = 'why="a security layer was chosen that was not offered"'
    name = 'why="authorization identity is no name"'
    with World(max_failures="20") as w:
        who = w.user("layer")
        rows = [(b"\2\0\0\0", layer), (b"\4\0\xff\xff", layer), (b"\3\0\0\0", layer),
                (b"\0\0\0\0", layer), (b"\1\0\0", layer), (b"", layer),
                (b"\1\0\0\0" + who.name.encode() + b"\0", name), (b"\1\0\0\0\xff", name),
                (b"\1\0\0\0" + b"x" * 1025, name)]
        c = w.server.imap()
        for choice, why in rows:
            mark = log.mark()
            client = Client(c, who.env)
            client.offer()
            answer = client.finish(choice)
            assert answer.startswith("NO [AUTHENTICATIONFAILED]"), (choice, answer)
            line = log.wait("login: .*result=refused", mark)
            assert why in line and " user=%s " % who.name in line
        client = Client(c, who.env)
        client.offer()
        assert client.finish(b"\1\0\xff\xff").startswith("OK"), "a size is no layer"


def test_messages_that_are_not_wrapped():
    last = 'why="last message is not wrapped with the context: '
    with World(max_failures="20") as w:
        who = w.user("wrap")
        c = w.server.imap()
        for cheat in (lambda t: b"", lambda t: b"\1\0\0\0", lambda t: t[:-1],
                      lambda t: t[:-1] + bytes([t[-1] ^ 1]), lambda t: b"x" * 9000):
            mark = log.mark()
            client = Client(c, who.env)
            client.offer()
            answer = client.say(cheat(client.context.wrap(b"\1\0\0\0", False).message))
            assert answer.startswith("NO [AUTHENTICATIONFAILED]"), answer
            assert last in log.wait("login: .*result=refused", mark)
        client = Client(c, who.env)
        mark = log.mark()
        client.begin()
        assert client.say(b"more").startswith("NO ")
        assert 'why="a token behind the last one"' in log.wait("login: .*result=refused", mark)


def test_a_replay_ends_at_the_last_message():
    """Who took a ticket from the wire has not the key that the end is wrapped with."""
    with World() as w:
        who = w.user("replay")
        client = Client(w.server.imap(tls=False), who.env)
        token = client.context.step()
        other = Client(w.server.imap(tls=False), who.env)
        for one in (client, other):
            one.c.sock.sendall(b"x AUTHENTICATE GSSAPI\r\n")
            assert one.c.line() == b"+ \r\n"
        answer = client.say(token)
        client.context.step(answer)
        client.context.unwrap(client.say(b""))
        last = client.context.wrap(b"\1\0\0\0", False).message
        assert client.say(last).startswith("OK")
        assert isinstance(other.say(token), bytes)
        assert isinstance(other.say(b""), bytes)
        assert other.say(last).startswith("NO [AUTHENTICATIONFAILED]")


def test_a_key_that_is_not_fresh_needs_tls():
    """Without mutual authentication all messages of a client could be played again."""
    with World() as w:
        who = w.user("fresh")
        for how in (True, "starttls"):
            client = Client(w.server.imap(tls=how), who.env, mutual=False)
            client.offer()
            assert client.finish().startswith("OK")
        mark = log.mark()
        client = Client(w.server.imap(tls=False), who.env, mutual=False)
        assert client.begin().startswith("NO [AUTHENTICATIONFAILED]")
        line = log.wait("login: .*result=refused", mark)
        assert 'why="no mutual authentication, and no TLS"' in line, line


def test_garbage():
    with World(max_failures="20") as w:
        who = w.user("garbage")
        c = w.server.imap()
        good = Client(c, who.env).context.step()
        tokens = [b"", b"x", b"\x60", b"\x60\x82\xff\xff", good[:-1], good[:40],
                  good[:-1] + bytes([good[-1] ^ 1]), good[:300] + b"xx" + good[302:],
                  b"`\x28\6\6+\6\1\5\5\2", b"\x60\x84\xff\xff\xff\xff" + b"\xff" * 2000]
        for token in tokens:
            mark = log.mark()
            client = Client(c, who.env)
            c.sock.sendall(b"x AUTHENTICATE GSSAPI\r\n")
            assert c.line() == b"+ \r\n"
            answer = client.say(token)
            assert answer.startswith("NO [AUTHENTICATIONFAILED]"), (token, answer)
            log.wait("login: .*result=refused", mark)
        assert "ended by signal" not in "\n".join(log.lines)


# ---- the process -------------------------------------------------------------------

def test_offered_when_configured_and_private():
    with World() as w:
        assert "AUTH=GSSAPI" in w.server.imap().ok("CAPABILITY")[-1].decode()
        assert "GSSAPI" in str(w.server.pop3().ok("CAPA", multi=True))
    with Server() as s:
        assert "GSSAPI" not in s.imap().ok("CAPABILITY")[-1].decode()
        assert s.imap().command("AUTHENTICATE GSSAPI")[0].split()[1] == b"NO"
    with Server(gssapi_keytab=KEYTAB, cleartext_login="no") as s:
        assert "GSSAPI" not in s.imap(tls=False).ok("CAPABILITY")[-1].decode()


def test_the_cage_of_the_verifier():
    with World(spare_connections=0) as w:
        who = w.user("caged")
        client = Client(w.server.imap(), who.env)
        client.offer()
        pid = cages.one("gss")
        cages.is_verifier(pid)
        assert client.finish().startswith("OK")
        wait_for(lambda: not processes("gss"), "the verifier to end")


def test_nothing_of_a_client_reaches_root():
    with World():
        cages.reads_only_in_its_cage("gss", "imap")


def test_cancelling():
    with World() as w:
        who = w.user("cancel")
        c = w.server.imap()
        Client(c, who.env).offer()
        c.sock.sendall(b"*\r\n")
        assert c.line().startswith(b"x BAD ")
        assert enter_on(c, who.env).startswith("OK")


def enter_on(c, env):
    client = Client(c, env)
    client.offer()
    return client.finish()


main(__name__)
