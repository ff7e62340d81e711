#!/usr/bin/env python3
"""OAUTHBEARER and XOAUTH2: signed tokens, read by a process that can do nothing else."""
import base64
import imaplib
import json
import poplib
import ssl

from lib import *
import cages
import offlineimap

try:
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from jwt import algorithms
except ImportError:
    print("1..0 # SKIP python3-jwt or python3-cryptography is not installed")
    sys.exit(0)

KEYS = "/etc/mailreeve/oauth.jwks"
ISSUER = "https://idp.example/realm"
AUDIENCE = "mail"
CONF = {"oauth-keys": KEYS, "oauth-issuer": ISSUER, "oauth-audience": AUDIENCE}
QUICK = {"drain-timeout": "0s"}         # for connections that are left open
KINDS = {
    "RS": (lambda: rsa.generate_private_key(65537, 2048), algorithms.RSAAlgorithm),
    "PS": (lambda: rsa.generate_private_key(65537, 2048), algorithms.RSAAlgorithm),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), algorithms.ECAlgorithm),
    "ES384": (lambda: ec.generate_private_key(ec.SECP384R1()), algorithms.ECAlgorithm),
    "ES512": (lambda: ec.generate_private_key(ec.SECP521R1()), algorithms.ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, algorithms.OKPAlgorithm),
}


class Key:
    """A key of the issuer."""

    def __init__(self, kid, algorithm="ES256"):
        make, self.form = KINDS.get(algorithm) or KINDS[algorithm[:2]]
        self.kid, self.algorithm, self.private = kid, algorithm, make()

    def jwk(self):
        return dict(json.loads(self.form.to_jwk(self.private.public_key())), kid=self.kid,
                    use="sig")

    def token(self, user, headers=None, **claims):
        now = int(time.time())
        all_of_them = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 300, "iat": now,
                       "sub": "u-1234", "preferred_username": user}
        all_of_them.update(claims)
        return jwt.encode({k: v for k, v in all_of_them.items() if v is not None}, self.private,
                          self.algorithm, headers=dict({"kid": self.kid}, **headers or {}))


def publish(*keys, mode=0o644):
    """The issuer's keys, as a new file."""
    os.makedirs(os.path.dirname(KEYS), exist_ok=True)
    with open(KEYS + ".new", "w") as f:
        json.dump({"keys": [k.jwk() for k in keys]}, f)
    os.chmod(KEYS + ".new", mode)
    os.rename(KEYS + ".new", KEYS)


KEY = Key("first")


def server(*keys, **settings):
    publish(*(keys or (KEY,)))
    return Server(**{k.replace("-", "_"): v for k, v in dict(CONF, **QUICK, **settings).items()})


def bearer(token, name=None, **pairs):
    gs2 = "n,a=%s," % name.replace("=", "=3D").replace(",", "=2C") if name else "n,,"
    return "\1".join([gs2] + ["%s=%s" % p for p in pairs.items()] +
                     ["auth=Bearer " + token, "", ""])


def xoauth2(token, name):
    return "user=%s\1auth=Bearer %s\1\1" % (name, token)


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def authenticate(c, message, mechanism="OAUTHBEARER"):
    """The tagged answer's words behind the tag, and the error that came before it."""
    c.sock.sendall(("x AUTHENTICATE %s %s\r\n" % (mechanism, b64(message))).encode())
    error, line = None, c.line()
    if line.startswith(b"+ "):
        error = json.loads(base64.b64decode(line[2:]))
        c.sock.sendall(("%s\r\n" % b64("\1" if mechanism == "OAUTHBEARER" else "")).encode())
        line = c.line()
    while not line.startswith(b"x "):
        line = c.line()
    return line[2:].rstrip(b"\r\n").decode(), error


def sasl_of(c):
    return {w[5:] for w in c.ok("CAPABILITY")[-1].decode().split() if w.startswith("AUTH=")}


# ---- clients -------------------------------------------------------------------

