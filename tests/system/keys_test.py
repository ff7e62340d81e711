#!/usr/bin/env python3
"""Keys of TLS: who can read them, renewal, several certificates, resumption, a hostile login."""
import array
import fcntl
import hashlib
import ssl
import struct

from lib import *

CRT, KEY = "/etc/mailreeve/tls.crt", "/etc/mailreeve/tls.key"
TICKETS = "/run/mailreeve/tickets"


def fingerprint(tls=None, name="localhost", port=993):
    """(certificate's SHA-256, resumed, session) of a new connection."""
    tls = tls or wire.client_context()
    s = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), wire.TIMEOUT),
                        server_hostname=name)
    s.recv(1000)                        # the greeting, and tickets before it
    found = hashlib.sha256(s.getpeercert(True)).hexdigest(), s.session_reused, s.session
    s.close()
    return found


def hash_of(path):
    out = run("openssl", "x509", "-in", path, "-outform", "DER", "-out", SCRATCH + "/x.der")
    assert out == ""
    with open(SCRATCH + "/x.der", "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def private_numbers(path):
    """What a process that has the key would have in its memory, in either order of octets."""
    text = run("openssl", "pkey", "-in", path, "-noout", "-text")
    part = re.search(r"(?:priv|prime1):\n((?:\s+[0-9a-f:]+\n)+)", text).group(1)
    raw = bytes.fromhex(re.sub(r"[\s:]", "", part)).lstrip(b"\0")
    return [raw[:16], raw[::-1][:16], raw[-16:], raw[::-1][-16:]]


def memory(pid):
    """All that root can read of a process."""
    found = b""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            words = line.split()
            begin, end = (int(x, 16) for x in words[0].split("-"))
            if words[1].startswith("r") and words[-1] != "[vvar]":
                try:
                    mem.seek(begin)
                    found += mem.read(end - begin)
                except OSError:         # memfd_secret: not even root
                    pass
    return found


def has_key(pid):
    numbers = [n for kind in (KEY,) for n in private_numbers(kind)]
    with open(KEY, "rb") as f:
        numbers.append(f.read().split(b"-----\n")[1][:60])
    text = memory(pid)
    assert len(text) > 100000
    return any(n in text for n in numbers)


def network_sockets(pid):
    inodes = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open("/proc/net/" + table) as f:
            inodes |= {line.split()[9] for line in f}
    fds = [os.readlink("/proc/%d/fd/%s" % (pid, n)) for n in os.listdir("/proc/%d/fd" % pid)]
    return [fd for fd in fds if fd.startswith("socket:") and fd[8:-1] in inodes]


def test_nobody_with_a_network_socket_has_the_key():
    if SANITIZED:
        raise Skip("a sanitizer's shadow is too much to read")
    who = user("key")
    for kind in ("ec", "rsa"):
        certificate(kind=kind)
        with Server(spare_connections=1) as server:
            waiting = server.imap(tls=True)
            session = server.imap_login(who)
            names = processes()
            for name in ("mailreeved", "conn", "login", "imap", "conn-template", "login-template",
                         "signer"):
                assert name in names.values(), name
            for pid, name in names.items():
                if name.startswith("python") or name == "signer":
                    continue
                assert not has_key(pid), name
            signer = list(processes("signer"))[0]
            assert network_sockets(signer) == []
            assert any(network_sockets(pid) for pid in processes("login"))
            session.logout()
            waiting.close()
    os.unlink(CRT), os.unlink(KEY)


def test_the_signer_is_caged():
    with Server():
        signer = wait_for(lambda: list(processes("signer")), "the signer")[0]
        wait_for(lambda: "Seccomp:\t2" in open("/proc/%d/status" % signer).read(), "its cage")
        with open("/proc/%d/status" % signer) as f:
            s = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert s["Uid"].split()[0] != "0" and s["Groups"].split() == []
        assert s["NoNewPrivs"] == "1" and s["CapEff"] == "0000000000000000"
        assert os.readlink("/proc/%d/root" % signer) == LIBEXEC + "/empty"
        assert os.stat("/proc/%d/environ" % signer).st_uid == 0, "it is dumpable"


def put(text, path, mode):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


def text_of(path):
    with open(path) as f:
        return f.read()


def test_renewal_needs_nothing():
    """Within a minute; a connection that began before goes on."""
    who = user("renew")
    with Server(spare_connections=1) as server:
        old = fingerprint()[0]
        assert old == hash_of(CRT)
        c = server.imap_login(who)
        certificate("/etc/mailreeve/new")
        mark = log.mark()
        put(text_of("/etc/mailreeve/new.key"), KEY, 0o600)
        put(text_of("/etc/mailreeve/new.crt"), CRT, 0o644)
        log.wait("keys read: certificates=1 days-left=(29|30)", mark, 60)
        wait_for(lambda: fingerprint()[0] == hash_of(CRT), "the new certificate")
        assert hash_of(CRT) != old
        c.ok("NOOP")
        c.logout()


def test_bad_files_change_nothing():
    who = user("half")
    with Server(spare_connections=1) as server:
        log.wait("keys read", server.log_start)
        good_crt, good_key, old = text_of(CRT), text_of(KEY), hash_of(CRT)
        certificate("/etc/mailreeve/other")
        other_crt, other_key = text_of("/etc/mailreeve/other.crt"), text_of("/etc/mailreeve/other.key")
        for crt, key, why in ((good_crt[:300], good_key, "not a whole one"),
                              (good_crt + other_crt[:300], good_key, "not a whole one"),
                              (other_crt, good_key, "is not the key's"),
                              (good_crt, other_key, "is not the key's"),
                              (good_crt, good_key[:150], "no private key")):
            put(crt, CRT, 0o644)
            put(key, KEY, 0o600)
            mark = server.reload()      # as the look that comes every 20 seconds, at once
            log.wait(why, mark)
            log.wait("the old keys of TLS stay in use", mark)
            assert fingerprint()[0] == old, why
            server.imap_login(who).logout()
        put(good_crt, CRT, 0o644)
        put(good_key, KEY, 0o600)
        mark = server.reload()
        log.wait("keys read", mark)
        assert fingerprint()[0] == old


def test_keys_that_come_later():
    for path in (CRT, KEY):
        if os.path.exists(path):
            os.unlink(path)
    if not os.path.exists("/etc/mailreeve/other.key"):
        certificate("/etc/mailreeve/other")
    server = Server(spare_connections=1)
    os.unlink(CRT), os.unlink(KEY)
    with server:
        assert b"STARTTLS" not in first_line(143)
        certificate()
        mark = server.reload()
        log.wait("keys read", mark)
        wait_for(lambda: b"STARTTLS" in first_line(143), "STARTTLS to be offered")
        assert fingerprint()[0] == hash_of(CRT)


def first_line(port):
    with socket.create_connection(("127.0.0.1", port), wire.TIMEOUT) as s:
        return s.recv(1000)


def test_several_certificates():
    """By name: exact, wildcard, either kind of key, and the first for who names none of them."""
    os.makedirs("/etc/mailreeve/many", exist_ok=True)
    for name, kind in (("one", "ec"), ("two", "rsa")):
        certificate("/etc/mailreeve/many/" + name, "%s.example.org" % name, kind)
    certificate("/etc/mailreeve/wild", "*.example.net", "ec")
    certificate("/etc/mailreeve/both", "one.example.org", "rsa")
    paths = "/etc/mailreeve/%s"
    certificate()
    os.makedirs("/etc/mailreeve/many.crt.d", exist_ok=True)
    os.makedirs("/etc/mailreeve/many.key.d", exist_ok=True)
    for name in ("one", "two"):
        os.rename("/etc/mailreeve/many/%s.crt" % name, "/etc/mailreeve/many.crt.d/%s.crt" % name)
        os.rename("/etc/mailreeve/many/%s.key" % name, "/etc/mailreeve/many.key.d/%s.key" % name)
    with Server(tls_certificate=" ".join(paths % n for n in ("tls.crt", "many.crt.d", "wild.crt", "both.crt")),
                tls_key=" ".join(paths % n for n in ("tls.key", "wild.key", "both.key", "many.key.d"))):
        log.wait("keys read: certificates=5")
        for name, path in (("one.example.org", "many.crt.d/one.crt"), ("two.example.org", "many.crt.d/two.crt"),
                           ("x.example.net", "wild.crt"), ("localhost", "tls.crt"),
                           ("unknown.example.com", "tls.crt"), (None, "tls.crt")):
            assert fingerprint(name=name)[0] == hash_of(paths % path), name
        for kind, path in (("ECDSA", "many.crt.d/one.crt"), ("RSA", "both.crt")):
            tls = wire.client_context()
            tls.maximum_version = ssl.TLSVersion.TLSv1_2
            tls.set_ciphers("ECDHE-%s-AES128-GCM-SHA256" % kind)
            assert fingerprint(tls, "one.example.org")[0] == hash_of(paths % path), kind
        said = run("openssl", "s_client", "-connect", "127.0.0.1:143", "-starttls", "imap",
                   "-servername", "two.example.org", "-brief", input="x LOGOUT\r\n", ok=None)
        assert "CN = two.example.org" in said, said
    listed = run("env", "MAILREEVE_CONFIG=tls-certificate /etc/mailreeve/many.crt.d\n"
                 "tls-key /etc/mailreeve/many.key.d", LIBEXEC + "/signer", "-l")
    assert re.fullmatch("certificate: (29|30) days left, EC: one.example.org\n"
                        "certificate: (29|30) days left, RSA: two.example.org\n", listed), listed


def test_status():
    tool = "/usr/local/bin/mailreeve"
    certificate()
    with Server(spare_connections=1, imap_listen="127.0.0.1:143 127.0.0.1:2143",
                max_connections=77) as server:
        log.wait("keys read")
        held = server.imap()
        said = run(tool, "status")
        assert re.match(r"mailreeved \d+\.\d+\.\d+: pid %d\n"
                        r"connections: 1 of 77, [01] more ready\n" % server.process.pid, said), said
        for line in ("listening: imap 127.0.0.1:2143", "listening: pop3s 0.0.0.0:995"):
            assert line in said.splitlines(), said
        assert re.search(r"\nkeys in use: 1, the first expires in (29|30) days\n"
                         r"certificate: (29|30) days left, EC: localhost\n$", said), said
        assert "for root" in user("curious").run(tool, "status", ok=(77,))
        assert os.stat("/run/mailreeve/status").st_mode & 0o777 == 0o600
        held.close()
    assert "mailreeved: not running" in run(tool, "status", ok=(1,))
    assert "usage:" in run(tool, "status", "x", ok=(64,))


def test_kinds_of_keys():
    """Ed25519, P-384, RSA of 4096 bits, RSA-PSS, each by TLS 1.2 and 1.3."""
    kinds = (("ed25519", "ed25519", []), ("p384", "ec", ["-pkeyopt", "ec_paramgen_curve:secp384r1"]),
             ("rsa4096", "rsa", ["-pkeyopt", "rsa_keygen_bits:4096"]),
             ("pss", "rsa-pss", ["-pkeyopt", "rsa_keygen_bits:2048"]))
    for name, algorithm, options in kinds:
        run("openssl", "req", "-x509", "-nodes", "-newkey", algorithm, *options, "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", "/etc/mailreeve/%s.key" % name, "-out", "/etc/mailreeve/%s.crt" % name)
        with Server(tls_certificate="/etc/mailreeve/%s.crt" % name,
                    tls_key="/etc/mailreeve/%s.key" % name):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                tls = wire.client_context()
                tls.minimum_version = tls.maximum_version = version
                assert fingerprint(tls)[0] == hash_of("/etc/mailreeve/%s.crt" % name), (name, version)


# ---- resumption -----------------------------------------------------------------

def resumes(tls, session, name="localhost", port=993):
    s = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), wire.TIMEOUT),
                        server_hostname=name, session=session)
    s.recv(1000)
    reused = s.session_reused
    s.close()
    return reused


