#!/usr/bin/env python3
"""Bad input from outside, on the whole server: strangers at each port, and users
who have logged in and mean harm. Others are served meanwhile, memory and time stay
within bounds, and the log gets one line each."""
import ctypes
import ctypes.util
import ssl
import struct
import threading
import zlib

from lib import *

CLEAR, ENCRYPTED = ("imap", "pop3"), ("imaps", "pop3s")
SLOW = 5 if SANITIZED else 1
# Resident memory of one process, in KB; a sanitizer's shadow counts too.
LOGIN_PEAK, SESSION_PEAK = 16 << 10, 64 << 10
UNTIL_CLOSED = 20


def small(pid, limit):
    assert SANITIZED or peak(pid) < limit, "%d KB" % peak(pid)


class Neighbour(threading.Thread):
    """Somebody else elsewhere, who logs in and reads mail all the time. None of it may
    fail or be slow."""

    address = ("127.0.0.2", 0)

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.who = server, user("neighbour")
        self.over, self.settled = threading.Event(), threading.Event()
        self.error, self.slowest, self.rounds = None, 0, 0

    def run(self):
        try:
            while not self.over.is_set():
                self.visit()
        except BaseException as error:
            self.error = error
        self.settled.set()

    def visit(self):
        c = self.server.imap_login(self.who, source=self.address)
        for _ in range(25):
            begun = time.monotonic()
            c.ok("STATUS INBOX (MESSAGES)")
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.rounds += 1
            self.settled.set()
            if self.over.wait(0.02):
                break
        c.logout()

    def __enter__(self):
        self.start()
        self.settled.wait(60)
        return self

    def __exit__(self, kind, error, trace):
        self.over.set()
        self.join(60)
        if kind is None:
            if self.error:
                raise self.error
            assert self.rounds > 0 and self.slowest < 10 * SLOW, \
                "%d commands, the slowest took %.1f s" % (self.rounds, self.slowest)
            self.server.imap_login(self.who, source=self.address).logout()
            self.server.pop3_login(self.who, source=self.address).quit()


def open_port(service):
    s = socket.create_connection(("127.0.0.1", PORTS[service]), wire.TIMEOUT)
    s.settimeout(wire.TIMEOUT)
    return s


def everything(s, limit=UNTIL_CLOSED):
    """What comes until the server closes, which it must do in time."""
    got, end = b"", time.monotonic() + limit * SLOW
    while True:
        assert time.monotonic() < end, "still open; said %r" % got[-200:]
        try:
            more = s.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            return got
        if not more:
            return got
        got += more


def throw(s, raw):
    """Send, whether or not the other side still listens."""
    try:
        s.sendall(raw)
    except (OSError, ssl.SSLError):
        pass


def hang_up(s):
    """No more will be sent."""
    try:
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def encrypted(service):
    return wire.client_context().wrap_socket(open_port(service))


def about(lines):
    """Lines of the log that are about strangers."""
    return [line for line in lines if re.search(r"\]: (bad-input|tls-failed|timeout): ", line)]


def one_line(mark, why, what):
    """The log has exactly one line about it, and it says why."""
    wait_for(lambda: about(log.lines[mark:]), "a line about %r" % what)
    lines = about(log.lines[mark:])
    assert len(lines) == 1 and re.search(why, lines[0]), (what, lines)
    assert "rip=127.0.0.1 " in lines[0] and " session=" in lines[0], lines


def strangers_gone():
    """Only spares are left, and what the neighbour has or is about to have."""
    wait_for(lambda: len(processes("conn")) <= 3 and len(processes("login")) <= 4,
             "the strangers' processes to end", 30)


# ---- strangers: what ends the connection --------------------------------------------

TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500
FATAL = {
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n": "HTTP",
    b"POST /mail HTTP/1.1\r\nContent-Length: 30\r\n\r\na LOGIN root root\r\n": "HTTP",
    b"EHLO mail.example.org\r\nMAIL FROM:<x@example.org>\r\n": "SMTP",
    b"SSH-2.0-OpenSSH_9.2\r\n": "SSH",
    TLS_HELLO: "TLS",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 143\r\n": "PROXY",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12): "PROXY|NUL",
    b"a NO\0OP\r\n": "NUL",
    b"\0" * 100: "NUL",
    b"x" * 10000: "too-long",
    b"x" * 100000 + b"\r\n": "too-long",
    b"a" * 3000 + b" NOOP\r\n" * 100000: "too-long|bad-commands",
    b"\x80\xff\xfe\r\n" * 10: "bad-commands",
    b"XYZZY\r\n" * 10: "bad-commands",
}
FATAL_POP3 = {
    b"AUTH PLAIN " + b"A" * 200000: "too-long",
    (b"AUTH PLAIN " + b"A" * 80000 + b"\r\n") * 4: "too-long|bad-commands",
}
# Legal in POP3's eyes only as unknown commands.
FATAL_IMAP = {
    b"a LOGIN {4294967296+}\r\n": "too-long",
    b"a LOGIN {4097+}\r\n": "too-long",
    b"a ID (" + b"{1+}\r\na" * 100000: "too-long",
    b"a ID (" + b"{0+}\r\n" * 100000: "too-long",
    b"a LOGIN " + b"(" * 8191 + b"\r\n": "too-long",
    b"a AUTHENTICATE PLAIN " + b"A" * 200000: "too-long",
    (b"a AUTHENTICATE PLAIN " + b"A" * 80000 + b"\r\n") * 4: "too-long",
    b"t" * 255 + b" NOOP\r\n" + b"a NOOP\r\n" * 100000: "too-long",
}