def test_curl():
    need("curl")
    who = user("curl")
    who.deliver("Subject: by token\n\ntext\n")
    for option in ("OAUTHBEARER", "XOAUTH2"):
        with server(mechanisms="PLAIN " + option) as s:
            for url in ("imaps://localhost/INBOX;MAILINDEX=1", "pop3s://localhost/1"):
                mark = log.mark()
                said = who.run("curl", "-sS", "--cacert", "/etc/mailreeve/tls.crt",
                               "-u", who.name + ":",
                               "--oauth2-bearer", KEY.token(who.name), url)
                assert "Subject: by token" in said, said
                assert " via=%s/TLS" % option in log.wait("result=ok", mark)
            said = who.run("curl", "-sS", "--cacert", "/etc/mailreeve/tls.crt", "-u",
                           who.name + ":", "--oauth2-bearer", Key("first").token(who.name),
                           "imaps://localhost/", ok=(67,))
            assert "denied" in said, said


def context():
    return ssl.create_default_context(cafile="/etc/mailreeve/tls.crt")


def test_python():
    who = user("python")
    with server():
        for how, message in (("OAUTHBEARER", bearer(KEY.token(who.name), who.name)),
                             ("XOAUTH2", xoauth2(KEY.token(who.name), who.name))):
            m = imaplib.IMAP4_SSL("localhost", ssl_context=context())
            m.authenticate(how, lambda _: message.encode())
            assert m.select()[0] == "OK"
            m.logout()
            p = poplib.POP3_SSL("localhost", context=context())
            assert "OAUTHBEARER" in p.capa()["SASL"] and "XOAUTH2" in p.capa()["SASL"]
            p._putcmd("AUTH " + how)
            assert p._getline()[0] == b"+ "
            p._shortcmd(b64(message))
            assert p.stat() == (0, 0)
            p.quit()


CA = "/etc/mailreeve/tls.crt"


def mutts(program):
    """The token comes from a command; the message gets a flag, and loses it again."""
    need(program, "script")
    who = user(program)
    who.deliver("Subject: one\n\ntext\n")
    with server() as s:
        for how in ("oauthbearer", "xoauth2"):
            who.file("token", KEY.token(who.name) + "\n")
            rc = who.file("rc", "set folder=imaps://localhost/ imap_authenticators=%s\n"
                          "set imap_user=%s imap_oauth_refresh_command='cat %s/token'\n"
                          "set certificate_file=%s/certs quit=yes mark_old=no move=no\n"
                          "set header_cache='' confirmcreate=no\n"
                          % (how, who.name, who.home, who.home))
            who.file("certs", open(CA).read())
            mark = log.mark()
            who.run("script", "-qec", "%s -n -F %s -f imaps://localhost/INBOX -e 'push "
                    "\"<first-entry><flag-message><sync-mailbox><quit>\"'" % (program, rc),
                    "/dev/null", stdin=subprocess.DEVNULL)
            assert " via=%s/TLS" % how.upper() in log.wait("result=ok", mark)
            flagged = [n for n in os.listdir(who.maildir + "/cur") if re.search(":2,.*F", n)]
            assert bool(flagged) == (how == "oauthbearer"), flagged


def test_mutt():
    mutts("mutt")


def test_neomutt():
    mutts("neomutt")


MPOP = """account default
host localhost
user %s
auth %s
passwordeval cat %s/token
tls on
tls_starttls off
tls_trust_file %s
keep on
uidls_file %s/uidls
delivery maildir %s/got
"""


def test_mpop():
    need("mpop")
    who = user("mpop")
    who.deliver("Subject: fetched\n\ntext\n")
    with server():
        for how in ("oauthbearer", "xoauth2"):
            who.run("sh", "-c", "rm -rf got uidls; mkdir -p got/cur got/new got/tmp")
            rc = who.file(".mpoprc", MPOP % (who.name, how, who.home, CA, who.home, who.home))
            who.file("token", KEY.token(who.name) + "\n")
            who.run("mpop", "-q", "-C", rc)
            assert len(os.listdir(who.home + "/got/new")) == 1
            who.file("token", Key("first").token(who.name) + "\n")
            mark = log.mark()
            said = who.run("mpop", "-q", "-C", rc, ok=None)
            assert "authentication failed" in said, said
            assert "not signed by" in log.wait("via=%s.*|result=refused" % how.upper(), mark)


