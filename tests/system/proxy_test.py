#!/usr/bin/env python3
"""Behind the real HAProxy, nginx and Dovecot: the client's own address is what counts."""
import http.server
import threading

from lib import *

PROXY = "127.0.0.1"
SERIAL = [0]


def somewhere():
    SERIAL[0] += 1
    return "127.7.0.%d" % SERIAL[0]


def write(name, text):
    path = SCRATCH + "/" + name
    with open(path, "w") as f:
        f.write(text)
    return path


class Running:
    """A daemon in the foreground until the `with` ends; ready when its ports listen."""

    def __init__(self, command, ports):
        self.command, self.ports = command, ports

    def __enter__(self):
        self.process = start(self.command)
        for port in self.ports:
            wait_for(lambda: self.answers(port), "port %d\n%s" % (port, self.process.said()))
        return self

    def answers(self, port):
        if self.process.poll() is not None:
            raise AssertionError("%s ended:\n%s" % (self.command[0], self.process.said()))
        with open("/proc/net/tcp") as f:
            return any(line.split()[1].endswith(":%04X" % port) and line.split()[3] == "0A"
                       for line in f)

    def __exit__(self, kind, error, trace):
        self.process.terminate()
        self.process.wait(20)
        if kind:
            print("\n".join("# " + line for line in self.process.said().splitlines()[-20:]))


def imap_login(port, who, source, password=None, tls=False):
    """The line that this attempt leaves in the log."""
    mark = log.mark()
    c = wire.Connection(wire.connect(port, source=(source, 0)))
    if tls:
        c.sock = wire.client_context().wrap_socket(c.sock, server_hostname="localhost")
    assert c.line().startswith(b"* OK"), c.record
    c.send(b"a LOGIN %s %s\r\n" % (who.name.encode(), (password or who.password).encode()))
    word = tagged(c, b"a ").split(b" ")[1]
    assert (word == b"OK") == (password is None), c.record
    if word == b"OK":
        c.send(b"b LOGOUT\r\n")
        tagged(c, b"b ")
    c.sock.close()
    return log.wait(r"login: .*user=%s " % who.name, mark)


def tagged(c, tag):
    while not (line := c.line()).startswith(tag):
        pass
    return line


def pop3_login(port, who, source):
    mark = log.mark()
    c = wire.Connection(wire.connect(port, source=(source, 0)))
    for command in (None, b"USER " + who.name.encode(), b"PASS " + who.password.encode(), b"QUIT"):
        if command:
            c.send(command + b"\r\n")
        assert c.line().startswith(b"+OK"), c.record
    c.sock.close()
    return log.wait(r"login: .*user=%s " % who.name, mark)


def expect(line, source, proto, **fields):
    want = dict(rip=source, proto=proto, proxy=PROXY, result="ok", **fields)
    for name, value in want.items():
        assert re.search(r"\b%s=%s\s" % (name, re.escape(value)), line), (name, value, line)


# ---- HAProxy ---------------------------------------------------------------------

def haproxy():
    program = need("haproxy")[0]
    with open(SCRATCH + "/haproxy.pem", "w") as out:
        for end in (".crt", ".key"):
            with open("/etc/mailreeve/tls" + end) as f:
                out.write(f.read())
    parts = ["global\n stats socket %s/haproxy.sock\n" % SCRATCH,
             "defaults\n mode tcp\n timeout connect 5s\n timeout client 1m\n timeout server 1m\n"
             " timeout check 10s\n"]
    for name, port, crt, server, check in (
            ("v1", 2143, "", "127.0.0.1:143 send-proxy", ""),
            ("v2", 2144, "", "127.0.0.1:143 send-proxy-v2 check inter 100ms", "* OK"),
            ("pop", 2110, "", "127.0.0.1:110 send-proxy-v2 check inter 100ms", "+OK"),
            ("ssl", 2993, " ssl crt %s/haproxy.pem" % SCRATCH,
             "127.0.0.1:143 send-proxy-v2-ssl", "")):
        parts.append("listen %s\n bind 127.0.0.1:%d%s\n%s server s %s\n" % (
            name, port, crt, " option tcp-check\n tcp-check expect string %s\n"
            % check.replace(" ", r"\ ") if check else "", server))
    return Running([program, "-f", write("haproxy.cfg", "".join(parts))], (2143, 2144, 2110, 2993))


