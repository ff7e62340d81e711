"""A client's side of SCRAM (RFC 5802), step by step, so that tests can do it wrong."""
import base64
import hashlib
import hmac
import os

DIGESTS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


def b64(raw):
    return base64.b64encode(raw).decode()


def escaped(name):
    return name.replace("=", "=3D").replace(",", "=2C")


class Scram:
    """first() -> final(server's first) -> verify(server's last); all messages are str."""

    def __init__(self, mechanism, user, password, authzid="", flag="n", binding=b"",
                 nonce=None, header=None):
        self.digest = DIGESTS[mechanism.replace("-PLUS", "")]
        self.password, self.binding = password, binding
        self.header = header or "%s,%s," % (flag, "a=" + escaped(authzid) if authzid else "")
        self.nonce = nonce or b64(os.urandom(18))
        self.bare = "n=%s,r=%s" % (escaped(user), self.nonce)

    def first(self):
        return self.header + self.bare

    def final(self, challenge, nonce=None, extension=""):
        """nonce: another than the server's; extension: ",x=y" before the proof."""
        parts = dict(part.split("=", 1) for part in challenge.split(","))
        self.salt, self.count = parts["s"], int(parts["i"])
        assert parts["r"].startswith(self.nonce) and len(parts["r"]) > len(self.nonce) + 16
        salted = hashlib.pbkdf2_hmac(self.digest, self.password.encode(),
                                     base64.b64decode(self.salt), self.count)
        without = "c=%s,r=%s%s" % (b64(self.header.encode() + self.binding),
                                   nonce or parts["r"], extension)
        message = ",".join((self.bare, challenge, without)).encode()
        client = hmac.new(salted, b"Client Key", self.digest).digest()
        stored = hashlib.new(self.digest, client).digest()
        signature = hmac.new(stored, message, self.digest).digest()
        server = hmac.new(salted, b"Server Key", self.digest).digest()
        self.expected = "v=" + b64(hmac.new(server, message, self.digest).digest())
        return without + ",p=" + b64(bytes(a ^ b for a, b in zip(client, signature)))

    def verify(self, last):
        return last == self.expected