def test_offlineimap():
    need("offlineimap")
    who = user("offline")
    who.deliver("Subject: fetched\n\ntext\n")
    with server():
        mark = log.mark()
        offlineimap.synchronize(who, "auth_mechanisms = XOAUTH2\n"
                                "oauth2_request_url = https://idp.invalid/\n"
                                "oauth2_access_token = " + KEY.token(who.name))
        assert " via=XOAUTH2/TLS" in log.wait("result=ok", mark)
        assert os.listdir(who.home + "/local/INBOX/new") or os.listdir(who.home + "/local/INBOX/cur")


GETMAIL = """[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
username = %s
use_xoauth2 = true
password_command = ("cat", "%s/token")
ca_certs = %s
[destination]
type = Maildir
path = %s/got/
[options]
read_all = true
delete = false
verbose = 0
"""


def test_getmail():
    need("getmail")
    who = user("getmail")
    who.deliver("Subject: fetched\n\ntext\n")
    with server():
        who.run("sh", "-c", "mkdir -p got/cur got/new got/tmp .getmail")
        who.file(".getmail/getmailrc", GETMAIL % (who.name, who.home, CA, who.home))
        who.file("token", KEY.token(who.name) + "\n")
        mark = log.mark()
        who.run("getmail", "--getmaildir", who.home + "/.getmail")
        assert " via=XOAUTH2/TLS" in log.wait("result=ok", mark)
        assert len(os.listdir(who.home + "/got/new")) == 1


def test_pop3_is_told_the_same():
    who = user("poperr")
    with server() as s:
        c = s.pop3()
        c.sock.sendall(b"AUTH OAUTHBEARER\r\n")
        assert c.line() == b"+ \r\n"
        c.sock.sendall(b64(bearer("x.y.z", who.name)).encode() + b"\r\n")
        assert json.loads(base64.b64decode(c.line()[2:]))["status"] == "invalid_token"
        c.sock.sendall(b"AQ==\r\n")
        assert c.line().startswith(b"-ERR [AUTH] ")
        c.quit()


# ---- tokens --------------------------------------------------------------------

def test_each_algorithm():
    who = user("algs")
    names = [a + n for a in ("RS", "PS", "ES") for n in ("256", "384", "512")] + ["EdDSA"]
    keys = [Key("k" + n, n) for n in names]
    with server(*keys) as s:
        for key in keys:
            answer, _ = authenticate(s.imap(), bearer(key.token(who.name)))
            assert answer.startswith("OK"), (key.algorithm, answer)