def fatal(service):
    return {**FATAL, **(FATAL_POP3 if service.startswith("pop3") else FATAL_IMAP)}.items()


def last_words(service, got):
    lines = got.split(b"\r\n")
    assert lines[-1] == b"" and len(lines) > 2, got[-200:]
    begins = b"* BYE " if service.startswith("imap") else b"-ERR "
    assert lines[-2].startswith(begins), got[-200:]


def garbage(services, connect):
    """Each ends the conversation with a reason, and has its line in the log."""
    with Server() as server, Neighbour(server):
        for service in services:
            for raw, why in fatal(service):
                mark = log.mark()
                s = connect(service)
                throw(s, raw)
                last_words(service, everything(s))
                s.close()
                one_line(mark, "why=(%s)$" % why, raw[:40])
        strangers_gone()


def test_garbage_in_the_clear():
    garbage(CLEAR, open_port)


def test_garbage_behind_tls():
    garbage(ENCRYPTED, encrypted)


def test_no_tls_at_the_tls_ports():
    """Whatever is said there in the clear is taken for a handshake, and is none."""
    with Server() as server, Neighbour(server):
        for service in ENCRYPTED:
            for raw in list(FATAL) + [b"a LOGIN ann secret\r\n", b"\x80" * 300, b"\x16" * 70000,
                                      b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                                      b"\x16\x03\x01\x40\x00" + bytes(16384),
                                      b"\x15\x03\x01\x00\x02\x02\x28", TLS_HELLO[:50]]:
                mark = log.mark()
                s = open_port(service)
                throw(s, raw)
                hang_up(s)
                got = everything(s)
                assert not re.search(rb"[A-Za-z]{5}", got), got
                s.close()
                one_line(mark, "tls-failed: .* why=", raw[:40])
        strangers_gone()


def test_handshakes_that_stop_halfway():
    with Server(login_timeout="2s") as server, Neighbour(server):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = wire.client_context().wrap_bio(incoming, outgoing)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            hello = outgoing.read()
        mark = log.mark()
        crowd = [open_port("imaps") for _ in range(40)]
        for i, s in enumerate(crowd):
            s.sendall(hello[:len(hello) - i % 2 * 100])
        for s in crowd:
            everything(s)
            s.close()
        wait_for(lambda: len(about(log.lines[mark:])) == 40, "a line each")
        assert all("tls-failed" in line for line in about(log.lines[mark:]))
        strangers_gone()


# ---- strangers: what is refused, and the conversation goes on -----------------------

REFUSED_IMAP = (
    b"a XYZZY", b"a", b" a NOOP", b"a  NOOP", b"a NOOP x", b"a NO\rOP", b"a NOOP\ra NOOP",
    b"\x80 NOOP", b"a \xff\xfe", b"+ NOOP", b"a LOGIN", b"a LOGIN x", b'a LOGIN "x', b"a LOGIN x y z",
    b'a LOGIN "x\\y" z', b"a LOGIN x {-1}", b"a LOGIN x {}", b"a LOGIN x {99999999999999999999}",
    b"a LOGIN x {18446744073709551616}", b"a LOGIN x {4294967295}", b"a LOGIN x {5", b"a LOGIN x 5}",
    b"a LOGIN x {5}}", b"a AUTHENTICATE", b"a ID ((((((((", b"a ID (" + b"(" * 8000,
    b"a ID (" + b'"a" "b" ' * 31 + b")", b"a STARTTLS x",
    b"a SELECT INBOX", b"a FETCH 1 BODY[]", b"a UID FETCH 1 FLAGS", b"a APPEND INBOX {10}",
    b"%s%s%n NOOP", b"a LOGIN %n%n {10000000}",
)
REFUSED_POP3 = (
    b"XYZZY", b"", b" ", b"STAT", b"RETR 1", b"NOOP", b"DELE 1", b"QUIT NOW", b"PASS x", b"PASS",
    b"USER", b"USER " + b"x" * 2000, b"AUTH XYZZY", b"APOP ann 0123456789abcdef0123456789abcdef",
    b"\xff\xfe", b"US\rER ann", b"%s%n", b"STLS x", b"CAPA x", b"LANG \xff", b"USER \xff\xfe",
)


