"""A stand-in for conn: starts the real login in its cage and plays conn's part.

The fixed-size messages are those of include/chan.h. Passwords are a table;
the client's side of the connection is handed to the test.
"""
import array
import fcntl
import os
import socket
import struct
import tempfile
import threading

HELLO, SIGNER, CLIENT_CA, CLIENT, PROXY, LOGIN = range(1, 7)
OK, REFUSED, EXPIRED, CONTACT_ADMIN, NOT_AUTHORIZED, UNAVAILABLE, LIMIT = range(1, 8)
SERVICES = {"imap": 0, "imaps": 1, "pop3": 2, "pop3s": 3}
PEER_LOCAL, PEER_PROXY = 1, 2

TEXT = "H1024s"
REQUEST = struct.Struct("=IIII" + 5 * TEXT + "2x")
REPLY = struct.Struct("=IIII" + TEXT + "2x")
REQUEST_PARTS = ("user", "authzid", "secret", "tag", "client")


def reply(result, follow=0, service=0, flags=0, text=b""):
    return REPLY.pack(result, follow, service, flags, len(text), text)


def parse(raw):
    fields = REQUEST.unpack(raw)
    texts = {name: fields[5 + 2 * i][:fields[4 + 2 * i]]
             for i, name in enumerate(REQUEST_PARTS)}
    return fields[0], fields[1], texts


class FakeConn:
    """One login process. answers: {password: (result, text)}; others are refused.

    self.client is the client's socket; self.requests what login asked;
    self.log its log lines; after a success self.channel is the session's
    stream (TLS) and self.served the client's socket (cleartext).
    """

    def __init__(self, program, service, pem=b"", flags=0, answers=None, config="",
                 uid=65534, root="/usr/local/libexec/mailreeve/empty", proxy_answer=OK,
                 hang_up_at_login=False):
        self.service, self.pem, self.flags = SERVICES[service], pem, flags
        self.answers = {b"secret": (OK, b"")} if answers is None else answers
        self.proxy, self.hang_up = proxy_answer, hang_up_at_login
        self.requests, self.log, self.error = [], [], None
        self.channel, inner = socket.socketpair()
        self.logger, log_inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.client, self.served = tcp_pair()
        self.pid = self.start(program, inner, log_inner, uid, "login-root %s\n%s" % (root, config))
        inner.close()
        log_inner.close()
        self.entered = threading.Event()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        threading.Thread(target=self.listen, daemon=True).start()

    def start(self, program, inner, log_inner, uid, config):
        self.uid, self.config, self.program = uid, config, program
        self.output = os.memfd_create("stderr")
        pid = self.run(program, {3: inner, 4: log_inner})
        self.log_inner = log_inner.dup() if self.pem else None
        return pid

    def run(self, program, at):
        """A program in its cage, with these sockets at these numbers."""
        env = {"MAILREEVE_CONFIG": self.config}
        env.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
        pid = os.fork()
        if pid == 0:
            try:
                null = os.open("/dev/null", os.O_RDWR)
                fds = {0: null, 1: null, 2: self.output}
                fds.update((n, s.fileno()) for n, s in at.items())
                high = {n: fcntl.fcntl(fd, fcntl.F_DUPFD, 5000) for n, fd in fds.items()}
                os.closerange(0, 5000)
                for n, fd in high.items():
                    os.dup2(fd, n)
                os.closerange(max(at) + 1, 6000)
                os.execve(program, [program, str(self.uid), str(self.uid)], env)
            finally:
                os._exit(127)
        return pid

    def link(self):
        """A link to a real signer that has self.pem."""
        path = tempfile.mkstemp(suffix=".pem")[1]
        with open(path, "wb") as f:
            f.write(self.pem)
        self.config += "tls-certificate %s\ntls-key %s\n" % (path, path)
        ours, door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.signer = self.run(os.path.join(os.path.dirname(self.program), "signer"),
                               {4: self.log_inner, 5: door})
        pass_on(ours, b"\0", theirs)
        return link

    def listen(self):
        while line := self.logger.recv(65536):
            self.log.append(line.decode("latin-1"))

    def receive(self):
        raw = b""
        while len(raw) < REQUEST.size:
            more = self.channel.recv(REQUEST.size - len(raw))
            if not more:
                return None
            raw += more
        return parse(raw)

    def serve(self):
        try:
            while not self.entered.is_set() and (request := self.receive()):
                self.requests.append(request)
                self.serve_one(*request)
        except OSError as error:
            self.error = error
        finally:
            self.ended.set()

    def serve_one(self, kind, tls, texts):
        if kind == SIGNER and self.pem:
            pass_on(self.channel, reply(OK), self.link())
        elif kind == SIGNER:
            self.channel.sendall(reply(UNAVAILABLE))
        elif kind == CLIENT:
            pass_on(self.channel, reply(OK, service=self.service, flags=self.flags,
                                        text=b"192.0.2.7"), self.served)
            if self.service in (1, 3):
                self.served.close()
        elif kind == PROXY:
            self.channel.sendall(reply(self.proxy, text=b"203.0.113.9"))
        elif kind == LOGIN and self.hang_up:
            self.channel.close()
            self.entered.set()
        elif kind == LOGIN:
            result, text = self.answers.get(texts["secret"], (REFUSED, b""))
            if result == OK:
                self.entered.set()
            self.channel.sendall(reply(result, text=text))
        else:
            self.channel.sendall(reply(OK, text=b"test"))

    def logins(self):
        return [r for r in self.requests if r[0] == LOGIN]

    def status(self):
        """Waits for login's end: its exit status (negative: a signal); self.cpu in seconds."""
        _, status, used = os.wait4(self.pid, 0)
        self.cpu = used.ru_utime + used.ru_stime
        return os.waitstatus_to_exitcode(status)

    def said(self):
        return os.pread(self.output, 1 << 16, 0).decode("utf-8", "replace")


def pass_on(channel, message, what):
    fds = array.array("i", [what.fileno()])
    channel.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])


def tcp_pair():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    served = listener.accept()[0]
    listener.close()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    served.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, served