def refusals(who):
    now = int(time.time())
    good, other = KEY.token(who.name), Key("first")
    body = good.split(".")
    none = b64(json.dumps({"alg": "none"})).rstrip("=") + "." + body[1] + "."
    hmac = jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "exp": now + 300, "sub": who.name},
                      json.dumps(KEY.jwk()), "HS256", headers={"kid": "first"})
    unsigned = "token is not signed by a key of oauth-keys"
    return [
        (KEY.token(who.name, iss=ISSUER + "x"), "token is not of oauth-issuer"),
        (KEY.token(who.name, iss=None), "token is not of oauth-issuer"),
        (KEY.token(who.name, aud="imap"), "token is not for oauth-audience"),
        (KEY.token(who.name, aud=["imap", "mailx"]), "token is not for oauth-audience"),
        (KEY.token(who.name, exp=now - 61), "token has expired"),
        (KEY.token(who.name, exp=None), "token does not say when it expires"),
        (KEY.token(who.name, nbf=now + 100), "token is not valid yet"),
        (KEY.token(who.name, iat=now + 100), "token is from the future"),
        (KEY.token(who.name, cnf={"jkt": "x"}), "token is no bearer token"),
        (KEY.token("a\nb"), "token names no account"),
        (KEY.token(who.name, {"kid": "second"}), unsigned),
        (other.token(who.name), unsigned),
        (".".join([body[0], body[1], body[2][:-4]]), unsigned),
        (".".join([body[0], other.token("root").split(".")[1], body[2]]), unsigned),
        (KEY.token(who.name, {"crit": ["x"]}), "token has an extension that is not known"),
        (KEY.token(who.name, {"typ": "dpop+jwt"}), "token is of a type that is for something else"),
        (none, "token is no signed JWT"),
        (none + "e30", "token has no algorithm that is permitted"),
        (hmac, "token has no algorithm that is permitted"),
        ("x", "token is no signed JWT"),
        ("e30.e30.e30", "token has no algorithm that is permitted"),
        ("W10.e30.e30", "token is no signed JWT"),
        (b64("[" * 3000).rstrip("=") + ".e30.e30", "token is no signed JWT"),
    ]


def test_refused_tokens():
    who = user("refused")
    with server(max_failures="20") as s:
        c = s.imap()
        for token, why in refusals(who)[:19]:
            mark = log.mark()
            answer, error = authenticate(c, bearer(token, who.name))
            assert answer.startswith("NO [AUTHENTICATIONFAILED] "), (why, answer)
            assert error == {"status": "invalid_token", "scope": "openid", "openid-configuration":
                             ISSUER + "/.well-known/openid-configuration"}, error
            line = log.wait("result=", mark)
            assert ' user=%s ' % who.name in line and 'result=refused' in line, line
            assert 'why="%s"' % why in line, (why, line)
        c.logout()
        c = s.imap()
        for token, why in refusals(who)[19:]:
            mark = log.mark()
            answer, error = authenticate(c, xoauth2(token, who.name), "XOAUTH2")
            assert answer.startswith("NO [AUTHENTICATIONFAILED] "), (why, answer)
            assert error == {"status": "401", "schemes": "bearer", "scope": "openid"}, error
            assert 'why="%s"' % why in log.wait("result=refused", mark)
        c.logout()


def test_messages_of_another_form():
    who = user("form")
    with server(max_failures="20") as s:
        c = s.imap()
        for text in ("x", "\1", "n,,\1\1", "n,,\1auth=Bearer x", "p=x,,\1auth=Bearer x\1\1",
                     "user=%s\1auth=Bearer x\1\1" % who.name):
            mark = log.mark()
            answer, error = authenticate(c, text)
            assert answer.startswith("NO "), answer
            assert error["status"] == "invalid_request", error
            assert 'why="no message of this mechanism"' in log.wait("result=refused", mark)
        answer, error = authenticate(c, "n,a=%s,\1auth=\1\1" % who.name)
        assert answer.startswith("NO ") and error["status"] == "invalid_token"


def test_cancelling_is_a_refusal_too():
    """RFC 7628 section 4.3; and one who goes away then has failed as well."""
    who = user("cancel")
    with server() as s:
        for end in (b"*\r\n", b"not base64\r\n", None):
            c, mark = s.imap(), log.mark()
            c.sock.sendall(b"x AUTHENTICATE OAUTHBEARER %s\r\n"
                           % b64(bearer("x.y.z", who.name)).encode())
            assert c.line().startswith(b"+ ")
            if end:
                c.sock.sendall(end)
                assert c.line().startswith(b"x NO [AUTHENTICATIONFAILED]")
                c.ok("NOOP")
            c.close()
            assert " user=%s " % who.name in log.wait("result=refused", mark)
        assert not wait_for(lambda: not processes("token"), "verifiers to end") is None