def test_refused_and_on():
    with Server() as server, Neighbour(server):
        for raw in REFUSED_IMAP:
            c = server.imap(tls=False)
            c.sock.sendall(raw + b"\r\n")
            line = c.line()
            assert re.match(rb"[^ ]+ (BAD|NO) ", line), (raw, line)
            c.sock.sendall(b"ok NOOP\r\n")
            assert c.line() == b"ok OK NOOP completed\r\n", raw
            c.close()
        for raw in REFUSED_POP3:
            c = server.pop3(tls=False)
            c.sock.sendall(raw + b"\r\n")
            assert c.line().startswith(b"-ERR"), raw
            assert c.command("CAPA").startswith(b"+OK"), raw
            c.close()
        strangers_gone()


def test_responses_of_sasl():
    """None ends the server's side, none is a login, and others log in meanwhile."""
    bad = (b"", b"*", b"=", b"====", b"A", b"AAA", b"AAAA=", b"=AAA", b"A===", b"\0", b"\xff",
           b"AGFubgBzZWNyZXQ", b"AGFubgBzZWNyZXQ==x", b"A" * 8189, b"A" * 8191 + b"=", b"A" * 87380, b"A" * 87381,
           b"AAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"YQBiAGMAZA==", b"/////w==", b"a b c")
    with Server() as server, Neighbour(server):
        mark = log.mark()
        for raw in bad:
            for service, begin in (("imap", b"a AUTHENTICATE PLAIN"), ("imap", b"a AUTHENTICATE LOGIN"),
                                   ("pop3", b"AUTH PLAIN"), ("pop3", b"AUTH LOGIN")):
                c = server.imap(tls=False) if service == "imap" else server.pop3(tls=False)
                c.sock.sendall(begin + b"\r\n")
                assert c.line().startswith(b"+ ")
                throw(c.sock, raw + b"\r\n")
                line = c.line()
                if line.startswith(b"+ "):          # LOGIN goes on to the password
                    throw(c.sock, raw + b"\r\n")
                    line = c.line()
                assert re.match(rb"a (BAD|NO) |-ERR |\* BYE ", line), (raw, line)
                c.close()
        assert not log.find("result=ok", mark) or \
            all("neighbour" in line for line in log.find("result=ok", mark))
        strangers_gone()


LOGIN_LINE = r"\]: login: (?!.* user=neighbour)"


def test_names_that_would_be_something_else():
    """In the log, to PAM, in a path: quoted or refused, and never another's field."""
    names = ("../../etc/passwd", "/root", "-oProxyCommand=x", "%s%n%x", "root\\0", "a:b", "$(id)",
             "x result=ok", 'x" result=ok', "x'; DROP TABLE", "r\u00f6\u00f6t", "x" * 255)
    with Server() as server, Neighbour(server):
        for name in names:
            mark = log.mark()
            c = server.imap(tls=False)
            tagged, _ = c.command("LOGIN %L x", name.encode())
            assert b" NO [AUTHENTICATIONFAILED] " in tagged, (name, tagged)
            c.close()
            line = log.wait(LOGIN_LINE, mark)
            assert line.count("result=") == 1 and " result=refused " in line, line
            # Not even PAM, or a script behind it, is asked about these.
            assert ("no account has such a name" in line) == bool(re.search("[:/]", name)), line
        for raw in (b"a\r\nb", b"a\nlogin: rip=192.0.2.1 result=ok", b"a\x1b[2Jb", b"a\x7f", b"\xff"):
            mark = log.mark()
            c = server.imap(tls=False)
            tagged, _ = c.command("LOGIN %L x", raw)
            assert re.search(rb" (NO|BAD) ", tagged), tagged
            c.close()
            line = log.wait(LOGIN_LINE, mark)
            assert not re.search("[\x00-\x1f\x7f]", line) and line.count("rip=") == 1, line
        mark = log.mark()
        c = server.imap(tls=False)
        c.command('ID ("name" %L)', b"x\r\n\x1b[2J result=ok rip=192.0.2.1")
        c.command("LOGIN nobodyhere x")
        c.close()
        line = log.wait(LOGIN_LINE, mark)
        assert line.count("rip=") == 1 and line.count("result=") == 1 and "\x1b" not in line, line


# ---- STARTTLS -----------------------------------------------------------------------

def test_nothing_said_in_the_clear_is_heard_behind_tls():
    who = user("injected")
    login = b"x LOGIN %s %s\r\n" % (who.name.encode(), who.password.encode())
    with Server() as server, Neighbour(server):
        for service, upgrade in (("imap", b"a STARTTLS\r\n"), ("pop3", b"STLS\r\n")):
            for more in (b"x NOOP\r\n", login, login[:5], b"x LOGIN {%d}\r\n" % len(who.name),
                         b"USER %s\r\nPASS %s\r\n" % (who.name.encode(), who.password.encode()),
                         b"\r\n", b"x CAPABILITY\r\nCAPA\r\n" * 50, TLS_HELLO[:11]):
                mark = log.mark()
                s = open_port(service)
                greeting = s.recv(4096)
                assert greeting.startswith((b"* OK", b"+OK"))
                s.sendall(upgrade + more)
                answer = s.recv(4096)
                assert answer.count(b"\r\n") == 1 and answer.startswith((b"a OK", b"+OK")), answer
                try:
                    tls = wire.client_context().wrap_socket(s)
                    raise AssertionError("a handshake behind %r, then %r" % (more, tls.recv(100)))
                except (ssl.SSLError, ConnectionError, OSError):
                    pass
                s.close()
                one_line(mark, "tls-failed", more)
        assert not log.find(r"login: .*user=%s " % who.name), "an injected command was run"
        strangers_gone()


def test_commands_split_around_starttls():
    """A line begun in the clear does not go on behind the handshake."""
    with Server() as server:
        for kind in ("imap", "pop3"):
            c = server.imap(tls=False) if kind == "imap" else server.pop3(tls=False)
            for piece in ((b"a STAR", b"TTLS\r", b"\n") if kind == "imap" else (b"ST", b"LS\r", b"\n")):
                c.sock.sendall(piece)
            assert c.line().startswith((b"a OK", b"+OK"))
            c.start_tls()
            # There is no second handshake in the first.
            if kind == "imap":
                c.ok("NOOP")
                assert b" BAD " in c.command("STARTTLS")[0]
            else:
                assert c.command("STLS").startswith(b"-ERR")
            c.close()


def until(stream, word):
    """Reads lines up to the one that has the word."""
    while word not in (line := stream.readline()):
        assert line, "it ended before it said %r" % word


def test_renegotiation_and_key_updates():
    need("openssl")
    client = ["openssl", "s_client", "-connect", "127.0.0.1:993", "-crlf"]
    with Server() as server, Neighbour(server):
        mark = log.mark()
        # Its input ends behind the answer: at the end s_client waits for none.
        process = subprocess.Popen(client + ["-tls1_2"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until(process.stdout, b"Mailreeve ready")       # nor may the greeting come in between
        process.stdin.write(b"R\n")
        process.stdin.flush()
        until(process.stdout, b"RENEGOTIATING")
        until(process.stdout, b"no renegotiation")
        assert b"a OK" not in process.communicate(timeout=wire.TIMEOUT)[0]
        process = subprocess.Popen(client + ["-tls1_3"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until(process.stdout, b"Mailreeve ready")
        for letter in b"k", b"K":       # a new key for one side, for both
            for _ in range(50):
                os.write(process.stdin.fileno(), letter + b"\n")
                until(process.stdout, b"KEYUPDATE")
        process.stdin.write(b"a LOGOUT\n")
        process.stdin.flush()
        until(process.stdout, b"a OK")
        process.stdin.close()
        process.wait(wire.TIMEOUT)
        assert not log.find("ended by signal", mark)
        strangers_gone()


def key_updates(port, n):
    """A client of TLS 1.3, and so many updates of its keys, which ask for no answer."""
    t = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new", "SSL_get_rbio"):
        getattr(t, name).restype = ctypes.c_void_p
    memory = t.BIO_s_mem
    memory.restype = t.BIO_new.restype = ctypes.c_void_p
    s = open_port(port)
    s.settimeout(None)
    tls = ctypes.c_void_p(t.SSL_new(ctypes.c_void_p(t.SSL_CTX_new(
        ctypes.c_void_p(t.TLS_client_method())))))
    assert t.SSL_set_fd(tls, s.fileno()) == 1 and t.SSL_connect(tls) == 1
    greeting = ctypes.create_string_buffer(4096)
    assert t.SSL_read(tls, greeting, len(greeting)) > 0 and b"ready" in greeting.value
    out = ctypes.c_void_p(t.BIO_new(ctypes.c_void_p(memory())))
    t.BIO_up_ref(ctypes.c_void_p(t.SSL_get_rbio(tls)))
    t.SSL_set0_wbio(tls, out)
    for _ in range(n):
        assert t.SSL_key_update(tls, 0) == 1 and t.SSL_do_handshake(tls) == 1
    flood = ctypes.create_string_buffer(n * 64)
    size = t.BIO_read(out, flood, len(flood))
    s.settimeout(wire.TIMEOUT)
    return s, flood.raw[:size]


def test_a_flood_of_key_updates():
    """None of it is data, and none would ever end the library's reading of it."""
    with Server() as server, Neighbour(server):
        mark = log.mark()
        s, flood = key_updates("imaps", 30000)
        throw(s, flood)
        everything(s)
        s.close()
        one_line(mark, "why=too-long$", "updates of keys")
        strangers_gone()


# ---- time ---------------------------------------------------------------------------

def test_silence_before_login():
    """Each is told, and the log has a line for each."""
    with Server(login_timeout="2s") as server, Neighbour(server):
        mark = log.mark()
        crowd = [(service, open_port(service)) for service in CLEAR + ENCRYPTED for _ in range(10)]
        begun = time.monotonic()
        for service, s in crowd:
            got = everything(s)
            if service in CLEAR:
                last_words(service, got)
            s.close()
        assert time.monotonic() - begun < 30 * SLOW
        wait_for(lambda: len(about(log.lines[mark:])) == len(crowd), "a line each")
        strangers_gone()


def test_a_byte_at_a_time():
    """Sent or taken slowly: the limit is one for all, also for what the server writes."""
    with Server(login_timeout="2s") as server, Neighbour(server):
        for service in CLEAR:
            mark = log.mark()
            s = open_port(service)
            got, begun = b"", time.monotonic()
            s.settimeout(0.1)
            while True:
                throw(s, b"x")
                try:
                    more = s.recv(1)
                except TimeoutError:
                    continue
                except ConnectionResetError:
                    break
                if not more:
                    break
                got += more
                assert time.monotonic() - begun < 30 * SLOW
            last_words(service, got)
            one_line(mark, "timeout", "a byte at a time")
            s.close()
        mark = log.mark()
        s = open_port("imap")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.setblocking(False)
        end = time.monotonic() + 20 * SLOW
        while about(log.lines[mark:]) == []:
            assert time.monotonic() < end, "who does not read stays for ever"
            try:
                s.send(b"x CAPABILITY\r\n" * 100)
            except BlockingIOError:
                pass
            except OSError:
                break
            time.sleep(0.02)        # the client's own slowness
        s.close()
        strangers_gone()


def test_a_session_whose_client_takes_a_byte_at_a_time():
    """write-timeout counts for all that is being sent, not for each byte of it."""
    who = user("drip")
    who.deliver(b"Subject: large\n\n" + b"0123456789abcdef\n" * 400000)
    with Server(write_timeout="2s", cleartext_login="yes") as server, Neighbour(server):
        for tls in (False, True):
            for kind in ("imap", "pop3"):
                c = server.imap_login(who, tls=tls) if kind == "imap" else \
                    server.pop3_login(who, tls=tls)
                pid, = sessions(who)
                if kind == "imap":
                    c.ok("SELECT INBOX")
                mark = log.mark()
                c.sock.sendall(b"a FETCH 1 BODY.PEEK[]\r\n" if kind == "imap" else b"RETR 1\r\n")
                begun = time.monotonic()
                with Watched(lambda: [pid], SESSION_PEAK, 20):
                    while os.path.exists("/proc/%d" % pid):
                        assert time.monotonic() - begun < 15 * SLOW, "still there"
                        try:
                            c.sock.recv(1)
                        except (OSError, ssl.SSLError):
                            pass
                        time.sleep(0.05)    # the client's own slowness
                line = log.wait("logout: .*user=%s " % who.name, mark)
                assert re.search("reason=(write-timeout|disconnected)", line), line
                c.close()
        strangers_gone()


def sessions(who, *names):
    """Pids of this user's sessions."""
    def uid(pid):
        try:
            return os.stat("/proc/%d" % pid).st_uid, open("/proc/%d/status" % pid).read()
        except (FileNotFoundError, ProcessLookupError):
            return None, ""
    return [pid for name in names or ("imap", "pop3") for pid in processes(name)
            if re.search(r"Uid:\s+%d\s" % who.uid, uid(pid)[1])]


# ---- crowds --------------------------------------------------------------------------

def descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.process.pid))


def test_floods_of_connections_that_close_at_once():
    with Server(max_connections=300, max_connections_per_address=100) as server:
        time_of_all = time.monotonic()
        wait_for(lambda: len(processes("login")) == 2, "spares")
        before = descriptors(server)
        for reset in (False, True):
            with Neighbour(server):
                for n in range(1500):
                    s = socket.socket()
                    s.connect(("127.0.0.1", tuple(PORTS.values())[n % 4]))
                    if reset:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
                strangers_gone()
            wait_for(lambda: not processes("imap") and not processes("pop3"), "the neighbour to end")
            wait_for(lambda: descriptors(server) <= before, "the clients' descriptors to be closed")
        assert not log.find("ended by signal")
        small(server.process.pid, 8192)
        print("# %.1f s" % (time.monotonic() - time_of_all))


def test_what_a_stranger_costs():
    """Processes of many silent connections, before and behind a handshake."""
    with Server(max_connections=500, spare_connections=0) as server, Neighbour(server):
        crowd = [open_port("imap") for _ in range(50)]
        for s in crowd:
            assert s.recv(4096).startswith(b"* OK")
        crowd += [encrypted("imaps") for _ in range(50)]
        for s in crowd[50:]:
            assert s.recv(4096).startswith(b"* OK")
        for s in crowd[:25] + crowd[50:75]:
            throw(s, b"a LOGIN {4096}\r\n")
            assert s.recv(4096).startswith(b"+ ")
            throw(s, b"x" * 4096 + b" {4000+}\r\n" + b"y" * 3999)
        for pid in processes("login"):
            small(pid, LOGIN_PEAK)
        for pid in processes("conn"):
            small(pid, LOGIN_PEAK)
        for s in crowd:
            s.close()
        strangers_gone()


# ---- users who mean harm -------------------------------------------------------------

NESTED = b"(" * 60000
FOR_SESSIONS = {
    b"t" * (10 << 20) + b" NOOP\r\n": rb"\* BAD ",
    b"t" * 256 + b" NOOP\r\n": rb"\* BAD ",
    b"a NOOP " + b"x" * (10 << 20) + b"\r\n": rb"a BAD ",
    b"a NO\0OP\r\n": rb"(a|\*) BAD ",
    b"a SELECT \"IN\0BOX\"\r\n": rb"a (BAD|NO) ",
    b"a SELECT {6+}\r\nIN\0BOX\r\n": rb"a (BAD|NO) ",
    b"a SELECT {5}\r\n": rb"\+ ",
    b"\xff\xfe\r\n": rb"\* BAD ",
    b"a SELECT \xff\xfe\r\n": rb"a (BAD|NO) ",
    b"a NOOP\ra NOOP\r\n": rb"a BAD ",
    b"a XYZZY\r\n": rb"a BAD ",
    b"a LOGIN x y\r\n": rb"a BAD ",
    b"a AUTHENTICATE PLAIN\r\n": rb"a BAD ",
    b"a STARTTLS\r\n": rb"a BAD ",
    b"a LIST " + NESTED + b"\r\n": rb"a (BAD|NO) ",
    b"a SEARCH " + NESTED + b"\r\n": rb"a (BAD|NO) ",
    b"a SEARCH " + b"NOT " * 15000 + b"ALL\r\n": rb"a (BAD|NO) ",
    b"a SEARCH " + b"OR ALL " * 9000 + b"ALL\r\n": rb"a (BAD|NO) ",
    b"a FETCH 1 " + NESTED + b"\r\n": rb"a (BAD|NO) ",
    b"a FETCH 1 BODY[" + b"1." * 30000 + b"1]\r\n": rb"a (BAD|NO) ",
    b"a FETCH 1 BODY[99999999999999999999]\r\n": rb"a BAD ",
    b"a FETCH 1 BODY[]<18446744073709551615.1>\r\n": rb"a (BAD|OK) |\* ",
    b"a FETCH 1 BODY[]<4294967295.4294967295>\r\n": rb"a (BAD|OK) |\* ",
    b"a FETCH 1 BODY[]<9223372036854775807.9223372036854775807>\r\n": rb"a (BAD|OK) |\* ",
    b"a FETCH 1 BODY[]<-1.5>\r\n": rb"a BAD ",
    b"a FETCH 1 BODY[]<1.0>\r\n": rb"a BAD ",
    b"a FETCH 0 FLAGS\r\n": rb"a BAD ",
    b"a FETCH 4294967296 FLAGS\r\n": rb"a BAD ",
    b"a FETCH 1:*,18446744073709551616 FLAGS\r\n": rb"a BAD ",
    b"a FETCH " + b"1," * 30000 + b"1 FLAGS\r\n": rb"a (BAD|NO|OK) |\* ",
    b"a UID FETCH " + b"4294967295:1," * 5000 + b"1 FLAGS\r\n": rb"a (BAD|NO|OK) |\* ",
    b"a ID (" + b'"a" "b" ' * 5000 + b")\r\n": rb"a (BAD|NO) ",
    b'a ID ("a" "' + b"x" * 60000 + b'")\r\n': rb"a (BAD|NO) ",
    b"a SELECT {-1}\r\n": rb"a BAD ",
    b"a SELECT {4294967296}\r\n": rb"a (BAD|NO) ",
    b"a SELECT {18446744073709551616}\r\n": rb"a BAD ",
    b"a SELECT {99999999999999999999999999}\r\n": rb"a BAD ",
    b"a APPEND INBOX {4294967295}\r\n": rb"a NO \[TOOBIG\] ",
    b"a APPEND INBOX {18446744073709551615}\r\n": rb"a (BAD|NO) ",
    b"a APPEND INBOX {0}\r\n": rb"a (BAD|NO) ",
    b"a SELECT " + b"{0+}\r\n" * 2000 + b"\r\n": rb"a (BAD|NO) ",
    b"a STORE 1 FLAGS (" + b"x " * 30000 + b")\r\n": rb"a (BAD|NO) ",
    b"a STORE 1 +FLAGS (" + b"x" * 60000 + b")\r\n": rb"a (BAD|NO) ",
    b"a CREATE " + b"/".join([b"x"] * 5000) + b"\r\n": rb"a (BAD|NO) ",
    b"a CREATE ../../../../tmp/out-of-the-mailbox\r\n": rb"a (BAD|NO|OK) ",
    b"a SELECT /etc/passwd\r\n": rb"a (BAD|NO) ",
    b"a SELECT ../../other\r\n": rb"a (BAD|NO) ",
    b"a LIST \"\" " + b"*" * 2000 + b"x\r\n": rb"a (BAD|NO|OK) ",
    b"a LIST \"\" " + b"%*" * 900 + b"x\r\n": rb"a (BAD|NO|OK) ",
    b"a SEARCH RETURN (PARTIAL 4294967295:4294967295) ALL\r\n": rb"a (BAD|NO|OK) |\* ",
    b"a SEARCH RETURN (PARTIAL 1:18446744073709551615) ALL\r\n": rb"a (BAD|NO|OK) |\* ",
    b"a SORT (" + b"SUBJECT " * 7000 + b") UTF-8 ALL\r\n": rb"a (BAD|NO) ",
    b"a ENABLE " + b"X" * 60000 + b"\r\n": rb"a (BAD|OK) ",
    b"a REPLACE 0 INBOX {5}\r\n": rb"a BAD ",
    b"a UID STORE 1 (UNCHANGEDSINCE 18446744073709551616) FLAGS ()\r\n": rb"a BAD ",
    b"a GETMETADATA INBOX (" + b"/private/x " * 5000 + b")\r\n": rb"a (BAD|NO) ",
    b"a NOTIFY SET " + b"(personal (MessageNew)) " * 2000 + b"\r\n": rb"a (BAD|NO) ",
    b"a THREAD REFERENCES UTF-8 " + NESTED + b"\r\n": rb"a (BAD|NO) ",
    b"a ESEARCH IN (mailboxes (" + b"x " * 20000 + b")) ALL\r\n": rb"a (BAD|NO) ",
}


def answered(c, raw):
    """Sends it: the lines up to the one that answers it."""
    c.sock.settimeout(60)
    throw(c.sock, raw)
    got = b""
    while not re.match(rb"a (OK|NO|BAD) |\* B(AD|YE) ", line := c.line()):
        got += line
        if line.startswith(b"+ "):
            throw(c.sock, b"INBOX\r\n")
    return got + line


def test_bad_commands_of_a_user():
    who = user("harm")
    who.deliver(b"Subject: one\n\none\n")
    with Server(cleartext_login="yes") as server, Neighbour(server):
        for raw, want in FOR_SESSIONS.items():
            c = server.imap_login(who, tls=False)
            c.ok("SELECT INBOX")
            pid, = sessions(who)
            before = cpu(pid)
            got = answered(c, raw)
            got = got.removeprefix(b"* OK [CLOSED] The previous mailbox is closed\r\n")
            assert re.match(want, got), (raw[:80], got[:200])
            c.ok("NOOP")
            small(pid, SESSION_PEAK)
            assert cpu(pid) - before < 2 * SLOW, (raw[:80], cpu(pid) - before)
            c.logout()
            wait_for(lambda: not sessions(who), "the session to end")
        assert os.listdir(who.home) == ["Maildir"] or ".bashrc" in os.listdir(who.home)
        assert not os.path.exists("/tmp/out-of-the-mailbox")


def test_the_last_literal_of_a_command():
    """A thousand are read, one more is not."""
    who = user("thousand")
    two = b" HEADER {1+}\r\nA {1+}\r\nb"
    with Server(cleartext_login="yes") as server:
        c = server.imap_login(who, tls=False)
        c.ok("SELECT INBOX")
        got = answered(c, b"a SEARCH" + two * 500 + b"\r\n")
        assert re.search(rb"^a OK ", got, re.M), got
        got = answered(c, b"a SEARCH" + two * 500 + b" SUBJECT {1+}\r\nx\r\n")
        assert got.startswith(b"a NO [LIMIT] Too many literals"), got
        c.logout()


def test_a_literal_that_will_not_end():
    """Refused before it is sent; who sends it all the same is heard out to a limit."""
    who = user("literal")
    with Server(cleartext_login="yes", append_limit="64K") as server, Neighbour(server):
        c = server.imap_login(who, tls=False)
        pid, = sessions(who)
        c.sock.sendall(b"a APPEND INBOX {100000000+}\r\n")
        for _ in range(100):
            throw(c.sock, b"x" * 1000000)
        throw(c.sock, b"\r\n")
        assert re.match(rb"a NO \[TOOBIG\]", c.line())
        c.ok("NOOP")
        small(pid, SESSION_PEAK)
        mark = log.mark()
        throw(c.sock, b"b APPEND INBOX {4294967295+}\r\n")
        got = everything(c.sock)
        assert b"* BYE " in got, got
        assert "reason=bad-commands" in log.wait("logout: .*user=%s " % who.name, mark)
        left = [f for _, _, files in os.walk(who.maildir + "/tmp") for f in files]
        assert not left, left


def test_bad_commands_in_a_row_end_the_session():
    who = user("row")
    with Server(cleartext_login="yes") as server:
        for kind, line in (("imap", b"a XYZZY\r\n"), ("pop3", b"XYZZY\r\n")):
            mark = log.mark()
            c = server.imap_login(who, tls=False) if kind == "imap" else \
                server.pop3_login(who, tls=False)
            throw(c.sock, line * 1000)
            got = everything(c.sock)
            assert got.count(b"\r\n") <= 22, got[-300:]
            assert (b"* BYE " in got) == (kind == "imap")
            assert "reason=bad-commands" in log.wait("logout: .*user=%s " % who.name, mark)
            c.close()


def test_a_hundred_thousand_commands_at_once():
    who = user("pipeline")
    n = 100000
    with Server(cleartext_login="yes") as server, Neighbour(server):
        for kind, line, answer in (("imap", b"a NOOP\r\n", b"a OK "), ("pop3", b"NOOP\r\n", b"+OK")):
            c = server.imap_login(who, tls=False) if kind == "imap" else \
                server.pop3_login(who, tls=False)
            pid, = sessions(who)
            sender = threading.Thread(target=throw, args=(c.sock, line * n), daemon=True)
            sender.start()
            for _ in range(n):
                assert c.line().startswith(answer)
            sender.join()
            small(pid, SESSION_PEAK)
            assert cpu(pid) < 20 * SLOW
            c.close()
            wait_for(lambda: not sessions(who), "the session to end")


def test_answers_that_nobody_reads():
    """The server does not hold what a client does not take."""
    who = user("deafear")
    for n in range(200):
        who.deliver(b"Subject: %d\n\n" % n + b"0123456789abcdef\n" * 2000)
    with Server(write_timeout="2s", cleartext_login="yes") as server, Neighbour(server):
        for tls in (False, True):
            for kind in ("imap", "pop3"):
                mark = log.mark()
                c = server.imap_login(who, tls=tls) if kind == "imap" else \
                    server.pop3_login(who, tls=tls)
                pid, = sessions(who)
                if kind == "imap":
                    c.ok("SELECT INBOX")
                    raw = b"a FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)\r\n" * 1000
                else:
                    raw = b"".join(b"RETR %d\r\n" % (n % 200 + 1) for n in range(1000))
                with Watched(lambda: [pid], SESSION_PEAK, 20), \
                        Watched(lambda: processes("login"), LOGIN_PEAK):
                    throw(c.sock, raw)
                    wait_for(lambda: not sessions(who), "the session to end", 20 * SLOW)
                line = log.wait("logout: .*user=%s " % who.name, mark)
                assert re.search("reason=(write-timeout|disconnected)", line), line
                c.close()
        strangers_gone()


def test_compressed_bombs():
    """What a megabyte of DEFLATE becomes is bounded like any other input."""
    who = user("bomb")
    squeeze = zlib.compressobj(9, wbits=-15)
    bomb = b"".join(squeeze.compress(b"x" * (1 << 20)) for _ in range(200)) + \
        squeeze.flush(zlib.Z_SYNC_FLUSH)
    with Server(cleartext_login="yes") as server, Neighbour(server):
        for raw in (bomb, bomb * 3, os.urandom(100000), b"\xff" * 1000, squeeze.flush()):
            c = server.imap_login(who, tls=False)
            pid, = sessions(who)
            c.ok("COMPRESS DEFLATE")
            with Watched(lambda: [pid], SESSION_PEAK, 20):
                throw(c.sock, raw)
                hang_up(c.sock)
                everything(c.sock, 60)
                wait_for(lambda: not sessions(who), "the session to end", 60)
            c.close()


def test_mail_that_grows_by_itself():
    """CATENATE and COPY multiply: append-limit and the quota count what comes out."""
    who = user("grow")
    who.deliver(b"Subject: seed\n\n" + b"0123456789abcdef\n" * 5000)
    with Server(cleartext_login="yes", append_limit="1M", quota_storage="2M") as server:
        c = server.imap_login(who, tls=False)
        c.ok("SELECT INBOX")
        status = b" ".join(c.ok("STATUS INBOX (UIDVALIDITY)"))
        url = b'URL "/INBOX;UIDVALIDITY=%s/;UID=1"' % re.search(rb"UIDVALIDITY (\d+)", status).group(1)
        tagged, _ = c.command(b"APPEND INBOX CATENATE (" + b" ".join([url] * 900) + b")")
        assert b" NO [TOOBIG]" in tagged, tagged
        for _ in range(40):
            tagged, _ = c.command("COPY 1:* INBOX")
            if b" NO " in tagged:
                break
        assert b"OVERQUOTA" in tagged, tagged
        c.logout()


def test_bad_commands_of_a_pop3_user():
    who = user("pharm")
    who.deliver(b"Subject: one\n\none\n")
    with Server(cleartext_login="yes") as server, Neighbour(server):
        for raw in (b"RETR 0", b"RETR -1", b"RETR 4294967296", b"RETR 18446744073709551617",
                    b"RETR 99999999999999999999999", b"RETR 1 2", b"RETR", b"RETR x", b"TOP 1",
                    b"TOP 1 -1", b"TOP 1 x", b"LIST 2", b"UIDL 0", b"DELE 0",
                    b"NO\0OP", b"\xff\xfe", b"NOOP\rNOOP", b"x" * 256, b"x" * 60000, b"USER x",
                    b"PASS x", b"AUTH PLAIN", b"STLS", b"%n%s"):
            c = server.pop3_login(who, tls=False)
            pid, = sessions(who)
            throw(c.sock, raw + b"\r\n")
            assert c.response().startswith(b"-ERR"), raw[:40]
            assert c.command("STAT").startswith(b"+OK 1 "), raw[:40]
            small(pid, SESSION_PEAK)
            c.quit()
            wait_for(lambda: not sessions(who), "the session to end")
        c = server.pop3_login(who, tls=False)
        mark = log.mark()
        throw(c.sock, b"x" * 200000)
        got = everything(c.sock)
        assert got.startswith(b"-ERR"), got
        assert "reason=bad-commands" in log.wait("logout: .*user=%s " % who.name, mark)


main(__name__)