def stat(*names):
    """The state of HAProxy's health checks of these backends."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(SCRATCH + "/haproxy.sock")
        s.sendall(b"show stat\n")
        text = b""
        while more := s.recv(65536):
            text += more
    rows = [line.split(",") for line in text.decode().lstrip("# ").splitlines() if line]
    at = rows[0].index("check_status")
    return [row[at] for row in rows if row[0] in names and row[1] == "s"]


def test_haproxy_tells_the_client():
    who = user("haproxy")
    with Server(trusted_proxies=PROXY, cleartext_login="yes"), haproxy():
        for port, tls in ((2143, False), (2144, False), (2993, True)):
            source = somewhere()
            line = imap_login(port, who, source, tls=tls)
            expect(line, source, "imap", tls="no", lip=PROXY)
        expect(pop3_login(2110, who, source := somewhere()), source, "pop3")


def test_haproxy_took_the_tls_away():
    who = user("offload")
    with Server(trusted_proxies=PROXY, cleartext_login="no"), haproxy():
        expect(imap_login(2993, who, source := somewhere(), tls=True), source, "imap")
        c = wire.Connection(wire.connect(2143, source=(somewhere(), 0)))
        assert b"LOGINDISABLED" in c.line()
        c.sock.close()


def test_haproxys_checks_are_quiet():
    with Server(trusted_proxies=PROXY, log_level="debug"):
        mark = log.mark()
        with haproxy():
            wait_for(lambda: stat("v2", "pop") == ["L7OK", "L7OK"], "two good checks")
            wait_for(lambda: len(log.find("connect: .*proto=imap ", mark)) > 3
                     and len(log.find("connect: .*proto=pop3 ", mark)) > 3, "more checks")
        # Nothing above the level of debugging.
        said = [line for line in log.lines[mark:] if not line.startswith("<23>")
                and "mailreeved[" not in line]
        assert not said, said


def test_the_clients_address_is_what_pam_and_limits_see():
    who = user("rhost")
    source, other = somewhere(), somewhere()
    with open("/etc/pam.d/imap") as f:
        kept = f.read()
    with open("/etc/pam.d/imap", "w") as f:
        f.write("account required pam_access.so accessfile=%s/access\n" % SCRATCH + kept)
    write("access", "-:ALL:%s\n" % other)
    try:
        with Server(trusted_proxies=PROXY, cleartext_login="yes",
                    max_connections_per_address="2"), haproxy():
            expect(imap_login(2143, who, source), source, "imap")
            mark = log.mark()
            c = wire.Connection(wire.connect(2143, source=(other, 0)))
            c.line()
            c.send(b"a LOGIN %s secret\r\n" % who.name.encode())
            assert tagged(c, b"a ").startswith(b"a NO"), c.record
            log.wait("login: rip=%s .*result=not-authorized" % other, mark)
            held = [wire.Connection(wire.connect(2143, source=(source, 0))) for _ in range(2)]
            for h in held:
                assert h.line().startswith(b"* OK")
            c = wire.Connection(wire.connect(2143, source=(source, 0)))
            assert c.line().startswith(b"* BYE [LIMIT]"), c.record
            for h in held:
                h.sock.close()
    finally:
        with open("/etc/pam.d/imap", "w") as f:
            f.write(kept)


def test_guesses_are_those_of_the_client():
    who = user("guesser")
    bad = somewhere()
    with Server(trusted_proxies=PROXY, cleartext_login="yes", failure_delay="1s"), haproxy():
        for i in range(4):
            imap_login(2143, who, bad, password="wrong%d" % i)

        def another():
            begun = time.monotonic()
            imap_login(2143, who, somewhere(), password="wrong")
            return time.monotonic() - begun
        at_best(another, lambda taken: taken < 2)


# ---- nginx -----------------------------------------------------------------------

class Answer(http.server.BaseHTTPRequestHandler):
    """nginx's auth_http: everybody may try, here."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Auth-Status", "OK")
        self.send_header("Auth-Server", PROXY)
        self.send_header("Auth-Port", str(PORTS[self.headers["Auth-Protocol"]]))
        self.end_headers()

    def log_message(self, *args):
        pass


def nginx():
    program = need("nginx")[0]
    module = "/usr/lib/nginx/modules/ngx_mail_module.so"
    if not os.path.exists(module):
        raise Skip("nginx has no mail module")
    web = http.server.ThreadingHTTPServer((PROXY, 0), Answer)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    os.makedirs("/var/log/nginx", exist_ok=True)
    conf = write("nginx.conf", """
load_module %s;
daemon off; master_process off; pid %s/nginx.pid; error_log stderr info;
events { }
mail {
  auth_http %s:%d/auth; proxy_protocol on; proxy_pass_error_message on;
  server { listen 127.0.0.1:3143; protocol imap; }
  server { listen 127.0.0.1:3110; protocol pop3; }
}
""" % (module, SCRATCH, PROXY, web.server_address[1]))
    return Running([program, "-c", conf], (3143, 3110))


def test_nginx_tells_the_client():
    who = user("nginx")
    with Server(trusted_proxies=PROXY, cleartext_login="yes"), nginx():
        expect(imap_login(3143, who, source := somewhere()), source, "imap")
        expect(pop3_login(3110, who, source := somewhere()), source, "pop3")
        line = imap_login(3143, who, source := somewhere(), password="wrong")
        assert "login: rip=%s " % source in line and "result=refused" in line, line


# ---- Dovecot as a proxy, and others that take the password themselves ----------------