def test_size_of_tokens():
    """In the command's line, in a line of its own, and one too large for that."""
    who = user("size")
    with server() as s:
        answer, _ = authenticate(s.imap(), bearer(KEY.token(who.name, x="y" * 3500), who.name))
        assert answer.startswith("OK"), answer
        for size, want in ((7000, b"x OK "), (48000, b"x OK "), (50000, b"x BAD ")):
            c = s.imap()
            c.sock.sendall(b"x AUTHENTICATE OAUTHBEARER\r\n")
            assert c.line() == b"+ \r\n"
            c.sock.sendall(b64(bearer(KEY.token(who.name, x="y" * size))).encode() + b"\r\n")
            line = c.line()
            while not line.startswith(b"x "):
                line = c.line()
            assert line.startswith(want), (size, line)
            c.close()


# ---- who comes in ----------------------------------------------------------------

def test_the_user_asked_for():
    who, other = user("asked"), user("notasked")
    with server() as s:
        for name in (None, who.name):
            answer, _ = authenticate(s.imap(), bearer(KEY.token(who.name), name))
            assert answer.startswith("OK"), answer
        answer, _ = authenticate(s.imap(), bearer(KEY.token(None, sub=who.name)))
        assert answer.startswith("OK"), answer
        for how, message in (("OAUTHBEARER", bearer), ("XOAUTH2", xoauth2)):
            mark = log.mark()
            answer, _ = authenticate(s.imap(), message(KEY.token(who.name), other.name), how)
            assert answer.startswith("NO [AUTHORIZATIONFAILED]"), answer
            line = log.wait("result=not-authorized", mark)
            assert " user=%s " % who.name in line and "wants to act as somebody else" in line


def test_administrators():
    """Whom `administrators` names may act for another, by token as by password."""
    boss, who = user("boss"), user("served")
    with server(administrators=boss.name) as s:
        for how, message in (("OAUTHBEARER", bearer), ("XOAUTH2", xoauth2)):
            mark = log.mark()
            answer, _ = authenticate(s.imap(), message(KEY.token(boss.name), who.name), how)
            assert answer.startswith("OK"), answer
            line = log.wait("result=ok", mark)
            assert " user=%s " % boss.name in line and " as=%s" % who.name in line, line
            answer, _ = authenticate(s.imap(), message(KEY.token(who.name), boss.name), how)
            assert answer.startswith("NO [AUTHORIZATIONFAILED]"), answer


def test_account_phase_and_uids():
    who = user("locked")
    run("chage", "-E", "1", who.name)
    with server(failure_delay="0s") as s:
        for name, want in ((who.name, "NO [EXPIRED]"), ("root", "NO [AUTHENTICATIONFAILED]"),
                           ("daemon", "NO [AUTHENTICATIONFAILED]"),
                           ("nobodyhere", "NO [AUTHENTICATIONFAILED]"),
                           ("a/b", "NO [AUTHENTICATIONFAILED]")):
            answer, _ = authenticate(s.imap(), bearer(KEY.token(name)))
            assert answer.startswith(want), (name, answer)


# ---- configuration ---------------------------------------------------------------

def test_offered_when_configured_and_private():
    names = {"OAUTHBEARER", "XOAUTH2"}
    with server() as s:
        assert names <= sasl_of(s.imap())
    with server(cleartext_login="no") as s:
        c = s.imap(tls=False)
        assert not sasl_of(c), "without TLS"
        c.starttls()
        assert names <= sasl_of(c)
    with Server(drain_timeout="0s") as s:
        c = s.imap()
        assert not names & sasl_of(c)
        assert c.command("AUTHENTICATE OAUTHBEARER")[0].split()[1] == b"NO"
        assert "OAUTHBEARER" not in str(s.pop3().ok("CAPA", multi=True))
    for missing in CONF:
        configure(**{k.replace("-", "_"): v for k, v in CONF.items() if k != missing})
        assert "set all three" in run(MAILREEVED, "-t", ok=(78,)), missing
    with server(mechanisms="PLAIN XOAUTH2") as s:
        assert sasl_of(s.imap()) == {"PLAIN", "XOAUTH2"}