def age_tickets(seconds):
    """As if that time had passed."""
    size = struct.calcsize("=qI64s4x")
    with open(TICKETS, "r+b") as f:
        raw = f.read()
        f.seek(0)
        for i in range(0, len(raw), size):
            made, number, key = struct.unpack("=qI64s4x", raw[i:i + size])
            f.write(struct.pack("=qI64s4x", made - seconds if made else 0, number, key))


def test_resumption_across_processes_and_rotation():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        if os.path.exists(TICKETS):
            os.unlink(TICKETS)
        tls = wire.client_context()
        tls.minimum_version = tls.maximum_version = version
        with Server(spare_connections=0) as server:
            session = fingerprint(tls)[2]
            assert os.stat(TICKETS).st_mode & 0o777 == 0o600
            assert resumes(tls, session), "another login process"
            assert resumes(tls, session, port=995), "another service"
            signers = set(processes("signer"))
            for expected in (True, True, False):
                age_tickets(9 * 3600)
                mark = server.reload()
                log.wait("keys read", mark)
                wait_for(lambda: not signers & set(processes("signer")), "the old signer to go")
                signers = set(processes("signer"))
                assert resumes(tls, session) == expected, "after so many rotations"
        with Server(spare_connections=0) as server:
            session = fingerprint(tls)[2]
        with Server(spare_connections=0) as server:
            assert resumes(tls, session), "another mailreeved"