def dovecot():
    program = need("dovecot")[0]
    conf = write("dovecot.conf", """
base_dir = %(run)s/dovecot
state_dir = %(run)s/dovecot-state
log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
service imap-login {
  inet_listener imap { \n port = 4143 \n }
  inet_listener imaps { \n port = 0 \n }
}
service pop3-login {
  inet_listener pop3 { \n port = 4110 \n }
  inet_listener pop3s { \n port = 0 \n }
}
passdb {
  driver = static
  args = proxy=y host=127.0.0.1 nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
""" % {"run": SCRATCH})
    return Running([program, "-F", "-c", conf], (4143, 4110))


def test_dovecots_proxy_tells_the_client():
    who = user("director")
    with Server(trusted_xclient=PROXY), dovecot():
        source = somewhere()
        expect(imap_login(4143, who, source), source, "imap", lip="127.0.0.1")
        expect(pop3_login(4110, who, source := somewhere()), source, "pop3")


def test_front_ends_in_their_own_words():
    who = user("front")
    with Server(trusted_xclient=PROXY, max_connections_per_address="2") as server:
        for word in ("XCLIENT ADDR=IPV6:2001:db8::7 PORT=99 NAME=[UNAVAILABLE] PROTO=ESMTP",
                     "XOIP 2001:db8::7"):
            mark = log.mark()
            p = server.pop3(tls="starttls")
            assert p.welcome.startswith(b"+OK [XCLIENT] "), p.welcome
            assert b"XCLIENT" in p.ok("CAPA", multi=True)
            assert p.command("XCLIENT ADDR=nowhere").startswith(b"-ERR")
            p.ok(word)
            assert b"XCLIENT" not in p.ok("CAPA", multi=True)
            assert p.command(word) == b"-ERR Unknown command"
            p.login(who.name, who.password)
            expect(log.wait("login: ", mark), "2001:db8::7", "pop3", tls="yes")
            p.quit()
        c = server.imap()
        assert c.command('ID ("x-originating-ip" "2001:db8::8/64")')[0].split(b" ")[1] == b"BAD"
        c.ok('ID ("name" "webmail")')
        c.ok('ID ("name" "webmail" "x-originating-ip" "2001:db8::8")')
        mark = log.mark()
        c.login(who.name, who.password)
        expect(log.wait("login: ", mark), "2001:db8::8", "imaps", tls="yes")
        second = server.imap()
        second.ok('ID ("x-originating-ip" "2001:db8::9")')
        third = server.imap()
        third.send(b'x ID ("x-originating-ip" "2001:db8::a")\r\n')
        assert third.line().startswith(b"* BYE [LIMIT]")
        for one in (c, second):
            one.logout()


def test_nobody_else_is_believed():
    who = user("liar")
    with Server(trusted_xclient=PROXY) as server:
        source = somewhere()
        p = server.pop3(source=(source, 0))
        assert b"XCLIENT" not in p.welcome and b"XCLIENT" not in p.ok("CAPA", multi=True)
        assert p.command("XCLIENT ADDR=192.0.2.1") == b"-ERR Unknown command"
        mark = log.mark()
        p.login(who.name, who.password)
        assert "rip=%s " % source in log.wait("login: ", mark)
        p.quit()
        c = server.imap(source=(source, 0))
        c.ok('ID ("x-originating-ip" "192.0.2.1" "x-originating-port" "nonsense")')
        mark = log.mark()
        c.login(who.name, who.password)
        line = log.wait("login: ", mark)
        assert "rip=%s " % source in line and "proxy=- " in line, line
        c.logout()


def test_the_loopback_of_another_host_is_not_ours():
    """A proxy elsewhere has a client of its own: what that says comes here in the clear."""
    ip, = need("ip")
    for address in ("192.0.2.10", "192.0.2.11"):
        run(ip, "address", "add", address + "/32", "dev", "lo")
    with Server(trusted_proxies="192.0.2.10 127.0.0.1"):
        for proxy, here, allowed in (("192.0.2.10", "192.0.2.11", False),
                                     ("127.0.0.1", "127.0.0.1", True)):
            for source in ("127.0.0.1", "192.0.2.77"):
                with socket.create_connection((here, 143), wire.TIMEOUT, (proxy, 0)) as s:
                    s.sendall(b"PROXY TCP4 %s 127.0.0.1 1025 143\r\n" % source.encode())
                    greeting = wire.Connection(s).line()
                disabled = not allowed or source != "127.0.0.1"
                assert (b" LOGINDISABLED" in greeting) == disabled, (proxy, source, greeting)


def test_a_header_that_does_not_come_has_its_line():
    with Server(trusted_proxies=PROXY, login_timeout="1s"):
        for begun in (b"", b"PROXY TCP4 192.0.2.1"):
            mark = log.mark()
            with socket.create_connection(("127.0.0.1", 143), wire.TIMEOUT) as s:
                s.sendall(begun)
                assert wire.Connection(s).line().startswith(b"* BYE ")
            log.wait("timeout: rip=127.0.0.1 proto=imap ", mark)


main(__name__)