def test_keys_are_read_anew():
    who = user("rotate")
    old, new = Key("old"), Key("new", "EdDSA")
    with server(old) as s:
        def enters(key):
            return authenticate(s.imap(), bearer(key.token(who.name)))[0].startswith("OK")
        assert enters(old) and not enters(new)
        publish(old, new)
        assert enters(old) and enters(new)
        publish(new)
        assert enters(new) and not enters(old)
        with open(KEYS, "a") as f:              # as large as it may be
            f.write(" " * ((256 << 10) - f.tell()))
        assert enters(new)


def broken_files():
    def write(text, mode=0o644):
        with open(KEYS, "wb") as f:
            f.write(text)
        os.chmod(KEYS, mode)
    good = json.dumps({"keys": [KEY.jwk()]}).encode()
    yield "missing", lambda: os.unlink(KEYS)
    yield "empty", lambda: write(b"")
    yield "half", lambda: write(good[:-5])
    yield "no set", lambda: write(b"[]")
    yield "no keys", lambda: write(b'{"keys": 7}')
    yield "too large", lambda: write(good.ljust((256 << 10) + 1))
    yield "writable", lambda: write(good, 0o666)


def test_broken_keys():
    """Tokens cannot be judged then; passwords can, and the log says what is wrong."""
    who = user("broken")
    for name, spoil in broken_files():
        with server() as s:
            spoil()
            c, mark = s.imap(), log.mark()
            answer, _ = authenticate(c, bearer(KEY.token(who.name)))
            assert answer.startswith("NO [UNAVAILABLE]"), (name, answer)
            log.wait("mailreeve-token.*oauth", mark)
            assert 'why="verifier did not answer"' in log.wait("result=unavailable", mark)
            c.login(who.name, who.password)
            c.logout()
            publish(KEY)
            assert authenticate(s.imap(), bearer(KEY.token(who.name)))[0].startswith("OK")


# ---- the process -------------------------------------------------------------------

def test_the_cage_of_the_verifier():
    who = user("caged")
    with server(spare_connections=0) as s:
        c = s.imap()
        c.sock.sendall(b"x AUTHENTICATE OAUTHBEARER %s\r\n" % b64(bearer("x.y.z")).encode())
        assert c.line().startswith(b"+ ")
        pid = cages.one("token")
        cages.is_verifier(pid)
        assert cages.limits(pid)["Max cpu time"] == ["10", "10"]
        os.kill(pid, signal.SIGKILL)
        mark = log.mark()
        c.sock.sendall(b"AQ==\r\n")
        assert c.line().startswith(b"x NO [UNAVAILABLE]")
        log.wait("token \\d+ ended by signal 9", mark)
        c.login(who.name, who.password)
        c.logout()


def test_nothing_of_a_client_reaches_root():
    configure(**{k.replace("-", "_"): v for k, v in CONF.items()})
    publish(KEY)
    cages.reads_only_in_its_cage("token", "OAUTHBEARER")


HOSTILE = """#!/usr/bin/python3 -IS
import os, socket, struct, sys
s = socket.socket(fileno=3)
while len(size := s.recv(4, socket.MSG_WAITALL)) == 4:
    s.recv(*struct.unpack("I", size), socket.MSG_WAITALL)
    def answer(verdict, challenge=b"", user=b"", authzid=b"", why=b"", counts=None):
        texts = [challenge, user, authzid, why]
        counts = counts or [len(t) for t in texts]
        s.sendall(struct.pack("I", verdict) + b"".join(
            struct.pack("H1024s", n, t) for n, t in zip(counts, texts)))
    %s
"""

NONSENSE = 'why="verifier made no sense"'
SILENT = 'why="verifier did not answer"'