def behind_handshake():
    """How many records of TLS 1.3 come in one piece when the client is through with it."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = wire.client_context().wrap_bio(into, out)
    with socket.create_connection(("127.0.0.1", 993), wire.TIMEOUT) as s:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                s.sendall(out.read())
                into.write(s.recv(65536))
        s.sendall(out.read())
        raw, records = s.recv(65536), 0
    while raw:
        raw, records = raw[5 + int.from_bytes(raw[3:5], "big"):], records + 1
    return records


def test_one_ticket_comes_with_the_greeting():
    """Unless login was kept from running between the two."""
    with Server():
        found = [behind_handshake() for _ in range(5)]
    assert 2 in found and max(found) == 2, found


def test_resumption_under_inetd():
    need("systemd-socket-activate")
    configure()
    certificate()
    process = start(["systemd-socket-activate", "--accept", "--inetd", "-l", "127.0.0.1:993",
                     LIBEXEC + "/conn", "imaps"])
    try:
        tls = wire.client_context()
        def up():
            try:
                return fingerprint(tls)
            except OSError:
                return None
        found = wait_for(up, "the socket")
        assert found[0] == hash_of(CRT)
        assert resumes(tls, found[2])
        wait_for(lambda: not processes("signer"), "each signer to end with its connection")
    finally:
        process.terminate()
        process.wait(wire.TIMEOUT)


def test_a_lock_that_is_kept_stops_nobody():
    """Whoever has the file of tickets locked for good: connections come, with tickets of their own."""
    os.makedirs(os.path.dirname(TICKETS), exist_ok=True)
    with open(TICKETS, "wb") as f:
        os.chmod(TICKETS, 0o600)
        fcntl.lockf(f, fcntl.LOCK_EX)
        with Server(spare_connections=0) as server:
            log.wait("mailreeve/tickets: Device or resource busy: session tickets are good for this")
            tls = wire.client_context()
            session = fingerprint(tls)[2]
            assert resumes(tls, session), "this signer has them in its memory"
            assert os.stat(TICKETS).st_size == 0
        fcntl.lockf(f, fcntl.LOCK_UN)
    with Server(spare_connections=0) as server:
        assert not resumes(tls, session) and os.stat(TICKETS).st_size > 0


# ---- a hostile login ---------------------------------------------------------------

REQUEST = struct.Struct("=IIII256s")
ANSWER = struct.Struct("=III1024s")
CHAIN, SIGN, TICKET, SIGNED = 1, 2, 3, 4
ECDSA = 0x0403
VERIFY = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + bytes(32)
EXCHANGE = bytes(64) + b"\3\0\x1d\x20" + bytes(32)


class Signer:
    """A real one, and a link as login has it."""

    def __init__(self, hear=True):
        certificate(kind="ec")
        configure()
        self.door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        null = os.open("/dev/null", os.O_RDWR)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                high = [os.dup2(fd, 200 + i) for i, fd in
                        enumerate((null, null, 2, null, null, theirs.fileno()))]
                for i, fd in enumerate(high):
                    os.dup2(fd, i)
                os.closerange(6, 4096)
                os.execve(LIBEXEC + "/signer", ["signer", "65534", "65534"], {})
            finally:
                os._exit(127)
        theirs.close()
        self.door.settimeout(wire.TIMEOUT)
        certificates, days = struct.unpack("=II", self.door.recv(100, 0 if hear else socket.MSG_PEEK))
        assert certificates == 1 and days in (29, 30)

    def link(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.door.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                     array.array("i", [theirs.fileno()]))])
        theirs.close()
        ours.settimeout(wire.TIMEOUT)
        return ours

    def end(self):
        self.door.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def ask(link, kind, data=b"", key=0, scheme=ECDSA, n=None):
    """(good, answer), or None when it hung up."""
    try:
        link.send(REQUEST.pack(kind, key, scheme, len(data) if n is None else n, data))
        raw = link.recv(ANSWER.size)
    except (BrokenPipeError, ConnectionResetError):
        return None
    if not raw:
        return None
    answered, good, size, text = ANSWER.unpack(raw)
    assert answered == kind, raw[:16]
    return good, text[:size]


def test_what_was_signed_is_told_to_whoever_has_the_link():
    """Nothing, or the one signature; of other links nobody hears."""
    signer = Signer()
    link, other = signer.link(), signer.link()
    assert ask(link, SIGNED) == (0, b"")
    good, signature = ask(link, SIGN, VERIFY)
    assert good == 1
    text = b"".join(struct.pack("=I", len(part)) + part
                    for part in (struct.pack("=I", ECDSA), VERIFY, signature))
    witness = hashlib.sha256(text).digest()
    for _ in range(63):
        assert ask(link, SIGNED) == (1, witness)
    assert ask(other, SIGNED) == (0, b"")
    assert ask(link, SIGNED) is None, "once too often"
    other.close()
    assert signer.end() == 0


def test_a_link_outlives_who_brought_it():
    """conn goes without hearing that the signer is ready: what it sent is still good."""
    signer = Signer(hear=False)
    os.kill(signer.pid, signal.SIGSTOP)
    link = signer.link()
    signer.door.close()                 # with something unread: a reset, not an end
    os.kill(signer.pid, signal.SIGCONT)
    good, signature = ask(link, SIGN, VERIFY)
    assert good == 1 and signature
    link.close()
    assert signer.end() == 0


def test_the_signer_signs_handshakes_once():
    signer = Signer()
    for text in (VERIFY, EXCHANGE, VERIFY + bytes(16)):
        link = signer.link()
        good, signature = ask(link, SIGN, text)
        assert good == 1 and len(signature) > 60
        with open(SCRATCH + "/signature", "wb") as f:
            f.write(signature)
        run("sh", "-c", "openssl x509 -in %s -noout -pubkey > %s/public" % (CRT, SCRATCH))
        said = run("openssl", "dgst", "-sha256", "-verify", SCRATCH + "/public",
                   "-signature", SCRATCH + "/signature", input=text)
        assert "Verified OK" in said, said
        assert ask(link, SIGN, text) is None, "a second signature"
    assert signer.end() == 0


def test_the_signer_signs_nothing_else():
    signer = Signer()
    for text in (b"", b"x", bytes(32), hashlib.sha256(b"x").digest(), VERIFY[:-1], VERIFY[1:],
                 VERIFY.replace(b"server", b"client"), VERIFY + bytes(33), EXCHANGE + b"x",
                 EXCHANGE[:-1], EXCHANGE.replace(b"\3", b"\2"), b"\x30\x82" + bytes(200)):
        assert ask(signer.link(), SIGN, text) == (0, b""), text
    for how in (dict(key=1), dict(key=0xffffffff), dict(scheme=0), dict(scheme=0x0804),
                dict(scheme=0x0807), dict(n=257), dict(n=0xffffffff)):
        assert ask(signer.link(), SIGN, VERIFY, **how) == (0, b""), how
    assert signer.end() == 0


def test_a_signer_that_does_not_answer():
    """
    Who began TLS is told in time; the log names who is to blame, and it is no
    client. Another signer takes its place.
    """
    who = user("patient")
    with Server() as server:
        server.imap_login(who).logout()             # the keys are read
        signer, = wait_for(lambda: len(p := processes("signer")) == 1 and p, "one signer")
        mark = log.mark()
        os.kill(signer, signal.SIGSTOP)
        try:
            with socket.create_connection(("127.0.0.1", PORTS["imaps"]), 120) as s:
                try:
                    wire.client_context().wrap_socket(s).close()
                    raise AssertionError("nobody has signed that")
                except OSError:                     # an alert, or no more than the end
                    pass
            log.wait('tls-failed: .*why="the signer does not answer"', mark)
            server.imap_login(who, tls=False).logout()
            log.wait("the signer does not answer: killed", mark, 60)
            wait_for(lambda: signer not in processes("signer"), "its end")
            server.imap_login(who).logout()
        finally:
            if os.path.exists("/proc/%d" % signer):
                os.kill(signer, signal.SIGCONT)


def test_the_signer_hangs_up():
    signer = Signer()
    for kind in (0, 5, 77, 0xffffffff):
        assert ask(signer.link(), kind) is None
    for raw in (b"x", REQUEST.pack(CHAIN, 0, 0, 0, b"")[:-1], REQUEST.pack(CHAIN, 0, 0, 0, b"") + b"x"):
        link = signer.link()
        link.send(raw)
        assert link.recv(2000) == b"", raw
    link = signer.link()
    assert ask(link, CHAIN)[0] == 1
    assert ask(link, CHAIN) is None
    # Who neither asks nor leaves, or does not read, keeps nobody from anything.
    idle = [signer.link() for _ in range(50)]
    for link in idle[:25]:
        link.send(b"")
    assert ask(signer.link(), SIGN, VERIFY)[0] == 1
    for link in idle:
        link.close()
    assert signer.end() == 0


def test_tickets_one_at_a_time():
    """A name that one knows has its keys; of others nothing can be had."""
    signer = Signer()
    link = signer.link()
    good, first = ask(link, TICKET)
    keys, name = first[:64], first[64:]
    assert good == 1 and len(name) == 16
    assert ask(link, TICKET, name) == (1, first)
    other = ask(link, TICKET)[1]
    assert other[64:] != name and other[:64] != keys
    assert ask(link, TICKET, bytes([(name[0] + 77) % 256]) + name[1:]) == (0, b"")
    assert ask(link, TICKET) is None, "a fifth"
    assert ask(signer.link(), TICKET, name[:-1]) == (0, b"")
    with open(TICKETS, "rb") as f:
        assert keys not in f.read()
    assert signer.end() == 0


main(__name__)