def test_hostile_verifiers():
    """conn believes no more of an answer than what it can be."""
    who = user("hostile")
    unfit = "NO [UNAVAILABLE]", "result=unavailable", NONSENSE
    silent = "NO [UNAVAILABLE]", "result=unavailable", SILENT
    no = "NO [AUTHENTICATIONFAILED]", "result=refused"
    rows = [
        ("answer(2, user=b'%s')" % who.name, "OK", "result=ok", 'why=""'),
        ("answer(2, user=b'root')",) + no + ('why="uid 0 never gets in"',),
        ("answer(2, user=b'x' * 255)",) + no + ("user=xxx",),
        ("answer(2, user=b'x' * 256)",) + unfit, ("answer(2)",) + unfit,
        ("answer(2, user=b'%s\\0')" % who.name,) + unfit,
        ("answer(2, user=b'%s', authzid=b'bob')" % who.name, "NO [AUTHORIZATIONFAILED]",
         "result=not-authorized", "wants to act"),
        ("answer(2, user=b'%s', counts=[0, 4, 1025, 0])" % who.name,) + unfit,
        ("answer(2, user=b'%s', counts=[0, 65535, 0, 0])" % who.name,) + unfit,
        ("answer(1, counts=[1025, 0, 0, 0])",) + unfit,
        ("answer(0)",) + unfit, ("answer(4)",) + unfit, ("answer(0xffffffff)",) + unfit,
        ("answer(3, why=b'it is so', user=b'x y')",) + no + ('why="it is so"',),
        ("answer(3, why=b'a\" rip=10.0.0.1 why=\"')",) + no + ('why="verifier gave no reason"',),
        ("answer(3, why=b'a\\nb')",) + no + ('why="verifier gave no reason"',),
        ("answer(3, why=b'a' * 121)",) + no + ('why="verifier gave no reason"',),
        ("answer(3, counts=[0, 0, 0, 60000])",) + no + ('why="verifier gave no reason"',),
        ("s.sendall(b'\\2\\0\\0\\0' + b'\\0' * 4103); os._exit(0)",) + silent,
        ("os._exit(0)",) + silent,
        ("os.abort()",) + silent,
    ]
    with server(max_failures="20") as s, Replaced("token") as path:
        for body, want, result, detail in rows:
            install(path, body)
            mark = log.mark()
            answer, _ = authenticate(s.imap(), bearer("x"))
            assert answer.startswith(want), (body, answer)
            line = log.wait("login: .*" + result, mark)
            assert detail in line and line.count(" rip=") == 1, (body, line)
        slow(s, path, who)


class Replaced:
    """A verifier is away; it comes back."""

    def __init__(self, name):
        self.path = LIBEXEC + "/" + name

    def __enter__(self):
        os.rename(self.path, self.path + ".real")
        return self.path

    def __exit__(self, *what):
        os.rename(self.path + ".real", self.path)


def install(path, body):
    with open(path, "w") as f:
        f.write(HOSTILE % body)
    os.chmod(path, 0o755)


def slow(s, path, who):
    """One that never answers, and one that does not end after its answer."""
    install(path, "import time; time.sleep(1000)")
    c = s.imap()
    begun = time.monotonic()
    answer, _ = authenticate(c, bearer("x"))
    assert answer.startswith("NO [UNAVAILABLE]") and 9 < time.monotonic() - begun < 25, answer
    assert not processes("token")
    install(path, "answer(3); import time; time.sleep(1000)")
    mark = log.mark()
    answer, _ = authenticate(c, bearer("x"))
    assert answer.startswith("NO [AUTHENTICATIONFAILED]"), answer
    log.wait("token does not end: killed", mark)
    c.login(who.name, who.password)
    c.logout()


def test_a_verifier_that_is_not_there():
    who = user("gone")
    with server() as s, Replaced("token"):
        mark = log.mark()
        answer, _ = authenticate(s.imap(), bearer(KEY.token(who.name)))
        assert answer.startswith("NO [UNAVAILABLE]"), answer
        log.wait("cannot start .*/token: No such file", mark)
        assert "token: No such file or directory: install it" in run(MAILREEVED, "-t", ok=(78,))


main(__name__)
